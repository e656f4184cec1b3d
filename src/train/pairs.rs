//! Records that are pairs: two answers to one prompt, or two texts that belong together. The first of a pair is an example, the
//! second one stands at the same place among [`Encoded::seconds`].

use std::path::Path;

use super::TrainError;
use super::chat::{ChatTemplate, Message};
use super::conversation::{Speaker, nothing_learnt, read_messages};
use super::error::IDS_SHOWN;
use super::example::{Collected, Encoded, Example, LengthLimit, Target, tokens_within};
use super::in_order::in_order;
use super::table::Table;
use super::tokenizer::Tokenizer;

/// Two answers to a prompt each, the chosen one first: the tokens of the answer alone are learnt, and the one that ends it. A model
/// with a chat template sees the prompt as the user's turn and the answer as the assistant's, another one both texts joined.
///
/// # Errors
/// As of conversations; a pair of equal answers.
pub fn encode_preferences(
    table: &Table,
    column: &str,
    folder: &Path,
    tokenizer: &Tokenizer,
    limit: LengthLimit,
) -> Result<Encoded, TrainError> {
    let speaker = Speaker::new(folder, tokenizer)?;
    let mut collected = Collected::new(limit);
    let (mut silent, mut cut_away, mut same) = (Vec::new(), Vec::new(), Vec::new());
    let rows: Vec<_> = table.ids.iter().zip(table.column(column)).collect();
    let make = |(id, messages): &(&String, &Option<String>)| {
        let [prompt, chosen, rejected] = texts(table, id, messages.as_deref())?;
        let answer = |answer: String| speaker.speak(id, &answered(folder, &prompt, &answer));
        Ok([answer(chosen)?, answer(rejected)?])
    };
    in_order(tokenizer.threads(), &rows, make, |(id, _), answers| {
        if answers.iter().any(|spoken| spoken.answers.is_empty()) {
            silent.push((*id).clone());
            return;
        }
        let longest = answers.iter().map(|spoken| spoken.tokens.ids.len()).max().unwrap_or(0);
        let Some(cut) = collected.admit(id, longest) else { return };
        let is_joined = answers.iter().any(|spoken| spoken.is_joined);
        collected.encoded.joined.extend(is_joined.then(|| (*id).clone()));
        let answers = answers.map(|spoken| spoken.kept(&cut.map_or(0..0, |cut| spoken.lost(limit.tokens, cut))));
        if answers.iter().any(|(_, learnt)| !learnt.contains(&true)) {
            cut_away.push((*id).clone());
        } else if answers[0] == answers[1] {
            same.push((*id).clone());
        }
        let [chosen, rejected] = answers.map(|(tokens, learnt)| Example {
            id: (*id).clone(),
            tokens,
            target: Target::Answer { learnt, reference: 0.0 },
        });
        collected.encoded.examples.push(chosen);
        collected.encoded.seconds.push(rejected);
    })?;
    nothing_learnt(silent, "one of their answers is blank; drop such records in a `clean` block")?;
    nothing_learnt(cut_away, "`length` cuts one of their answers away; allow more tokens, or say `else drop`")?;
    no_same(same, "answers, as far as `length` lets them be seen; drop such records in a `clean` block")?;
    collected.finish()
}

/// A prompt with one of its answers, as a model sees them.
pub(super) fn answered(folder: &Path, prompt: &str, answer: &str) -> [Message; 2] {
    let roles = if ChatTemplate::is_there(folder) { ["user", "assistant"] } else { ["prompt", "completion"] };
    let turn = |role: &str, content: &str, train| Message { role: role.to_owned(), content: content.to_owned(), train };
    [turn(roles[0], prompt, false), turn(roles[1], answer, true)]
}

