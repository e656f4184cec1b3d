//! Where the trainable tensors lie in a flat one.

use std::ops::Range;

use super::update::ROW;
use crate::train::optimizer::ParameterRule;

/// Elements behind each other that are updated alike.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Group {
    /// How.
    pub(super) rule: ParameterRule,
    /// How many.
    pub(super) length: usize,
}

/// The flat tensor: tensors that are updated alike lie together, and its end is filled up to whole rows.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Layout {
    /// The tensors' indices in the order in which they lie.
    pub(super) order: Vec<usize>,
    /// Where each tensor lies, by its index.
    pub(super) places: Vec<Range<usize>>,
    /// What is updated alike; what fills the end belongs to the last one.
    pub(super) groups: Vec<Group>,
    /// Elements.
    pub(super) length: usize,
}

impl Layout {
    /// Of tensors with these lengths and rules.
    pub(super) fn of(tensors: &[(usize, ParameterRule)]) -> Self {
        let alike = |a: &ParameterRule, b: &ParameterRule| {
            a.decays == b.decays && a.rate_factor.to_bits() == b.rate_factor.to_bits()
        };
        let key = |index: &usize| (!tensors[*index].1.decays, tensors[*index].1.rate_factor.to_bits());
        let mut order: Vec<usize> = (0..tensors.len()).collect();
        order.sort_by_key(key);
        let mut places = vec![0..0; tensors.len()];
        let mut groups: Vec<Group> = Vec::new();
        let mut end = 0;
        for &index in &order {
            let (length, rule) = tensors[index];
            places[index] = end..end + length;
            end += length;
            match groups.last_mut() {
                Some(group) if alike(&group.rule, &rule) => group.length += length,
                Some(_) | None => groups.push(Group { rule, length }),
            }
        }
        let length = end.next_multiple_of(ROW);
        if let Some(group) = groups.last_mut() {
            group.length += length - end;
        }
        Self { order, places, groups, length }
    }

    /// Tensors as they lie.
    pub(super) fn join(&self, tensors: &[Vec<f32>]) -> Vec<f32> {
        let mut flat = vec![0.0; self.length];
        for (place, tensor) in self.places.iter().zip(tensors) {
            flat[place.clone()].copy_from_slice(tensor);
        }
        flat
    }

    /// The tensors of a flat one.
    pub(super) fn cut(&self, flat: &[f32]) -> Vec<Vec<f32>> {
        self.places.iter().map(|place| flat[place.clone()].to_vec()).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_updated_alike_lies_together() {
        let (decays, not, head) = (
            ParameterRule { rate_factor: 1.0, decays: true, columns: Some(2) },
            ParameterRule { rate_factor: 1.0, decays: false, columns: None },
            ParameterRule { rate_factor: 10.0, decays: true, columns: Some(3) },
        );
        let layout = Layout::of(&[(4, decays), (2, not), (6, head), (8, ParameterRule { columns: Some(4), ..decays })]);
        assert_eq!(layout.order, [0, 3, 2, 1]);
        assert_eq!(layout.places, [0..4, 18..20, 12..18, 4..12]);
        assert_eq!(layout.groups.iter().map(|group| group.length).collect::<Vec<_>>(), [12, 6, ROW - 18]);
        let tensors: Vec<Vec<f32>> =
            [4, 2, 6, 8].iter().map(|length| (0..*length).map(|at| at as f32).collect()).collect();
        assert_eq!(layout.cut(&layout.join(&tensors)), tensors);
    }
}
