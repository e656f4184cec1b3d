//! Batches: examples padded to their longest, as the model's graph asks for them.

use std::borrow::Cow;
use std::path::Path;

use super::TrainError;
use super::draw::Draw;
use super::example::{Example, Target};
use super::pairs::same_texts;
use super::tags::NO_TARGET as IGNORED;
use crate::autodiff::loss::{LABELS, REFERENCE, SAME, WEIGHTS};
use crate::onnx::surgery::{DROPOUT_KEYS, PLACES, PastInput, SEGMENTS, past_inputs};
use crate::onnx::{ElementType, Graph};
use crate::runtime::InputTensor;

/// What a graph reads beside its weights.
#[derive(Debug, Clone)]
pub(crate) struct Feeds {
    feeds: Vec<Feed>,
    pad: i64,
    /// Whether labels and weights are those of picked places.
    picks: bool,
}

#[derive(Debug, Clone)]
enum Feed {
    InputIds,
    AttentionMask { float: bool },
    TokenTypeIds,
    PositionIds,
    Segments,
    DropoutKeys,
    Past(PastInput),
    Places,
    Labels,
    Numbers,
    References,
    SameTexts,
    Weights,
}

impl Feeds {
    /// The inputs of `graph` but for those named in `weights`.
    ///
    /// # Errors
    /// [`TrainError::Graph`] for an input that no batch has.
    pub(crate) fn of(graph: &Graph, weights: &[&str], pad: u32, folder: &Path) -> Result<Self, TrainError> {
        let past = past_inputs(graph);
        let mut feeds = Vec::new();
        for input in graph.inputs.iter().filter(|input| !weights.contains(&input.name.as_str())) {
            let name = input.name.as_str();
            let feed = match (name, input.element) {
                ("input_ids", ElementType::Int64) => Feed::InputIds,
                ("attention_mask", ElementType::Int64) => Feed::AttentionMask { float: false },
                ("attention_mask", ElementType::Float) => Feed::AttentionMask { float: true },
                ("token_type_ids", ElementType::Int64) => Feed::TokenTypeIds,
                ("position_ids", ElementType::Int64) => Feed::PositionIds,
                (SEGMENTS, ElementType::Int64) => Feed::Segments,
                (DROPOUT_KEYS, ElementType::Int64) => Feed::DropoutKeys,
                (PLACES, ElementType::Int64) => Feed::Places,
                (LABELS, ElementType::Int64) => Feed::Labels,
                (LABELS, ElementType::Float) => Feed::Numbers,
                (REFERENCE, ElementType::Float) => Feed::References,
                (SAME, ElementType::Float) => Feed::SameTexts,
                (WEIGHTS, ElementType::Float) => Feed::Weights,
                _ => match past.iter().find(|past| past.name == name) {
                    Some(past) if input.element == ElementType::Float => Feed::Past(past.clone()),
                    Some(_) | None => {
                        return Err(TrainError::Graph {
                            folder: folder.to_path_buf(),
                            message: format!("it reads `{name}`, which texts do not have"),
                        });
                    }
                },
            };
            feeds.push(feed);
        }
        let picks = feeds.iter().any(|feed| matches!(feed, Feed::Places));
        Ok(Self { feeds, pad: i64::from(pad), picks })
    }

