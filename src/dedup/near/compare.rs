//! The pairs that bands propose, and which of them are alike.

use std::num::NonZeroUsize;

use super::{Scheme, Sketches};
use crate::dedup::jaccard::{make_set, similarity};
use crate::dedup::union_find::UnionFind;

/// With how many texts of a bucket, its first, each other one is compared. A bucket has more where very many texts differ
/// from each other a little; then each joins the cluster through one of the first of them or through another band.
const HEADS: usize = 32;

/// The smallest member of each sketch's set, when those are joined that a band proposes and that are alike.
///
/// Bands are looked through on `jobs` threads, one band each at a time. A pair is skipped when it is known to be joined,
/// which changes no set, so the sets do not depend on the number of threads.
pub(super) fn find_sets(scheme: &Scheme, sketches: &Sketches, jobs: NonZeroUsize) -> Vec<u32> {
    let mut sets = UnionFind::new(sketches.len());
    let bands: Vec<usize> = (0..scheme.bands.bands).collect();
    for at_once in bands.chunks(jobs.get()) {
        let known = sets.roots();
        let found = in_parallel(at_once.len(), |at| find_in_band(scheme, sketches, at_once[at], &known));
        for (a, b) in found.into_iter().flatten() {
            sets.union(a, b);
        }
    }
    sets.roots()
}

/// The similarity of each pair of sketches.
pub(super) fn similarities(sketches: &Sketches, pairs: &[(u32, u32)], jobs: NonZeroUsize) -> Vec<f32> {
    let size = pairs.len().div_ceil(jobs.get()).max(1);
    let pieces: Vec<&[(u32, u32)]> = pairs.chunks(size).collect();
    let of_piece = |at: usize| {
        let (mut left, mut right) = (Vec::new(), Vec::new());
        let of_pair = |&(a, b): &(u32, u32)| {
            if a == b {
                return 1.0;
            }
            set_into(sketches, a, &mut left);
            set_into(sketches, b, &mut right);
            similarity(&left, &right) as f32
        };
        pieces[at].iter().map(of_pair).collect::<Vec<f32>>()
    };
    in_parallel(pieces.len(), of_piece).concat()
}

/// What `work` makes of each number below `count`, in order, each on a thread of its own.
fn in_parallel<T: Send>(count: usize, work: impl Fn(usize) -> T + Sync) -> Vec<T> {
    if count <= 1 {
        return (0..count).map(work).collect();
    }
    let work = &work;
    std::thread::scope(|scope| {
        let threads: Vec<_> = (0..count).map(|at| scope.spawn(move || work(at))).collect();
        let done = threads.into_iter().map(|thread| thread.join());
        done.map(|done| done.unwrap_or_else(|panic| std::panic::resume_unwind(panic))).collect()
    })
}

/// The set of a sketch's shingles in place of what is in `set`.
fn set_into(sketches: &Sketches, sketch: u32, set: &mut Vec<u64>) {
    set.clear();
    set.extend_from_slice(sketches.shingles(sketch));
    make_set(set);
}

/// The pairs that are alike among those with one key of a band, as far as they are not joined. `known` are the roots of
/// the sets so far.
fn find_in_band(scheme: &Scheme, sketches: &Sketches, band: usize, known: &[u32]) -> Vec<(u32, u32)> {
    let bands = scheme.bands.bands;
    // Key and sketch in one number: sorted, those of one key lie together, in order.
    let keyed = |sketch: u32| u64::from(sketches.keys[sketch as usize * bands + band]) << 32 | u64::from(sketch);
    let mut sorted: Vec<u64> = (0..sketches.len() as u32).map(keyed).collect();
    sorted.sort_unstable();
    let mut bucket = Bucket { scheme, sketches, known, heads: Vec::new(), own: Vec::new(), found: Vec::new() };
    for members in sorted.chunk_by(|a, b| a >> 32 == b >> 32) {
        if members.len() > 1 {
            bucket.compare(members);
        }
    }
    bucket.found
}

/// One bucket at a time.
struct Bucket<'b> {
    scheme: &'b Scheme,
    sketches: &'b Sketches,
    known: &'b [u32],
    heads: Vec<Head>,
    /// The set of the sketch that is compared with the heads.
    own: Vec<u64>,
    found: Vec<(u32, u32)>,
}

/// One of the first members of a bucket.
struct Head {
    sketch: u32,
    /// What it is joined with so far: heads of one mark are in one set.
    mark: u32,
    /// Its shingles; empty until they are asked for.
    set: Vec<u64>,
}

impl Bucket<'_> {
    /// Compares the members of a bucket, their sketches in the lower halves.
    fn compare(&mut self, members: &[u64]) {
        self.heads.clear();
        for &member in members {
            let sketch = member as u32;
            let mark = self.compare_with_heads(sketch, self.known[sketch as usize]);
            if self.heads.len() < HEADS {
                self.heads.push(Head { sketch, mark, set: Vec::new() });
            }
        }
    }

    /// The mark of a sketch when it was compared with all heads.
    fn compare_with_heads(&mut self, sketch: u32, mut mark: u32) -> u32 {
        self.own.clear();
        for at in 0..self.heads.len() {
            if self.heads[at].mark == mark {
                continue;
            }
            if self.own.is_empty() {
                set_into(self.sketches, sketch, &mut self.own);
            }
            let head = &mut self.heads[at];
            if head.set.is_empty() {
                set_into(self.sketches, head.sketch, &mut head.set);
            }
            if !are_alike(&self.own, &head.set, self.scheme.threshold.get()) {
                continue;
            }
            self.found.push((head.sketch, sketch));
            let joined = head.mark;
            self.heads.iter_mut().filter(|head| head.mark == mark).for_each(|head| head.mark = joined);
            mark = joined;
        }
        mark
    }
}

fn are_alike(a: &[u64], b: &[u64], threshold: f64) -> bool {
    let (fewer, more) = (a.len().min(b.len()), a.len().max(b.len()));
    // The similarity is at most the quotient of the sizes, in floating point too: division rounds monotonically.
    (fewer as f64) / (more as f64) >= threshold && similarity(a, b) >= threshold
}
