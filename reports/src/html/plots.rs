//! Plots over time, one under the other on the same axis: faults, push delay, rates, clients connected.

use super::frame::{self, Frame, LEFT, LogScale, RIGHT, WIDTH};
use super::markup::{Markup, px};
use super::series::{self, Series};
use crate::digest::Digest;
use crate::facts::Run;
use crate::faults::FaultRecord;
use crate::{format, names, story};
use checkers::Convergence;
use history::{MILLI, Nanos, SECOND};
use std::fmt::Write;

/// Height of a row of the strip of faults.
const ROW: f64 = 20.0;

/// The section.
pub(super) fn section(run: &Run<'_>, digest: &Digest, m: &mut Markup) {
    m.open("section", &[("id", "time")]);
    m.el("h2", &[], "Over time");
    m.el(
        "p",
        &[("class", "note")],
        "Seconds from the start of the run. Shaded: a fault is active, until its target serves again.",
    );
    let series = Series::of(run.events, digest.end);
    strip(run, digest, m);
    delays(run, digest, m);
    let rate = |counts: &[u64]| -> Vec<u64> {
        counts.iter().map(|count| (u128::from(*count) * u128::from(SECOND) / u128::from(series.slot)) as u64).collect()
    };
    rates("Operations", "invoked, per second", &rate(&series.operations), digest, m);
    rates("Pushes", "received by subscribers, per second", &rate(&series.pushes), digest, m);
    connected(run, &series, digest, m);
    m.close();
}

fn figure(m: &mut Markup, title: &str, unit: &str) {
    m.open("figure", &[]);
    m.open("figcaption", &[]);
    m.el("b", &[], title);
    m.text(" ");
    m.el("span", &[], unit);
    m.close();
}

/// Phases and faults, as bars.
fn strip(run: &Run<'_>, digest: &Digest, m: &mut Markup) {
    let rows = series::fault_rows(&digest.faults);
    let violations = story::violations(run);
    let count = rows.len() + usize::from(!violations.is_empty());
    let frame = Frame { from: 0, until: digest.end, top: 24.0, bottom: 26.0 + ROW * count as f64 };
    figure(m, "Phases and faults", "pale end: no longer held, not yet serving; dashed: no effect");
    let faults: Vec<String> = digest.faults.iter().map(|fault| fault.title_and_span(digest.end)).collect();
    let description = format!("Faults: {}", names::list(&faults, 40));
    frame::open(m, frame.bottom + 22.0, "Phases and faults over time", &description);
    frame.time_axis(m, true);
    for (from, until, phase) in &digest.phases {
        let (x, width) = (frame.x(*from), frame.x(*until) - frame.x(*from));
        m.open("g", &[("class", "phase")]);
        m.el("title", &[], &format!("{} {}", phase.name(), format::span(*from, *until)));
        let (x_text, width_text) = (px(x), px((width - 1.0).max(1.0)));
        m.leaf("rect", &[("x", &x_text), ("y", "2"), ("width", &width_text), ("height", "16")]);
        let name = phase.name();
        if width > 6.4 * name.len() as f64 {
            m.el("text", &[("x", &px(x + 4.0)), ("y", "14")], name);
        }
        m.close();
    }
    for (index, (kind, members)) in rows.iter().enumerate() {
        let y = frame.top + ROW * index as f64;
        row_name(m, y, kind);
        for fault in members {
            fault_bar(m, &frame, y, fault, digest);
        }
    }
    if !violations.is_empty() {
        let y = frame.top + ROW * rows.len() as f64;
        row_name(m, y, "violation");
        for (_, violation) in &violations {
            let d = format!("M{} {}l8 8m0 -8l-8 8", px(frame.x(violation.time) - 4.0), px(y + 6.0));
            let title = format!("{} at {}", story::kind(violation.kind), format::instant(violation.time));
            m.titled("path", &[("class", "lost"), ("d", &d)], &title);
        }
    }
    m.close();
    m.close();
}

