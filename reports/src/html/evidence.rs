//! Each violation with its evidence: what was expected, what was shown, the difference, who had published what when,
//! and the line that replays it.

use super::checks::head;
use super::lanes::{self, LANES_MAX};
use super::markup::Markup;
use super::top::command;
use super::view::{self, Piece};
use crate::digest::Digest;
use crate::facts::Run;
use crate::trail::{self, Origin};
use crate::{format, names, story};
use checkers::{CheckResult, TrailEntry, Violation};
use history::{MILLI, Nanos};
use std::collections::BTreeMap;

/// Elements of a set that are shown at once.
const SET_MAX: usize = 12;
/// Violations that are told at all.
const STORIES_MAX: usize = 30;
/// Violations that are unfolded.
const OPEN_MAX: usize = 6;
/// Steps of a trail that are listed.
const STEPS_MAX: usize = 400;

/// The section; nothing where there is no violation.
pub(super) fn section(run: &Run<'_>, digest: &Digest, m: &mut Markup) {
    let mut all = story::violations(run);
    if all.is_empty() {
        return;
    }
    all.sort_by_key(|(_, violation)| (story::rank(violation.kind), violation.time));
    let counted = story::violations_counted(run);
    m.open("section", &[("id", "violations")]);
    m.el("h2", &[], "Violations");
    let told = all.len().min(STORIES_MAX);
    if counted > told as u64 {
        let text =
            format!("{} were counted; these {} have evidence.", format::count(counted), format::count(told as u64));
        m.el("p", &[("class", "note")], &text);
    }
    let origins = trail::origins(run);
    for (number, (check, violation)) in all.iter().take(told).enumerate() {
        let label = format!("{} of {}", number + 1, told);
        if number < OPEN_MAX {
            one(run, digest, (check, violation), &origins, &label, m);
        } else {
            m.open("details", &[("class", "folded")]);
            m.el(
                "summary",
                &[],
                &format!("{label}: {} at {}", story::kind(violation.kind), format::instant(violation.time)),
            );
            one(run, digest, (check, violation), &origins, &label, m);
            m.close();
        }
    }
    m.close();
}

fn one(
    run: &Run<'_>,
    digest: &Digest,
    (check, violation): (&CheckResult, &Violation),
    origins: &BTreeMap<String, Origin>,
    label: &str,
    m: &mut Markup,
) {
    m.open("article", &[("class", "violation")]);
    m.open("h3", &[]);
    m.text(&story::sentence(story::kind(violation.kind)).replace('.', ""));
    m.text(" ");
    m.el(
        "span",
        &[("class", "aside")],
        &format!("{label} · {} · at {}", names::clean(&check.checker), format::instant(violation.time)),
    );
    m.close();
    m.el("p", &[("class", "lead")], &story::sentence(&names::clean_long(&violation.sentence)));
    circumstances(run, digest, violation, m);
    difference(violation, origins, m);
    m.open("div", &[("class", "pair")]);
    set(m, "Expected", &violation.expected, &violation.missing, "gone");
    set(m, "Shown", &violation.shown, &violation.extra, "more");
    m.close();
    axis(run, digest, violation, m);
    steps(run, violation, m);
    if let Some(replay) = &run.facts.replay {
        command(m, "Replay", replay);
    }
    m.close();
}

fn circumstances(run: &Run<'_>, digest: &Digest, violation: &Violation, m: &mut Markup) {
    let header = run.header;
    let faults: Vec<String> = violation
        .faults
        .iter()
        .map(|id| digest.fault(*id).map_or_else(|| format!("fault {id}"), |fault| fault.title_and_span(digest.end)))
        .collect();
    let mut rows = vec![
        ("DataId", names::data_id(header, violation.data)),
        ("Seen by", story::observer(header, violation)),
        ("Means", story::kind_means(violation.kind).to_owned()),
        ("Explained", names::clean_long(&violation.explained)),
        ("Faults then", if faults.is_empty() { "none".to_owned() } else { names::list(&faults, SET_MAX) }),
    ];
    if let Some(version) = violation.version {
        rows.insert(2, ("Version", version.to_string()));
    }
    if !violation.role.is_empty() {
        rows.insert(2, ("Role", names::clean(&violation.role)));
    }
    m.open("dl", &[("class", "rows")]);
    for (label, text) in rows {
        m.open("div", &[]);
        m.el("dt", &[], label);
        m.el("dd", &[], &text);
        m.close();
    }
    m.close();
}

