//! Values of a label that no record of a run has, which no model can learn to say.

use super::example::{Example, Target};
use super::run::Task;

/// Values that stand in a note.
const SHOWN: usize = 5;

/// The values of the run's label that none of its records has, told; `None` where each has one. `values` are those of the logits: of
/// a tagger its tags.
pub(super) fn unseen_values(task: &Task, values: &[String], examples: &[Example]) -> Option<String> {
    let (label, is_tagged) = match task {
        Task::Classify { label, .. } | Task::Choose { label, .. } => (label, false),
        Task::Tag { label, .. } => (label, true),
        Task::Regress { .. } | Task::Prefer { .. } | Task::Embed { .. } | Task::Generate { .. } => return None,
    };
    let mut is_seen = vec![false; values.len()];
    for example in examples {
        match &example.target {
            Target::Class(class) => is_seen[*class] = true,
            Target::Choices(has) => is_seen.iter_mut().zip(has).for_each(|(seen, has)| *seen |= has),
            Target::Tags(target) => {
                target.tags.iter().filter_map(|tag| usize::try_from(*tag).ok()).for_each(|tag| is_seen[tag] = true);
            }
            Target::Number(_) | Target::Tokens(_) | Target::Answer { .. } | Target::Text(_) => {}
        }
    }
    // A span has a first word, and a tag of its kind for that.
    let name = |value: &'_ String| -> Option<String> {
        if is_tagged { value.strip_prefix("B-").map(str::to_owned) } else { Some(value.clone()) }
    };
    let all = values.iter().filter_map(name).count();
    let unseen: Vec<String> =
        values.iter().zip(is_seen).filter(|(_, seen)| !seen).filter_map(|(value, _)| name(value)).collect();
    if unseen.is_empty() {
        return None;
    }
    let more = if unseen.len() > SHOWN { ", …" } else { "" };
    let shown: Vec<String> = unseen.iter().take(SHOWN).map(|value| format!("`{value}`")).collect();
    Some(format!(
        "no record that is trained on has {} of the {all} values of `{label}` ({}{more}): the model learns never to choose them",
        unseen.len(),
        shown.join(", ")
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::train::{TagTarget, Words};

    fn check(task: &Task, values: &[&str], targets: Vec<Target>, expected: Option<&str>) {
        let values: Vec<String> = values.iter().map(|value| (*value).to_owned()).collect();
        let example = |target| Example { id: "id".to_owned(), tokens: Vec::new(), target };
        let examples: Vec<Example> = targets.into_iter().map(example).collect();
        let note = unseen_values(task, &values, &examples);
        assert!(
            note.as_deref().map_or(expected.is_none(), |note| expected.is_some_and(|part| note.contains(part))),
            "{note:?}"
        );
    }

    #[test]
    fn values_that_no_record_has_are_named() {
        let (text, label) = ("text".to_owned(), "intent".to_owned());
        let one = Task::Classify { text: text.clone(), label: label.clone(), values: Vec::new() };
        let names = ["a", "b", "c", "d", "e", "f", "g"];
        check(&one, &names[..2], vec![Target::Class(1), Target::Class(0)], None);
        check(&one, &names[..2], vec![Target::Class(1)], Some("has 1 of the 2 values of `intent` (`a`)"));
        check(&one, &names, vec![Target::Class(6)], Some("6 of the 7 values of `intent` (`a`, `b`, `c`, `d`, `e`, …)"));
        let several = Task::Choose { text: text.clone(), label: label.clone(), values: Vec::new() };
        let choices = vec![Target::Choices(vec![true, false, false]), Target::Choices(vec![false, true, false])];
        check(&several, &names[..3], choices, Some("(`c`)"));
        let tagged = Task::Tag { text, label, kinds: Vec::new() };
        let tags = TagTarget { tags: vec![-100, 0, 3], words: Words::default(), gold: Vec::new() };
        let tags = vec![Target::Tags(tags)];
        check(
            &tagged,
            &["O", "B-PERSON", "I-PERSON", "B-ORG", "I-ORG"],
            tags,
            Some("1 of the 2 values of `intent` (`PERSON`)"),
        );
    }
}