fn row_name(m: &mut Markup, y: f64, name: &str) {
    m.el("text", &[("class", "mark end"), ("x", &px(LEFT - 8.0)), ("y", &px(y + 14.0))], name);
}

/// One fault: held by its injector, then not yet serving again.
fn fault_bar(m: &mut Markup, frame: &Frame, top: f64, fault: &FaultRecord, digest: &Digest) {
    let (x, y) = (frame.x(fault.start), px(top + 4.0));
    m.open("g", &[]);
    m.el("title", &[], &format!("{}: {}", fault.title_and_span(digest.end), fault.detail));
    let class = if fault.bit() { "fault" } else { "fault missed" };
    let held = fault.end.unwrap_or(fault.over(digest.end));
    let width = (frame.x(held) - x).max(4.0);
    let over = frame.x(fault.over(digest.end)) - x;
    if over > width && fault.bit() {
        let (x, width) = (px(x), px(over));
        m.leaf("rect", &[("class", "tail"), ("x", &x), ("y", &y), ("width", &width), ("height", "12")]);
    }
    let (x, width) = (px(x), px(width));
    m.leaf("rect", &[("class", class), ("x", &x), ("y", &y), ("width", &width), ("height", "12")]);
    m.close();
}

/// Push delay: one dot for each change that a subscriber saw, on a logarithmic axis.
fn delays(run: &Run<'_>, digest: &Digest, m: &mut Markup) {
    let Some(convergence) = run.report.convergence.as_ref().filter(|convergence| !convergence.series.is_empty()) else {
        return;
    };
    let contract = &run.header.contract;
    let samples = series::thin(&convergence.series);
    let (visible, recovered) = (contract.visible_ms_max * MILLI, contract.recovered_ms_max * MILLI);
    let smallest = samples.iter().map(|sample| sample.took).min().unwrap_or(1).min(visible);
    let largest = convergence.all.max.max(recovered).max(visible);
    let scale = LogScale::holding(smallest, largest);
    let frame = Frame { from: 0, until: digest.end, top: 8.0, bottom: 236.0 };
    figure(m, "Push delay", "from the acknowledgement of a change until a subscriber sees it, logarithmic");
    let description = format!(
        "{} delays; median {}, 99 % {}, longest {}.",
        format::count(convergence.all.count),
        format::duration(convergence.all.p50),
        format::duration(convergence.all.p99),
        format::duration(convergence.all.max)
    );
    frame::open(m, frame.bottom + 22.0, "Push delay over time", &description);
    frame.fault_bands(m, digest);
    frame.time_axis(m, true);
    for (time, name) in scale.decades() {
        frame.level(m, scale.share(time), &name);
    }
    let mut dots = String::new();
    for sample in &samples {
        let _ = write!(dots, "M{} {}h0", px(frame.x(sample.at)), px(frame.y(scale.share(sample.took))));
    }
    m.leaf("path", &[("class", "dots"), ("d", &dots)]);
    worst(m, &frame, &scale, convergence, digest);
    bound_line(m, &frame, &scale, visible, &format!("bound in calm {}", format::duration(visible)));
    if recovered != visible {
        bound_line(m, &frame, &scale, recovered, &format!("bound after faults {}", format::duration(recovered)));
    }
    m.close();
    m.close();
}

/// The longest delay, ringed and named.
fn worst(m: &mut Markup, frame: &Frame, scale: &LogScale, convergence: &Convergence, digest: &Digest) {
    let all = &convergence.all;
    let (x, y) = (frame.x(all.max_at.saturating_sub(all.max)), frame.y(scale.share(all.max)));
    m.leaf("circle", &[("class", "ring"), ("cx", &px(x)), ("cy", &px(y)), ("r", "5")]);
    let text = format!("{} ({})", format::duration(all.max), story::worst(convergence, digest));
    let (class, at) = if x > WIDTH / 2.0 { ("halo end", x - 9.0) } else { ("halo", x + 9.0) };
    m.el("text", &[("class", class), ("x", &px(at)), ("y", &px(y + 4.0))], &text);
}

