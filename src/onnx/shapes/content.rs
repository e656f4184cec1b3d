//! The content of small integer tensors through the operators that compute shapes.

use super::{Dim, SMALL, Shapes};
use crate::onnx::{Attribute, Node, Op};

impl Shapes {
    /// The content of the node's first output, where it can be told.
    pub(super) fn content(&self, node: &Node) -> Option<Vec<Dim>> {
        let of = |position: usize| -> Option<&Vec<Dim>> { self.values.get(node.input(position)?)?.content.as_ref() };
        match &node.op {
            Op::Shape => self.shape_content(node),
            Op::Cast | Op::Identity | Op::Reshape | Op::Unsqueeze | Op::Squeeze | Op::Flatten => of(0).cloned(),
            Op::Constant => match node.attributes.get("value")? {
                Attribute::Tensor(tensor) if tensor.len() <= SMALL => {
                    Some(tensor.to_i64()?.into_iter().map(Dim::Known).collect())
                }
                _ => None,
            },
            Op::ConstantOfShape => self.filled(node),
            Op::Gather => self.gathered(node),
            Op::Concat => {
                let mut all = Vec::new();
                for position in 0..node.inputs.len() {
                    all.extend(of(position)?.iter().cloned());
                }
                (all.len() <= SMALL && self.rank(node.input(0)?)? == 1).then_some(all)
            }
            Op::Slice => self.sliced(node),
            Op::Add | Op::Sub | Op::Mul | Op::Div | Op::Equal => {
                let (a, b) = (of(0)?, of(1)?);
                zipped(a, b, |a, b| arithmetic(&node.op, a, b))
            }
            Op::Where => {
                let (condition, yes, no) = (of(0)?, of(1)?, of(2)?);
                let count = condition.len().max(yes.len()).max(no.len());
                let pick = |all: &[Dim], index: usize| all.get(if all.len() == 1 { 0 } else { index }).cloned();
                (0..count)
                    .map(|index| match pick(condition, index)?.known()? {
                        0 => pick(no, index),
                        _ => pick(yes, index),
                    })
                    .collect()
            }
            _ => None,
        }
    }

    fn shape_content(&self, node: &Node) -> Option<Vec<Dim>> {
        let dims = self.dims(node.input(0)?)?;
        let clamp = |at: i64| (if at < 0 { at + dims.len() as i64 } else { at }).clamp(0, dims.len() as i64) as usize;
        let start = clamp(node.int("start").unwrap_or(0));
        let end = clamp(node.int("end").unwrap_or(dims.len() as i64));
        Some(dims.get(start..end.max(start))?.to_vec())
    }

    fn filled(&self, node: &Node) -> Option<Vec<Dim>> {
        let sizes = self.ints(node.input(0)?)?;
        let count = sizes.iter().try_fold(1_i64, |product, &size| product.checked_mul(size))?;
        let value = match node.attributes.get("value") {
            Some(Attribute::Tensor(tensor)) => *tensor.to_i64()?.first()?,
            Some(_) => return None,
            None => return None,
        };
        (0..=SMALL as i64).contains(&count).then(|| vec![Dim::Known(value); count as usize])
    }

    fn gathered(&self, node: &Node) -> Option<Vec<Dim>> {
        let table = self.values.get(node.input(0)?)?.content.as_ref()?;
        if self.rank(node.input(0)?)? != 1 {
            return None;
        }
        let at = |index: i64| {
            let index = if index < 0 { index + table.len() as i64 } else { index };
            table.get(usize::try_from(index).ok()?).cloned()
        };
        self.ints(node.input(1)?)?.into_iter().map(at).collect()
    }

    fn sliced(&self, node: &Node) -> Option<Vec<Dim>> {
        let one = |position: usize| match node.input(position) {
            Some(name) => self.ints(name).filter(|all| all.len() == 1).map(|all| all[0]),
            None => Some(1),
        };
        if self.rank(node.input(0)?)? != 1 || one(4)? != 1 {
            return None;
        }
        if one(1)? == 0 && one(2)? == 0 {
            return Some(Vec::new());
        }
        let table = self.values.get(node.input(0)?)?.content.as_ref()?;
        let length = table.len() as i64;
        let clamp = |at: i64| (if at < 0 { at.saturating_add(length) } else { at }).clamp(0, length) as usize;
        let (start, end) = (clamp(one(1)?), clamp(one(2)?));
        Some(table[start.min(end)..end].to_vec())
    }
}

fn zipped(a: &[Dim], b: &[Dim], combine: impl Fn(&Dim, &Dim) -> Option<Dim>) -> Option<Vec<Dim>> {
    match (a, b) {
        ([one], many) => many.iter().map(|b| combine(one, b)).collect(),
        (many, [one]) => many.iter().map(|a| combine(a, one)).collect(),
        (a, b) if a.len() == b.len() => a.iter().zip(b).map(|(a, b)| combine(a, b)).collect(),
        _ => None,
    }
}

fn arithmetic(op: &Op, a: &Dim, b: &Dim) -> Option<Dim> {
    let numbers = a.known().zip(b.known());
    match op {
        Op::Add => match (a, b) {
            (Dim::Known(0), other) | (other, Dim::Known(0)) => Some(other.clone()),
            _ => numbers.and_then(|(a, b)| a.checked_add(b)).map(Dim::Known),
        },
        Op::Sub => match (a, b) {
            (other, Dim::Known(0)) => Some(other.clone()),
            _ if a == b => Some(Dim::Known(0)),
            _ => numbers.and_then(|(a, b)| a.checked_sub(b)).map(Dim::Known),
        },
        Op::Mul => match (a, b) {
            (Dim::Known(1), other) | (other, Dim::Known(1)) => Some(other.clone()),
            _ => numbers.and_then(|(a, b)| a.checked_mul(b)).map(Dim::Known),
        },
        Op::Div => match (a, b) {
            (other, Dim::Known(1)) => Some(other.clone()),
            _ => numbers.and_then(|(a, b)| a.checked_div(b)).map(Dim::Known),
        },
        // A size is never negative, so it differs from the −1 that exporters compare it with.
        Op::Equal => match (a, b) {
            (Dim::Known(a), Dim::Known(b)) => Some(Dim::Known((a == b).into())),
            (a, b) if a == b => Some(Dim::Known(1)),
            (Dim::Known(..0), _) | (_, Dim::Known(..0)) => Some(Dim::Known(0)),
            _ => None,
        },
        _ => None,
    }
}
