//! Drawings: histograms and curves. Each says in words what it shows; the tables beside them have the figures.

use super::html::{Element, element};
use super::parts::{count, figure, rect, short, stroke, word};
use crate::statistics::{Histogram, Numbers};

const WIDTH: f64 = 320.0;
const HEIGHT: f64 = 96.0;
/// What is above the bars: the greatest count.
const TOP: f64 = 16.0;
/// Where the axis lies.
const AXIS: f64 = TOP + HEIGHT;
/// The most bars of a histogram; with more of them neighbours are joined.
const BARS: usize = 64;

/// Bins with a common axis for several histograms.
pub(super) struct Bins {
    /// The first and the last value of each, in order and without a gap.
    bins: Vec<(f64, f64)>,
    /// Whether values are whole: then a bin ends at its last value.
    whole: bool,
}

impl Bins {
    /// The bins of lengths, from the first that holds something in any of them to the last.
    pub(super) fn of_lengths<'h>(histograms: impl Iterator<Item = &'h Histogram>) -> Self {
        let mut all = Histogram::default();
        histograms.for_each(|histogram| all.merge(histogram));
        let bins = all.filled().into_iter().map(|(from, to, _)| (from as f64, to as f64 + 1.0)).collect();
        Self { bins: joined(bins), whole: true }
    }

    /// The bins of numbers that hold something in any of them.
    pub(super) fn of_numbers<'n>(numbers: impl Iterator<Item = &'n Numbers>) -> Self {
        let mut all = Numbers::default();
        numbers.for_each(|numbers| all.merge(numbers));
        let mut bins: Vec<(f64, f64)> = Vec::new();
        for (from, to, _) in all.bins() {
            // What lies between two bins that hold something is a bin as well, so that a gap is seen as one.
            if let Some((_, end)) = bins.last().copied().filter(|(_, end)| *end < from) {
                bins.push((end, from));
            }
            bins.push((from, to));
        }
        Self { bins: joined(bins), whole: false }
    }

    /// The bars of counts, each given with the least value of its bin.
    fn heights(&self, counts: impl Iterator<Item = (f64, u64)>) -> Vec<u64> {
        let mut heights = vec![0; self.bins.len()];
        for (from, count) in counts {
            let at = self.bins.partition_point(|(_, end)| *end <= from && *end != self.bins[self.bins.len() - 1].1);
            if let Some(height) = heights.get_mut(at) {
                *height += count;
            }
        }
        heights
    }

    /// Where a value lies on the axis.
    fn place(&self, value: f64) -> Option<f64> {
        let at = self
            .bins
            .iter()
            .position(|(from, end)| (*from..*end).contains(&value) || (from == end && *from == value))?;
        let (from, end) = self.bins[at];
        // A bin of one whole number stands for it with all its width.
        let single = end <= from || self.whole && end - from <= 1.0;
        let into = if single { 0.5 } else { (value - from) / (end - from) };
        Some((at as f64 + into) * self.step())
    }

    fn step(&self) -> f64 {
        WIDTH / self.bins.len().max(1) as f64
    }

    /// Round values that lie on the axis, far enough from each other to be read.
    fn ticks(&self) -> Vec<(f64, f64)> {
        let round = (-3..13).flat_map(|power| [1.0, 2.0, 5.0].map(|digit| digit * 10_f64.powi(power)));
        let round: Vec<f64> = round.filter(|value| !self.whole || *value >= 1.0).collect();
        let negative = round.iter().rev().map(|value| -value);
        let mut ticks: Vec<(f64, f64)> = Vec::new();
        for value in negative.chain([0.0]).chain(round.iter().copied()) {
            let Some(x) = self.place(value) else { continue };
            if ticks.last().is_none_or(|(_, last)| x - last >= 34.0) {
                ticks.push((value, x));
            }
        }
        if ticks.is_empty() {
            // Between two round values.
            ticks.extend(self.bins.first().map(|(from, _)| (*from, self.step() / 2.0)));
        }
        ticks
    }
}

/// Neighbours joined until there are few enough.
fn joined(bins: Vec<(f64, f64)>) -> Vec<(f64, f64)> {
    let each = bins.len().div_ceil(BARS).max(1);
    bins.chunks(each).map(|bins| (bins[0].0, bins[bins.len() - 1].1)).collect()
}