/// What is missing and what is too much, each with who published it.
fn difference(violation: &Violation, origins: &BTreeMap<String, Origin>, m: &mut Markup) {
    let parts = [("gone", "−", "missing", &violation.missing), ("more", "+", "too much", &violation.extra)];
    if parts.iter().all(|(.., list)| list.is_empty()) {
        return;
    }
    m.el("h4", &[], "Difference");
    for (class, sign, word, list) in parts {
        let (first, rest) = list.split_at(list.len().min(SET_MAX));
        if first.is_empty() {
            continue;
        }
        lines(m, class, sign, word, first, origins);
        if !rest.is_empty() {
            m.open("details", &[]);
            m.el("summary", &[], &more(rest.len(), list.len(), word));
            lines(m, class, sign, word, rest, origins);
            m.close();
        }
    }
}

fn lines(
    m: &mut Markup,
    class: &'static str,
    sign: &str,
    word: &str,
    list: &[String],
    origins: &BTreeMap<String, Origin>,
) {
    m.open("ul", &[("class", "diff")]);
    for value in list {
        m.open("li", &[("class", class)]);
        m.el("span", &[("class", "sign"), ("title", word)], sign);
        m.el("code", &[], &names::clean(value));
        let origin = origins.get(value).map_or_else(|| "no publish of it in this history".to_owned(), Origin::text);
        m.el("span", &[("class", "aside")], &format!("{word}; {origin}"));
        m.close();
    }
    m.close();
}

fn more(hidden: usize, all: usize, word: &str) -> String {
    let at_least = if all >= story::EVIDENCE_MAX { "at least " } else { "" };
    format!("{at_least}{} more {word}", format::count(hidden as u64)).trim_end().to_owned()
}

/// A set of elements; those of the difference stand first and are marked.
fn set(m: &mut Markup, title: &str, elements: &[String], marked: &[String], class: &str) {
    m.open("div", &[("class", "set")]);
    m.open("h4", &[]);
    m.text(title);
    m.text(" ");
    m.el("span", &[("class", "aside")], &story::addresses(elements));
    m.close();
    if elements.is_empty() {
        m.el("p", &[("class", "faint")], "empty");
    }
    let mut ordered: Vec<&String> = elements.iter().collect();
    ordered.sort_by_key(|value| !marked.contains(value));
    let (first, rest) = ordered.split_at(ordered.len().min(SET_MAX));
    chips(m, first, marked, class);
    if !rest.is_empty() {
        m.open("details", &[]);
        m.el("summary", &[], &more(rest.len(), elements.len(), ""));
        chips(m, rest, marked, class);
        m.close();
    }
    m.close();
}

fn chips(m: &mut Markup, elements: &[&String], marked: &[String], class: &str) {
    m.open("ul", &[("class", "chips")]);
    for value in elements {
        let class = if marked.contains(value) { class } else { "" };
        m.open("li", &[("class", class)]);
        m.el("code", &[], &names::clean(value));
        m.close();
    }
    m.close();
}

