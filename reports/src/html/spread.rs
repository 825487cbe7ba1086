//! How long is "eventually": the distribution of convergence times.

use super::checks::head;
use super::frame::{self, Frame, LEFT, LogScale, RIGHT, WIDTH};
use super::markup::{Markup, px};
use crate::digest::Digest;
use crate::facts::Run;
use crate::{format, story};
use checkers::Convergence;
use checkers::verdict::Distribution;
use history::{MILLI, Nanos};

/// Bars per power of ten.
const PER_DECADE: usize = 10;

/// The section.
pub(super) fn section(run: &Run<'_>, digest: &Digest, m: &mut Markup) {
    m.open("section", &[("id", "convergence")]);
    m.el("h2", &[], "How long is “eventually”");
    let Some(convergence) = run.report.convergence.as_ref().filter(|convergence| convergence.all.count > 0) else {
        m.el("p", &[], "No change was followed until a subscriber saw it.");
        m.close();
        return;
    };
    histogram(run, convergence, m);
    m.open("div", &[("class", "wide")]);
    m.open("table", &[]);
    m.el(
        "caption",
        &[],
        &format!(
            "Quantiles over all samples. Longest of all: {} ({}).",
            format::duration(convergence.all.max),
            story::worst(convergence, digest)
        ),
    );
    let numbers = ["Samples", "p50", "p90", "p99", "p99.9", "Longest", "Ended at"].map(|title| (title, "number"));
    let columns: Vec<(&str, &str)> = [("Changes", "")].into_iter().chain(numbers).collect();
    head(m, &columns);
    m.open("tbody", &[]);
    quantiles(m, "all", &convergence.all);
    quantiles(m, "in calm", &convergence.calm);
    m.close();
    m.close();
    m.close();
    m.close();
}

fn quantiles(m: &mut Markup, name: &str, d: &Distribution) {
    m.open("tr", &[]);
    m.el("th", &[("scope", "row")], name);
    m.el("td", &[("class", "number")], &format::count(d.count));
    for time in [d.p50, d.p90, d.p99, d.p999, d.max] {
        let text = if d.count == 0 { "–".to_owned() } else { format::duration(time) };
        m.el("td", &[("class", "number")], &text);
    }
    let at = if d.count == 0 { "–".to_owned() } else { format::instant(d.max_at) };
    m.el("td", &[("class", "number")], &at);
    m.close();
}

/// Bars from the thinned series (their shape), quantiles from the exact distribution.
fn histogram(run: &Run<'_>, convergence: &Convergence, m: &mut Markup) {
    let contract = &run.header.contract;
    let series = &convergence.series;
    let smallest = series.iter().map(|sample| sample.took).min().unwrap_or(convergence.all.p50);
    let scale = LogScale::holding(smallest, convergence.all.max.max(contract.visible_ms_max * MILLI));
    let bars = PER_DECADE * (scale.decades().len() - 1);
    let mut counts = vec![0u64; bars];
    for sample in series {
        let bar = (scale.share(sample.took).max(0.0) * bars as f64) as usize;
        counts[bar.min(bars - 1)] += 1;
    }
    let tallest = counts.iter().copied().max().unwrap_or(0).max(1);
    let plot = Frame { from: 0, until: 1, top: 56.0, bottom: 196.0 };
    m.open("figure", &[]);
    m.open("figcaption", &[]);
    m.el("b", &[], "Distribution");
    m.text(" ");
    m.el("span", &[], "share of changes by push delay, logarithmic");
    m.close();
    let description =
        format!("Median {}, longest {}.", format::duration(convergence.all.p50), format::duration(convergence.all.max));
    frame::open(m, plot.bottom + 22.0, "Distribution of push delays", &description);
    let x = |share: f64| LEFT + share.clamp(0.0, 1.0) * (WIDTH - LEFT - RIGHT);
    for (time, name) in scale.decades() {
        let at = px(x(scale.share(time)));
        m.leaf("line", &[("class", "grid"), ("x1", &at), ("x2", &at), ("y1", &px(plot.top)), ("y2", &px(plot.bottom))]);
        m.el("text", &[("class", "mark mid"), ("x", &at), ("y", &px(plot.bottom + 15.0))], &name);
    }
    let total = series.len().max(1) as u64;
    for half in [0.0, 0.5, 1.0] {
        let permille = (tallest as f64 * half * 1000.0 / total as f64).round() as i64;
        plot.level(m, half, &format::permille(permille));
    }
    for (bar, count) in counts.iter().enumerate().filter(|(_, count)| **count > 0) {
        let left = x(bar as f64 / bars as f64) + 0.5;
        let right = x((bar + 1) as f64 / bars as f64) - 0.5;
        let y = plot.y(*count as f64 / tallest as f64).min(plot.bottom - 1.0);
        let (left, width, top, height) = (px(left), px(right - left), px(y), px(plot.bottom - y));
        m.leaf("rect", &[("class", "bar"), ("x", &left), ("y", &top), ("width", &width), ("height", &height)]);
    }
    quantile_marks(m, &plot, &scale, convergence, x);
    let bound = contract.visible_ms_max * MILLI;
    let at = px(x(scale.share(bound)));
    m.leaf("line", &[("class", "bound"), ("x1", &at), ("x2", &at), ("y1", &px(plot.top)), ("y2", &px(plot.bottom))]);
    let text = format!("bound in calm {}", format::duration(bound));
    m.el("text", &[("class", "halo"), ("x", &px(x(scale.share(bound)) + 5.0)), ("y", &px(plot.top + 12.0))], &text);
    m.close();
    m.close();
}

/// Lines from each quantile up to its name; names that would touch go to the next of three levels.
fn quantile_marks(m: &mut Markup, plot: &Frame, scale: &LogScale, convergence: &Convergence, x: impl Fn(f64) -> f64) {
    let all = &convergence.all;
    let quantiles: [(&str, Nanos); 5] =
        [("p50", all.p50), ("p90", all.p90), ("p99", all.p99), ("p99.9", all.p999), ("longest", all.max)];
    let mut ends = [f64::MIN; 3];
    let mut names = Vec::new();
    for (name, time) in quantiles {
        let at = x(scale.share(time));
        let text = format!("{name} {}", format::duration(time));
        let width = 7.5 * text.chars().count() as f64;
        // Near the right edge the name stands on the left of its line.
        let flipped = at + width > WIDTH - RIGHT;
        let from = if flipped { at - width } else { at };
        let level = (0..3).find(|level| ends[*level] < from).unwrap_or(2);
        ends[level] = from + width + 8.0;
        let y = 12.0 + 16.0 * level as f64;
        let place = px(at);
        m.leaf(
            "line",
            &[("class", "quantile"), ("x1", &place), ("x2", &place), ("y1", &px(y - 8.0)), ("y2", &px(plot.bottom))],
        );
        let (class, text_x) = if flipped { ("halo end", at - 5.0) } else { ("halo", at + 5.0) };
        names.push((class, px(text_x), px(y + 1.0), text));
    }
    // Names last, so that no line crosses them.
    for (class, x, y, text) in &names {
        m.el("text", &[("class", class), ("x", x), ("y", y)], text);
    }
}