    /// The inputs of a batch with a row for each example. The loss of each row or token is weighed by `1 / divisor`, which is
    /// that of the whole optimizer step, so that micro-batches add up.
    pub(crate) fn batch(&self, examples: &[&Example], divisor: f64) -> Vec<InputTensor<'static>> {
        let rows: Vec<Vec<&Example>> = examples.iter().map(|example| vec![*example]).collect();
        self.rows(&rows, divisor, Draw::default())
    }

    /// The inputs of a batch in whose rows several examples may stand behind each other; positions begin anew with each, and
    /// padding belongs to the last, as it does in a row of one. What is drawn at random is what `draw` and the records' ids say.
    pub(crate) fn rows(&self, batch: &[Vec<&Example>], divisor: f64, draw: Draw) -> Vec<InputTensor<'static>> {
        let width = batch.iter().map(|row| token_count(row)).max().unwrap_or(0);
        let grid = Grid { batch, width };
        let (rows, shape) = (batch.len(), [batch.len(), width]);
        let mask = || grid.padded(&|_, _| 1, 0);
        let weight = if divisor > 0.0 { (1.0 / divisor) as f32 } else { 0.0 };
        let tensor = |feed: &Feed| match feed {
            Feed::InputIds => {
                let ids = grid.padded(&|example, at| i64::from(example.tokens[at]), self.pad);
                InputTensor::i64("input_ids", &shape, ids)
            }
            Feed::AttentionMask { float: false } => InputTensor::i64("attention_mask", &shape, mask()),
            Feed::AttentionMask { float: true } => {
                let mask: Vec<f32> = mask().into_iter().map(|kept| if kept == 1 { 1.0 } else { 0.0 }).collect();
                InputTensor::f32("attention_mask", &shape, mask)
            }
            Feed::TokenTypeIds => InputTensor::i64("token_type_ids", &shape, vec![0; rows * width]),
            Feed::PositionIds => InputTensor::i64("position_ids", &shape, grid.places(&|_, at| at)),
            Feed::Segments => InputTensor::i64(SEGMENTS, &shape, grid.places(&|segment, _| segment)),
            Feed::DropoutKeys => InputTensor::i64(DROPOUT_KEYS, &[rows, width, 2], draw.keys(batch, width)),
            Feed::Past(past) => InputTensor::f32(past.name.clone(), &past.empty_shape(rows), Cow::Owned(Vec::new())),
            Feed::Places => {
                let places: Vec<i64> = grid.learnt().into_iter().map(|(place, _)| place).collect();
                InputTensor::i64(PLACES, &[1, places.len()], places)
            }
            Feed::Labels => self.labels(grid),
            Feed::Numbers => numbers(&grid.firsts()),
            Feed::References => InputTensor::f32(REFERENCE, &[rows], references(&grid.firsts())),
            Feed::SameTexts => {
                let same = same_texts(&texts(&grid.firsts()));
                InputTensor::f32(SAME, &[rows / 2, rows / 2], same)
            }
            Feed::Weights => self.weights(grid, weight),
        };
        self.feeds.iter().map(tensor).collect()
    }

    fn labels(&self, grid: Grid<'_>) -> InputTensor<'static> {
        if self.picks {
            let labels: Vec<i64> = grid.learnt().into_iter().map(|(_, label)| label).collect();
            return InputTensor::i64(LABELS, &[1, labels.len()], labels);
        }
        match labels(&grid.firsts()) {
            Some(classes) => InputTensor::i64(LABELS, &[classes.len()], classes),
            None => InputTensor::i64(LABELS, &[grid.batch.len(), grid.width], grid.padded(&token_label, IGNORED)),
        }
    }

    /// `weight` for everything that is learnt: each token, pair or text.
    fn weights(&self, grid: Grid<'_>, weight: f32) -> InputTensor<'static> {
        let firsts = grid.firsts();
        let of_labels = |labels: Vec<i64>| -> Vec<f32> {
            labels.into_iter().map(|label| if label == IGNORED { 0.0 } else { weight }).collect()
        };
        if firsts.iter().all(|example| example.target.is_of_pair()) {
            let pairs = firsts.len() / 2;
            return InputTensor::f32(WEIGHTS, &[pairs], vec![weight; pairs]);
        }
        if !firsts.iter().all(|example| matches!(example.target, Target::Tokens(_) | Target::Tags(_))) {
            return InputTensor::f32(WEIGHTS, &[firsts.len()], vec![weight; firsts.len()]);
        }
        if self.picks {
            let weights = of_labels(grid.learnt().into_iter().map(|(_, label)| label).collect());
            return InputTensor::f32(WEIGHTS, &[1, weights.len()], weights);
        }
        let weights = of_labels(grid.padded(&token_label, IGNORED));
        InputTensor::f32(WEIGHTS, &[grid.batch.len(), grid.width], weights)
    }
}

/// Rows of examples behind each other, padded to one width.
#[derive(Clone, Copy)]
struct Grid<'a> {
    batch: &'a [Vec<&'a Example>],
    width: usize,
}

