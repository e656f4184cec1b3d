//! Every text gets an answer: no panic, no hang, no place outside of it.
//!
//! `PROPTEST_CASES=20000 cargo test --test suite robustness` tries more damage than every run does, and `PROPTEST_RNG_SEED`
//! other damage.

mod limits;
mod mutations;
mod shapes;
mod survive;

use std::path::Path;
use std::sync::LazyLock;

use proptest::prelude::*;
use proptest::sample::Index;
use proptest::test_runner::RngSeed;

use crate::support::repository;
use mutations::mutation;
use survive::survive;

/// The folders whose specifications are damaged.
const FOLDERS: &[&str] = &["specs", "tests/corpus", "tests/diagnostics", "src/semantic/cases"];

/// Every specification of the repository.
static TEXTS: LazyLock<Vec<String>> = LazyLock::new(|| {
    let mut paths = Vec::new();
    FOLDERS.iter().for_each(|folder| collect(&repository().join(folder), &mut paths));
    paths.sort();
    paths.iter().map(|path| std::fs::read_to_string(path).expect("a specification is text")).collect()
});

fn collect(folder: &Path, paths: &mut Vec<std::path::PathBuf>) {
    for entry in std::fs::read_dir(folder).expect("the folder can be read").flatten() {
        let path = entry.path();
        if path.is_dir() && path.file_name().is_some_and(|name| name != "build") {
            collect(&path, paths);
        } else if path.extension().is_some_and(|extension| extension == "annot") {
            paths.push(path);
        }
    }
}

/// The same damage in every run, unless other damage is asked for.
fn config() -> ProptestConfig {
    let asked = ProptestConfig::default();
    let rng_seed = match asked.rng_seed {
        RngSeed::Random => RngSeed::Fixed(7),
        RngSeed::Fixed(seed) => RngSeed::Fixed(seed),
    };
    ProptestConfig { failure_persistence: None, rng_seed, ..asked }
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn a_damaged_specification_is_survived(
        text in any::<Index>(),
        mutations in prop::collection::vec(mutation(), 1..6),
    ) {
        let mut bytes = TEXTS[text.index(TEXTS.len())].clone().into_bytes();
        mutations.iter().for_each(|mutation| mutation.apply(&mut bytes, &TEXTS));
        survive(&bytes);
    }
}

#[test]
fn every_specification_is_survived() {
    assert!(TEXTS.len() > 150, "{} specifications", TEXTS.len());
    TEXTS.iter().for_each(|text| survive(text.as_bytes()));
}
