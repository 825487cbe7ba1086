//! The story of a shrunk run: what happened line by line, and the same as a space-time diagram.

use super::markup::Markup;
use super::spacetime;
use crate::facts::Run;
use crate::tale::Tale;
use crate::{format, names};

/// Nothing where there is no tale.
pub(super) fn section(run: &Run<'_>, m: &mut Markup) {
    let Some(tale) = &run.facts.tale else { return };
    m.open("section", &[("id", "story")]);
    m.el("h2", &[], "The story");
    headed(tale, m);
    m.close();
}

/// What it is about, and the story.
pub(crate) fn headed(tale: &Tale, m: &mut Markup) {
    m.el("p", &[("class", "note")], &names::clean_long(&tale.headline));
    told(tale, m);
}

/// What happened line by line, and the diagram.
pub(super) fn told(tale: &Tale, m: &mut Markup) {
    m.open("ol", &[("class", "tale")]);
    for line in &tale.lines {
        m.open("li", if line.wrong { &[("class", "wrong")] } else { &[] });
        m.el("time", &[], &format::instant(line.time));
        m.el("span", &[], &names::clean_long(&line.text));
        m.close();
    }
    m.close();
    m.el("p", &[("class", "tale-end")], &names::clean_long(&tale.outcome));
    m.open("figure", &[]);
    m.open("figcaption", &[]);
    m.el("b", &[], "Who said what to whom");
    m.text(" ");
    m.el("span", &[], "Time runs down, and is not to scale: long silences are cut short where a dashed line says so.");
    m.close();
    spacetime::figure(&tale.diagram, "Space-time diagram of the run up to its violation", m);
    legend(m);
    m.close();
}

fn legend(m: &mut Markup) {
    const SIGN: &[(&str, &str)] = &[("class", "spacetime"), ("width", "26"), ("height", "12"), ("aria-hidden", "true")];
    let signs: [(&str, &str, &str); 4] = [
        ("st-arrow", "M1 6H24M19 2L24 6L19 10", "message"),
        ("st-lost", "M1 6H14M11 2L19 10M19 2L11 10", "message lost"),
        ("st-sample", "M3 6H23", "the node is under a fault"),
        ("st-wrong", "M1 6H25", "the violation"),
    ];
    m.open("ul", &[("class", "legend")]);
    for (class, path, words) in signs {
        m.open("li", &[]);
        m.open("svg", SIGN);
        m.leaf("path", &[("class", class), ("d", path)]);
        m.close();
        m.text(words);
        m.close();
    }
    m.close();
}