/// A histogram of lengths; `limit` is a length at which something is cut off.
pub(super) fn of_lengths(name: &str, unit: &str, histogram: &Histogram, bins: &Bins, limit: Option<u64>) -> Element {
    let told = match (histogram.range(), histogram.percentile(50)) {
        (Some((least, most)), Some(median)) => {
            format!("{name}: {} to {} {unit}, half of them up to {}", count(least), count(most), count(median))
        }
        _ => format!("{name}: no records"),
    };
    let heights = bins.heights(histogram.bins().map(|(from, _, count)| (from as f64, count)));
    let mut drawing = bars(&told, bins, &heights);
    if let Some(x) = histogram.percentile(50).and_then(|median| bins.place(median as f64)) {
        drawing = drawing.child(stroke((x, TOP), (x, AXIS)).class("median"));
    }
    if let Some(x) = limit.and_then(|limit| bins.place(limit as f64)) {
        drawing = drawing.child(stroke((x, TOP), (x, AXIS)).class("limit"));
    }
    drawing
}

/// A histogram of numbers.
pub(super) fn of_numbers(name: &str, numbers: &Numbers, bins: &Bins) -> Element {
    let told = match numbers.range() {
        Some((least, most)) => format!("{name}: {} to {}", figure(least), figure(most)),
        None => format!("{name}: no numbers"),
    };
    bars(&told, bins, &bins.heights(numbers.bins().map(|(from, _, count)| (from, count))))
}

fn bars(told: &str, bins: &Bins, heights: &[u64]) -> Element {
    let most = heights.iter().copied().max().unwrap_or(0);
    let step = bins.step();
    let gap = if step > 4.0 { 1.0 } else { 0.3 };
    let bar = |(at, &height): (usize, &u64)| {
        let tall = (height as f64 / most.max(1) as f64 * HEIGHT).max(1.0);
        rect(at as f64 * step, AXIS - tall, (step - gap).max(0.5), tall).class("kept")
    };
    let drawn = heights.iter().enumerate().filter(|(_, height)| **height > 0).map(bar);
    let tick = |(value, x): (f64, f64)| word(x, AXIS + 14.0, "middle", figure(value));
    let mut drawing = picture(told, WIDTH, AXIS + 18.0).children(drawn);
    drawing = drawing.child(stroke((0.0, AXIS), (WIDTH, AXIS)).class("axis"));
    if most > 0 {
        drawing = drawing.child(word(0.0, TOP - 6.0, "start", format_args!("{} at the highest bar", count(most))));
    }
    drawing.children(bins.ticks().into_iter().map(tick))
}

/// A drawing with its description.
pub(super) fn picture(told: &str, width: f64, height: f64) -> Element {
    let size = format!("0 0 {} {}", short(width), short(height));
    element("svg").with("viewBox", size).with("role", "img").with("aria-label", told).child(element("title").text(told))
}

/// A curve of points that come in order of `x`.
pub(super) struct Curve<'c> {
    /// What it is of.
    pub told: &'c str,
    /// The points.
    pub points: &'c [(f64, f64)],
    /// Points that are drawn by themselves.
    pub dots: &'c [(f64, f64)],
    /// The height of the drawing.
    pub height: f64,
    /// What stands below the axis.
    pub unit: &'c str,
}

/// The width of a curve.
const CURVE: f64 = 640.0;
/// The room left of it for the figures.
const LEFT: f64 = 68.0;
/// The most points of a curve: more are joined to their mean, with the band from least to greatest behind it.
const POINTS: usize = 240;

impl Curve<'_> {
    /// The drawing; nothing where there are no points.
    pub(super) fn draw(&self) -> Option<Element> {
        let all = self.points.iter().chain(self.dots);
        let finite = || all.clone().filter(|(x, y)| x.is_finite() && y.is_finite());
        let most_x = finite().map(|(x, _)| *x).fold(f64::NEG_INFINITY, f64::max);
        let least_x = finite().map(|(x, _)| *x).fold(f64::INFINITY, f64::min);
        let most_y = finite().map(|(_, y)| *y).fold(f64::NEG_INFINITY, f64::max);
        if !most_x.is_finite() {
            return None;
        }
        let top = round_above(most_y);
        let x = |value: f64| LEFT + (value - least_x) / (most_x - least_x).max(f64::MIN_POSITIVE) * (CURVE - LEFT);
        let y = |value: f64| 10.0 + (1.0 - (value / top).clamp(0.0, 1.0)) * self.height;
        let bottom = self.height + 10.0;
        let mut drawing = picture(self.told, CURVE, bottom + 22.0);
        for share in [0.0, 0.5, 1.0] {
            let value = top * share;
            drawing = drawing.child(stroke((LEFT, y(value)), (CURVE, y(value))).class("axis"));
            drawing = drawing.child(word(LEFT - 8.0, y(value) + 4.0, "end", axis(value)));
        }
        let means = means(self.points);
        if means.iter().any(|mean| mean.1.1 > mean.1.0) {
            let upper = means.iter().map(|mean| (x(mean.0), y(mean.1.1)));
            let lower = means.iter().rev().map(|mean| (x(mean.0), y(mean.1.0)));
            drawing = drawing.child(element("polygon").class("band").with("points", points(upper.chain(lower))));
        }
        let line = means.iter().map(|mean| (x(mean.0), y(mean.2)));
        drawing = drawing.child(element("polyline").class("line").with("points", points(line)));
        let dot = |&(at, value): &(f64, f64)| {
            element("circle").class("dot").with("cx", short(x(at))).with("cy", short(y(value))).with("r", "3.5")
        };
        drawing = drawing.children(self.dots.iter().map(dot));
        drawing = drawing.child(word(LEFT, bottom + 16.0, "start", format_args!("{} {}", self.unit, figure(least_x))));
        Some(drawing.child(word(CURVE, bottom + 16.0, "end", figure(most_x))))
    }
}

