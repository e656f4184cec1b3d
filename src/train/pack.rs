//! Records that share a row of a batch and never see each other.
//!
//! An optimizer step has the same records with packing and without, and so the same loss and gradient; packing only leaves
//! out padding. The rows of a micro-batch are as wide as its longest record, as they are without packing. The records, the
//! longest first, each go to the first row that has room (first-fit decreasing), so that the micro-batch has fewer rows.

use std::path::Path;

use super::TrainError;
use super::batch::Feeds;
use super::course::Course;
use super::draw::Draw;
use super::example::Example;
use super::learner::Learner;
use super::micro_batch::micro_batches;
use super::run::{Precision, TrainRun};

/// How far the gradient of two records that share a row may be from that of two rows, as a share of it: they differ by the
/// order of additions alone, in floats of 32 bits.
const TOLERANCE: f64 = 1e-3;

/// As [`TOLERANCE`], where products are rounded to 16 bits.
const TOLERANCE_OF_HALF: f64 = 5e-2;

/// The rows of a micro-batch of records with these lengths: places in `lengths`, in the order in which they stand in the row.
pub(super) fn rows(lengths: &[usize]) -> Vec<Vec<usize>> {
    let width = lengths.iter().copied().max().unwrap_or(0);
    let mut order: Vec<usize> = (0..lengths.len()).collect();
    order.sort_by_key(|at| (std::cmp::Reverse(lengths[*at]), *at));
    let mut rows: Vec<(usize, Vec<usize>)> = Vec::new();
    for at in order {
        let length = lengths[at];
        match rows.iter_mut().find(|(used, _)| used + length <= width) {
            Some((used, row)) => {
                *used += length;
                row.push(at);
            }
            None => rows.push((length, vec![at])),
        }
    }
    rows.into_iter().map(|(_, row)| row).collect()
}

/// The rows of a micro-batch: shared ones where records are packed, else one for each record.
pub(super) fn rows_of<'e>(examples: &[&'e Example], pack: bool) -> Vec<Vec<&'e Example>> {
    if !pack {
        return examples.iter().map(|example| vec![*example]).collect();
    }
    let lengths: Vec<usize> = examples.iter().map(|example| example.tokens.len()).collect();
    rows(&lengths).into_iter().map(|row| row.into_iter().map(|at| examples[at]).collect()).collect()
}

/// What packing saves in the first epoch of a run, in words.
pub(super) fn saving(run: &TrainRun, examples: &[Example]) -> String {
    let ids: Vec<String> = examples.iter().map(|example| example.id.clone()).collect();
    let mut course = Course::of(run, ids);
    let apart = TrainRun { pack: false, ..run.clone() };
    let padded = |batch: &[usize], rows: fn(&[usize]) -> usize| {
        let lengths: Vec<usize> = batch.iter().map(|at| examples[*at].tokens.len()).collect();
        lengths.iter().copied().max().unwrap_or(0) * rows(&lengths)
    };
    let (mut alone, mut together) = (0, 0);
    for step in 1..=course.per_epoch {
        let places = course.rows(step);
        for batch in micro_batches(run, (examples, &[]), places) {
            together += padded(&batch, |lengths| rows(lengths).len());
        }
        for batch in micro_batches(&apart, (examples, &[]), places) {
            alone += padded(&batch, <[usize]>::len);
        }
    }
    let tokens: usize = examples.iter().map(|example| example.tokens.len()).sum();
    let share = |places: usize| 100.0 * tokens as f64 / places.max(1) as f64;
    format!(
        "packing fills {:.1} % of the places of its rows; without it {:.1} % would be",
        share(together),
        share(alone)
    )
}

/// Tries that two records that share a row have the gradient that they have in rows of their own: what the graph does with
/// segments and positions is known by its form, and this is the proof.
///
/// # Errors
/// [`TrainError::Graph`] where they see each other all the same; a failure of the runtime.
pub(super) fn try_out(
    learner: &mut Learner,
    feeds: &Feeds,
    examples: &[Example],
    (precision, folder): (Precision, &Path),
) -> Result<(), TrainError> {
    let tolerance = match precision {
        Precision::F32 => TOLERANCE,
        Precision::F16 | Precision::Bf16 => TOLERANCE_OF_HALF,
    };
    let mut by_length: Vec<&Example> = examples.iter().collect();
    by_length.sort_by(|a, b| a.tokens.len().cmp(&b.tokens.len()).then_with(|| a.id.cmp(&b.id)));
    let ([first, second, ..], Some(longest)) = (by_length.as_slice(), by_length.last()) else { return Ok(()) };
    if first.tokens.len() + second.tokens.len() > longest.tokens.len() {
        // No two records ever share a row.
        return Ok(());
    }
    let divisor = (first.target.weight() + second.target.weight()) as f64;
    let mut gradient = |rows: &[Vec<&Example>]| -> Result<Vec<Vec<f32>>, TrainError> {
        learner.gradient(feeds.rows(rows, divisor, Draw::default()))
    };
    let apart = gradient(&[vec![*first], vec![*second]])?;
    let shared = gradient(&[vec![*first, *second]])?;
    let difference = distance(&apart, &shared);
    if difference <= tolerance {
        return Ok(());
    }
    Err(TrainError::Graph {
        folder: folder.to_path_buf(),
        message: format!(
            "records that share a row see each other in it (the gradient of {} and {} differs by {:.1} %); take `pack on` out",
            first.id,
            second.id,
            100.0 * difference
        ),
    })
}

/// The norm of the difference, as a share of the norm of the first.
pub(super) fn distance(a: &[Vec<f32>], b: &[Vec<f32>]) -> f64 {
    let pairs = a.iter().flatten().zip(b.iter().flatten());
    let square = |of: &dyn Fn(f64, f64) -> f64| -> f64 {
        pairs.clone().map(|(a, b)| of(f64::from(*a), f64::from(*b)).powi(2)).sum::<f64>().sqrt()
    };
    square(&|a, b| a - b) / square(&|a, _| a).max(f64::MIN_POSITIVE)
}
