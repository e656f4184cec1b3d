//! What a chat template makes of the turns it is given: whether the text of each is there, and whether an answer stands where a
//! model begins to write one.

use std::borrow::Cow;
use std::ops::Range;

use super::chat::Message;

/// What closes the thoughts that the templates of reasoning models leave out of an answer.
const THOUGHT_END: &str = "</think>";

/// The first turn whose text does not stand in the rendered text. White space at its ends may go, an answer may lose its
/// thoughts, and what a tool says may be written as JSON.
pub(super) fn left_out<'m>(messages: &'m [Message], text: &str) -> Option<&'m Message> {
    let contents: Vec<&str> = messages.iter().map(content_that_stays).collect();
    if in_order(&contents, text) {
        return None;
    }
    // A template may move a turn, such as the system's into the last one of the user. A longer text is looked for first, so
    // that a short one is not found within it.
    let mut longest_first: Vec<usize> = (0..messages.len()).collect();
    longest_first.sort_by_key(|at| std::cmp::Reverse(contents[*at].len()));
    let mut taken: Vec<Range<usize>> = Vec::new();
    let mut absent: Option<usize> = None;
    for at in longest_first {
        match find_free(contents[at], text, &taken) {
            Some(place) => taken.push(place),
            None => absent = Some(absent.map_or(at, |first| first.min(at))),
        }
    }
    absent.map(|at| &messages[at])
}

fn content_that_stays(message: &Message) -> &str {
    let content = message.content.trim();
    match (message.role.as_str(), content.rsplit_once(THOUGHT_END)) {
        ("assistant", Some((_, said))) => said.trim(),
        (_, Some(_) | None) => content,
    }
}

fn in_order(contents: &[&str], text: &str) -> bool {
    let mut from = 0;
    contents.iter().all(|content| {
        let found = find_free(content, &text[from..], &[]);
        from += found.as_ref().map_or(0, |place| place.end);
        found.is_some()
    })
}

/// The first place of a turn's text that has nothing of the places that are taken.
fn find_free(content: &str, text: &str, taken: &[Range<usize>]) -> Option<Range<usize>> {
    let find = |content: &str| {
        let places = text.match_indices(content).map(|(start, found)| start..start + found.len());
        let is_free =
            |place: &Range<usize>| !taken.iter().any(|other| place.start < other.end && other.start < place.end);
        places.into_iter().find(is_free)
    };
    find(content).or_else(|| spelled(content).iter().find_map(|content| find(content)))
}

/// A text as a template's `tojson` writes it: as Python does, and as the template engine does for pages of the web.
fn spelled(content: &str) -> [Cow<'_, str>; 2] {
    let quoted = serde_json::to_string(content).expect("a text can be written as JSON");
    let python = quoted[1..quoted.len() - 1].to_owned();
    let escapes = [('<', "\\u003c"), ('>', "\\u003e"), ('&', "\\u0026"), ('\'', "\\u0027")];
    let page = escapes.iter().fold(python.clone(), |text, (sign, escape)| text.replace(*sign, escape));
    [python.into(), page.into()]
}

/// Where an answer begins for a model that writes it: behind what the template gives it to begin with, the `prompt`. `before` is
/// what is rendered before the answer, `last` the turn before it. What the template writes between the two, such as a space, is the
/// model's to write.
///
/// # Errors
/// What generation begins with and what the answer is trained behind, from the end of the last turn on, where these differ.
pub(super) fn begin(before: &str, prompt: &str, last: Option<&Message>) -> Result<usize, (String, String)> {
    let Some(last) = last else { return Ok(before.len()) };
    if before.starts_with(prompt) {
        return Ok(prompt.len());
    }
    // Templates write turns that are followed by others in another way than the last ones: what frames the answer decides.
    let (Some(trained), Some(generated)) = (behind(before, last), behind(prompt, last)) else {
        return Ok(before.len());
    };
    if trained.starts_with(generated) {
        return Ok(before.len() - trained.len() + generated.len());
    }
    Err((generated.to_owned(), trained.to_owned()))
}

/// What follows the text of a turn, which is the template's own.
fn behind<'t>(text: &'t str, turn: &Message) -> Option<&'t str> {
    let content = Some(content_that_stays(turn)).filter(|content| !content.is_empty())?;
    let at = text.rfind(content)?;
    Some(&text[at + content.len()..])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn turns(turns: &[(&str, &str)]) -> Vec<Message> {
        let turn = |(role, content): &(&str, &str)| Message {
            role: (*role).to_owned(),
            content: (*content).to_owned(),
            train: false,
        };
        turns.iter().map(turn).collect()
    }

    #[test]
    fn a_turn_that_is_not_in_the_text_is_found() {
        let check = |messages: &[(&str, &str)], text: &str, expected: Option<&str>| {
            let messages = turns(messages);
            let found = left_out(&messages, text);
            assert_eq!(found.map(|message| message.role.as_str()), expected, "{text}");
        };
        let chat = [("system", " Say yes.\n"), ("user", "Say yes. Or no?"), ("assistant", "yes")];
        check(&chat, "<s>Say yes.<u>Say yes. Or no?<a>yes", None);
        // The system's text stands in the user's, and the answer's as well: that is not the turn itself.
        check(&chat, "<u>Say yes. Or no?<a>yes", Some("system"));
        check(&chat, "<s>Say yes.<u>Say yes. Or no?<a>", Some("assistant"));
        check(&chat, "<u>Say yes. Or no?\n\nSay yes.<a>yes", None);
        check(&chat, "<s>SAY YES.<u>Say yes. Or no?<a>yes", Some("system"));
        check(&[("tool", "it's \"<b>\"")], r#"<t>"it\u0027s \"\u003cb\u003e\"""#, None);
        check(&[("tool", "it's \"<b>\"")], r#"<t>"it's \"<b>\"""#, None);
        check(&[("assistant", "<think>2 and 2</think>\n\n4")], "<a>4", None);
        check(&[("user", "<think>2 and 2</think>\n\n4")], "<u>4", Some("user"));
        check(&[("system", " ")], "", None);
    }

    #[test]
    fn an_answer_begins_where_a_model_begins_to_write() {
        let last = turns(&[("user", "Hi")]);
        let check = |before: &str, prompt: &str| begin(before, prompt, last.last());
        assert_eq!(check("<u>Hi</u><a>", "<u>Hi</u><a>"), Ok(12));
        assert_eq!(check("[INST]Hi[/INST] ", "[INST]Hi[/INST]"), Ok(15), "the space is the model's to write");
        // What stands before the last turn is written in another way when others follow.
        assert_eq!(check("<s>S<u>Hi</u><a> ", "<u>S Hi</u><a>"), Ok(16));
        assert_eq!(check("<u>Hi</u><a>", "<u>Hi</u><b>"), Err(("</u><b>".to_owned(), "</u><a>".to_owned())));
        assert_eq!(check("<u>Hi</u>", "<u>Hi</u><a>"), Err(("</u><a>".to_owned(), "</u>".to_owned())));
        assert_eq!(begin("<a>", "<b>", None), Ok(3), "nothing is generated before the first turn");
    }
}
