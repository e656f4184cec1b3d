//! Labels of several values: from a list of names to the target of each value, and from logits back.

use super::TrainError;
use super::example::{Encoded, LengthLimit, Target, encode_labelled};
use super::table::Table;
use super::tokenizer::Tokenizer;

/// Texts with the values that each has, from a column of lists of names.
///
/// # Errors
/// A null or unknown value, a tokenizer's failure, too-long records where the run refuses them.
pub fn encode_choices(
    table: &Table,
    columns: [&str; 2],
    values: &[String],
    tokenizer: &Tokenizer,
    limit: LengthLimit,
) -> Result<Encoded, TrainError> {
    encode_labelled(table, columns, tokenizer, limit, |id, names| {
        let chosen = names.and_then(|names| chosen(names, values));
        let unknown = || TrainError::UnknownLabel { id: id.to_owned(), values: values.len() };
        Ok(Target::Choices(has_each(&chosen.ok_or_else(unknown)?, values.len())))
    })
}

/// The indices of the values that a JSON list names; `None` where it is no such list.
pub(crate) fn chosen(names: &str, values: &[String]) -> Option<Vec<usize>> {
    let names: Vec<String> = serde_json::from_str(names).ok()?;
    names.iter().map(|name| values.iter().position(|value| value == name)).collect()
}

fn has_each(chosen: &[usize], values: usize) -> Vec<bool> {
    (0..values).map(|value| chosen.contains(&value)).collect()
}

/// The values whose probability is above a half, which are those of a positive logit.
pub(crate) fn above_half(logits: &[f32]) -> Vec<usize> {
    (0..logits.len()).filter(|&value| logits[value] > 0.0).collect()
}

/// The probability of a value, by its logit.
pub(crate) fn sigmoid(logit: f32) -> f32 {
    if logit >= 0.0 {
        return 1.0 / (1.0 + (-logit).exp());
    }
    // An exponential of a positive number could overflow.
    let exponential = logit.exp();
    exponential / (1.0 + exponential)
}

/// The mean binary cross-entropy over the values, in nats.
pub(crate) fn binary_loss(logits: &[f32], has: &[bool]) -> f64 {
    let of_value = |(logit, has): (&f32, &bool)| {
        // −log σ(x) of a value that is there, −log σ(−x) of one that is not.
        let towards = if *has { f64::from(*logit) } else { -f64::from(*logit) };
        (-towards).max(0.0) + (-towards.abs()).exp().ln_1p()
    };
    logits.iter().zip(has).map(of_value).sum::<f64>() / logits.len().max(1) as f64
}

/// The weight of each value where a record has it, against 1 where it lacks it: with n of N records that have it
/// (N − n) / n, so that both sides of each value weigh the same in all, as PyTorch's `pos_weight` is meant. A value that
/// no record has weighs 1.
pub(super) fn balanced_weights<'e>(targets: impl Iterator<Item = &'e Target>, values: usize) -> Vec<f32> {
    let (mut counts, mut records) = (vec![0_usize; values], 0);
    for target in targets {
        records += 1;
        if let Target::Choices(has) = target {
            counts.iter_mut().zip(has).for_each(|(count, has)| *count += usize::from(*has));
        }
    }
    let weight = |count: &usize| match count {
        0 => 1.0,
        count => ((records - count) as f64 / *count as f64) as f32,
    };
    counts.iter().map(weight).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_sides_of_a_value_weigh_the_same() {
        let targets = [[true, false, false], [true, true, false], [true, false, false], [false, false, false]];
        let targets = targets.map(|has| Target::Choices(has.to_vec()));
        assert_eq!(balanced_weights(targets.iter(), 3), [1.0 / 3.0, 3.0, 1.0]);
    }

    #[test]
    fn the_loss_is_that_of_the_logarithms() {
        // By hand: −ln σ(0) = ln 2, −ln(1 − σ(2)) = ln(1 + e²).
        let expected = (2.0_f64.ln() + (1.0 + 2.0_f64.exp()).ln()) / 2.0;
        assert!((binary_loss(&[0.0, 2.0], &[true, false]) - expected).abs() < 1e-12);
        assert!(binary_loss(&[200.0, -200.0], &[true, false]) < 1e-80);
        assert_eq!(above_half(&[0.0, 0.1, -3.0]), [1]);
        assert!((sigmoid(-20.0) - 2.061_153_6e-9).abs() < 1e-12 && sigmoid(0.0) == 0.5);
    }
}
