//! In which order records are seen: keyed by seed, epoch and record id, never by position or thread.

/// The order of an epoch: indices into `ids`, sorted by BLAKE3(seed, epoch, id). The same records in another order in
/// the table give the same order of training.
#[must_use]
pub fn keyed_order(ids: &[String], seed: u64, epoch: u64) -> Vec<usize> {
    let mut keyed: Vec<([u8; 32], usize)> =
        ids.iter().enumerate().map(|(index, id)| (key(seed, epoch, id), index)).collect();
    keyed.sort_by(|a, b| a.0.cmp(&b.0).then_with(|| ids[a.1].cmp(&ids[b.1])));
    keyed.into_iter().map(|(_, index)| index).collect()
}

fn key(seed: u64, epoch: u64, id: &str) -> [u8; 32] {
    let mut hasher = blake3::Hasher::new();
    hasher.update(&seed.to_le_bytes());
    hasher.update(&epoch.to_le_bytes());
    hasher.update(id.as_bytes());
    *hasher.finalize().as_bytes()
}

/// Which records each step of a run sees, epoch by epoch.
pub(super) struct Passes {
    ids: Vec<String>,
    /// The seed of the keyed orders; without it every epoch has the table's order.
    seed: Option<u64>,
    /// Records of a step.
    size: usize,
    pub(super) per_epoch: u64,
    /// The order of the epoch at hand.
    order: Option<(u64, Vec<usize>)>,
}

impl Passes {
    /// Passes over the records with these ids, in the table's order.
    pub(super) fn over(ids: Vec<String>, seed: Option<u64>, batch: usize, accumulate: usize) -> Self {
        let per_epoch = steps_per_epoch(ids.len(), batch, accumulate);
        Self { seed, size: batch.saturating_mul(accumulate), per_epoch, order: None, ids }
    }

    /// The records of a step, counted from 1, in their order: their places in the table.
    pub(super) fn rows(&mut self, step: u64) -> &[usize] {
        let (epoch, at) = ((step - 1) / self.per_epoch, (step - 1) % self.per_epoch);
        if self.order.as_ref().is_none_or(|(of, _)| *of != epoch) {
            let order = match self.seed {
                Some(seed) => keyed_order(&self.ids, seed, epoch),
                None => (0..self.ids.len()).collect(),
            };
            self.order = Some((epoch, order));
        }
        let (_, order) = self.order.as_ref().expect("the order was made above");
        let start = usize::try_from(at).expect("an epoch fits the memory") * self.size;
        &order[start..start.saturating_add(self.size).min(order.len())]
    }
}

/// Optimizer steps in an epoch over `records`.
#[must_use]
pub fn steps_per_epoch(records: usize, batch: usize, accumulate: usize) -> u64 {
    records.div_ceil(batch.saturating_mul(accumulate).max(1)) as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ids(range: std::ops::Range<u32>) -> Vec<String> {
        range.map(|id| format!("{id:032x}")).collect()
    }

    #[test]
    fn the_order_is_the_records_own() {
        let forwards = ids(0..50);
        let mut backwards = forwards.clone();
        backwards.reverse();
        let seen = |ids: &[String], seed, epoch| -> Vec<String> {
            keyed_order(ids, seed, epoch).into_iter().map(|index| ids[index].clone()).collect()
        };
        assert_eq!(seen(&forwards, 7, 0), seen(&backwards, 7, 0));
        assert_ne!(seen(&forwards, 7, 0), seen(&forwards, 7, 1));
        assert_ne!(seen(&forwards, 7, 0), seen(&forwards, 8, 0));
        let mut sorted = keyed_order(&forwards, 7, 0);
        sorted.sort_unstable();
        assert_eq!(sorted, (0..50).collect::<Vec<_>>());
    }
}
