//! Prompt templates: the only door to minijinja.
//!
//! A [`Template`] is checked when it is parsed: its syntax, the filters and tests that it names, and that it reads no other
//! file. It is rendered without escaping, with strict undefined values and with limited fuel, once for each record and in
//! parallel.

mod scan;
mod straight;
mod value;

pub use scan::single_braces;
pub use straight::Part;
pub use value::{LabelValue, Values};

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use minijinja::syntax::SyntaxConfig;
use minijinja::value::Value;
use minijinja::{AutoEscape, Environment, ErrorKind, UndefinedBehavior};

use crate::diagnostics::Help;

/// How many instructions one rendering may take: far more than a prompt needs, and a second at most.
const FUEL: u64 = 2_000_000;

/// The name under which an environment holds its one template.
const NAME: &str = "prompt";

/// A parsed template.
#[derive(Debug)]
pub struct Template {
    environment: Environment<'static>,
    variables: Vec<Variable>,
    /// The names that are read, each with whether a member of it is.
    roots: BTreeMap<String, bool>,
    parts: Option<Vec<Part>>,
}

/// A value that a template reads from the record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Variable {
    /// The field's name.
    pub name: String,
    /// The members after it: `title` of `intent.title`.
    pub members: Vec<String>,
    /// Where it is read for the first time, in bytes of the template.
    pub range: Range<usize>,
    /// Every place where it is read, in bytes of the template.
    pub places: Vec<Range<usize>>,
    /// Whether it is printed as it is, so that a null would stand in the prompt as `none`.
    pub printed: bool,
}

/// What is wrong with a template's text.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct PromptError {
    /// What is wrong: lower case, no final period.
    pub message: String,
    /// The bytes of the template that it is about.
    pub range: Range<usize>,
    /// How to mend it, where that is known.
    pub help: Option<Help>,
}

/// Why a record could not be rendered. It holds no value of the record.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RenderError {
    /// A value was read that the record does not have.
    #[error("the template reads a value that the record does not have, in its line {line}")]
    Undefined {
        /// The 1-based line of the template.
        line: usize,
    },
    /// The template did not come to an end in time.
    #[error("the template takes too many steps")]
    OutOfFuel,
    /// An operation does not fit its values.
    #[error("{what} in line {line} of the template")]
    Failed {
        /// The kind of failure, in words.
        what: String,
        /// The 1-based line of the template.
        line: usize,
    },
}

impl Template {
    /// Parses a template.
    ///
    /// # Errors
    /// The first thing that is wrong with the text, with its place in it.
    pub fn parse(text: &str) -> Result<Self, PromptError> {
        let mut environment = strict_environment();
        environment.add_template_owned(NAME, text.to_owned()).map_err(|error| syntax_error(text, &error))?;
        let tags = scan::tags(text);
        check_tags(&environment, text, &tags)?;
        let undeclared = environment
            .get_template(NAME)
            .map(|template| template.undeclared_variables(true))
            .map_err(|error| syntax_error(text, &error))?;
        let globals: BTreeSet<&str> = environment.globals().map(|(name, _)| name).collect();
        let undeclared: BTreeSet<String> =
            undeclared.into_iter().filter(|path| !globals.contains(path.split('.').next().unwrap_or(path))).collect();
        let variables = scan::places(text, &tags, &undeclared);
        let mut roots: BTreeMap<String, bool> = BTreeMap::new();
        for variable in &variables {
            *roots.entry(variable.name.clone()).or_default() |= !variable.members.is_empty();
        }
        let parts = straight::parts(text, |name| variables.iter().any(|read| read.name == name));
        Ok(Self { environment, variables, roots, parts })
    }

    /// What is put together, where the template does nothing else; then [`Template::render`] says the same of texts.
    pub fn parts(&self) -> Option<&[Part]> {
        self.parts.as_deref()
    }

    /// What the template reads from the record, in order of the places; a path that is read twice stands once.
    pub fn variables(&self) -> &[Variable] {
        &self.variables
    }

