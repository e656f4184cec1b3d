//! `--memory`: how much of what decides over records is kept in memory.

use std::path::Path;

use clap::Args;

use super::runtime::cache_folder;
use crate::engine::MemoryLimit;

/// How much memory is used between reading and writing.
#[derive(Debug, Clone, Args)]
pub struct MemoryArgs {
    /// Memory for what is known of each record between reading and writing, as 512MiB or 2GB; the rest goes to files in the
    /// cache folder while the command runs [default: 32MiB]
    #[arg(long, value_name = "SIZE", env = "ANNOTC_MEMORY", value_parser = parse_size)]
    memory: Option<u64>,
}

impl MemoryArgs {
    /// The limit, with the cache folder named on the command line or in the environment, else the user's.
    pub fn limit(&self, cache: Option<&Path>) -> MemoryLimit {
        MemoryLimit { bytes: self.memory.unwrap_or(MemoryLimit::DEFAULT), cache: cache_folder(cache) }
    }
}

/// The units, each with its number of bytes.
const UNITS: [(&str, u64); 8] = [
    ("KiB", 1 << 10),
    ("MiB", 1 << 20),
    ("GiB", 1 << 30),
    ("TiB", 1 << 40),
    ("kB", 1_000),
    ("MB", 1_000_000),
    ("GB", 1_000_000_000),
    ("TB", 1_000_000_000_000),
];

/// The least that makes sense.
const LEAST: u64 = 1 << 20;

/// A number of bytes with its unit that is enough to work with.
fn parse_size(text: &str) -> Result<u64, String> {
    let size = parse_bytes(text)?;
    if size < LEAST { Err("it is less than 1MiB, the least that can be worked with".to_string()) } else { Ok(size) }
}

/// A number of bytes with its unit.
pub fn parse_bytes(text: &str) -> Result<u64, String> {
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let (number, unit) = text.split_at(digits);
    let known = || UNITS.map(|(name, _)| name).join(", ");
    if number.is_empty() {
        return Err("a size begins with a whole number: 512MiB".to_string());
    }
    if unit.is_empty() {
        return Err(format!("a size has a unit: write {number}MiB, or another of {}", known()));
    }
    let Some((_, bytes)) = UNITS.into_iter().find(|(name, _)| *name == unit) else {
        return Err(format!("`{unit}` is no unit of a size: write one of {}", known()));
    };
    let size = number.parse::<u64>().ok().and_then(|number| number.checked_mul(bytes));
    size.ok_or_else(|| "it is more than any machine has".to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_have_units() {
        for (text, expected) in [
            ("512MiB", Ok(512 << 20)),
            ("2GB", Ok(2_000_000_000)),
            ("1024KiB", Ok(1 << 20)),
            ("0MiB", Err("less than 1MiB")),
            ("4kB", Err("less than 1MiB")),
            ("512", Err("write 512MiB, or another of KiB,")),
            ("512mb", Err("`mb` is no unit")),
            ("512 MiB", Err("` MiB` is no unit")),
            ("1.5GiB", Err("`.5GiB` is no unit")),
            ("-1GiB", Err("begins with a whole number")),
            ("", Err("begins with a whole number")),
            ("99999999999TiB", Err("more than any machine has")),
        ] {
            match (parse_size(text), expected) {
                (Ok(found), Ok(expected)) => assert_eq!(found, expected, "{text}"),
                (Err(found), Err(expected)) => assert!(found.contains(expected), "{text}: {found}"),
                (found, _) => panic!("{text}: {found:?}"),
            }
        }
    }
}
