//! The page of a gate: what was decided, the story of each kind of failure, and every run.

use super::{Gate, GateFailure, GateRun};
use crate::html::checks::table;
use crate::html::document;
use crate::html::markup::Markup;
use crate::html::tale::headed;
use crate::html::top::{command, figures_of, heading, sign};
use crate::{format, names, story};
use checkers::Verdict;

/// The whole page.
pub fn page(gate: &Gate) -> String {
    let word = gate.verdict.name();
    document(
        &format!("{word}: {}", names::clean(&gate.suite)),
        |m| top(gate, word, m),
        |m| {
            failures(gate, m);
            objectives(gate, m);
            hooks(gate, m);
            runs(gate, m);
        },
    )
}

fn top(gate: &Gate, word: &str, m: &mut Markup) {
    let class = story::verdict(gate.verdict.coloured_as());
    m.open("header", &[("class", &format!("top {class}"))]);
    heading("gate", &gate.suite, gate.verdict.coloured_as(), word, m);
    if gate.reasons.is_empty() {
        m.el("p", &[("class", "why")], &story::sentence(&names::clean_long(&gate.about)));
    } else {
        m.open("ul", &[("class", "why")]);
        for reason in &gate.reasons {
            m.el("li", &[], &story::sentence(&names::clean_long(reason)));
        }
        m.close();
    }
    let mut figures = vec![("Runs", format::count(gate.runs.len() as u64))];
    if let Some(build) = &gate.build {
        figures.push(("Build", names::clean(&format!("{} {}", build.name, build.version))));
        if !build.artefact.is_empty() {
            figures.push(("Artefact", names::clean_long(&build.artefact)));
        }
    }
    for (verdict, count) in &gate.counts {
        figures.push((
            if verdict == "pass" { "Passed" } else { "Not passed" },
            format!("{} {verdict}", format::count(*count)),
        ));
    }
    figures.push(("Took", format::duration_ms(gate.wall_ms)));
    figures.push(("Night", gate.night.to_string()));
    if let Some(bytes) = gate.peak_bytes {
        figures.push(("Peak memory", format::bytes(bytes)));
    }
    figures.push(("Program", names::clean(&gate.program)));
    figures_of(figures, m);
    m.close();
}

fn failures(gate: &Gate, m: &mut Markup) {
    if gate.failures.is_empty() {
        return;
    }
    m.open("section", &[("id", "failures")]);
    m.el("h2", &[], "Failures");
    let note =
        "Runs that fail in the same way are one. The story is that of the smallest plan found that still fails so.";
    m.el("p", &[("class", "note")], note);
    for failure in &gate.failures {
        one(failure, m);
    }
    m.close();
}

fn one(failure: &GateFailure, m: &mut Markup) {
    m.open("article", &[("class", "violation")]);
    m.open("h3", &[]);
    m.text(&names::clean(&failure.fingerprint));
    let place = format!(
        " in {} on {}, {}",
        names::clean(&failure.scenario),
        names::clean(&failure.system),
        format::counted(failure.count, "seeds")
    );
    m.el("span", &[("class", "aside")], &place);
    m.close();
    m.el("p", &[("class", "lead")], &story::sentence(&names::clean_long(&failure.says)));
    if let Some(tale) = &failure.tale {
        headed(tale, m);
    }
    m.open("p", &[("class", "note")]);
    m.text(&format!("Cheapest seed {}. ", failure.cheapest_seed));
    for (folder, text) in [(&failure.folder, "The run"), (&failure.shrunk, "The shrunk run")] {
        if let Some(folder) = folder {
            link(folder, text, m);
            m.text(". ");
        }
    }
    m.close();
    command(m, "Replay", &failure.replay);
    m.close();
}

/// To the report of a run that lies beside the gate's folder in the store.
fn link(folder: &str, text: &str, m: &mut Markup) {
    let id = folder.trim_end_matches('/').rsplit('/').next().unwrap_or(folder);
    let plain: String =
        id.chars().map(|c| if c.is_ascii_alphanumeric() || "-_.".contains(c) { c } else { '_' }).collect();
    m.el("a", &[("href", &format!("../{plain}/report.html"))], text);
}

