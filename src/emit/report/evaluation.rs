//! What a run reaches: figures, slices, bounds, and what is taken for what.

use serde_json::Value;

use super::chart::picture;
use super::html::{Element, element};
use super::parts::{Cell, Section, count, counted, heading, heads, note, percent, rect, scrolled, table};
use crate::emit::runs::RunFiles;
use crate::shown::figure;

/// Labels up to which every count of the confusion matrix is written.
const WRITTEN: usize = 20;
/// Confusions that are listed.
const LISTED: usize = 20;

pub(super) fn section(run: &RunFiles) -> Option<Section> {
    if run.evaluations.is_empty() {
        return None;
    }
    let content = run.evaluations.iter().flat_map(|(name, figures)| of_part(name, figures)).collect();
    Some(Section { id: "evaluation", title: "Evaluation", content })
}

fn of_part(name: &str, figures: &Value) -> Vec<Element> {
    let mut content = vec![heading(name)];
    let records = figures["records"].as_u64().unwrap_or(0);
    let lost = records - figures["predicted"].as_u64().unwrap_or(records).min(records);
    let mut words = counted(records, "record");
    if lost > 0 {
        let how = figures["signature"]["missing"].as_str().map(|how| format!(" ({how})")).unwrap_or_default();
        words.push_str(&format!(", {} of which never reached the model{how}", count(lost)));
    }
    content.push(note(format_args!("{words}.")));
    content.push(whole(figures));
    content.extend(gates(figures));
    content.extend(slices(figures));
    content.extend(values(figures));
    content.extend(confusion(figures));
    content
}

/// The names of metrics with their figure over all values.
fn plain_metrics(metrics: &Value) -> Vec<(String, Option<f64>)> {
    let mut rows = Vec::new();
    for (name, value) in metrics.as_object().into_iter().flatten() {
        match value.as_object() {
            Some(family) => rows.extend(
                ["macro", "micro", "weighted"]
                    .iter()
                    .filter(|average| family.contains_key(**average))
                    .map(|average| (format!("{name}.{average}"), family[*average].as_f64())),
            ),
            None => rows.push((name.clone(), value.as_f64())),
        }
    }
    rows
}

fn measured(measured: Option<f64>) -> Cell {
    Cell::Number(measured.map_or("–".to_owned(), |measured| figure(measured, 4)))
}

fn whole(figures: &Value) -> Element {
    let ends = |name: &str, end: usize| measured(figures["intervals"]["figures"][name][end].as_f64());
    let row = |(name, figure): (String, Option<f64>)| {
        let (low, high) = (ends(&name, 0), ends(&name, 1));
        vec![Cell::Text(name), measured(figure), low, high]
    };
    let rows = plain_metrics(&figures["metrics"]).into_iter().map(row);
    let heads = heads(&["Metric"], &["Figure", "From", "To"]);
    table("Figures over all records, each with its 95 % bootstrap interval", heads, rows)
}

fn gates(figures: &Value) -> Option<Element> {
    let gates = figures["gates"].as_array().filter(|gates| !gates.is_empty())?;
    let row = |gate: &Value| {
        let met = gate["met"] == true;
        let (class, word) = if met { ("mark good", "✓ met") } else { ("mark bad", "✗ not met") };
        let reason = gate["reason"].as_str().map(|reason| format!(": {reason}")).unwrap_or_default();
        let word = Cell::Node(element("span").class(class).text(format!("{word}{reason}")));
        vec![
            Cell::Text(gate["require"].as_str().unwrap_or_default().to_owned()),
            word,
            measured(gate["measured"].as_f64()),
        ]
    };
    Some(table("What it had to reach", heads(&["Bound", ""], &["Measured"]), gates.iter().map(row)))
}

fn slices(figures: &Value) -> Option<Element> {
    let slices = figures["slices"].as_array().filter(|slices| !slices.is_empty())?;
    let names: Vec<String> = plain_metrics(&figures["metrics"])
        .into_iter()
        .map(|(name, _)| name)
        .filter(|name| !name.contains('.') || name.ends_with(".macro"))
        .collect();
    let row = |slice: &Value| {
        let figures = plain_metrics(&slice["metrics"]);
        let figure =
            |name: &String| measured(figures.iter().find(|(own, _)| own == name).and_then(|(_, figure)| *figure));
        let text = |key: &str| slice[key].as_str().unwrap_or_default();
        let name = Cell::Text(format!("{} {}", text("by"), text("key")));
        let records = Cell::count(slice["records"].as_u64().unwrap_or(0));
        [name, records].into_iter().chain(names.iter().map(figure)).collect::<Vec<_>>()
    };
    let figures: Vec<&str> = std::iter::once("Records").chain(names.iter().map(String::as_str)).collect();
    Some(table("The same figures for each slice", heads(&["Slice"], &figures), slices.iter().map(row)))
}

/// The figures of each value of the label.
fn values(figures: &Value) -> Option<Element> {
    let families: Vec<(&String, &Value)> =
        figures["metrics"].as_object()?.iter().filter(|(_, family)| family["values"].is_object()).collect();
    let (_, first) = families.first()?;
    let supports = figures["values"].as_array().map(Vec::as_slice).unwrap_or_default();
    let row = |value: &String| {
        let figure = |(_, family): &(&String, &Value)| measured(family["values"][value.as_str()].as_f64());
        let records = supports.iter().find(|row| row["value"] == value.as_str());
        let records = Cell::count(records.and_then(|row| row["support"].as_u64()).unwrap_or(0));
        std::iter::once(Cell::Text(value.clone()))
            .chain(families.iter().map(figure))
            .chain([records])
            .collect::<Vec<_>>()
    };
    let names: Vec<&str> = families.iter().map(|(name, _)| name.as_str()).chain(["Records"]).collect();
    let rows = first["values"].as_object()?.keys().map(row);
    let table = table("Figures of each value", heads(&["Value"], &names), rows);
    Some(element("details").child(element("summary").child(element("b").text("Figures of each value"))).child(table))
}

