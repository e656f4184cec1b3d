//! Where the forward part is cut: what is kept at the cuts, and what is computed again between them.

/// The most places that are looked at for a cut.
const PLACES: usize = 200;

/// Halvings of the bound that a plan is searched for; the last is within a thousandth of the best.
const HALVINGS: usize = 12;

/// A value of the forward part.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Span {
    /// The position of the node that makes it.
    pub(super) made: usize,
    /// The position of the last forward node that reads it; that of its own node where none does.
    pub(super) read: usize,
    /// Its size.
    pub(super) bytes: u64,
    /// Whether the backward part reads it.
    pub(super) saved: bool,
}

/// The positions at which segments begin, the first one's 0 left out, for `nodes` nodes in their order.
///
/// While the backward part goes through a segment, what crosses the cuts before it is in memory and what the backward part reads of
/// the segment itself. The cuts are those for which the greatest sum of both is least: the least bound that a plan exists for is
/// searched by halving, and a plan for a bound by dynamic programming over the narrow places.
pub(super) fn cuts(spans: &[Span], nodes: usize) -> Vec<usize> {
    let places = places(spans, nodes);
    let costs = Costs::of(spans, &places);
    let (mut low, mut high) = (0, costs.saved.last().copied().unwrap_or(0));
    let mut best = Vec::new();
    for _ in 0..HALVINGS {
        let bound = low + (high - low) / 2;
        match costs.within(bound) {
            Some(plan) => (high, best) = (bound, plan),
            None => low = bound,
        }
    }
    best.into_iter().map(|at| places[at]).collect()
}

/// The begin, the positions where less is in use than around them, the narrowest where there are many, and the end.
fn places(spans: &[Span], nodes: usize) -> Vec<usize> {
    let mut widths = vec![0_u64; nodes + 1];
    for span in spans {
        widths[span.made + 1..=span.read].iter_mut().for_each(|width| *width += span.bytes);
    }
    let is_narrow = |at: &usize| widths[*at] < widths[at - 1] && widths[*at] <= widths[at + 1];
    let mut narrow: Vec<usize> = (1..nodes).filter(is_narrow).collect();
    narrow.sort_by_key(|at| (widths[*at], *at));
    narrow.truncate(PLACES);
    narrow.extend([0, nodes]);
    narrow.sort_unstable();
    narrow.dedup();
    narrow
}

/// What plans over some places cost.
struct Costs {
    /// For each place the bytes that the backward part reads of the nodes before it.
    saved: Vec<u64>,
    /// `kept[q][p]`: the bytes made between the places `p` and `q` that nodes behind `q` read.
    kept: Vec<Vec<u64>>,
}

impl Costs {
    fn of(spans: &[Span], places: &[usize]) -> Self {
        let mut saved = vec![0_u64; places.len()];
        let mut kept: Vec<Vec<u64>> = (0..places.len()).map(|q| vec![0; q + 1]).collect();
        for span in spans {
            // The last place at or before the node that makes it, and those behind that.
            let before = places.partition_point(|place| *place <= span.made).saturating_sub(1);
            for q in before + 1..places.len() {
                saved[q] += if span.saved { span.bytes } else { 0 };
                if places[q] <= span.read {
                    kept[q][before] += span.bytes;
                }
            }
        }
        for row in &mut kept {
            for p in (1..row.len()).rev() {
                row[p - 1] += row[p];
            }
        }
        Self { saved, kept }
    }

    /// The cuts, as indices of places, of a plan that never takes more than `bound`.
    fn within(&self, bound: u64) -> Option<Vec<usize>> {
        let end = self.saved.len() - 1;
        // What is kept before each place in the plan that keeps least, and where its last segment begins.
        let mut least: Vec<Option<(u64, usize)>> = vec![None; end + 1];
        least[0] = Some((0, 0));
        for q in 1..=end {
            for p in 0..q {
                let Some((kept, _)) = least[p] else { continue };
                let takes = kept + self.saved[q] - self.saved[p];
                let kept = kept + self.kept[q][p];
                if takes <= bound && least[q].is_none_or(|(least, _)| kept < least) {
                    least[q] = Some((kept, p));
                }
            }
        }
        let mut plan = Vec::new();
        let mut at = least[end]?.1;
        while at > 0 {
            plan.push(at);
            at = least[at].expect("a plan goes through places that plans lead to").1;
        }
        plan.reverse();
        Some(plan)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Layers of four nodes: three large values, which the backward part reads, and a small one that the next layer reads first and
    /// last.
    fn layers(count: usize, small: u64) -> Vec<Span> {
        let layer = |at: usize| {
            let large = move |made: usize| Span { made, read: made + 1, bytes: 100, saved: true };
            let first = 4 * at;
            let stream = Span { made: first + 3, read: (first + 7).min(4 * count - 1), bytes: small, saved: true };
            [large(first), large(first + 1), large(first + 2), stream]
        };
        (0..count).flat_map(layer).collect()
    }

    #[test]
    fn deep_graphs_are_cut_between_their_layers() {
        let between = [4, 8, 12, 16, 20, 24, 28];
        assert_eq!(cuts(&layers(8, 1), 32), between, "each layer is a segment where what is kept is next to nothing");
        let some = cuts(&layers(8, 60), 32);
        assert!(!some.is_empty() && some.len() < between.len(), "{some:?}");
        assert!(some.iter().all(|cut| between.contains(cut)), "{some:?}");
    }

    #[test]
    fn what_cannot_be_cut_is_one_segment() {
        assert_eq!(cuts(&[], 0), [0; 0]);
        assert_eq!(cuts(&[Span { made: 0, read: 0, bytes: 8, saved: true }], 1), [0; 0]);
        // Every value is read at the end: to cut keeps all.
        let all: Vec<Span> = (0..9).map(|made| Span { made, read: 9, bytes: 8, saved: true }).collect();
        assert_eq!(cuts(&all, 10), [0; 0]);
    }
}