fn objectives(gate: &Gate, m: &mut Markup) {
    if gate.objectives.is_empty() {
        return;
    }
    m.open("section", &[("id", "objectives")]);
    m.el("h2", &[], "Objectives");
    table(m, "", &[("", ""), ("Asked", ""), ("Measured", "")], |m| {
        for objective in &gate.objectives {
            m.open("tr", &[]);
            m.open("td", &[]);
            let (class, text) = match objective.met {
                Some(true) => ("badge pass", "✓ met"),
                Some(false) => ("badge violation", "✕ missed"),
                None => ("badge inconclusive", "? unknown"),
            };
            m.el("span", &[("class", class)], text);
            m.close();
            m.el("td", &[], &names::clean_long(&objective.asks));
            m.el("td", &[], &names::clean_long(&objective.says));
            m.close();
        }
    });
    m.close();
}

fn hooks(gate: &Gate, m: &mut Markup) {
    if gate.hooks.is_empty() {
        return;
    }
    m.open("section", &[("id", "hooks")]);
    m.el("h2", &[], "Hooks");
    table(m, "", &[("", ""), ("Hook", ""), ("Command", ""), ("Took", "number"), ("", "")], |m| {
        for hook in &gate.hooks {
            m.open("tr", &[]);
            m.open("td", &[]);
            let (class, text) = if hook.ok { ("badge pass", "✓ done") } else { ("badge error", "! failed") };
            m.el("span", &[("class", class)], text);
            m.close();
            m.el("th", &[("scope", "row")], &hook.name);
            m.el("td", &[], &names::clean_long(&hook.command.join(" ")));
            m.el("td", &[("class", "number")], &format::duration_ms(hook.wall_ms));
            m.el("td", &[], &names::clean_long(&hook.says));
            m.close();
        }
    });
    m.close();
}

fn runs(gate: &Gate, m: &mut Markup) {
    m.open("section", &[("id", "runs")]);
    m.el("h2", &[], "Runs");
    for (label, runs) in super::terminal::groups(&gate.runs) {
        let failed = runs.iter().filter(|run| run.verdict != Verdict::Pass).count();
        if failed > 0 {
            m.open("details", &[("open", "")]);
        } else {
            m.open("details", &[]);
        }
        let said =
            if failed == 0 { "all pass".to_owned() } else { format!("{} not passed", format::count(failed as u64)) };
        m.el("summary", &[], &format!("{label}: {}, {said}", format::counted(runs.len() as u64, "runs")));
        let columns =
            [("", ""), ("Seed", "number"), ("p99", "number"), ("Took", "number"), ("What", ""), ("Again", "")];
        table(m, "", &columns, |m| {
            for run in runs {
                row(run, m);
            }
        });
        m.close();
    }
    m.close();
}

fn row(run: &GateRun, m: &mut Markup) {
    m.open("tr", &[]);
    m.open("td", &[]);
    let word = story::verdict(run.verdict);
    m.el("span", &[("class", &format!("badge {word}"))], &format!("{} {word}", sign(run.verdict)));
    m.close();
    m.open("td", &[("class", "number")]);
    match &run.folder {
        Some(folder) => link(folder, &run.seed.to_string(), m),
        None => m.text(&run.seed.to_string()),
    }
    m.close();
    let p99 = run.figures.get("convergence.p99_ms").map_or(String::new(), |ms| format!("{ms:.1} ms"));
    m.el("td", &[("class", "number")], &p99);
    m.el("td", &[("class", "number")], &format::duration_ms(run.wall_ms));
    m.el("td", &[], &names::clean_long(&run.says));
    m.open("td", &[]);
    m.el("code", &[], &names::clean_long(&run.replay));
    m.close();
    m.close();
}
