//! What was checked, and how much of it.

use super::markup::Markup;
use crate::digest::Digest;
use crate::facts::Run;
use crate::{figures, format, names, story};
use checkers::{CheckResult, Verdict};

/// How many further figures of a checker are shown.
const FIGURES_MAX: usize = 12;

/// Those of the convergence checker; the rest stands in the section on convergence.
const CONVERGENCE_FIGURES: [&str; 3] = ["p50_ms", "p99_ms", "max_ms"];

/// One row for each checker.
pub(super) fn section(run: &Run<'_>, digest: &Digest, m: &mut Markup) {
    m.open("section", &[("id", "checked")]);
    m.el("h2", &[], "What was checked");
    m.open("div", &[("class", "wide")]);
    m.open("table", &[]);
    m.el("caption", &[], "Share judged: how much was judged under a finite bound. Under 30 % a run is inconclusive.");
    head(
        m,
        &[
            ("Checker", ""),
            ("Verdict", ""),
            ("Judged", "number"),
            ("", "unit"),
            ("Share judged", "number"),
            ("Pinned there", "number"),
            ("Violations", "number"),
            ("Figures", ""),
        ],
    );
    m.open("tbody", &[]);
    for check in &run.report.checks {
        row(m, check);
    }
    m.close();
    m.close();
    m.close();
    if let Some(convergence) = &run.report.convergence {
        let text = format!(
            "Convergence was followed for {}; {} were overtaken by a later change of the same publisher, {} had not been seen when the subscription or the run ended.",
            format::counted(convergence.samples, "changes times subscribers").replace("1 changes", "1 change"),
            format::count(convergence.coalesced),
            format::count(convergence.unfinished)
        );
        m.el("p", &[("class", "note")], &text);
    }
    if digest.faults.is_empty() {
        m.el("p", &[("class", "note")], "No fault was part of this run.");
    }
    m.close();
}

/// A table head; a class of `number` aligns to the right.
pub(super) fn head(m: &mut Markup, columns: &[(&str, &str)]) {
    m.open("thead", &[]);
    m.open("tr", &[]);
    for (title, class) in columns {
        m.el("th", &[("scope", "col"), ("class", class)], title);
    }
    m.close();
    m.close();
}

fn row(m: &mut Markup, check: &CheckResult) {
    m.open("tr", &[]);
    m.el("th", &[("scope", "row")], &names::clean(&check.checker));
    m.open("td", &[]);
    badge(m, check.verdict);
    m.close();
    m.el("td", &[("class", "number")], &format::count(check.checked));
    m.el("td", &[("class", "unit")], &names::clean(&check.unit));
    for share in [figures::judged_permille(check), figures::pinned_permille(check)] {
        m.el("td", &[("class", "number")], &share.map_or_else(|| "–".to_owned(), format::permille));
    }
    let class = if check.violations > 0 { "number bad" } else { "number" };
    m.el("td", &[("class", class)], &format::count(check.violations));
    m.open("td", &[("class", "small")]);
    if let Some(reason) = &check.reason {
        m.el("p", &[], &story::sentence(&names::clean_long(reason)));
    }
    // The shares have columns of their own, the distribution a section.
    let others: Vec<_> = check
        .figures
        .iter()
        .filter(|(name, _)| !name.ends_with("_permille"))
        .filter(|(name, _)| check.checker != "convergence" || CONVERGENCE_FIGURES.contains(&name.as_str()))
        .collect();
    for (name, figure) in others.iter().take(FIGURES_MAX) {
        let (label, value) = figures::named(name, **figure);
        m.open("span", &[("class", "figure")]);
        m.text(&label);
        m.raw(" ");
        m.el("b", &[], &value);
        m.close();
        m.raw(" ");
    }
    m.close();
    m.close();
}

/// A verdict as a word in its colour, with a sign so that colour only adds.
pub(super) fn badge(m: &mut Markup, verdict: Verdict) {
    let word = story::verdict(verdict);
    let sign = match verdict {
        Verdict::Pass => "✓ ",
        Verdict::Violation => "✕ ",
        Verdict::Inconclusive => "? ",
        Verdict::Error => "! ",
    };
    m.el("span", &[("class", &format!("badge {word}"))], &format!("{sign}{word}"));
}

/// A table that scrolls where it is too wide.
pub(crate) fn table(m: &mut Markup, caption: &str, columns: &[(&str, &str)], rows: impl FnOnce(&mut Markup)) {
    m.open("div", &[("class", "wide")]);
    m.open("table", &[]);
    if !caption.is_empty() {
        m.el("caption", &[], caption);
    }
    head(m, columns);
    m.open("tbody", &[]);
    rows(m);
    m.close();
    m.close();
    m.close();
}