/// Groups of neighbouring points: the middle, the least and the greatest value, the mean.
fn means(all: &[(f64, f64)]) -> Vec<(f64, (f64, f64), f64)> {
    let each = all.len().div_ceil(POINTS).max(1);
    let group = |group: &[(f64, f64)]| {
        let size = group.len() as f64;
        let mean = |of: fn(&(f64, f64)) -> f64| group.iter().map(of).sum::<f64>() / size;
        let least = group.iter().map(|point| point.1).fold(f64::INFINITY, f64::min);
        let most = group.iter().map(|point| point.1).fold(f64::NEG_INFINITY, f64::max);
        (mean(|point| point.0), (least, most), mean(|point| point.1))
    };
    all.chunks(each).map(group).collect()
}

fn points(points: impl Iterator<Item = (f64, f64)>) -> String {
    points.map(|(x, y)| format!("{},{}", short(x), short(y))).collect::<Vec<_>>().join(" ")
}

/// The least of 1, 2, 2.5 and 5 times a power of ten that is not below a value.
fn round_above(value: f64) -> f64 {
    if value <= 0.0 {
        return 1.0;
    }
    let power = 10_f64.powf(value.log10().floor());
    let above = [1.0, 1.5, 2.0, 2.5, 3.0, 4.0, 5.0, 7.5, 10.0].map(|digit| digit * power);
    above.into_iter().find(|&above| above >= value * (1.0 - 1e-9)).unwrap_or(power * 10.0)
}

/// A figure at an axis.
fn axis(value: f64) -> String {
    match value {
        0.0 => "0".to_owned(),
        0.01..10_000.0 => {
            let text = format!("{value:.3}");
            text.trim_end_matches('0').trim_end_matches('.').to_owned()
        }
        _ => format!("{value:.1e}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_value_has_its_bar() {
        for values in [vec![0], vec![3, 3, 3], (0..400).collect(), (0..60).map(|power| 1_u64 << power).collect()] {
            let mut histogram = Histogram::default();
            values.iter().for_each(|value| histogram.add(*value));
            let bins = Bins::of_lengths([&histogram].into_iter());
            let heights = bins.heights(histogram.bins().map(|(from, _, count)| (from as f64, count)));
            assert!(heights.len() <= BARS && !bins.ticks().is_empty());
            assert_eq!(heights.iter().sum::<u64>(), values.len() as u64);
        }
        let mut numbers = Numbers::default();
        [-3.5, 0.0, 0.25, 7.0, 1e9].iter().for_each(|number| numbers.add(*number));
        let bins = Bins::of_numbers([&numbers].into_iter());
        let heights = bins.heights(numbers.bins().map(|(from, _, count)| (from, count)));
        assert_eq!(heights.iter().sum::<u64>(), 5, "{heights:?}");
    }

    #[test]
    fn axes_end_at_round_figures() {
        assert_eq!([0.9, 1.95, 3.1, 1e-3, 0.0].map(round_above), [1.0, 2.0, 4.0, 1e-3, 1.0]);
        assert_eq!([0.5, 2.0, 1e-4, 25_000.0].map(axis), ["0.5", "2", "1.0e-4", "2.5e4"]);
        let curve = Curve { told: "none", points: &[], dots: &[], height: 10.0, unit: "step" };
        assert!(curve.draw().is_none());
        let one = Curve { points: &[(1.0, 2.0)], ..curve };
        assert!(!one.draw().expect("a drawing").to_string().contains("NaN"));
    }
}
