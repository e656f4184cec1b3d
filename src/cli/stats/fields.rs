//! What the fields hold, as text: lengths with a small histogram, numbers, values.

use super::grid::{Bar, Grid, sparkline};
use super::show::heading;
use super::{Found, figure, percent};
use crate::cli::terminal::Terminal;
use crate::emit::count;
use crate::statistics::{Histogram, Measured, Numbers, Values};

/// The most columns of a histogram.
const COLUMNS: usize = 32;

/// Prints each column of the data set that is measured.
pub fn show(found: &Found, terminal: &Terminal) {
    let parts = &found.statistics.parts;
    let Some((_, first)) = parts.iter().next() else { return };
    for (at, (name, measured)) in first.columns.iter().enumerate() {
        let of_parts: Vec<(&str, u64, &Measured)> =
            parts.iter().filter_map(|(part, all)| Some((part, all.records, &all.columns.0.get(at)?.1))).collect();
        match measured {
            Measured::Text { values: own, .. } | Measured::Values { values: own, .. } if own.counts().is_some() => {
                heading(&format!("Field {name}"), terminal);
                values(&of_parts, terminal);
            }
            Measured::Text { .. } | Measured::Items { .. } => {
                heading(&format!("Field {name}"), terminal);
                lengths(of_parts.iter().flat_map(|(part, _, measured)| of_lengths(part, measured)), terminal);
            }
            Measured::Numbers { .. } => {
                heading(&format!("Field {name}"), terminal);
                numbers(&of_parts, terminal);
            }
            Measured::Values { .. } | Measured::Presence { .. } => {}
        }
    }
}

/// A row for each histogram.
pub fn lengths<'h>(rows: impl Iterator<Item = (String, &'h Histogram)>, terminal: &Terminal) {
    let mut grid = Grid::new(&["length of", "least", "median", "mean", "95 %", "most", "histogram"]).left(6);
    let narrow = terminal.answer_width() < 100;
    for (name, histogram) in rows {
        let number = |value: Option<u64>| value.map_or("–".to_owned(), count);
        let counts: Vec<u64> = histogram.filled().iter().map(|(.., count)| *count).collect();
        let cells = vec![
            name,
            number(histogram.range().map(|(least, _)| least)),
            number(histogram.percentile(50)),
            histogram.mean().map_or("–".to_owned(), |mean| format!("{mean:.1}")),
            number(histogram.percentile(95)),
            number(histogram.range().map(|(_, most)| most)),
            sparkline(&counts, if narrow { COLUMNS / 2 } else { COLUMNS }),
        ];
        grid.row(cells, None);
    }
    grid.show(terminal);
}

fn of_lengths<'m>(part: &str, measured: &'m Measured) -> Vec<(String, &'m Histogram)> {
    match measured {
        Measured::Text { chars, words, .. } => {
            vec![(format!("{part}, words"), words), (format!("{part}, characters"), chars)]
        }
        Measured::Items { items, .. } => vec![(format!("{part}, items"), items)],
        Measured::Numbers { .. } | Measured::Values { .. } | Measured::Presence { .. } => Vec::new(),
    }
}

fn numbers(parts: &[(&str, u64, &Measured)], terminal: &Terminal) {
    let mut grid = Grid::new(&["part", "numbers", "least", "median", "most", "histogram"]).left(5);
    let of = |measured: &Measured| match measured {
        Measured::Numbers { numbers, .. } => Some(numbers.clone()),
        Measured::Text { .. } | Measured::Values { .. } | Measured::Items { .. } | Measured::Presence { .. } => None,
    };
    let numbers = parts.iter().filter_map(|(part, _, measured)| Some((*part, of(measured)?)));
    for (part, numbers) in numbers.collect::<Vec<(&str, Numbers)>>() {
        let number = |value: Option<f64>| value.map_or("–".to_owned(), |value| format!("{value}"));
        let (least, most) = numbers.range().unzip();
        let counts: Vec<u64> = numbers.bins().map(|(.., count)| count).collect();
        let figures = [figure(numbers.count()), number(least), number(numbers.median()), number(most)];
        let cells = std::iter::once(part.to_owned()).chain(figures).chain([sparkline(&counts, COLUMNS / 2)]);
        grid.row(cells.collect(), None);
    }
    grid.show(terminal);
}

fn values(parts: &[(&str, u64, &Measured)], terminal: &Terminal) {
    let counted: Vec<(&str, u64, &Values)> = parts
        .iter()
        .filter_map(|(part, records, measured)| match measured {
            Measured::Text { values, .. } | Measured::Values { values, .. } => Some((*part, *records, values)),
            Measured::Numbers { .. } | Measured::Items { .. } | Measured::Presence { .. } => None,
        })
        .collect();
    let mut all = Values::default();
    counted.iter().for_each(|(_, _, values)| all.merge(values));
    let heads: Vec<&str> = std::iter::once("value").chain(counted.iter().flat_map(|(part, ..)| [*part, "%"])).collect();
    let mut grid = Grid::new(&heads);
    let records: u64 = counted.iter().map(|(_, records, _)| records).sum();
    for (value, sum) in all.counts().into_iter().flatten() {
        let cells = counted.iter().flat_map(|(_, records, values)| {
            let found = values.counts().and_then(|mut counts| counts.find(|(own, _)| *own == value));
            let found = found.map_or(0, |(_, count)| count);
            [figure(found), percent(found, *records).trim_end_matches(" %").to_owned()]
        });
        let name = if value.is_empty() { "(empty)" } else { value };
        grid.row(
            std::iter::once(name.to_owned()).chain(cells).collect(),
            Some(Bar { full: sum, light: 0, whole: records }),
        );
    }
    grid.show(terminal);
}
