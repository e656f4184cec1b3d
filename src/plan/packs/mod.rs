//! Packs: published sets of cleaning rules under a name. One file each, and [`all`], the one table from which the checks,
//! the reference and the editors work.
//!
//! A pack is written in the language itself. What stands for it in a data set are its statements with the field and the
//! options filled in, so that whoever wants other rules can write them out and go on from there.

mod c4;
mod fineweb;
mod gopher_quality;
mod gopher_repetition;

use std::collections::BTreeMap;

/// A set of cleaning rules.
#[derive(Debug, Clone, Copy)]
pub struct Pack {
    /// The name by which a spec calls it.
    pub name: &'static str,
    /// What it is, as one line of a list, without a full stop.
    pub summary: &'static str,
    /// The page of the reference, in Markdown.
    pub docs: &'static str,
    /// What can be set, by the names that its public implementation has.
    pub options: &'static [PackOption],
    /// Its rules in order.
    pub rules: &'static [PackRule],
}

/// Something that can be set.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PackOption {
    /// Its name.
    pub name: &'static str,
    /// What it is when nothing is said, and what it may be.
    pub kind: OptionKind,
    /// What it is, as a phrase without a full stop.
    pub docs: &'static str,
}

/// The kinds of option. Each can also be `off`, which takes out the rules that need it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum OptionKind {
    /// A whole number, its default first.
    Whole(u32, u32, u32),
    /// A number, its default first.
    Number(f64, f64, f64),
    /// `on` unless it is off.
    Switch,
}

/// A rule of a pack.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PackRule {
    /// How the audit names it: of a `drop` the reason.
    pub name: &'static str,
    /// The option that takes it out when it is off, beside those in the statement.
    pub switch: Option<&'static str>,
    /// The statement, with `$text` for the field and `$NAME` for an option.
    pub statement: &'static str,
}

/// A value of an option.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum OptionValue {
    /// A number, or the default where nothing is said.
    Number(f64),
    /// A switch that is on.
    On,
    /// The rules that need it are taken out.
    Off,
}

/// A statement of a pack, filled in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Written {
    /// The rule's place in [`Pack::rules`].
    pub rule: usize,
    /// The statement as a specification has it.
    pub statement: String,
}

/// The pack that a spec calls `name`.
pub fn lookup(name: &str) -> Option<&'static Pack> {
    ALL.into_iter().find(|pack| pack.name == name)
}

/// Every pack, in the order of the reference.
pub fn all() -> &'static [&'static Pack] {
    &ALL
}

static ALL: [&Pack; 4] = [&gopher_quality::PACK, &gopher_repetition::PACK, &c4::PACK, &fineweb::PACK];

impl PackOption {
    const fn whole(name: &'static str, default: u32, least: u32, most: u32, docs: &'static str) -> Self {
        Self { name, kind: OptionKind::Whole(default, least, most), docs }
    }

    const fn number(name: &'static str, default: f64, most: f64, docs: &'static str) -> Self {
        Self { name, kind: OptionKind::Number(default, 0.0, most), docs }
    }

    const fn switch(name: &'static str, docs: &'static str) -> Self {
        Self { name, kind: OptionKind::Switch, docs }
    }

    /// What it is when nothing is said.
    pub fn default(&self) -> OptionValue {
        match self.kind {
            OptionKind::Whole(default, ..) => OptionValue::Number(f64::from(default)),
            OptionKind::Number(default, ..) => OptionValue::Number(default),
            OptionKind::Switch => OptionValue::On,
        }
    }
}

impl PackRule {
    const fn drop(name: &'static str, statement: &'static str) -> Self {
        Self { name, switch: None, statement }
    }

    const fn switched(switch: &'static str, name: &'static str, statement: &'static str) -> Self {
        Self { name, switch: Some(switch), statement }
    }
}

impl Pack {
    /// The statements for a field, as it is written in a specification. Options that are not given have their defaults;
    /// rules that need one that is off are left out.
    pub fn written(&self, field: &str, given: &BTreeMap<&str, OptionValue>) -> Vec<Written> {
        let value = |name: &str| {
            let option = self.options.iter().find(|option| option.name == name)?;
            Some(given.get(name).copied().unwrap_or_else(|| option.default()))
        };
        let rules = self.rules.iter().enumerate().filter_map(|(rule, row)| {
            let is_on = row.switch.is_none_or(|switch| value(switch).is_some_and(|value| value != OptionValue::Off));
            let statement = filled_in(row.statement, |name| match name {
                "text" => Some(field.to_owned()),
                name => match value(name)? {
                    OptionValue::Number(number) => Some(number.to_string()),
                    OptionValue::On | OptionValue::Off => None,
                },
            });
            Some(Written { rule, statement: statement.filter(|_| is_on)? })
        });
        rules.collect()
    }
}

impl Pack {
    /// All of its rules for a field, a statement on each line, as they stand in a `clean` block when nothing is said.
    pub fn written_out(&self, field: &str) -> String {
        let lines = self.written(field, &BTreeMap::new()).into_iter().map(|one| {
            // A `drop` says its name itself.
            let named = if one.statement.starts_with("drop ") {
                String::new()
            } else {
                format!("  // {}", self.rules[one.rule].name)
            };
            format!("{}{named}\n", one.statement)
        });
        lines.collect()
    }
}

/// A statement with each `$NAME` replaced; `None` where one of them has no value.
fn filled_in(statement: &str, value: impl Fn(&str) -> Option<String>) -> Option<String> {
    let mut filled = String::with_capacity(statement.len());
    let mut rest = statement;
    while let Some((before, after)) = rest.split_once('$') {
        filled.push_str(before);
        let length =
            after.find(|character: char| !matches!(character, 'a'..='z' | '0'..='9' | '_')).unwrap_or(after.len());
        if length == 0 {
            filled.push('$');
        } else {
            filled.push_str(&value(&after[..length])?);
        }
        rest = &after[length..];
    }
    filled.push_str(rest);
    Some(filled)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_complete_and_every_option_takes_a_rule_out() {
        for pack in all() {
            assert!(pack.docs.ends_with('.') && !pack.summary.ends_with('.'), "{}", pack.name);
            let whole = pack.written("text", &BTreeMap::new());
            assert_eq!(whole.len(), pack.rules.len(), "{}: a statement names an option that is not there", pack.name);
            for option in pack.options {
                let without = pack.written("text", &BTreeMap::from([(option.name, OptionValue::Off)]));
                assert!(without.len() < whole.len(), "{}: nothing needs `{}`", pack.name, option.name);
            }
        }
    }

    #[test]
    fn statements_are_filled_in() {
        let given = BTreeMap::from([("min_doc_words", OptionValue::Number(20.0))]);
        let written = lookup("gopher_quality").expect("it is there").written("`the body`", &given);
        assert_eq!(written[0].statement, "drop \"gopher_short_doc\" when prose_words(`the body`) < 20");
        let written = lookup("c4").expect("it is there").written("text", &BTreeMap::new());
        assert!(written.iter().any(|one| one.statement.contains("/[.?!\"']$/")), "a `$` of a regex stays: {written:?}");
    }
}