/// Two texts that belong together each.
///
/// # Errors
/// A tokenizer's failure, too-long records where the run refuses them, a pair of equal texts or with a blank one.
pub fn encode_partners(
    table: &Table,
    column: &str,
    tokenizer: &Tokenizer,
    limit: LengthLimit,
) -> Result<Encoded, TrainError> {
    let mut collected = Collected::new(limit);
    let (mut blank, mut same) = (Vec::new(), Vec::new());
    let rows: Vec<_> = table.ids.iter().zip(table.column(column)).collect();
    let make = |(id, messages): &(&String, &Option<String>)| {
        let [first, second] = texts(table, id, messages.as_deref())?;
        let is_blank = first.trim().is_empty() || second.trim().is_empty();
        let failed = |message| TrainError::Tokenize { id: (*id).clone(), message };
        let encode = |text: String| tokens_within(&text, tokenizer, limit).map_err(failed);
        let ((first, length), (second, other)) = (encode(first)?, encode(second)?);
        Ok(([first.ids, second.ids], length.max(other), is_blank))
    };
    in_order(tokenizer.threads(), &rows, make, |(id, _), (tokens, longest, is_blank)| {
        if is_blank {
            blank.push((*id).clone());
            return;
        }
        if collected.admit(id, longest).is_none() {
            return;
        }
        if tokens[0] == tokens[1] {
            same.push((*id).clone());
        }
        let [first, second] = tokens.map(|tokens| {
            let target = Target::Text(digest(&tokens));
            Example { id: (*id).clone(), tokens, target }
        });
        collected.encoded.examples.push(first);
        collected.encoded.seconds.push(second);
    })?;
    nothing_learnt(blank, "one of their two texts is blank; drop such records in a `clean` block")?;
    no_same(same, "texts, so that nothing could be learnt from them; drop such records in a `clean` block")?;
    collected.finish()
}

/// The texts of a record, whose number its template decides.
fn texts<const N: usize>(table: &Table, id: &str, messages: Option<&str>) -> Result<[String; N], TrainError> {
    let texts: Vec<String> = read_messages(table, id, messages)?.into_iter().map(|message| message.content).collect();
    texts.try_into().map_err(|_| TrainError::Table {
        path: table.path.clone(),
        message: format!("record {id} has not the {N} texts of a pair"),
    })
}

/// Both texts of every record, one after the other.
pub(crate) fn partner_texts(table: &Table, column: &str) -> Result<Vec<String>, TrainError> {
    let rows = table.ids.iter().zip(table.column(column));
    let pairs = rows.map(|(id, messages)| texts::<2>(table, id, messages.as_deref()));
    Ok(pairs.collect::<Result<Vec<_>, _>>()?.into_iter().flatten().collect())
}

/// What texts of the same tokens share.
fn digest(tokens: &[u32]) -> u64 {
    let bytes: Vec<u8> = tokens.iter().flat_map(|token| token.to_le_bytes()).collect();
    u64::from_le_bytes(*blake3::hash(&bytes).as_bytes().first_chunk().expect("a hash has 32 bytes"))
}

fn no_same(mut ids: Vec<String>, what: &'static str) -> Result<(), TrainError> {
    if ids.is_empty() {
        return Ok(());
    }
    ids.sort();
    let count = ids.len();
    ids.truncate(IDS_SHOWN + 1);
    Err(TrainError::SamePair { count, what, ids })
}

/// For each pair of a batch and each other one, row by row: 1 where the partner of the other one is one of its own text too, for
/// it stands beside an equal text somewhere in the batch, or is that text itself. Such a partner is no wrong answer.
pub(crate) fn same_texts(pairs: &[(u64, u64)]) -> Vec<f32> {
    let mut same = Vec::with_capacity(pairs.len() * pairs.len());
    for (row, (text, _)) in pairs.iter().enumerate() {
        let partners: Vec<u64> = pairs.iter().filter(|(other, _)| other == text).map(|(_, partner)| *partner).collect();
        same.extend(pairs.iter().enumerate().map(|(column, (_, partner))| {
            let is_own = partners.contains(partner) || partner == text;
            if row != column && is_own { 1.0 } else { 0.0 }
        }));
    }
    same
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_texts_are_no_wrong_answers() {
        // As in `tests/fixtures/losses.json`: the second and the fourth pair share a partner, the third and the fourth a text.
        let pairs = [(1, 10), (2, 20), (3, 30), (3, 20)];
        let expected = [[0, 0, 0, 0], [0, 0, 0, 1], [0, 1, 0, 1], [0, 1, 1, 0]];
        assert_eq!(same_texts(&pairs), expected.concat().into_iter().map(|one: u8| f32::from(one)).collect::<Vec<_>>());
        assert_eq!(same_texts(&[(1, 2), (3, 1)]), [0.0, 1.0, 0.0, 0.0], "a text is no wrong answer to itself");
    }
}
