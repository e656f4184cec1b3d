//! The examples of the language's design.

use pest::Parser;

use super::{mistakes, read};
use crate::syntax::grammar::{Grammar, Rule};

pub(super) const WHOLE: &str = include_str!("../../../tests/corpus/language/whole.annot");
pub(super) const EXAMPLES: [(&str, usize, &str); 4] = [
    ("whole", 14, WHOLE),
    ("labels", 1, include_str!("../../../tests/corpus/language/labels.annot")),
    ("label_types", 4, include_str!("../../../tests/corpus/language/label_types.annot")),
    ("templates_runs", 5, include_str!("../../../tests/corpus/language/templates_runs.annot")),
];

#[test]
fn examples_are_read_whole() {
    for (name, declarations, text) in EXAMPLES {
        assert_eq!(mistakes(text), Vec::<String>::new(), "{name}");
        let (tree, _) = read(text);
        assert_eq!(tree.decls.len(), declarations, "{name}");
        assert!(tree.edition.is_some() && tree.damaged.is_empty(), "{name}");
        Grammar::parse(Rule::file, text).unwrap_or_else(|error| panic!("{name}: {error}"));
    }
}