    /// Renders one record.
    ///
    /// # Errors
    /// A value that the record does not have, an operation that does not fit, or too many steps.
    pub fn render(&self, values: &Values) -> Result<String, RenderError> {
        let context: BTreeMap<&str, Value> = self
            .roots
            .iter()
            .filter_map(|(name, members)| Some((name.as_str(), values.get(name, *members)?)))
            .collect();
        let template =
            self.environment.get_template(NAME).expect("the environment holds the template since it was parsed");
        template.render(Value::from_pairs(context)).map_err(|error| render_error(&error))
    }
}

fn strict_environment() -> Environment<'static> {
    let mut environment = Environment::new();
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    environment.set_auto_escape_callback(|_| AutoEscape::None);
    environment.set_fuel(Some(FUEL));
    // A prompt ends as it was written: by default a last newline would be cut off.
    let syntax = SyntaxConfig::builder().keep_trailing_newline(true).build();
    environment.set_syntax(syntax.expect("the default delimiters are valid"));
    environment
}

fn syntax_error(text: &str, error: &minijinja::Error) -> PromptError {
    let detail = error.detail().unwrap_or("this is no template");
    let range = error.range().unwrap_or(0..text.len());
    // The engine names its own tokens; authors know the signs.
    let signs = [("end of variable block", "`}}`"), ("end of block", "`%}`"), ("start of block", "`{%`")];
    let message = signs.iter().fold(detail.to_owned(), |message, (token, sign)| message.replace(token, sign));
    // A place that the engine gives may end within a character.
    let start = text.floor_char_boundary(range.start);
    let end = text.ceil_char_boundary(range.end.max(start));
    PromptError { message, range: start..end, help: None }
}

/// What minijinja finds only while rendering: unknown filters and tests, and statements that read other templates.
fn check_tags(environment: &Environment<'_>, text: &str, tags: &[scan::Tag]) -> Result<(), PromptError> {
    let titled: BTreeSet<&str> =
        tags.iter().flat_map(|tag| tag.names_with_member(text, &["title", "guideline"])).collect();
    for tag in tags {
        if let Some((word, range)) = tag.statement(text)
            && matches!(word, "include" | "import" | "from" | "extends")
        {
            return Err(PromptError {
                message: format!("a prompt cannot `{word}` another file"),
                range,
                help: Some("write the text here".into()),
            });
        }
        for (kind, name, range) in tag.named_functions(text) {
            let (probe, unknown, what) = match kind {
                scan::Named::Filter => (format!("none|{name}"), ErrorKind::UnknownFilter, "filter"),
                scan::Named::Test => (format!("none is {name}"), ErrorKind::UnknownTest, "test"),
            };
            let result = environment.compile_expression(&probe).and_then(|expression| expression.eval(()));
            if result.is_err_and(|error| error.kind() == unknown) {
                let help = crate::diagnostics::closest(name, FILTERS.iter().copied()).map(Help::did_you_mean);
                return Err(PromptError { message: format!("there is no {what} `{name}`"), range, help });
            }
        }
        members_and_whole(text, &titled, tag)?;
    }
    Ok(())
}

/// A label whose title is read too is no plain text any more: as a whole it can be printed and nothing else.
fn members_and_whole(text: &str, titled: &BTreeSet<&str>, tag: &scan::Tag) -> Result<(), PromptError> {
    for (name, range) in tag.unprinted_names(text) {
        if titled.contains(name) {
            return Err(PromptError {
                message: format!(
                    "`{name}` is printed and its title or guideline is read: elsewhere write `{name}.name`"
                ),
                range,
                help: Some(format!("compare `{name}.name`").into()),
            });
        }
    }
    Ok(())
}

/// Filters that templates often use, for suggestions.
pub const FILTERS: [&str; 30] = [
    "abs",
    "batch",
    "capitalize",
    "default",
    "dictsort",
    "first",
    "float",
    "indent",
    "int",
    "items",
    "join",
    "last",
    "length",
    "list",
    "lower",
    "map",
    "max",
    "min",
    "reject",
    "replace",
    "reverse",
    "round",
    "select",
    "slice",
    "sort",
    "string",
    "title",
    "tojson",
    "trim",
    "upper",
];