impl<'a> Grid<'a> {
    /// The first example of each row.
    fn firsts(self) -> Vec<&'a Example> {
        self.batch.iter().filter_map(|row| row.first().copied()).collect()
    }

    /// What is said of each token, row by row, and `pad` for padding.
    fn padded(self, of: &dyn Fn(&Example, usize) -> i64, pad: i64) -> Vec<i64> {
        let row = |row: &Vec<&Example>| -> Vec<i64> {
            let mut values = Vec::with_capacity(self.width);
            for example in row {
                values.extend((0..example.tokens.len()).map(|at| of(example, at)));
            }
            values.resize(self.width, pad);
            values
        };
        self.batch.iter().flat_map(row).collect()
    }

    /// For each place, what is said of the number of its record in the row, and of where it stands in that.
    fn places(self, of: &dyn Fn(usize, usize) -> usize) -> Vec<i64> {
        let row = |row: &Vec<&Example>| -> Vec<i64> {
            let last = row.len().saturating_sub(1);
            let lengths = row.iter().map(|example| example.tokens.len());
            let begun = token_count(row) - row.last().map_or(0, |example| example.tokens.len());
            let lengths = lengths.take(last).chain([self.width - begun]).enumerate();
            lengths
                .flat_map(|(segment, length)| (0..length).map(move |at| (segment, at)))
                .map(|(segment, at)| of(segment, at) as i64)
                .collect()
        };
        self.batch.iter().flat_map(row).collect()
    }

    /// The places that a learnt token is predicted at, which is the one before it, each with that token. Where nothing is learnt the
    /// first place stands there without one: not every provider knows products of no rows.
    fn learnt(self) -> Vec<(i64, i64)> {
        let mut found = Vec::new();
        for (row, examples) in self.batch.iter().enumerate() {
            let mut begin = row * self.width;
            for example in examples {
                let labels = (1..example.tokens.len()).map(|at| ((begin + at - 1) as i64, token_label(example, at)));
                found.extend(labels.filter(|(_, label)| *label != IGNORED));
                begin += example.tokens.len();
            }
        }
        if found.is_empty() {
            found.push((0, IGNORED));
        }
        found
    }
}

/// The classes of a batch of texts, of pairs of texts the number of each pair; `None` for a batch of conversations.
fn labels(examples: &[&Example]) -> Option<Vec<i64>> {
    if examples.iter().all(|example| matches!(example.target, Target::Text(_))) {
        return Some((0_i64..).take(examples.len() / 2).collect());
    }
    examples
        .iter()
        .map(|example| match &example.target {
            Target::Class(class) => Some(i64::try_from(*class).expect("a label has fewer than 2^63 values")),
            Target::Choices(_)
            | Target::Tags(_)
            | Target::Number(_)
            | Target::Tokens(_)
            | Target::Answer { .. }
            | Target::Text(_) => None,
        })
        .collect()
}

/// What the reference says of each answer of a batch.
fn references(examples: &[&Example]) -> Vec<f32> {
    let reference = |example: &&Example| match example.target {
        Target::Answer { reference, .. } => reference,
        Target::Class(_)
        | Target::Choices(_)
        | Target::Tags(_)
        | Target::Number(_)
        | Target::Tokens(_)
        | Target::Text(_) => {
            unreachable!("a graph that reads references is fed answers")
        }
    };
    examples.iter().map(reference).collect()
}

/// The texts of each pair of a batch, the first ones of which stand before the second ones.
fn texts(examples: &[&Example]) -> Vec<(u64, u64)> {
    let text = |example: &&Example| match example.target {
        Target::Text(text) => text,
        Target::Class(_)
        | Target::Choices(_)
        | Target::Tags(_)
        | Target::Number(_)
        | Target::Tokens(_)
        | Target::Answer { .. } => {
            unreachable!("a graph that compares texts is fed pairs of texts")
        }
    };
    let (firsts, seconds) = examples.split_at(examples.len() / 2);
    firsts.iter().map(text).zip(seconds.iter().map(text)).collect()
}

/// The numbers of a batch of texts that have one each, or one for each value of a label: 1 where a text has it, else 0.
fn numbers(examples: &[&Example]) -> InputTensor<'static> {
    let (mut numbers, mut values) = (Vec::new(), None);
    for example in examples {
        match &example.target {
            Target::Number(number) => numbers.push(*number),
            Target::Choices(has) => {
                values = Some(has.len());
                numbers.extend(has.iter().map(|has| f32::from(u8::from(*has))));
            }
            Target::Class(_) | Target::Tags(_) | Target::Tokens(_) | Target::Answer { .. } | Target::Text(_) => {
                unreachable!("a graph that reads numbers is fed texts that have some")
            }
        }
    }
    let shape: Vec<usize> = std::iter::once(examples.len()).chain(values).collect();
    InputTensor::f32(LABELS, &shape, numbers)
}

fn token_label(example: &Example, at: usize) -> i64 {
    match &example.target {
        Target::Tags(target) => target.tags[at],
        Target::Tokens(learnt) | Target::Answer { learnt, .. } if learnt[at] => i64::from(example.tokens[at]),
        Target::Tokens(_) | Target::Answer { .. } => IGNORED,
        Target::Class(_) | Target::Choices(_) | Target::Number(_) | Target::Text(_) => IGNORED,
    }
}

/// Tokens of a batch that are no padding.
pub(crate) fn token_count(examples: &[&Example]) -> usize {
    examples.iter().map(|example| example.tokens.len()).sum()
}

