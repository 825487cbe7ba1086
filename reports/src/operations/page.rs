//! `check --explain FILE`: one self-contained page, in light and dark, that draws each contradiction.

use super::summary::{CheckSummary, Example, FileSummary};
use super::terminal::{MINIMAL, beginning, contradiction, way, word};
use crate::html::markup::Markup;
use crate::html::{circle, drawing};
use crate::{format, names, story};

/// Larger parts are not drawn.
const OPERATIONS_MAX: usize = 120;
/// Longer cycles are not drawn.
const CYCLE_MAX: usize = 40;
/// So many contradictions of a file are drawn.
const DRAWN_MAX: usize = 10;

/// The whole page.
pub fn page(summary: &CheckSummary) -> String {
    let mut m = Markup::new();
    let verdict = story::verdict(summary.verdict);
    m.raw("<!doctype html>\n");
    m.open("html", &[("lang", "en")]);
    crate::html::plain_head(&mut m, &format!("{verdict}: operation histories"));
    m.open("body", &[]);
    m.open("header", &[("class", &format!("top {verdict}"))]);
    m.el("p", &[("class", "over")], "upheaval check");
    m.el("h1", &[("id", "verdict")], &story::sentence(verdict).replace('.', ""));
    m.el("p", &[("class", "why")], &format!("{} checked", format::counted(summary.files.len() as u64, "files")));
    m.close();
    m.open("main", &[]);
    for file in &summary.files {
        section(&mut m, file);
    }
    m.close();
    m.close();
    m.close();
    m.finish()
}

fn section(m: &mut Markup, file: &FileSummary) {
    m.open("section", &[]);
    m.open("h2", &[]);
    m.el("bdi", &[], &names::clean(&file.file));
    m.close();
    m.open("p", &[("class", "note")]);
    let algorithm = if file.algorithm.is_empty() { "not decided" } else { &file.algorithm };
    m.text(&format!(
        "{}: {}, model {}, {algorithm}, {} ms. ",
        word(file.verdict).to_lowercase(),
        format::counted(file.operations, "operations"),
        file.model,
        file.wall_ms
    ));
    if let Some(reason) = &file.reason {
        m.text(&story::sentence(&names::clean(reason)));
    }
    m.close();
    if let Some(model) = file.consistency_model.filter(|_| !file.weakest.is_empty()) {
        let (not, may) = (file.not.join(", "), file.may_hold.join(", "));
        m.el("p", &[("class", "note")], &format!("Asked for {model}. Ruled out: {not}. May hold: {may}."));
    }
    for example in file.examples.iter().take(DRAWN_MAX) {
        drawn(m, example);
    }
    m.close();
}

fn drawn(m: &mut Markup, example: &Example) {
    let key = example.key.as_ref().map_or(String::new(), |key| format!("Key {}: ", names::clean(key)));
    let anomaly = if example.cycle.is_some() { format!("{}: ", example.anomaly) } else { String::new() };
    m.el("h3", &[], &format!("{anomaly}{key}{}", names::clean(&example.sentence)));
    if let Some(cycle) = example.cycle.as_ref().filter(|cycle| cycle.transactions.len() <= CYCLE_MAX) {
        m.open("figure", &[]);
        m.open("div", &[("class", "wide")]);
        circle::draw(m, cycle);
        m.close();
        m.close();
    }
    let Some(explanation) = &example.explanation else { return };
    if explanation.paths.is_empty() || explanation.operations.len() > OPERATIONS_MAX {
        m.el(
            "p",
            &[("class", "note")],
            "No part of the history was found that shows it and is small enough to be drawn.",
        );
        return;
    }
    let count = contradiction(explanation.operations.len() as u64);
    let minimal = if explanation.minimal { format!(" {}", story::sentence(MINIMAL)) } else { String::new() };
    m.el("p", &[], &format!("{count} {}.{minimal}", beginning(explanation)));
    for (number, path) in explanation.paths.iter().enumerate() {
        m.open("figure", &[]);
        m.el(
            "figcaption",
            &[],
            &format!("Order {} of {}: {}.", number + 1, explanation.paths.len(), way(explanation, path)),
        );
        m.open("div", &[("class", "wide")]);
        drawing::draw(m, explanation, path);
        m.close();
        m.close();
    }
}
