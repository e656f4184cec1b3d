//! The gradient of a table, summed up from rows.

use std::collections::BTreeSet;
use std::ops::Range;

/// The sum of a step's rows, and which rows any step has had.
pub(super) struct TableGradient {
    columns: usize,
    /// Zero but for the rows that the step has touched.
    sum: Vec<f32>,
    touched: BTreeSet<usize>,
    /// Whether each row was ever touched.
    seen: Vec<bool>,
    /// The stretches of rows that never were, in numbers of the table.
    still: Vec<Range<usize>>,
}

impl TableGradient {
    /// Of a table with so many numbers.
    pub(super) fn new(length: usize, columns: usize) -> Self {
        let mut table = Self {
            columns,
            sum: vec![0.0; length],
            touched: BTreeSet::new(),
            seen: vec![false; length / columns],
            still: Vec::new(),
        };
        table.find_still();
        table
    }

    /// Adds rows at their places, of which negative ones are counted from the end. The runtime has read these rows, so they exist.
    pub(super) fn add(&mut self, places: &[i64], rows: &[f32]) {
        let height = self.seen.len();
        for (place, row) in places.iter().zip(rows.chunks(self.columns)) {
            let back = usize::try_from(place.unsigned_abs()).unwrap_or(height);
            let at = if *place < 0 { height.saturating_sub(back) } else { back };
            let sum = &mut self.sum[at * self.columns..][..self.columns];
            sum.iter_mut().zip(row).for_each(|(sum, value)| *sum += value);
            self.touched.insert(at);
        }
    }

    /// The rows of the step, each once and in order.
    pub(super) fn rows(&self) -> impl Iterator<Item = &[f32]> {
        self.touched.iter().map(|at| &self.sum[at * self.columns..][..self.columns])
    }

    /// The whole gradient, and the stretches of it that were 0 in every step.
    pub(super) fn whole(&mut self) -> (&[f32], &[Range<usize>]) {
        let mut is_new = false;
        for at in &self.touched {
            is_new |= !std::mem::replace(&mut self.seen[*at], true);
        }
        if is_new {
            self.find_still();
        }
        (&self.sum, &self.still)
    }

    /// Begins the next step.
    pub(super) fn clear(&mut self) {
        for at in std::mem::take(&mut self.touched) {
            self.sum[at * self.columns..][..self.columns].fill(0.0);
        }
    }

    /// Takes what an optimizer remembers of the table: where it remembers something, there was a gradient.
    pub(super) fn restore(&mut self, slots: &[Vec<f32>]) {
        for (at, seen) in self.seen.iter_mut().enumerate() {
            let place = at * self.columns..(at + 1) * self.columns;
            // A slot of another length is not one number for each of the table's, and no stretch is ever left out by it.
            let of_row = slots.iter().filter_map(|slot| slot.get(place.clone()));
            *seen = of_row.flatten().any(|value| *value != 0.0);
        }
        self.find_still();
    }

    fn find_still(&mut self) {
        self.still.clear();
        for (at, _) in self.seen.iter().enumerate().filter(|(_, seen)| !**seen) {
            let place = at * self.columns..(at + 1) * self.columns;
            match self.still.last_mut() {
                Some(last) if last.end == place.start => last.end = place.end,
                Some(_) | None => self.still.push(place),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::train::optimizer::{Adafactor, AdamW, Lion, Moment, Optimizer, Parameter, ParameterRule, Sgd};

    /// A table of 6 rows: steps touch some of them, twice or from the end too, and the last two never.
    const STEPS: [&[i64]; 3] = [&[1, 3, 1], &[-3, 0], &[1]];

    fn row(place: i64) -> [f32; 2] {
        [place as f32 + 0.5, 0.25]
    }

    /// What steps leave of values and slots, the gradient as rows or as a whole; with rows the state is taken anew before the last.
    fn trained(optimizer: Optimizer, as_rows: bool) -> (Vec<f32>, Vec<Vec<f32>>) {
        let rule = ParameterRule::of(&[6, 2], 1.0);
        let mut values: Vec<f32> = (0..12).map(|at| at as f32 / 7.0 - 0.6).collect();
        let mut slots = optimizer.begin([(12, rule)]);
        let mut table = TableGradient::new(12, 2);
        for (step, places) in (1..).zip(STEPS) {
            let mut whole = [0.0; 12];
            for place in places {
                let at = place.rem_euclid(6) as usize * 2;
                whole[at..].iter_mut().zip(row(*place)).for_each(|(sum, value)| *sum += value);
            }
            let rows: Vec<f32> = places.iter().flat_map(|place| row(*place)).collect();
            if step == 3 {
                table = TableGradient::new(12, 2);
                table.restore(&slots[0]);
            }
            table.add(places, &rows);
            let (gradient, still) = if as_rows { table.whole() } else { (&whole[..], &[][..]) };
            assert_eq!(gradient, whole);
            let parameters = vec![Parameter { values: &mut values, gradient, rule, still }];
            optimizer.update(Moment { step, rate: 0.1, clip: 0.5 }, 2, parameters, &mut slots);
            table.clear();
        }
        (values, slots.remove(0))
    }

    #[test]
    fn rows_do_what_the_whole_gradient_does() {
        let weight_decay = 0.1;
        let optimizers = [
            Optimizer::AdamW(AdamW { weight_decay, ..AdamW::default() }),
            Optimizer::AdamW(AdamW { weight_decay: 0.0, ..AdamW::default() }),
            Optimizer::Sgd(Sgd { momentum: 0.9, nesterov: true, weight_decay }),
            Optimizer::Sgd(Sgd { momentum: 0.0, nesterov: false, weight_decay: 0.0 }),
            Optimizer::Lion(Lion { weight_decay, betas: [0.9, 0.99] }),
            Optimizer::Adafactor(Adafactor { weight_decay }),
        ];
        for optimizer in optimizers {
            assert_eq!(trained(optimizer, true), trained(optimizer, false), "{optimizer:?}");
        }
    }

    #[test]
    fn what_was_never_touched_is_still() {
        let mut table = TableGradient::new(12, 2);
        table.add(&[1, -3], &[1.0; 4]);
        assert_eq!(table.whole().1, [0..2, 4..6, 8..12]);
        assert_eq!(table.rows().count(), 2);
        table.clear();
        assert_eq!(table.rows().count(), 0);
        assert_eq!(table.whole(), (&[0.0; 12][..], &[0..2, 4..6, 8..12][..]));
    }
}