/// Batches for measuring: of similar length, so that little is padded. Indices into `examples`, in a fixed order.
pub(crate) fn by_length(lengths: &[usize], batch: usize) -> Vec<Vec<usize>> {
    let mut order: Vec<usize> = (0..lengths.len()).collect();
    order.sort_by_key(|index| (lengths[*index], *index));
    order.chunks(batch.max(1)).map(<[usize]>::to_vec).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::onnx::ValueInfo;
    use crate::runtime::InputValues;

    fn ints(tensors: &[InputTensor<'_>], name: &str) -> Vec<i64> {
        match tensors.iter().find(|tensor| tensor.name == name).map(|tensor| &tensor.values) {
            Some(InputValues::I64(values)) => values.to_vec(),
            Some(InputValues::F32(_)) | None => panic!("{name} is a tensor of integers"),
        }
    }

    #[test]
    fn padding_is_no_target_even_where_it_is_the_end_token() {
        let mut graph = Graph::new("g", 18);
        for name in ["input_ids", "attention_mask", "position_ids", LABELS] {
            graph.inputs.push(ValueInfo::new(name, ElementType::Int64, &[]));
        }
        graph.inputs.push(ValueInfo::new(WEIGHTS, ElementType::Float, &[]));
        graph.inputs.push(ValueInfo::new("w", ElementType::Float, &[]));
        // The padding token is the end token, 9, which both answers end with.
        let feeds = Feeds::of(&graph, &["w"], 9, Path::new("m")).expect("known inputs");
        let example = |tokens: &[u32], learnt: &[bool]| Example {
            id: String::new(),
            tokens: tokens.to_vec(),
            target: Target::Tokens(learnt.to_vec()),
        };
        let long = example(&[1, 2, 3, 9], &[false, false, true, true]);
        let short = example(&[1, 9], &[false, true]);
        let batch = feeds.batch(&[&long, &short], 3.0);
        assert_eq!(ints(&batch, "input_ids"), [1, 2, 3, 9, 1, 9, 9, 9]);
        assert_eq!(ints(&batch, "attention_mask"), [1, 1, 1, 1, 1, 1, 0, 0]);
        assert_eq!(ints(&batch, "position_ids"), [0, 1, 2, 3, 0, 1, 2, 3]);
        assert_eq!(ints(&batch, LABELS), [-100, -100, 3, 9, -100, 9, -100, -100]);
        let Some(InputValues::F32(weights)) = batch.last().map(|tensor| &tensor.values) else { panic!("weights") };
        assert!((weights.iter().sum::<f32>() - 1.0).abs() < 1e-6);
        assert!(Feeds::of(&graph, &[], 9, Path::new("m")).is_err(), "`w` is no input of texts");
    }

    #[test]
    fn places_are_those_before_what_is_learnt() {
        let mut graph = Graph::new("g", 18);
        for name in ["input_ids", PLACES, LABELS] {
            graph.inputs.push(ValueInfo::new(name, ElementType::Int64, &[]));
        }
        graph.inputs.push(ValueInfo::new(WEIGHTS, ElementType::Float, &[]));
        let feeds = Feeds::of(&graph, &[], 0, Path::new("m")).expect("known inputs");
        let example = |tokens: &[u32], from: usize| Example {
            id: String::new(),
            tokens: tokens.to_vec(),
            target: Target::Tokens((0..tokens.len()).map(|at| at >= from).collect()),
        };
        let (long, short, silent) = (example(&[1, 2, 3, 4, 5], 3), example(&[6, 7], 1), example(&[8, 9], 2));
        let check = |rows: &[Vec<&Example>], expected: &[(i64, i64)], weights: &[f32]| {
            let batch = feeds.rows(rows, 2.0, Draw::default());
            let found = ints(&batch, PLACES).into_iter().zip(ints(&batch, LABELS));
            assert_eq!(found.collect::<Vec<_>>(), expected);
            let shapes = batch[1..].iter().map(|tensor| tensor.shape.to_vec());
            assert!(shapes.into_iter().all(|shape| shape == [1, expected.len()]));
            let Some(InputValues::F32(found)) = batch.last().map(|tensor| &tensor.values) else { panic!("weights") };
            assert_eq!(found.as_ref(), weights);
        };
        check(&[vec![&long], vec![&short]], &[(2, 4), (3, 5), (5, 7)], &[0.5; 3]);
        check(&[vec![&silent, &short], vec![&long]], &[(2, 7), (7, 4), (8, 5)], &[0.5; 3]);
        check(&[vec![&silent]], &[(0, IGNORED)], &[0.0]);
    }
}
