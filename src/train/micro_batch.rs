//! Micro-batches of a step: records of like length are computed together, so that little is padded.
//!
//! A step's loss is divided by what the whole step learns from, so its gradient is the same however its records are spread over
//! micro-batches; only the order of additions differs. So grouping by length ("length bucketing") needs no other order of the records, and
//! is done within each step.

use super::example::Example;
use super::run::{Task, TrainRun};

/// The padded places that one more micro-batch must save: what a pass costs beside its tokens, on a processor. On one core of x86
/// a step of MiniLM-L6 over one text costs as much beside its tokens as 44 of them do where all weights are trained, the optimizer among
/// it, and as 14 with adapters.
const HOST_PASS: usize = 32;

/// As [`HOST_PASS`], on a device with memory of its own, which is idle where a micro-batch is small.
const DEVICE_PASS: usize = 4096;

/// Whether each step of a run has one micro-batch, whatever its records are.
pub(super) fn is_alone(run: &TrainRun) -> bool {
    run.accumulate == 1 && (run.batch == 1 || keeps_order(run))
}

/// Whether records keep the order of the epoch: they are seen by the others of their micro-batch, or packed, which leaves no padding.
fn keeps_order(run: &TrainRun) -> bool {
    run.pack || matches!(run.task, Task::Embed { .. })
}

/// The micro-batches of the records of a step, given and returned as places among `examples`; of pairs `seconds` has the second ones.
pub(super) fn micro_batches(
    run: &TrainRun,
    (examples, seconds): (&[Example], &[Example]),
    rows: &[usize],
) -> Vec<Vec<usize>> {
    if keeps_order(run) {
        return rows.chunks(run.batch).map(<[usize]>::to_vec).collect();
    }
    let length = |row: &usize| {
        let second = seconds.get(*row).map_or(0, |second| second.tokens.len());
        examples[*row].tokens.len().max(second)
    };
    let lengths: Vec<usize> = rows.iter().map(length).collect();
    let pass = if run.held { DEVICE_PASS } else { HOST_PASS };
    let batches = by_like_length(&lengths, run.batch, pass);
    batches.into_iter().map(|batch| batch.into_iter().map(|at| rows[at]).collect()).collect()
}

/// Spreads records of these lengths over micro-batches of at most `most`, so that the padded places and `pass` places for each
/// micro-batch are fewest; places in `lengths`, rising in each.
///
/// Some best spread keeps records that are next to each other by length together, so it is found by dynamic programming over where the
/// sorted lengths are cut: time O(records · `most`).
fn by_like_length(lengths: &[usize], most: usize, pass: usize) -> Vec<Vec<usize>> {
    let mut order: Vec<usize> = (0..lengths.len()).collect();
    order.sort_by_key(|at| (lengths[*at], *at));
    // The cost of the first `end` records, and where their last micro-batch begins.
    let mut best: Vec<(usize, usize)> = vec![(0, 0)];
    for end in 1..=order.len() {
        let width = lengths[order[end - 1]];
        let cost = |start: usize| best[start].0 + (end - start) * width + pass;
        let choice = (end.saturating_sub(most.max(1))..end).map(|start| (cost(start), start)).min();
        best.push(choice.expect("a micro-batch has at least the record at hand"));
    }
    let mut batches = Vec::new();
    let mut end = order.len();
    while end > 0 {
        let start = best[end].1;
        let mut batch = order[start..end].to_vec();
        batch.sort_unstable();
        batches.push(batch);
        end = start;
    }
    batches
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn cost(lengths: &[usize], batches: &[Vec<usize>], pass: usize) -> usize {
        let width = |batch: &Vec<usize>| batch.iter().map(|at| lengths[*at]).max().unwrap_or(0);
        batches.iter().map(|batch| batch.len() * width(batch) + pass).sum()
    }

    /// The least cost over every way to spread the records, each into a micro-batch that is begun or into a new one.
    fn least(lengths: &[usize], most: usize, pass: usize, batches: &mut Vec<Vec<usize>>, next: usize) -> usize {
        if next == lengths.len() {
            return cost(lengths, batches, pass);
        }
        let mut found = usize::MAX;
        for at in 0..=batches.len() {
            if at == batches.len() {
                batches.push(vec![next]);
                found = found.min(least(lengths, most, pass, batches, next + 1));
                batches.pop();
            } else if batches[at].len() < most {
                batches[at].push(next);
                found = found.min(least(lengths, most, pass, batches, next + 1));
                batches[at].pop();
            }
        }
        found
    }

    proptest! {
        #[test]
        fn no_spread_is_cheaper(lengths in prop::collection::vec(1_usize..40, 0..8), most in 1_usize..6, pass in 0_usize..80) {
            let batches = by_like_length(&lengths, most, pass);
            prop_assert!(batches.iter().all(|batch| (1..=most).contains(&batch.len())));
            let mut seen: Vec<usize> = batches.iter().flatten().copied().collect();
            seen.sort_unstable();
            prop_assert_eq!(seen, (0..lengths.len()).collect::<Vec<_>>());
            prop_assert_eq!(cost(&lengths, &batches, pass), least(&lengths, most, pass, &mut Vec::new(), 0));
        }
    }
}
