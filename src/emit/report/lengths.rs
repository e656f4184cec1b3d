//! What the fields hold: how long texts are, how numbers lie, which values occur.

use super::chart::{self, Bins};
use super::html::{Element, element};
use super::parts::{Cell, Section, bar, count, counted, figure, heading, heads, note, percent, table};
use crate::emit::statistics::Statistics;
use crate::statistics::{Histogram, Measured, Numbers, Values};

/// A part with what was measured of one column.
type OfPart<'s> = (&'s str, u64, &'s Measured);

pub(super) fn section(statistics: &Statistics) -> Option<Section> {
    let (_, first) = statistics.parts.iter().next()?;
    let mut content = Vec::new();
    for (at, (name, measured)) in first.columns.iter().enumerate() {
        let parts: Vec<OfPart<'_>> = statistics
            .parts
            .iter()
            .filter_map(|(part, measured)| Some((part, measured.records, &measured.columns.0.get(at)?.1)))
            .collect();
        content.push(heading(name));
        let values = values(name, &parts);
        match measured {
            // Of a field with few values the values say more than their lengths.
            Measured::Text { .. } if values.is_none() => content.extend(texts(name, &parts)),
            Measured::Numbers { .. } => content.extend(numbers(name, &parts)),
            Measured::Text { .. } | Measured::Values { .. } => {}
            Measured::Items { .. } => content.extend(items(name, &parts)),
            Measured::Presence { .. } => content.push(note("Its values are not counted.")),
        }
        content.extend(values);
        content.extend(nulls(&parts));
    }
    (!content.is_empty()).then_some(Section { id: "fields", title: "Fields and lengths", content })
}

