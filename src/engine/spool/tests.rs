//! What is read does not depend on what fits into memory.

use std::sync::Arc;

use proptest::prelude::*;

use super::*;

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Entry {
    key: Option<[u8; 16]>,
    row: u64,
    flag: bool,
}

item!(fixed Entry { key: Option<[u8; 16]>, row: u64, flag: bool });

#[derive(Debug, Clone, PartialEq, Eq)]
struct Note {
    row: u64,
    text: String,
}

item!(Note { row: u64, text: String });

impl OfRow for Note {
    fn row(&self) -> u64 {
        self.row
    }
}

/// A budget of so many bytes with its folder.
fn budget(bytes: u64) -> (tempfile::TempDir, Arc<Budget>) {
    let cache = tempfile::tempdir().expect("a temporary folder");
    let limit = MemoryLimit { bytes, cache: cache.path().to_owned() };
    (cache, Budget::new(&limit, Arc::default()))
}

fn entries(numbers: &[u16]) -> Vec<Entry> {
    let entry = |(row, number): (usize, &u16)| Entry {
        key: (number % 5 != 0).then(|| u128::from(*number).to_be_bytes()),
        row: row as u64,
        flag: number % 2 == 0,
    };
    numbers.iter().enumerate().map(entry).collect()
}

fn all<T>(items: impl Iterator<Item = Result<T, SpoolError>>) -> Vec<T> {
    items.collect::<Result<_, _>>().expect("readable")
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_sequence_is_read_as_it_was_written(numbers in prop::collection::vec(any::<u16>(), 0..400), bytes in 0_u64..40_000, from in 0_u64..420) {
        let (_cache, budget) = budget(bytes);
        let entries = entries(&numbers);
        let (mut spool, mut notes) = (Spool::new(&budget), Spool::new(&budget));
        for entry in &entries {
            spool.push(entry.clone()).expect("kept");
            if entry.flag {
                notes.push(Note { row: entry.row, text: "é".repeat(entry.row as usize % 90) }).expect("kept");
            }
        }
        prop_assert_eq!(spool.len(), entries.len() as u64);
        prop_assert_eq!(&all(spool.iter().expect("readable")), &entries);
        let behind = entries.get(from as usize..).unwrap_or_default();
        let (read, one) = (all(spool.iter_from(from).expect("readable")), spool.get(from).expect("readable"));
        prop_assert_eq!(read.as_slice(), behind);
        prop_assert_eq!(one.as_ref(), behind.first());
        let point = spool.partition_point(|entry| entry.row < from).expect("readable");
        prop_assert_eq!(point, from.min(entries.len() as u64));
        let (mut cursor, mut noted) = (spool.cursor().expect("readable"), Sparse::new(notes.iter().expect("readable")));
        for entry in entries.iter().filter(|entry| entry.key.is_some()) {
            prop_assert_eq!(&cursor.at(entry.row).expect("readable"), entry);
            let text = noted.at(entry.row).expect("readable").map(|note| note.text.chars().count() as u64);
            prop_assert_eq!(text, entry.flag.then_some(entry.row % 90));
        }
    }

    #[test]
    fn sorting_gives_the_same_order_with_any_memory(numbers in prop::collection::vec(0_u16..300, 0..3000), bytes in 0_u64..100_000) {
        let (_cache, budget) = budget(bytes);
        let mut sorter = Sorter::new(&budget);
        let mut expected = entries(&numbers);
        expected.iter().rev().for_each(|entry| sorter.push(entry.clone()).expect("kept"));
        expected.sort();
        let sorted = sorter.finish().expect("sorted");
        prop_assert_eq!(&all(sorted.iter().expect("readable")), &expected);
        prop_assert_eq!(&all(sorted.iter().expect("readable")), &expected);
    }
}

#[test]
fn more_runs_than_are_merged_at_once_and_nothing_left_behind() {
    let (cache, budget) = budget(0);
    let numbers: Vec<u16> = (0..2000).map(|n| n * 31 % 1999).collect();
    let mut sorter = Sorter::new(&budget);
    for entry in entries(&numbers) {
        sorter.push(entry).expect("kept");
    }
    let sorted = sorter.finish().expect("sorted");
    assert_eq!(all(sorted.iter().expect("readable")).len(), 2000);
    let folder = |path: &std::path::Path| std::fs::read_dir(path).expect("a folder").flatten().next();
    let private = cache.path().join("spilled");
    assert!(std::fs::read_dir(&private).expect("there").count() == 2, "a folder and the lock");
    drop((sorted, budget));
    let left = folder(&private).expect("the lock");
    assert!(left.path().is_file() && std::fs::read_dir(&private).expect("there").count() == 1);
}

#[test]
fn a_stop_is_heeded_and_a_cache_that_is_none_is_told() {
    let cache = tempfile::tempdir().expect("a temporary folder");
    let cancel = Arc::new(std::sync::atomic::AtomicBool::new(false));
    let budget = Budget::new(&MemoryLimit { bytes: 0, cache: cache.path().to_owned() }, Arc::clone(&cancel));
    let mut spool = Spool::new(&budget);
    (0..10_000_u64).for_each(|row| spool.push(row).expect("kept"));
    cancel.store(true, std::sync::atomic::Ordering::Relaxed);
    assert!(matches!(spool.iter().expect("opened").next(), Some(Err(SpoolError::Interrupted))));

    let file = cache.path().join("file");
    std::fs::write(&file, "").expect("written");
    let budget = Budget::new(&MemoryLimit { bytes: 0, cache: file.clone() }, Arc::default());
    let mut spool = Spool::new(&budget);
    let error = (0..10_000_u64).find_map(|row| spool.push(row).err()).expect("no folder can be made");
    assert!(error.to_string().contains(&file.display().to_string()), "{error}");
}
