//! Finds near-duplicates among the texts of a JSON Lines file: `near TEXTS THRESHOLD JOBS FOUND`.
//!
//! The texts are read first; what is timed begins with texts in memory and ends with the numbers of those that have an
//! earlier near-duplicate, which are written to FOUND. The seconds of wall time and of processor time are printed.

use std::num::NonZeroUsize;
use std::time::Instant;

use annotc::dedup::near::{Index, Scheme, Sketches, Threshold};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<String> = std::env::args().collect();
    let [_, path, threshold, jobs, found] = arguments.as_slice() else {
        return Err("usage: near TEXTS THRESHOLD JOBS FOUND".into());
    };
    let text = |line: &str| {
        let record: serde_json::Value = serde_json::from_str(line)?;
        Ok::<_, Box<dyn std::error::Error>>(record["text"].as_str().ok_or("a record has no text")?.to_owned())
    };
    let texts = std::fs::read_to_string(path)?.lines().map(text).collect::<Result<Vec<String>, _>>()?;
    let scheme = Scheme::new(Threshold::new(threshold.parse()?).ok_or("the threshold lies above 0 and up to 1")?);
    let jobs = NonZeroUsize::new(jobs.parse()?).ok_or("at least one job")?;
    let (start, before) = (Instant::now(), processor_seconds());
    let dropped = duplicates(&texts, scheme, jobs);
    println!("{:.3} {:.3}", start.elapsed().as_secs_f64(), processor_seconds() - before);
    Ok(std::fs::write(found, dropped.iter().map(|at| format!("{at}\n")).collect::<String>())?)
}

/// As a build does it: sketches of pieces on all threads, taken in in their order, then the comparison.
fn duplicates(texts: &[String], scheme: Scheme, jobs: NonZeroUsize) -> Vec<usize> {
    let mut index = Index::new(scheme);
    for pieces in texts.chunks(2048).collect::<Vec<_>>().chunks(jobs.get()) {
        let sketches: Vec<Sketches> = std::thread::scope(|scope| {
            let sketch = |piece: &'_ [String]| scheme.sketch(piece.iter().map(String::as_str));
            let threads: Vec<_> = pieces.iter().map(|piece| scope.spawn(move || sketch(piece))).collect();
            threads.into_iter().map(|thread| thread.join().expect("a sketch does not panic")).collect()
        });
        sketches.iter().for_each(|one| index.push(one));
    }
    index.finish(jobs, &[]).duplicates().map(|one| one.index).collect()
}

/// What the process has taken of the processors so far, as Linux counts it: in hundredths of a second.
fn processor_seconds() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    // Behind the name in parentheses, the user's time is the twelfth field and the system's the thirteenth.
    let fields = stat.rsplit(')').next().unwrap_or_default().split_whitespace();
    fields.skip(11).take(2).filter_map(|ticks| ticks.parse::<f64>().ok()).sum::<f64>() / 100.0
}
