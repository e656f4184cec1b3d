//! What may be broken where, and how wide it is.
//!
//! D. C. Oppen, "Pretty printing", 1980; P. Wadler, "A prettier printer", 2003: a group stands on one line if it fits,
//! else its lines are broken, the outermost first.

use super::align::Stop;

/// A part of a statement.
pub(super) enum Doc {
    /// A piece, by its number.
    Piece {
        /// Which one.
        at: usize,
        /// Its columns.
        measure: Measure,
    },
    /// A space.
    Space,
    /// A space, or a new line where the group is broken.
    Line {
        /// Whether a comment stands there.
        forced: bool,
    },
    /// A space, or a new line where the group is broken and what follows does not fit.
    Fill {
        /// Whether a comment stands there.
        forced: bool,
    },
    /// A place that is aligned with the same place of other statements.
    Stop(Stop),
    /// New lines in it are indented by one more level.
    Indent(Docs),
    /// Its lines are broken together or not at all.
    Group(Docs),
    /// `( … )`, `[ … ]` or a record.
    Bracket(Bracket),
    /// `{ … }` with statements.
    Block(Block),
}

/// Parts in a row.
pub(super) struct Docs {
    /// The parts.
    pub docs: Vec<Doc>,
    /// All of them.
    pub measure: Measure,
}

/// Columns.
#[derive(Debug, Clone, Copy)]
pub(super) struct Measure {
    /// On one line; none where it cannot stand on one.
    pub flat: Option<usize>,
    /// Up to the first place where a new line may begin.
    pub lead: usize,
    /// Whether there is such a place.
    pub breaks: bool,
}

/// A bracket with its items.
pub(super) struct Bracket {
    /// The opening piece.
    pub open: usize,
    /// The items.
    pub items: Vec<Item>,
    /// The closing piece.
    pub close: usize,
    /// Whether a space stands inside each end.
    pub padded: bool,
    /// Whether commas part its items, so that the last one may have one too.
    pub commas: bool,
    /// Whether each item is a single piece.
    pub simple: bool,
    /// The whole bracket.
    pub measure: Measure,
}

/// An item of a bracket.
pub(super) struct Item {
    /// Its first piece.
    pub first: usize,
    /// Whether the author began a new line before it.
    pub new_line: bool,
    /// What it holds.
    pub docs: Docs,
}

/// A block with its statements.
pub(super) struct Block {
    /// The opening piece.
    pub open: usize,
    /// The statements.
    pub statements: Vec<Statement>,
    /// The closing piece.
    pub close: usize,
    /// The whole block.
    pub measure: Measure,
}

/// A statement or a declaration.
pub(super) struct Statement {
    /// Its first piece.
    pub first: usize,
    /// What it holds.
    pub docs: Docs,
}

impl Measure {
    /// Something that is never broken.
    pub fn solid(width: usize) -> Self {
        Self { flat: Some(width), lead: width, breaks: false }
    }

    /// A place where a new line may begin.
    fn line(forced: bool) -> Self {
        Self { flat: (!forced).then_some(1), lead: 0, breaks: true }
    }

    /// One part after the other.
    fn then(self, next: Self) -> Self {
        Self {
            flat: self.flat.zip(next.flat).map(|(first, second)| first + second),
            lead: if self.breaks { self.lead } else { self.lead + next.lead },
            breaks: self.breaks || next.breaks,
        }
    }
}

impl Doc {
    pub fn measure(&self) -> Measure {
        match self {
            Self::Piece { measure, .. } => *measure,
            Self::Space => Measure::solid(1),
            Self::Line { forced } | Self::Fill { forced } => Measure::line(*forced),
            Self::Stop(_) => Measure::solid(0),
            Self::Indent(docs) | Self::Group(docs) => docs.measure,
            Self::Bracket(bracket) => bracket.measure,
            Self::Block(block) => block.measure,
        }
    }
}

impl Docs {
    pub fn new(docs: Vec<Doc>) -> Self {
        let measure = docs.iter().map(Doc::measure).fold(Measure::solid(0), Measure::then);
        Self { docs, measure }
    }

    /// For each part, and for the end, the columns up to the next place where a new line may begin, if `tail` columns
    /// follow the last part.
    pub fn leads(&self, tail: usize) -> Vec<usize> {
        let mut leads = vec![tail; self.docs.len() + 1];
        for (at, doc) in self.docs.iter().enumerate().rev() {
            let Measure { lead, breaks, .. } = doc.measure();
            leads[at] = if breaks { lead } else { lead + leads[at + 1] };
        }
        leads
    }
}

/// The columns of a bracket or block on one line, with `between` columns from one part to the next.
pub(super) fn enclosed<'d>(
    parts: impl ExactSizeIterator<Item = &'d Docs>,
    between: usize,
    padded: bool,
    forced: bool,
) -> Measure {
    let count = parts.len();
    let gaps = between * count.saturating_sub(1) + if padded && count > 0 { 2 } else { usize::from(padded) };
    let inside = parts.map(|docs| docs.measure.flat).sum::<Option<usize>>();
    let flat = inside.filter(|_| !forced).map(|inside| 2 + gaps + inside);
    match flat {
        Some(flat) if count == 0 => Measure::solid(flat),
        flat => Measure { flat, lead: 1, breaks: true },
    }
}
