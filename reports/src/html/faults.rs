//! The table of faults: what was touched, from when until when, and the proof that it bit.

use super::checks::head;
use super::markup::Markup;
use crate::digest::Digest;
use crate::facts::Run;
use crate::faults::{FaultRecord, bitten_text, effect_text};
use crate::{format, names};

/// Rows that are shown at once.
const OPEN_MAX: usize = 40;
/// Rows that are shown at all.
const ROWS_MAX: usize = 1_000;

/// The section.
pub(super) fn section(run: &Run<'_>, digest: &Digest, m: &mut Markup) {
    m.open("section", &[("id", "faults")]);
    m.el("h2", &[], "Faults");
    if digest.faults.is_empty() {
        m.el("p", &[], "There were none.");
        m.close();
        return;
    }
    m.el("p", &[], &format!("Faults that bit: {}.", bitten_text(&digest.faults)));
    table(run, digest, &digest.faults[..digest.faults.len().min(OPEN_MAX)], m);
    if digest.faults.len() > OPEN_MAX {
        let rest = &digest.faults[OPEN_MAX..digest.faults.len().min(ROWS_MAX)];
        m.open("details", &[]);
        m.el("summary", &[], &format!("{} more", format::count((digest.faults.len() - OPEN_MAX) as u64)));
        table(run, digest, rest, m);
        m.close();
    }
    m.close();
}

fn table(run: &Run<'_>, digest: &Digest, faults: &[FaultRecord], m: &mut Markup) {
    m.open("div", &[("class", "wide")]);
    m.open("table", &[]);
    m.el(
        "caption",
        &[],
        "Times in seconds from the start. A fault is over when its target serves again, not when the injector stops.",
    );
    head(
        m,
        &[
            ("#", "number"),
            ("Fault", ""),
            ("Target", ""),
            ("From", "number"),
            ("To", "number"),
            ("Over", "number"),
            ("Bit", ""),
            ("Effect measured", ""),
            ("Convergence p99", "number"),
            ("Worst", "number"),
        ],
    );
    m.open("tbody", &[]);
    for fault in faults {
        row(run, digest, fault, m);
    }
    m.close();
    m.close();
    m.close();
}

fn row(run: &Run<'_>, digest: &Digest, fault: &FaultRecord, m: &mut Markup) {
    let dash = || "–".to_owned();
    m.open("tr", &[]);
    m.el("td", &[("class", "number faint")], &fault.id.to_string());
    m.el("th", &[("scope", "row")], names::fault_kind(fault.kind));
    m.el("td", &[("title", &fault.detail)], &fault.target);
    m.el("td", &[("class", "number")], &format::seconds(fault.start));
    m.el("td", &[("class", "number")], &fault.end.map_or_else(dash, format::seconds));
    let over = match fault.serving {
        Some(time) => format::seconds(time),
        None if fault.missed => dash(),
        None => format!("not by {}", format::seconds(digest.end)),
    };
    m.el("td", &[("class", "number")], &over);
    m.open("td", &[]);
    let (class, text) = match (fault.bit(), fault.missed) {
        (true, _) => ("badge plain", "✓ bit"),
        (false, true) => ("badge inconclusive", "? missed"),
        (false, false) => ("badge inconclusive", "? no effect"),
    };
    m.el("span", &[("class", class)], text);
    m.close();
    let effect = match &fault.effect {
        Some(effect) => effect_text(effect.amount, &effect.unit),
        None if fault.missed => fault.detail.clone(),
        None => dash(),
    };
    m.el("td", &[], &effect);
    let under = run.report.convergence.as_ref().and_then(|convergence| convergence.under_fault.get(&fault.id));
    for time in [under.map(|under| under.p99), under.map(|under| under.max)] {
        m.el("td", &[("class", "number")], &time.map_or_else(dash, format::duration));
    }
    m.close();
}
