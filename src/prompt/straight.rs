//! Templates that only put texts together: most are, and such a one needs no engine for each record.

/// What stands one behind the other in such a template.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Part {
    /// As it is written.
    Text(String),
    /// The value of this name.
    Value(String),
}

/// The parts of a template whose tags do nothing but print one of these names; `None` of any other.
pub(super) fn parts(text: &str, is_read: impl Fn(&str) -> bool) -> Option<Vec<Part>> {
    if ["{%", "{#"].iter().any(|tag| text.contains(tag)) {
        return None;
    }
    let (mut parts, mut rest) = (Vec::new(), text);
    while let Some((before, behind)) = rest.split_once("{{") {
        let (printed, behind) = behind.split_once("}}")?;
        // Whatever is more than a name between spaces is the engine's: signs that take whitespace away, members, filters.
        let name = printed.trim_matches(' ');
        if !is_read(name) {
            return None;
        }
        if !before.is_empty() {
            parts.push(Part::Text(before.to_owned()));
        }
        parts.push(Part::Value(name.to_owned()));
        rest = behind;
    }
    if !rest.is_empty() {
        parts.push(Part::Text(rest.to_owned()));
    }
    Some(parts)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::prompt::{Template, Values};

    /// What the parts say, with the values of names in their place.
    fn joined(parts: &[Part]) -> String {
        let text = |part: &Part| match part {
            Part::Text(text) => text.clone(),
            Part::Value(name) => value(name).to_owned(),
        };
        parts.iter().map(text).collect()
    }

    fn value(name: &str) -> &'static str {
        if name == "text" { "a {{ b }} <c>\r\n" } else { "7" }
    }

    fn values() -> Values {
        let mut values = Values::default();
        ["text", "größe", "é"].iter().for_each(|name| values.insert_text(name, value(name)));
        values
    }

    #[test]
    fn tags_that_do_more_than_print_are_the_engine_s() {
        let cases =
            ["{{- text }}", "{{ text|upper }}", "{{ 'text' }}", "{{ none }}", "{% if text %}{% endif %}", "{# a #}"];
        for text in cases {
            let template = Template::parse(text).expect("the text is a template");
            assert_eq!(template.parts(), None, "{text}");
        }
        let template = Template::parse("a }} {{text}}{{ größe }}\n").expect("the text is a template");
        let parts = template.parts().expect("it puts texts together");
        let expected = [("a }} ", false), ("text", true), ("größe", true), ("\n", false)];
        let part = |(text, is_value): (&str, bool)| match is_value {
            true => Part::Value(text.to_owned()),
            false => Part::Text(text.to_owned()),
        };
        assert_eq!(parts, expected.map(part));
    }

    proptest! {
        /// Whatever is taken apart says what the engine says.
        #[test]
        fn parts_say_what_the_engine_says(
            pieces in prop::collection::vec(
                prop::sample::select(vec![
                    "{{ text }}", "{{größe}}", "{{text }}", "{", "}", "}}", "{ {", "\n", "\r\n", " ", "\\", "\"", "-", "é", "{{ text }}-", "%}", "#}",
                ]),
                0..12,
            )
        ) {
            let text = pieces.concat();
            if let Ok(template) = Template::parse(&text)
                && let Some(parts) = template.parts()
            {
                prop_assert_eq!(template.render(&values()), Ok(joined(parts)), "{}", text);
            }
        }
    }
}