fn bound_line(m: &mut Markup, frame: &Frame, scale: &LogScale, time: Nanos, text: &str) {
    let y = frame.y(scale.share(time));
    let (left, right) = (px(LEFT), px(WIDTH - RIGHT));
    m.leaf("line", &[("class", "bound"), ("x1", &left), ("x2", &right), ("y1", &px(y)), ("y2", &px(y))]);
    let (x, y) = (px(WIDTH - RIGHT - 4.0), px(if y - frame.top < 16.0 { y + 14.0 } else { y - 5.0 }));
    m.el("text", &[("class", "halo end"), ("x", &x), ("y", &y)], text);
}

/// A rate as a filled staircase.
fn rates(title: &str, unit: &str, values: &[u64], digest: &Digest, m: &mut Markup) {
    let largest = values.iter().copied().max().unwrap_or(0);
    let top = frame::round_top(largest);
    let frame = Frame { from: 0, until: values.len() as u64, top: 8.0, bottom: 88.0 };
    let time = Frame { until: digest.end, ..frame };
    figure(m, title, unit);
    frame::open(
        m,
        frame.bottom + 22.0,
        &format!("{title} over time"),
        &format!("At most {} {unit}.", format::count(largest)),
    );
    time.fault_bands(m, digest);
    time.time_axis(m, true);
    for part in [0, 1, 2] {
        frame.level(m, f64::from(part) / 2.0, &level_text(top, part));
    }
    let mut line = String::new();
    for (slot, value) in values.iter().enumerate() {
        let y = px(frame.y(*value as f64 / top as f64));
        let command = if slot == 0 { "M" } else { "L" };
        let _ = write!(line, "{command}{} {y}H{}", px(frame.x(slot as u64)), px(frame.x(slot as u64 + 1)));
    }
    let area = format!("{line}V{bottom}H{}Z", px(LEFT), bottom = px(frame.bottom));
    m.leaf("path", &[("class", "area"), ("d", &area)]);
    m.leaf("path", &[("class", "line"), ("d", &line)]);
    m.close();
    m.close();
}

fn level_text(top: u64, half: u32) -> String {
    match half {
        0 => "0".to_owned(),
        1 if !top.is_multiple_of(2) => String::new(),
        1 => format::count(top / 2),
        _ => format::count(top),
    }
}

/// Clients connected: the line is the last value of each slot, the band spans least and most.
fn connected(run: &Run<'_>, series: &Series, digest: &Digest, m: &mut Markup) {
    let largest = series.connected.iter().map(|(_, most, _)| *most).max().unwrap_or(0);
    if largest == 0 {
        return;
    }
    let top = frame::round_top(largest);
    let frame = Frame { from: 0, until: series.connected.len() as u64, top: 8.0, bottom: 88.0 };
    let time = Frame { until: digest.end, ..frame };
    figure(m, "Clients connected", &format!("of {}", format::count(u64::from(run.header.clients))));
    let description = format!("At most {} connected at once.", format::counted(largest, "clients"));
    frame::open(m, frame.bottom + 22.0, "Clients connected over time", &description);
    time.fault_bands(m, digest);
    time.time_axis(m, true);
    for part in [0, 1, 2] {
        frame.level(m, f64::from(part) / 2.0, &level_text(top, part));
    }
    let y = |value: u64| px(frame.y(value as f64 / top as f64));
    let (mut band, mut line) = (String::new(), String::new());
    for (slot, (least, most, last)) in series.connected.iter().enumerate() {
        let (from, to) = (px(frame.x(slot as u64)), px(frame.x(slot as u64 + 1)));
        if least != most {
            let _ = write!(band, "M{from} {}H{to}V{}H{from}Z", y(*most), y(*least));
        }
        let command = if slot == 0 { "M" } else { "L" };
        let _ = write!(line, "{command}{from} {0}H{to}", y(*last));
    }
    m.leaf("path", &[("class", "area"), ("d", &band)]);
    m.leaf("path", &[("class", "line"), ("d", &line)]);
    m.close();
    m.close();
}
