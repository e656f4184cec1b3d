//! What can stand in a sequence: values that can be written as bytes and read back.

use super::error::SpoolError;
use super::file::FileReader;

/// An item of a sequence.
pub trait Item: Clone + Send + Sync + 'static {
    /// Appends it as bytes.
    fn put(&self, bytes: &mut Vec<u8>);

    /// Reads it back.
    ///
    /// # Errors
    /// The file cannot be read.
    fn take(from: &mut FileReader) -> Result<Self, SpoolError>;

    /// The bytes of memory that it points to, beside its own.
    fn heap(&self) -> usize {
        0
    }
}

/// An item whose bytes are always as many, so that any of a sequence can be read alone. It points to no other memory.
pub trait Fixed: Item {
    /// The number of bytes.
    const WIDTH: usize;
}

/// An item that says something of one row.
pub trait OfRow {
    /// The row.
    fn row(&self) -> u64;
}

/// Items about some rows, in order of the rows, looked up in that order.
#[derive(Debug)]
pub struct Sparse<I, T> {
    items: I,
    next: Option<T>,
    begun: bool,
}

impl<T: OfRow, I: Iterator<Item = Result<T, SpoolError>>> Sparse<I, T> {
    /// Before the first row.
    pub fn new(items: I) -> Self {
        Self { items, next: None, begun: false }
    }

    /// What is said of a row; rows are asked for in ascending order.
    ///
    /// # Errors
    /// A file cannot be read.
    pub fn at(&mut self, row: u64) -> Result<Option<T>, SpoolError> {
        if !self.begun {
            self.begun = true;
            self.next = self.items.next().transpose()?;
        }
        while self.next.as_ref().is_some_and(|next| next.row() < row) {
            self.next = self.items.next().transpose()?;
        }
        if self.next.as_ref().is_none_or(|next| next.row() != row) {
            return Ok(None);
        }
        let found = self.next.take();
        self.next = self.items.next().transpose()?;
        Ok(found)
    }
}

/// Makes items of numbers.
macro_rules! numbers {
    ($($number:ty),*) => {$(
        impl Item for $number {
            fn put(&self, bytes: &mut Vec<u8>) {
                bytes.extend_from_slice(&self.to_le_bytes());
            }

            fn take(from: &mut FileReader) -> Result<Self, SpoolError> {
                Ok(Self::from_le_bytes(from.bytes()?))
            }
        }

        impl Fixed for $number {
            const WIDTH: usize = size_of::<$number>();
        }
    )*};
}

numbers!(u8, u16, u32, u64, i32);

impl Item for bool {
    fn put(&self, bytes: &mut Vec<u8>) {
        u8::from(*self).put(bytes);
    }

    fn take(from: &mut FileReader) -> Result<Self, SpoolError> {
        Ok(u8::take(from)? != 0)
    }
}

impl Fixed for bool {
    const WIDTH: usize = 1;
}

impl<const N: usize> Item for [u8; N] {
    fn put(&self, bytes: &mut Vec<u8>) {
        bytes.extend_from_slice(self);
    }

    fn take(from: &mut FileReader) -> Result<Self, SpoolError> {
        from.bytes()
    }
}

impl<const N: usize> Fixed for [u8; N] {
    const WIDTH: usize = N;
}

/// A value that may be missing; it takes its whole width all the same.
impl<T: Fixed + Default> Item for Option<T> {
    fn put(&self, bytes: &mut Vec<u8>) {
        self.is_some().put(bytes);
        self.clone().unwrap_or_default().put(bytes);
    }

    fn take(from: &mut FileReader) -> Result<Self, SpoolError> {
        let (is_some, value) = (bool::take(from)?, T::take(from)?);
        Ok(is_some.then_some(value))
    }
}

impl<T: Fixed + Default> Fixed for Option<T> {
    const WIDTH: usize = 1 + T::WIDTH;
}

impl Item for String {
    fn put(&self, bytes: &mut Vec<u8>) {
        (self.len() as u64).put(bytes);
        bytes.extend_from_slice(self.as_bytes());
    }

    fn take(from: &mut FileReader) -> Result<Self, SpoolError> {
        let mut text = vec![0; u64::take(from)? as usize];
        from.fill(&mut text)?;
        // The bytes were a text when they were written, and the file is nobody else's.
        Ok(String::from_utf8(text).expect("what was written as a text is one"))
    }

    fn heap(&self) -> usize {
        self.capacity()
    }
}

/// Makes an item of a struct: its fields one after another.
///
/// `item!(Name { field: Type, … })`, with `fixed` before the name where every field is [`Fixed`].
macro_rules! item {
    (fixed $name:ident { $($field:ident: $ty:ty),* $(,)? }) => {
        $crate::engine::spool::item!($name { $($field: $ty),* });

        impl $crate::engine::spool::Fixed for $name {
            const WIDTH: usize = 0 $(+ <$ty as $crate::engine::spool::Fixed>::WIDTH)*;
        }
    };
    ($name:ident { $($field:ident: $ty:ty),* $(,)? }) => {
        impl $crate::engine::spool::Item for $name {
            fn put(&self, bytes: &mut Vec<u8>) {
                $($crate::engine::spool::Item::put(&self.$field, bytes);)*
            }

            fn take(from: &mut $crate::engine::spool::FileReader) -> Result<Self, $crate::engine::spool::SpoolError> {
                Ok(Self { $($field: <$ty as $crate::engine::spool::Item>::take(from)?),* })
            }

            fn heap(&self) -> usize {
                0 $(+ $crate::engine::spool::Item::heap(&self.$field))*
            }
        }
    };
}

pub(crate) use item;
