//! The pieces seen so far, within a bound of memory.

use std::collections::{HashMap, HashSet};
use std::hash::{BuildHasherDefault, Hasher};
use std::ops::Range;

use super::Piece;

/// A class of keys: those whose lowest `bits` bits are `value`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Class {
    bits: u32,
    value: u64,
}

impl Class {
    /// Every key.
    pub const ALL: Class = Class { bits: 0, value: 0 };

    fn holds(self, key: u128) -> bool {
        key as u64 & ((1 << self.bits) - 1) == self.value
    }

    /// The two halves of the class.
    fn halves(self) -> (Class, Class) {
        let bits = self.bits + 1;
        (Class { bits, ..self }, Class { bits, value: self.value | 1 << self.bits })
    }
}

/// The pieces of the texts so far, of one class. Texts come in order; what occurs for the first time stays.
#[derive(Debug)]
pub struct Seen {
    class: Class,
    /// How many keys may be held.
    most: usize,
    keys: HashSet<u128, BuildHasherDefault<AsItIs>>,
    /// The pieces that the text at hand has first, with the end of each.
    own: HashMap<u128, u32, BuildHasherDefault<AsItIs>>,
    /// What this reading no longer looks for.
    left: Vec<Class>,
}

/// What a key takes in the worst case, just after its table has grown: a table grows at seven eighths to double its size,
/// and holds the old one until it is copied.
const BYTES_PER_KEY: usize = 58;

impl Seen {
    /// Nothing seen yet of a class, to be held in so many bytes.
    pub fn new(class: Class, bytes: usize) -> Self {
        let most = (bytes / BYTES_PER_KEY).max(1);
        Self { class, most, keys: HashSet::default(), own: HashMap::default(), left: Vec::new() }
    }

    /// Takes a text's pieces in, and adds to `places` those that occurred before, in an earlier text or in this one.
    pub fn take(&mut self, pieces: &[Piece], places: &mut Vec<Range<u32>>) {
        self.own.clear();
        for piece in pieces.iter().filter(|piece| self.class.holds(piece.key)) {
            let repeated =
                self.keys.contains(&piece.key) || *self.own.entry(piece.key).or_insert(piece.end) <= piece.start;
            if repeated {
                places.push(piece.start..piece.end);
            }
        }
        for key in self.own.keys() {
            self.keys.insert(*key);
        }
        while self.keys.len() > self.most && self.class.bits < 63 {
            let (kept, left) = self.class.halves();
            self.class = kept;
            self.left.push(left);
            self.keys.retain(|key| kept.holds(*key));
        }
    }

    /// The classes that are to be looked for in further readings of the same texts: none where the memory was enough.
    pub fn left(self) -> Vec<Class> {
        self.left
    }
}

/// Keys are hashes already.
#[derive(Debug, Default)]
struct AsItIs(u64);

impl Hasher for AsItIs {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        self.0 = bytes.iter().fold(self.0, |hash, &byte| hash.rotate_left(8) ^ u64::from(byte));
    }

    fn write_u128(&mut self, key: u128) {
        // The class is told by the lower bits, so the table goes by the upper ones, mixed with them.
        self.0 = (key >> 64) as u64 ^ super::super::hash::mix(key as u64);
    }
}
