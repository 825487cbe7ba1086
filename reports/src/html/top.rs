//! First and last part of the page: the verdict, and what the run was.

use super::markup::Markup;
use crate::digest::Digest;
use crate::facts::Run;
use crate::{format, names, story};
use checkers::Verdict;

/// Verdict, why, the few figures that everybody wants, the line that replays it.
pub(super) fn verdict(run: &Run<'_>, digest: &Digest, m: &mut Markup) {
    let header = run.header;
    let word = story::verdict(run.report.verdict);
    m.open("header", &[("class", &format!("top {word}"))]);
    let run_name = run.facts.run.as_deref().unwrap_or(&header.scenario);
    heading("report", run_name, run.report.verdict, word, m);
    let reasons = story::reasons(run);
    if matches!(run.report.verdict, Verdict::Inconclusive | Verdict::Error) && reasons.len() > 1 {
        m.open("ul", &[("class", "why")]);
        for reason in reasons {
            m.el("li", &[], &story::sentence(&reason));
        }
        m.close();
    } else {
        m.el("p", &[("class", "why")], &story::why(run, digest));
    }
    key_figures(run, digest, m);
    if let Some(replay) = &run.facts.replay {
        command(m, "Replay", replay);
    }
    if let Some(shrink) = run.facts.shrink.as_ref().filter(|_| run.report.verdict == Verdict::Violation) {
        command(m, "Shrink", shrink);
    }
    contents(run, m);
    m.close();
}

/// Links to the sections.
fn contents(run: &Run<'_>, m: &mut Markup) {
    let violated = !story::violations(run).is_empty();
    let sections = [
        ("#story", "The story", run.facts.tale.is_some()),
        ("#checked", "What was checked", true),
        ("#violations", "Violations", violated),
        ("#suspect", "The suspect", run.report.suspect.is_some()),
        ("#time", "Over time", true),
        ("#convergence", "Convergence", true),
        ("#faults", "Faults", true),
        ("#contract", "Contract", true),
        ("#operations", "Operations", true),
        ("#about", "About", true),
    ];
    m.open("nav", &[("aria-label", "Contents")]);
    for (place, name, _) in sections.iter().filter(|(.., there)| *there) {
        m.el("a", &[("href", place)], name);
        m.raw(" ");
    }
    m.close();
}

pub(crate) fn sign(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Pass => "✓",
        Verdict::Violation => "✕",
        Verdict::Inconclusive => "?",
        Verdict::Error => "!",
    }
}

fn key_figures(run: &Run<'_>, digest: &Digest, m: &mut Markup) {
    let header = run.header;
    let system = &header.system;
    let mut figures = vec![
        ("System", format!("{} {}", names::clean(&system.name), names::clean(&system.version))),
        ("Nodes", format::count(header.nodes.len() as u64)),
        ("Clients", format::count(u64::from(header.clients))),
        ("DataIds", format::count(header.data_ids.len() as u64)),
        ("Operations", format::count(digest.operations)),
        ("Pushes", format::count(digest.pushes)),
        (
            "Faults that bit",
            format!("{} of {}", format::count(digest.bit()), format::count(digest.faults.len() as u64)),
        ),
        ("Length", format::duration(digest.end)),
    ];
    if let Some(all) = run.report.convergence.as_ref().map(|convergence| &convergence.all).filter(|all| all.count > 0) {
        figures.push(("Convergence p50", format::duration(all.p50)));
        figures.push(("Convergence p99", format::duration(all.p99)));
        figures.push(("Worst convergence", format::duration(all.max)));
    }
    figures.push(("Seed", header.seed.to_string()));
    figures_of(figures, m);
}

/// Figures with their names, side by side.
pub(crate) fn figures_of(figures: Vec<(&str, String)>, m: &mut Markup) {
    m.open("dl", &[("class", "figures")]);
    for (name, value) in figures {
        m.open("div", &[]);
        m.el("dt", &[], name);
        m.el("dd", &[], &value);
        m.close();
    }
    m.close();
}

/// What the page is of, and its verdict in large letters.
pub(crate) fn heading(kind: &str, name: &str, verdict: Verdict, word: &str, m: &mut Markup) {
    m.open("p", &[("class", "over")]);
    m.text(&format!("upheaval {kind} · "));
    m.el("bdi", &[], &names::clean(name));
    m.close();
    m.open("h1", &[("id", "verdict")]);
    m.el("span", &[("class", "sign"), ("aria-hidden", "true")], sign(verdict));
    m.text(&story::sentence(word).replace('.', ""));
    m.close();
}

/// A line to paste.
pub(crate) fn command(m: &mut Markup, label: &str, line: &str) {
    m.open("div", &[("class", "command")]);
    m.el("span", &[("class", "label")], label);
    m.el("code", &[], &names::clean_long(line));
    m.el("button", &[("type", "button"), ("class", "copy")], "Copy");
    m.close();
}

/// What the run was, so that it can be found and repeated.
pub(super) fn about(run: &Run<'_>, m: &mut Markup) {
    let (header, facts) = (run.header, run.facts);
    let system = &header.system;
    let mut rows = vec![
        ("Scenario", names::clean(&header.scenario)),
        ("Seed", header.seed.to_string()),
        ("Program", names::clean(&header.program)),
        ("System", format!("{} {}", names::clean(&system.name), names::clean(&system.version))),
        ("Client library", names::clean(&system.client)),
        (
            "Nodes",
            names::list(
                &header
                    .nodes
                    .iter()
                    .map(|node| format!("{} ({})", names::clean(&node.name), names::clean(&node.role)))
                    .collect::<Vec<_>>(),
                24,
            ),
        ),
        ("Time", if header.virtual_time { "virtual" } else { "real" }.to_owned()),
        ("Plan hash", names::clean(run.plan_hash())),
    ];
    let optional = [
        ("History hash", facts.history_hash.as_deref().map(names::clean)),
        ("Took", facts.wall_ms.map(format::duration_ms)),
        ("Length of the run", facts.virtual_ms.map(format::duration_ms)),
        ("Peak memory", facts.peak_bytes.map(format::bytes)),
        ("Stored in", facts.store.as_deref().map(names::clean)),
        (
            "What the nodes wrote",
            Some(facts.node_logs.join(", ")).filter(|logs| !logs.is_empty()).as_deref().map(names::clean),
        ),
        ("Planted bug", header.bug.as_deref().map(names::clean)),
    ];
    rows.extend(optional.into_iter().filter_map(|(label, value)| Some((label, value?))));
    m.open("section", &[("id", "about")]);
    m.el("h2", &[], "About this run");
    m.open("div", &[("class", "pair")]);
    definitions(m, "The run", rows.into_iter().map(|(label, value)| (label.to_owned(), value)).collect());
    if !facts.drawn.is_empty() {
        let drawn = facts.drawn.iter().map(|(name, value)| (names::clean(name), names::clean(value))).collect();
        definitions(m, "Drawn by the seed", drawn);
    }
    m.close();
    m.close();
}

fn definitions(m: &mut Markup, caption: &str, rows: Vec<(String, String)>) {
    m.open("table", &[("class", "facts")]);
    m.el("caption", &[], caption);
    m.open("tbody", &[]);
    for (label, value) in rows {
        m.open("tr", &[]);
        m.el("th", &[("scope", "row")], &label);
        m.el("td", &[], &value);
        m.close();
    }
    m.close();
    m.close();
}