/// A confusion matrix.
struct Confusion<'f> {
    values: Vec<&'f str>,
    counts: Vec<Vec<u64>>,
    unpredicted: Vec<u64>,
}

fn confusion(figures: &Value) -> Vec<Element> {
    let matrix = &figures["confusion"];
    let numbers = |row: &Value| row.as_array().into_iter().flatten().filter_map(Value::as_u64).collect::<Vec<_>>();
    let confusion = Confusion {
        values: matrix["values"].as_array().into_iter().flatten().filter_map(Value::as_str).collect(),
        counts: matrix["counts"].as_array().into_iter().flatten().map(numbers).collect(),
        unpredicted: numbers(&matrix["no_prediction"]),
    };
    let size = confusion.values.len();
    if size == 0 || confusion.counts.len() != size || confusion.counts.iter().any(|row| row.len() != size) {
        return Vec::new();
    }
    let drawing = if size <= WRITTEN { confusion.table() } else { confusion.drawing() };
    let mut content = vec![drawing];
    content.extend(confusion.worst());
    content
}

impl Confusion<'_> {
    /// The shade of a share of a row: none of nothing, else 1 to 5.
    fn shade(records: u64, of: u64) -> Option<usize> {
        (records > 0).then(|| ((records * 5).div_ceil(of.max(1)) as usize).clamp(1, 5))
    }

    fn of(&self, row: usize) -> u64 {
        self.counts[row].iter().sum::<u64>() + self.unpredicted.get(row).copied().unwrap_or(0)
    }

    fn table(&self) -> Element {
        const SHADES: [&str; 5] = ["h1", "h2", "h3", "h4", "h5"];
        let lost = self.unpredicted.iter().any(|records| *records > 0);
        let column = |name: &str| element("th").with("scope", "col").text(name);
        let mut head = element("tr").child(column("True value")).children(self.values.iter().map(|name| column(name)));
        if lost {
            head = head.child(column("no prediction"));
        }
        let cell = |records: u64, of: u64| match Self::shade(records, of) {
            Some(shade) => element("td").class(SHADES[shade - 1]).text(count(records)),
            None => element("td").class("zero").text("·"),
        };
        let row = |(at, name): (usize, &&str)| {
            let cells = self.counts[at].iter().map(|records| cell(*records, self.of(at)));
            let row = element("tr").child(element("th").with("scope", "row").text(name)).children(cells);
            if lost { row.child(cell(self.unpredicted.get(at).copied().unwrap_or(0), self.of(at))) } else { row }
        };
        let body = element("tbody").children(self.values.iter().enumerate().map(row));
        let caption = "Confusion matrix: true values in rows, predicted ones in columns";
        let class = if self.values.iter().any(|name| name.chars().count() > 6) { "heat upright" } else { "heat" };
        let table = element("table").class(class);
        scrolled(caption, table.child(element("thead").child(head)).child(body))
    }

    /// A shade for each count, which a pointer names.
    fn drawing(&self) -> Element {
        const SHADES: [&str; 5] = ["f1", "f2", "f3", "f4", "f5"];
        let size = self.values.len();
        let told = format!(
            "Confusion matrix of {size} values: true values from top to bottom, predicted ones from left to right"
        );
        let mut drawing = picture(&told, size as f64, size as f64);
        for (at, row) in self.counts.iter().enumerate() {
            for (to, records) in row.iter().enumerate() {
                let Some(shade) = Self::shade(*records, self.of(at)) else { continue };
                let words = format!("{} → {}: {}", self.values[at], self.values[to], count(*records));
                let cell = rect(to as f64, at as f64, 1.0, 1.0).class(SHADES[shade - 1]);
                drawing = drawing.child(cell.child(element("title").text(words)));
            }
        }
        let caption = element("figcaption").text(
            "Confusion matrix: true values from top to bottom, predicted ones from left to right, both in the order of the \
             label; the darker, the greater the share of the true value. What is right lies on the diagonal.",
        );
        element("figure").class("wide").child(caption).child(drawing)
    }

    /// The most frequent confusions.
    fn worst(&self) -> Option<Element> {
        let pairs = self.counts.iter().enumerate().flat_map(|(gold, row)| {
            row.iter()
                .enumerate()
                .filter(move |(predicted, _)| *predicted != gold)
                .map(move |(predicted, n)| (*n, gold, predicted))
        });
        let mut pairs: Vec<(u64, usize, usize)> = pairs.filter(|(records, ..)| *records > 0).collect();
        pairs.sort_by(|a, b| b.0.cmp(&a.0).then((a.1, a.2).cmp(&(b.1, b.2))));
        if pairs.is_empty() {
            return None;
        }
        let row = |&(records, gold, predicted): &(u64, usize, usize)| {
            let name = |at: usize| Cell::Text(self.values[at].to_owned());
            vec![name(gold), name(predicted), Cell::count(records), Cell::Number(percent(records, self.of(gold)))]
        };
        let heads = heads(&["True", "Predicted"], &["Records", "Share"]);
        Some(table(
            "The most frequent confusions, and their share of the true value",
            heads,
            pairs.iter().take(LISTED).map(row),
        ))
    }
}
