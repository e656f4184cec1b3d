//! What templates read of a record.

use crate::hir::{TemplateKind, Turn};
use crate::prompt::Template;

/// The fields that a template prints or asks, in order; one that it reads twice stands twice.
pub fn template_fields(kind: &TemplateKind) -> Vec<String> {
    let mut names = Vec::new();
    let mut read = |text: &str| {
        let parsed = Template::parse(text).expect("the texts of a checked program parse");
        names.extend(parsed.variables().iter().map(|variable| variable.name.clone()));
    };
    match kind {
        TemplateKind::Chat(turns) => {
            for turn in turns {
                if let Turn::Text { content, .. } = turn {
                    read(content);
                }
            }
            names.extend(turns.iter().filter_map(|turn| match turn {
                Turn::Field { field, .. } => Some(field.clone()),
                Turn::Text { .. } => None,
            }));
        }
        TemplateKind::Completion { prompt, completion } => [prompt, completion].into_iter().for_each(|text| read(text)),
        TemplateKind::Text(text) => read(text),
        TemplateKind::Preference { prompt, chosen, rejected } => {
            [prompt, chosen, rejected].into_iter().for_each(|text| read(text));
        }
    }
    names
}
