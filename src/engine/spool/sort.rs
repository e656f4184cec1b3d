//! Sorting what may be longer than memory: sorted runs, merged.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::collections::binary_heap::PeekMut;
use std::ops::Range;
use std::sync::Arc;

use super::budget::{Budget, Use};
use super::error::SpoolError;
use super::file::{FileReader, SpillFile};
use super::item::Fixed;

/// Runs that are merged at once. Each has a buffer and an open file.
const FAN_IN: usize = 64;

/// Takes items in any order.
#[derive(Debug)]
pub struct Sorter<T> {
    budget: Arc<Budget>,
    run: Vec<T>,
    reserved: usize,
    runs: Option<Runs>,
}

/// Sorted runs in one file.
#[derive(Debug)]
struct Runs {
    file: SpillFile,
    ranges: Vec<Range<u64>>,
}

impl<T: Fixed + Ord> Sorter<T> {
    /// Without an item.
    pub fn new(budget: &Arc<Budget>) -> Self {
        Self { budget: Arc::clone(budget), run: Vec::new(), reserved: 0, runs: None }
    }

    /// Adds an item.
    ///
    /// # Errors
    /// The file that holds what does not fit into memory cannot be written.
    pub fn push(&mut self, item: T) -> Result<(), SpoolError> {
        if self.run.len() == self.run.capacity() {
            self.grow()?;
        }
        self.run.push(item);
        Ok(())
    }

    /// The items in their order.
    ///
    /// # Errors
    /// A file cannot be written or read.
    pub fn finish(mut self) -> Result<Sorted<T>, SpoolError> {
        // Where others are in a file, the last run goes there too, so that sorted items take no memory while they wait.
        if self.runs.is_some() && !self.run.is_empty() {
            self.end_run()?;
            self.run = Vec::new();
            self.budget.release(std::mem::take(&mut self.reserved));
        }
        self.run.sort_unstable();
        let mut runs = self.runs.take();
        while let Some(many) = runs.take_if(|runs| runs.ranges.len() > FAN_IN) {
            runs = Some(merge_some::<T>(&many, &self.budget)?);
        }
        let (run, reserved) = (std::mem::take(&mut self.run), std::mem::take(&mut self.reserved));
        Ok(Sorted { inner: Arc::new(Inner { budget: Arc::clone(&self.budget), run, reserved, runs }) })
    }

    /// Makes room for another item: in memory while there is any, else by ending the run.
    fn grow(&mut self) -> Result<(), SpoolError> {
        let width = size_of::<T>();
        let held = self.run.len() * width;
        let more = (held / 2).max(self.budget.block());
        if self.budget.reserve(more, Use::Sorting) {
            self.reserved += more;
            self.run.reserve_exact(more.div_ceil(width));
        } else if held < self.budget.run() {
            let more = more.min(self.budget.run() - held);
            self.run.reserve_exact(more.div_ceil(width));
        } else {
            self.end_run()?;
        }
        Ok(())
    }

    /// Writes what is in memory as a run. Its memory is used for the next one.
    fn end_run(&mut self) -> Result<(), SpoolError> {
        self.budget.check_cancelled()?;
        self.run.sort_unstable();
        let runs = match &mut self.runs {
            Some(runs) => runs,
            None => self.runs.insert(Runs { file: self.budget.create_file()?, ranges: Vec::new() }),
        };
        runs.append(self.run.drain(..).map(Ok), self.budget.block())
    }
}

impl<T> Drop for Sorter<T> {
    fn drop(&mut self) {
        self.budget.release(self.reserved);
    }
}

impl Runs {
    /// Appends a run of items that are in order.
    fn append<T: Fixed>(
        &mut self,
        items: impl Iterator<Item = Result<T, SpoolError>>,
        block: usize,
    ) -> Result<(), SpoolError> {
        let start = self.file.bytes();
        let mut bytes = Vec::with_capacity(block + T::WIDTH);
        for item in items {
            item?.put(&mut bytes);
            if bytes.len() >= block {
                self.file.append(&bytes)?;
                bytes.clear();
            }
        }
        self.file.append(&bytes)?;
        self.ranges.push(start..self.file.bytes());
        Ok(())
    }
}

