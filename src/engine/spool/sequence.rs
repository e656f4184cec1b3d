//! A sequence that is appended to, and read in order.

use std::slice;
use std::sync::Arc;

use super::budget::{Budget, Use};
use super::error::SpoolError;
use super::file::{FileReader, SpillFile};
use super::item::{Fixed, Item};

/// Items in the order in which they were appended: in memory, or in a file once the budget has no room for more of them.
#[derive(Debug)]
pub struct Spool<T> {
    budget: Arc<Budget>,
    len: u64,
    /// The first items, once they are in a file; then there are no blocks.
    file: Option<(SpillFile, u64)>,
    /// Full blocks in memory with their bytes.
    blocks: Vec<Vec<T>>,
    reserved: usize,
    /// The last items, which are not counted against the budget.
    tail: Vec<T>,
    tail_bytes: usize,
}

impl<T: Item> Spool<T> {
    /// An empty sequence.
    pub fn new(budget: &Arc<Budget>) -> Self {
        Self {
            budget: Arc::clone(budget),
            len: 0,
            file: None,
            blocks: Vec::new(),
            reserved: 0,
            tail: Vec::new(),
            tail_bytes: 0,
        }
    }

    /// The number of items.
    pub fn len(&self) -> u64 {
        self.len
    }

    /// Appends an item.
    ///
    /// # Errors
    /// The file that holds what does not fit into memory cannot be written.
    pub fn push(&mut self, item: T) -> Result<(), SpoolError> {
        self.tail_bytes += size_of::<T>() + item.heap();
        self.tail.push(item);
        self.len += 1;
        if self.tail_bytes < self.budget.block() { Ok(()) } else { self.end_block() }
    }

    /// All items in order.
    ///
    /// # Errors
    /// A file cannot be read.
    pub fn iter(&self) -> Result<Reader<'_, T>, SpoolError> {
        let file = match &self.file {
            Some((file, items)) => Some((file.reader(0..file.bytes(), &self.budget)?, *items)),
            None => None,
        };
        Ok(Reader { file, now: [].iter(), blocks: self.blocks.iter(), tail: &self.tail })
    }

    fn end_block(&mut self) -> Result<(), SpoolError> {
        if self.file.is_none() && self.budget.reserve(self.tail_bytes, Use::Keeping) {
            self.reserved += self.tail_bytes;
            let tail = Vec::with_capacity(self.tail.len());
            self.blocks.push(std::mem::replace(&mut self.tail, tail));
        } else {
            self.spill()?;
        }
        self.tail_bytes = 0;
        Ok(())
    }

    /// Moves all items into the file.
    fn spill(&mut self) -> Result<(), SpoolError> {
        self.budget.check_cancelled()?;
        let (file, items) = match &mut self.file {
            Some(file) => file,
            None => self.file.insert((self.budget.create_file()?, 0)),
        };
        let mut bytes = Vec::with_capacity(self.tail_bytes);
        for block in self.blocks.drain(..) {
            block.iter().for_each(|item| item.put(&mut bytes));
            file.append(&bytes)?;
            *items += block.len() as u64;
            bytes.clear();
        }
        self.budget.release(std::mem::take(&mut self.reserved));
        self.tail.iter().for_each(|item| item.put(&mut bytes));
        file.append(&bytes)?;
        *items += self.tail.len() as u64;
        self.tail.clear();
        Ok(())
    }
}

impl<T> Drop for Spool<T> {
    fn drop(&mut self) {
        self.budget.release(self.reserved);
    }
}

impl<T: Fixed> Spool<T> {
    /// The items from a position on.
    ///
    /// # Errors
    /// A file cannot be read.
    pub fn iter_from(&self, position: u64) -> Result<Reader<'_, T>, SpoolError> {
        let mut reader = self.iter()?;
        reader.skip_items(position)?;
        Ok(reader)
    }

    /// One item.
    ///
    /// # Errors
    /// A file cannot be read.
    pub fn get(&self, position: u64) -> Result<Option<T>, SpoolError> {
        match &self.file {
            // A reader of no more than the item reads no more than it.
            Some((file, items)) if position < *items => {
                let start = position * T::WIDTH as u64;
                let mut reader = file.reader(start..start + T::WIDTH as u64, &self.budget)?;
                T::take(&mut reader).map(Some)
            }
            Some(_) | None => self.iter_from(position)?.next().transpose(),
        }
    }

    /// A cursor before the first item.
    ///
    /// # Errors
    /// A file cannot be read.
    pub fn cursor(&self) -> Result<Cursor<'_, T>, SpoolError> {
        Ok(Cursor { reader: self.iter()?, next: 0 })
    }

    /// The position of the first item that does not fulfil the condition, where all before it do and none behind it.
    ///
    /// # Errors
    /// A file cannot be read.
    pub fn partition_point(&self, holds: impl Fn(&T) -> bool) -> Result<u64, SpoolError> {
        let (mut from, mut to) = (0, self.len);
        while from < to {
            let middle = from + (to - from) / 2;
            let item = self.get(middle)?.expect("a position below the length has an item");
            if holds(&item) {
                from = middle + 1;
            } else {
                to = middle;
            }
        }
        Ok(from)
    }
}

/// Reads a sequence in order.
#[derive(Debug)]
pub struct Reader<'s, T> {
    /// What is left in the file.
    file: Option<(FileReader, u64)>,
    now: slice::Iter<'s, T>,
    blocks: slice::Iter<'s, Vec<T>>,
    tail: &'s [T],
}

impl<T: Item> Iterator for Reader<'_, T> {
    type Item = Result<T, SpoolError>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            if let Some((file, left)) = &mut self.file {
                if *left > 0 {
                    *left -= 1;
                    return Some(T::take(file));
                }
                self.file = None;
            }
            if let Some(item) = self.now.next() {
                return Some(Ok(item.clone()));
            }
            self.now = match self.blocks.next() {
                Some(block) => block.iter(),
                None if self.tail.is_empty() => return None,
                None => std::mem::take(&mut self.tail).iter(),
            };
        }
    }
}

impl<T: Fixed> Reader<'_, T> {
    fn skip_items(&mut self, mut items: u64) -> Result<(), SpoolError> {
        if let Some((file, left)) = &mut self.file {
            let skipped = items.min(*left);
            file.skip(skipped * T::WIDTH as u64)?;
            *left -= skipped;
            items -= skipped;
        }
        while items > 0 {
            let skipped = items.min(self.now.len() as u64);
            self.now = self.now.as_slice()[skipped as usize..].iter();
            items -= skipped;
            if items > 0 {
                self.now = match self.blocks.next() {
                    Some(block) => block.iter(),
                    None if self.tail.is_empty() => return Ok(()),
                    None => std::mem::take(&mut self.tail).iter(),
                };
            }
        }
        Ok(())
    }
}

/// Looks items up in ascending order of their positions.
#[derive(Debug)]
pub struct Cursor<'s, T> {
    reader: Reader<'s, T>,
    next: u64,
}

impl<T: Fixed> Cursor<'_, T> {
    /// The item at a position, which the sequence has and which no later one was asked for before.
    ///
    /// # Errors
    /// A file cannot be read.
    pub fn at(&mut self, position: u64) -> Result<T, SpoolError> {
        if position > self.next {
            self.reader.skip_items(position - self.next)?;
        }
        self.next = position + 1;
        self.reader.next().expect("a sequence has an item at each position below its length")
    }
}