fn texts(name: &str, parts: &[OfPart<'_>]) -> Vec<Element> {
    let lengths = |measured: &&Measured| match measured {
        Measured::Text { chars, words, .. } => Some((chars.clone(), words.clone())),
        Measured::Numbers { .. } | Measured::Values { .. } | Measured::Items { .. } | Measured::Presence { .. } => None,
    };
    let lengths: Vec<(&str, (Histogram, Histogram))> =
        parts.iter().filter_map(|(part, _, measured)| Some((*part, lengths(measured)?))).collect();
    let words: Vec<(&str, &Histogram)> = lengths.iter().map(|(part, (_, words))| (*part, words)).collect();
    let rows = lengths
        .iter()
        .flat_map(|(part, (chars, words))| [length_row(part, "words", words), length_row(part, "characters", chars)]);
    vec![charts(&words, "words", None), lengths_table(&format!("Lengths of {name}"), rows)]
}

fn items(name: &str, parts: &[OfPart<'_>]) -> Vec<Element> {
    let items = |measured: &'_ Measured| match measured {
        Measured::Items { items, .. } => Some(items.clone()),
        Measured::Text { .. } | Measured::Numbers { .. } | Measured::Values { .. } | Measured::Presence { .. } => None,
    };
    let items: Vec<(&str, Histogram)> =
        parts.iter().filter_map(|(part, _, measured)| Some((*part, items(measured)?))).collect();
    let shown: Vec<(&str, &Histogram)> = items.iter().map(|(part, items)| (*part, items)).collect();
    let rows = items.iter().map(|(part, items)| length_row(part, "items", items));
    vec![charts(&shown, "items", None), lengths_table(&format!("Items of {name}"), rows)]
}

/// A histogram for each part, over one axis.
pub(super) fn charts(parts: &[(&str, &Histogram)], unit: &str, limit: Option<u64>) -> Element {
    let bins = Bins::of_lengths(parts.iter().map(|(_, histogram)| *histogram));
    let chart = |(part, histogram): &(&str, &Histogram)| {
        let caption = element("figcaption").child(element("b").text(part));
        let caption = match histogram.percentile(50) {
            Some(median) => caption.text(format_args!(
                " · {}, half of them up to {} (dashed)",
                counted(histogram.count(), "record"),
                counted(median, unit.trim_end_matches('s'))
            )),
            None => caption.text(" · no records"),
        };
        let figure = element("figure").child(caption);
        if histogram.count() == 0 {
            figure
        } else {
            figure.child(chart::of_lengths(part, unit, histogram, &bins, limit))
        }
    };
    element("div").class("charts").children(parts.iter().map(chart))
}

/// A row of [`lengths_table`].
pub(super) fn length_row(part: &str, unit: &str, histogram: &Histogram) -> Vec<Cell> {
    let number = |value: Option<u64>| Cell::Number(value.map_or("–".to_owned(), count));
    let mut cells = vec![Cell::Text(format!("{part}, {unit}"))];
    cells.push(number(histogram.range().map(|(least, _)| least)));
    cells.push(number(histogram.percentile(50)));
    cells.push(Cell::Number(histogram.mean().map_or("–".to_owned(), |mean| format!("{mean:.1}"))));
    cells.push(number(histogram.percentile(95)));
    cells.push(number(histogram.range().map(|(_, most)| most)));
    cells
}

/// The figures of lengths.
pub(super) fn lengths_table(caption: &str, rows: impl IntoIterator<Item = Vec<Cell>>) -> Element {
    table(caption, heads(&["Part"], &["Least", "Median", "Mean", "95 % up to", "Most"]), rows)
}

fn numbers(name: &str, parts: &[OfPart<'_>]) -> Vec<Element> {
    let of = |measured: &'_ Measured| match measured {
        Measured::Numbers { numbers, .. } => Some(numbers.clone()),
        Measured::Text { .. } | Measured::Values { .. } | Measured::Items { .. } | Measured::Presence { .. } => None,
    };
    let parts: Vec<(&str, Numbers)> =
        parts.iter().filter_map(|(part, _, measured)| Some((*part, of(measured)?))).collect();
    let bins = Bins::of_numbers(parts.iter().map(|(_, numbers)| numbers));
    let chart = |(part, numbers): &(&str, Numbers)| {
        let caption = element("figcaption").child(element("b").text(part));
        let caption = caption.text(format_args!(" · {}", counted(numbers.count(), "number")));
        let figure = element("figure").child(caption);
        if numbers.count() == 0 { figure } else { figure.child(chart::of_numbers(part, numbers, &bins)) }
    };
    let row = |(part, numbers): &(&str, Numbers)| {
        let number = |value: Option<f64>| Cell::Number(value.map_or("–".to_owned(), figure));
        let (least, most) = numbers.range().unzip();
        vec![Cell::Text((*part).to_owned()), number(least), number(numbers.median()), number(most)]
    };
    vec![
        element("div").class("charts").children(parts.iter().map(chart)),
        table(&format!("Numbers of {name}"), heads(&["Part"], &["Least", "Median", "Most"]), parts.iter().map(row)),
    ]
}

/// The values of a column that has few, in all parts.
fn values(name: &str, parts: &[OfPart<'_>]) -> Option<Element> {
    let counted: Vec<(&str, u64, &Values)> = parts
        .iter()
        .filter_map(|(part, records, measured)| match measured {
            Measured::Text { values, .. } | Measured::Values { values, .. } => Some((*part, *records, values)),
            Measured::Numbers { .. } | Measured::Items { .. } | Measured::Presence { .. } => None,
        })
        .collect();
    let mut all = Values::default();
    counted.iter().for_each(|(_, _, values)| all.merge(values));
    let all: Vec<&str> = all.counts().filter(|counts| counts.len() > 0)?.map(|(value, _)| value).collect();
    let rows = all.iter().map(|value| {
        let cell = |(_, records, values): &(&str, u64, &Values)| {
            let found = values.counts().and_then(|mut counts| counts.find(|(own, _)| own == value));
            let found = found.map_or(0, |(_, count)| count);
            let told = element("div").text(count(found)).text(" ");
            let told = told.child(element("span").class("note").text(percent(found, *records)));
            Cell::Figure(told.child(bar("bar thin", &[("kept", found)], *records)))
        };
        let shown = if value.is_empty() { "(empty)".to_owned() } else { (*value).to_owned() };
        std::iter::once(Cell::Text(shown)).chain(counted.iter().map(cell)).collect::<Vec<_>>()
    });
    let names: Vec<&str> = counted.iter().map(|(part, ..)| *part).collect();
    Some(table(&format!("Values of {name}"), heads(&["Value"], &names), rows))
}

fn nulls(parts: &[OfPart<'_>]) -> Option<Element> {
    let told = parts.iter().filter(|(_, _, measured)| measured.nulls() > 0);
    let told: Vec<String> = told
        .map(|(part, records, measured)| {
            format!("{} in {part} ({})", count(measured.nulls()), percent(measured.nulls(), *records))
        })
        .collect();
    (!told.is_empty()).then(|| note(format_args!("Without a value: {}.", told.join(", "))))
}
