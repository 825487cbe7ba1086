//! The node that clients blame.

use super::checks::head;
use super::markup::Markup;
use crate::facts::Run;
use crate::{names, story};

/// The section; nothing where nobody is suspected.
pub(super) fn section(run: &Run<'_>, m: &mut Markup) {
    let Some(suspect) = &run.report.suspect else { return };
    m.open("section", &[("id", "suspect")]);
    m.el("h2", &[], "The suspect");
    let node = names::clean(&suspect.node);
    let sentence = format!(
        "{node} ({}), {}: {}. Confidence {:.2}.",
        names::clean(&suspect.role),
        story::stretch(suspect),
        names::clean_long(&suspect.reasoning),
        suspect.confidence
    );
    m.el("p", &[], &sentence);
    m.open("div", &[("class", "wide")]);
    m.open("table", &[]);
    m.el(
        "caption",
        &[],
        "Told from delays and silence that clients saw, by the nodes on their way; injected faults were not looked at. Scores are \
         standard deviations from the peers, in the worst stretch. Left: what the suspect does not explain.",
    );
    head(m, &[("Node", ""), ("Role", ""), ("Score", "number"), ("Left", "number")]);
    m.open("tbody", &[]);
    row(m, &suspect.node, &suspect.role, suspect.score, None);
    for rival in &suspect.runners_up {
        row(m, &rival.node, &rival.role, rival.score, Some(rival.left));
    }
    m.close();
    m.close();
    m.close();
    m.close();
}

fn row(m: &mut Markup, node: &str, role: &str, score: f64, left: Option<f64>) {
    m.open("tr", &[]);
    m.el("th", &[("scope", "row")], &names::clean(node));
    m.el("td", &[], &names::clean(role));
    m.el("td", &[("class", "number")], &format!("{score:.1}"));
    m.el("td", &[("class", "number")], &left.map_or_else(|| "\u{2013}".to_owned(), |left| format!("{left:.1}")));
    m.close();
}
