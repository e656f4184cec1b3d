//! Random draws of a training step: told by the run's seed, the step and the record's id, and by nothing else. A run that goes on
//! where it stopped draws what it would have drawn, whatever lies beside a record and in whatever micro-batch.

use super::example::Example;
use crate::onnx::surgery::PRIME;

/// What decides a draw beside the record.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Draw {
    /// The run's seed.
    pub(crate) seed: u64,
    /// The optimizer step.
    pub(crate) step: u64,
}

impl Draw {
    /// Two keys for each place of rows of a width, from 0 to the modulus of dropout without it; zeros for padding. The second
    /// ones of pairs, which stand behind the first ones, have keys of their own.
    pub(super) fn keys(self, rows: &[Vec<&Example>], width: usize) -> Vec<i64> {
        let mut keys = Vec::with_capacity(rows.len() * width * 2);
        for (at, row) in rows.iter().enumerate() {
            for example in row {
                let is_second = example.target.is_of_pair() && at >= rows.len() / 2;
                keys.extend(self.keys_of(example, is_second));
            }
            keys.resize((at + 1) * width * 2, 0);
        }
        keys
    }

    fn keys_of(self, example: &Example, is_second: bool) -> Vec<i64> {
        let mut hasher = blake3::Hasher::new_derive_key("annotc dropout 1");
        hasher.update(&self.seed.to_le_bytes());
        hasher.update(&self.step.to_le_bytes());
        hasher.update(&[u8::from(is_second)]);
        hasher.update(example.id.as_bytes());
        let mut bytes = vec![0; example.tokens.len() * 2 * size_of::<u32>()];
        hasher.finalize_xof().fill(&mut bytes);
        let numbers = bytes.as_chunks().0.iter().map(|bytes| u32::from_le_bytes(*bytes));
        numbers.map(|number| i64::from(number >> 1) % PRIME).collect()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::onnx::encoder::whole_numbers;
    use crate::onnx::test_session::{Values, available, test_session};
    use crate::onnx::{Attribute, Axis, ElementType, Graph, Node, Op, ValueInfo, encode};
    use crate::train::Target;

    fn example(id: &str, length: usize) -> Example {
        Example { id: id.to_owned(), tokens: vec![5; length], target: Target::Class(0) }
    }

    #[test]
    fn keys_are_those_of_the_record_wherever_it_stands() {
        let draw = Draw { seed: 7, step: 3 };
        let (one, two) = (example("one", 3), example("two", 2));
        let alone = draw.keys(&[vec![&one]], 3);
        let beside = draw.keys(&[vec![&two], vec![&one]], 5);
        assert_eq!((&beside[10..16], &beside[16..], &beside[4..10]), (&alone[..], &[0; 4][..], &[0; 6][..]));
        assert_eq!(draw.keys(&[vec![&two, &one]], 5)[4..], alone);
        for other in [Draw { seed: 8, step: 3 }, Draw { seed: 7, step: 4 }] {
            assert_ne!(other.keys(&[vec![&one]], 3), alone);
        }
        let text = Example { target: Target::Text(1), ..example("one", 3) };
        let pair = draw.keys(&[vec![&text], vec![&text]], 3);
        assert_ne!(pair[..6], pair[6..], "the second of a pair of equal texts loses other numbers");
    }

    /// Ones of 8 records of 32 tokens and 96 features, through the operator: its output, that of its gradient's graph being the same.
    fn dropped(share: f64) -> Vec<f32> {
        let examples: Vec<Example> = (0..8).map(|at| example(&at.to_string(), 32)).collect();
        let rows: Vec<Vec<&Example>> = examples.iter().map(|example| vec![example]).collect();
        let (shape, keys) = (vec![8, 32, 96], Draw { seed: 1, step: 1 }.keys(&rows, 32));
        let mut graph = Graph::new("g", 18);
        let axes: Vec<Axis> = shape.iter().map(|size| Axis::Fixed(*size)).collect();
        let pairs = [Axis::Fixed(8), Axis::Fixed(32), Axis::Fixed(2)];
        graph.inputs.push(ValueInfo::new("x", ElementType::Float, &axes));
        graph.inputs.push(ValueInfo::new("keys", ElementType::Int64, &pairs));
        graph.inputs.push(ValueInfo::new("points", ElementType::Int64, &[Axis::Fixed(96)]));
        graph.outputs.push(ValueInfo::new("y", ElementType::Float, &axes));
        graph.import_opset(Op::KeyedDropout.domain(), 1);
        let node = Node::new("", Op::KeyedDropout, &["x", "keys", "points"], &["y"]);
        let node = node.with("alpha", Attribute::Float((1.0 / (1.0 - share)) as f32));
        graph.nodes.push(node.with("threshold", Attribute::Int((share * PRIME as f64) as i64)));
        let feeds = BTreeMap::from([
            ("x".to_owned(), Values::Float(shape, vec![1.0; 8 * 32 * 96])),
            ("keys".to_owned(), Values::Int(vec![8, 32, 2], keys)),
            ("points".to_owned(), Values::Int(vec![96], whole_numbers(1, "points", 96, PRIME))),
        ]);
        test_session(&encode(&graph)).run(&feeds)["y"].floats().to_vec()
    }

    #[test]
    fn a_share_is_lost_and_the_mean_stays() {
        if !available() {
            return;
        }
        for share in [0.05, 0.5, 0.9] {
            let left = dropped(share);
            let count = left.len() as f64;
            let lost = left.iter().filter(|value| **value == 0.0).count() as f64 / count;
            let deviation = (share * (1.0 - share) / count).sqrt();
            assert!((lost - share).abs() < 4.0 * deviation, "{lost} of {share}");
            let mean = left.iter().map(|value| f64::from(*value)).sum::<f64>() / count;
            assert!((mean - 1.0).abs() < 4.0 * deviation / (1.0 - share), "{mean}");
            // Two neighbours, in a row or in a column, are lost as often together as chance has it.
            for distance in [1, 96] {
                let both = left.windows(distance + 1).filter(|pair| pair[0] == 0.0 && pair[distance] == 0.0).count();
                let (both, expected) = (both as f64 / count, share * share);
                assert!((both - expected).abs() < 6.0 * (expected / count).sqrt(), "{both} and {expected}");
            }
        }
    }
}
