//! Disjoint sets, each named by its smallest member.

/// Disjoint sets over the numbers below `len`.
///
/// The smaller root always becomes the root of a union, so that the root is the smallest member whatever the order of the
/// unions; with path halving (Tarjan & van Leeuwen 1984) a sequence of operations takes O(log n) each.
#[derive(Debug, Clone, Default)]
pub(super) struct UnionFind {
    parent: Vec<u32>,
}

impl UnionFind {
    /// Each number below `len` as a set of its own.
    pub(super) fn new(len: usize) -> Self {
        let len = u32::try_from(len).expect("an index holds fewer than 2^32 texts");
        Self { parent: (0..len).collect() }
    }

    /// The smallest member of the set of `index`.
    pub(super) fn root(&mut self, mut index: u32) -> u32 {
        while self.parent[index as usize] != index {
            let grandparent = self.parent[self.parent[index as usize] as usize];
            self.parent[index as usize] = grandparent;
            index = grandparent;
        }
        index
    }

    /// Makes the sets of `a` and `b` one.
    pub(super) fn union(&mut self, a: u32, b: u32) {
        let (a, b) = (self.root(a), self.root(b));
        self.parent[a.max(b) as usize] = a.min(b);
    }

    /// The smallest member of each number's set, by number.
    pub(super) fn roots(&mut self) -> Vec<u32> {
        // A parent is never greater than its child, so one pass from the left meets finished parents alone.
        for index in 0..self.parent.len() {
            self.parent[index] = self.parent[self.parent[index] as usize];
        }
        self.parent.clone()
    }
}