/// Fewer and longer runs.
fn merge_some<T: Fixed + Ord>(runs: &Runs, budget: &Arc<Budget>) -> Result<Runs, SpoolError> {
    let mut merged = Runs { file: budget.create_file()?, ranges: Vec::new() };
    for ranges in runs.ranges.chunks(FAN_IN) {
        let mut heads: Heads<T> = Heads::default();
        for range in ranges {
            heads.add(runs.file.reader(range.clone(), budget)?)?;
        }
        merged.append(std::iter::from_fn(|| heads.next(&[])), budget.block())?;
    }
    Ok(merged)
}

/// Sorted items, which can be read more than once.
#[derive(Debug)]
pub struct Sorted<T> {
    inner: Arc<Inner<T>>,
}

#[derive(Debug)]
struct Inner<T> {
    budget: Arc<Budget>,
    /// All items, where they fit into memory.
    run: Vec<T>,
    reserved: usize,
    runs: Option<Runs>,
}

impl<T> Drop for Inner<T> {
    fn drop(&mut self) {
        self.budget.release(self.reserved);
    }
}

impl<T: Fixed + Ord> Sorted<T> {
    /// The items in order.
    ///
    /// # Errors
    /// A file cannot be read.
    pub fn iter(&self) -> Result<Merge<T>, SpoolError> {
        let mut heads = Heads::default();
        if let Some(runs) = &self.inner.runs {
            for range in &runs.ranges {
                heads.add(runs.file.reader(range.clone(), &self.inner.budget)?)?;
            }
        }
        if let Some(first) = self.inner.run.first() {
            heads.push(first.clone(), Source::Memory(1));
        }
        Ok(Merge { inner: Arc::clone(&self.inner), heads })
    }
}

/// Reads sorted items in order. It holds what it reads.
#[derive(Debug)]
pub struct Merge<T> {
    inner: Arc<Inner<T>>,
    heads: Heads<T>,
}

impl<T: Fixed + Ord> Iterator for Merge<T> {
    type Item = Result<T, SpoolError>;

    fn next(&mut self) -> Option<Self::Item> {
        self.heads.next(&self.inner.run)
    }
}

/// The next item of each run.
#[derive(Debug)]
struct Heads<T> {
    heap: BinaryHeap<Reverse<(T, usize)>>,
    sources: Vec<Source>,
}

/// Where the other items of a run are.
#[derive(Debug)]
enum Source {
    File(FileReader),
    /// In memory, from this position on.
    Memory(usize),
}

impl<T: Ord> Default for Heads<T> {
    fn default() -> Self {
        Self { heap: BinaryHeap::new(), sources: Vec::new() }
    }
}

impl<T: Fixed + Ord> Heads<T> {
    /// Adds a run of a file, which is not empty.
    fn add(&mut self, mut file: FileReader) -> Result<(), SpoolError> {
        let first = T::take(&mut file)?;
        self.push(first, Source::File(file));
        Ok(())
    }

    fn push(&mut self, first: T, source: Source) {
        self.heap.push(Reverse((first, self.sources.len())));
        self.sources.push(source);
    }

    /// The smallest of all; `run` is the run in memory.
    fn next(&mut self, run: &[T]) -> Option<Result<T, SpoolError>> {
        let mut top = self.heap.peek_mut()?;
        let Reverse((item, source)) = &mut *top;
        let next = match &mut self.sources[*source] {
            Source::File(file) if file.is_done() => None,
            Source::File(file) => match T::take(file) {
                Ok(next) => Some(next),
                Err(error) => return Some(Err(error)),
            },
            Source::Memory(at) => {
                *at += 1;
                run.get(*at - 1).cloned()
            }
        };
        Some(Ok(match next {
            Some(next) => std::mem::replace(item, next),
            None => PeekMut::pop(top).0.0,
        }))
    }
}