/// The lanes: the whole trail, and where that is long also the last stretch before the violation.
fn axis(run: &Run<'_>, digest: &Digest, violation: &Violation, m: &mut Markup) {
    let pieces = view::pieces(run, violation, digest.end);
    if violation.trail.is_empty() && pieces.is_empty() {
        return;
    }
    m.open("figure", &[("class", "lanes")]);
    m.open("figcaption", &[]);
    m.el("b", &[], "Trail of the publishers concerned");
    let publishers = trail::publishers(violation).len();
    // The checkers bound the evidence, and so do the lanes.
    let concerned = publishers.max(violation.missing.len() + violation.extra.len());
    let shown = publishers.min(LANES_MAX);
    if concerned > shown {
        m.text(" ");
        let text = format!("the first {} of {}", format::count(shown as u64), format::count(concerned as u64));
        m.el("span", &[], &text);
    }
    m.close();
    let (whole, near) = windows(run, violation, &pieces, digest.end);
    if let Some(near) = near {
        m.el("p", &[("class", "note")], &format!("Around the violation, {}:", format::span(near.0, near.1)));
        lanes::figure(run, digest, violation, &pieces, near, m);
        m.el("p", &[("class", "note")], "The whole trail:");
    }
    lanes::figure(run, digest, violation, &pieces, whole, m);
    lanes::legend(m, !pieces.is_empty());
    m.close();
}

type Window = (Nanos, Nanos);

/// From the first step of the trail to a little after the violation; and a closer look at what happened right before it,
/// where the whole is too long to show that.
fn windows(run: &Run<'_>, violation: &Violation, pieces: &[Piece], end: Nanos) -> (Window, Option<Window>) {
    let first_step = violation.trail.iter().map(|entry| entry.time).min();
    let first_piece = pieces.first().map(|piece| piece.from);
    let first = first_step.or(first_piece).unwrap_or(violation.time).min(violation.time);
    let span = violation.time - first;
    let close = (run.header.contract.visible_ms_max * MILLI).saturating_mul(4).max(MILLI);
    let after = |span: Nanos| violation.time.saturating_add(span / 8).min(end.max(violation.time));
    let whole_span = span.max(close);
    let whole = (first.saturating_sub(whole_span / 25), after(whole_span));
    let from = violation.time.saturating_sub(close);
    let near = from..=after(close);
    let eventful = violation.trail.iter().any(|entry| near.contains(&entry.time))
        || pieces.iter().any(|piece| near.contains(&piece.from));
    (whole, (span > close.saturating_mul(4) && eventful).then_some((from, after(close))))
}

/// The same steps as a table.
fn steps(run: &Run<'_>, violation: &Violation, m: &mut Markup) {
    if violation.trail.is_empty() {
        return;
    }
    let steps: Vec<&TrailEntry> = violation.trail.iter().take(STEPS_MAX).collect();
    m.open("details", &[("class", "steps")]);
    m.el("summary", &[], &format!("{} of the trail, in order", format::counted(violation.trail.len() as u64, "steps")));
    m.open("div", &[("class", "wide")]);
    m.open("table", &[]);
    m.el("caption", &[], "Seconds from the start.");
    head(
        m,
        &[
            ("From", "number"),
            ("To", "number"),
            ("Publisher", ""),
            ("Step", ""),
            ("Value", ""),
            ("Outcome", ""),
            ("Through", ""),
        ],
    );
    m.open("tbody", &[]);
    for entry in steps {
        m.open("tr", &[]);
        m.el("td", &[("class", "number")], &format::seconds(entry.time));
        m.el("td", &[("class", "number")], &entry.end.map_or_else(String::new, format::seconds));
        m.el("td", &[], &names::publisher(entry.client, entry.registration));
        m.el("td", &[], &names::clean(&entry.what));
        m.open("td", &[]);
        if let Some(value) = &entry.value {
            m.el("code", &[], &names::clean(value));
        }
        m.close();
        m.el("td", &[], &entry.outcome.as_deref().map(names::clean).unwrap_or_default());
        m.el("td", &[], &entry.node.map_or_else(String::new, |node| names::node(run.header, node)));
        m.close();
    }
    m.close();
    m.close();
    m.close();
    if violation.trail.len() > STEPS_MAX {
        m.el(
            "p",
            &[("class", "note")],
            &format!("and {} more", format::count((violation.trail.len() - STEPS_MAX) as u64)),
        );
    }
    m.close();
}