fn render_error(error: &minijinja::Error) -> RenderError {
    let line = error.line().unwrap_or(1);
    match error.kind() {
        ErrorKind::UndefinedError => RenderError::Undefined { line },
        ErrorKind::OutOfFuel => RenderError::OutOfFuel,
        // The detail may quote a value: the kind alone does not.
        kind => RenderError::Failed { what: kind.to_string(), line },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn render(text: &str, values: &[(&str, serde_json::Value)]) -> Result<String, RenderError> {
        let mut all = Values::default();
        for (name, value) in values {
            all.insert(name, value);
        }
        Template::parse(text).expect("the text is a template").render(&all)
    }

    #[test]
    fn one_template_serves_all_threads() {
        fn shared<T: Send + Sync>() {}
        shared::<Template>();
        shared::<Values>();
    }

    #[test]
    fn texts_are_rendered_as_written() {
        let cases = [
            ("{{ text }}\n", "a < b\n"),
            ("Q: {{ text|upper }}", "Q: A < B"),
            ("{% for turn in turns %}{{ turn.role }};{% endfor %}", "user;assistant;"),
            ("{% raw %}{{ text }}{% endraw %}", "{{ text }}"),
            ("{% if text == 'a < b' %}same{% endif %}", "same"),
            ("{{ größe }}", "7"),
        ];
        let turns = serde_json::json!([{ "role": "user" }, { "role": "assistant" }]);
        for (text, expected) in cases {
            let rendered = render(text, &[("text", "a < b".into()), ("turns", turns.clone()), ("größe", 7.into())]);
            assert_eq!(rendered.as_deref(), Ok(expected), "{text}");
        }
    }

    #[test]
    fn labels_are_names_with_titles() {
        let value = LabelValue::new("now", "Right now", None);
        let mut values = Values::default();
        values.insert_label("urgency", &value);
        let cases = [
            ("{{ urgency }}", "now"),
            ("{{ urgency }}: {{ urgency.title }}", "now: Right now"),
            ("{% if urgency == 'now' %}!{% endif %}", "!"),
            ("{% if urgency.name == 'now' %}{{ urgency.title }}{% endif %}", "Right now"),
            ("{% if urgency.guideline is none %}unguided{% endif %}", "unguided"),
        ];
        for (text, expected) in cases {
            let template = Template::parse(text).expect("the text is a template");
            assert_eq!(template.render(&values).as_deref(), Ok(expected), "{text}");
        }
    }

    #[test]
    fn failures_have_a_kind_and_no_value() {
        assert_eq!(render("{{ nothing }}", &[]), Err(RenderError::Undefined { line: 1 }));
        let endless = "{% for a in range(9999) %}{% for b in range(9999) %}x{% endfor %}{% endfor %}";
        assert_eq!(render(endless, &[]), Err(RenderError::OutOfFuel));
        let error = render("\n{{ text + 1 }}", &[("text", "secret".into())]).expect_err("a text is no number");
        assert!(!error.to_string().contains("secret") && error.to_string().contains("line 2"), "{error}");
    }

    #[test]
    fn mistakes_are_found_with_their_place() {
        let cases = [
            ("{{ text", "text"),
            ("a {{ text|uper }}", "uper"),
            ("{% if text is strin %}{% endif %}", "strin"),
            ("{% include 'other' %}", "include"),
            ("{{ text € }}", "€"),
            ("{% if u == 'x' %}{{ u.title }}{% endif %}", "u"),
        ];
        for (text, place) in cases {
            let error = Template::parse(text).expect_err(text);
            assert!(text[error.range.clone()].contains(place), "{text}: {error:?}");
        }
    }

    #[test]
    fn variables_have_places() {
        let text = "text {{ 'text' }} {{ text }} {% for t in turns %}{{ t.role }}{{ intent.title }}{% endfor %}{{ a|default('') }}";
        let template = Template::parse(text).expect("the text is a template");
        let found: Vec<(&str, &str, bool)> = template
            .variables()
            .iter()
            .map(|variable| (variable.name.as_str(), &text[variable.range.clone()], variable.printed))
            .collect();
        assert_eq!(
            found,
            [("text", "text", true), ("turns", "turns", false), ("intent", "intent.title", true), ("a", "a", false)]
        );
        assert_eq!(template.variables()[0].range.start, 21);
    }
}
