//! The page of an exploration: verdict, kinds of failures with the lines that replay them, faults, states reached. In the
//! manner of a run's report, and as self-contained.

use super::checks::table;
use super::markup::{Markup, px};
use super::top::{command, figures_of, heading};
use crate::exploration::{Exploration, Failure, counts, rates};
use crate::{format, names, story};

/// The whole page.
pub fn exploration_page(exploration: &Exploration) -> String {
    let word = story::verdict(exploration.verdict);
    let title = format!("{word}: {} explored", names::clean(&exploration.scenario));
    super::document(
        &title,
        |m| top(exploration, word, m),
        |m| {
            failures(exploration, m);
            reasons(exploration, m);
            faults(exploration, m);
            coverage(exploration, m);
        },
    )
}

fn top(exploration: &Exploration, word: &str, m: &mut Markup) {
    m.open("header", &[("class", &format!("top {word}"))]);
    heading("exploration", &exploration.scenario, exploration.verdict, word, m);
    m.el("p", &[("class", "why")], &format!("{}.", counts(exploration)));
    let seeds = format!("{} to {}", exploration.seeds.0, exploration.seeds.1.saturating_sub(1));
    let mut figures = vec![
        ("Seeds run", format::count(exploration.seeds_run)),
        ("Asked for", seeds),
        ("Operations", format::count(exploration.operations)),
        ("Pushes", format::count(exploration.pushes)),
        ("Events", format::count(exploration.steps)),
        ("Virtual time", format::duration_ms(exploration.virtual_ms)),
        ("Program", names::clean(&exploration.program)),
    ];
    if let Some(bug) = &exploration.bug {
        figures.push(("Planted bug", names::clean(bug)));
    }
    figures_of(figures, m);
    m.el("p", &[("class", "note")], &format!("The last call: {}.", rates(exploration)));
    m.close();
}

fn failures(exploration: &Exploration, m: &mut Markup) {
    if exploration.failures.is_empty() {
        return;
    }
    m.open("section", &[("id", "failures")]);
    m.el("h2", &[], "Failures");
    m.el(
        "p",
        &[("class", "note")],
        "Seeds that fail in the same way are one; the cheapest of each has the fewest operations and faults.",
    );
    for failure in &exploration.failures {
        one(failure, m);
    }
    m.close();
}

fn one(failure: &Failure, m: &mut Markup) {
    m.open("article", &[("class", "violation")]);
    m.open("h3", &[]);
    m.text(&names::clean(&failure.fingerprint));
    m.el("span", &[("class", "aside")], &format!(" in {}", format::counted(failure.count, "seeds")));
    m.close();
    m.el("p", &[("class", "lead")], &story::sentence(&names::clean_long(&failure.says)));
    let (first, cheapest) = (failure.first_seed, failure.cheapest_seed);
    let size = format!(
        "Cheapest seed {cheapest}: {}, {}. First seed {first}.",
        format::counted(failure.operations, "operations"),
        format::counted(failure.faults, "faults")
    );
    m.el("p", &[("class", "note")], &size);
    command(m, "Replay", &failure.replay);
    m.close();
}

fn reasons(exploration: &Exploration, m: &mut Markup) {
    if exploration.reasons.is_empty() {
        return;
    }
    m.open("section", &[("id", "reasons")]);
    m.el("h2", &[], "Inconclusive seeds and errors");
    table(m, "", &[("", ""), ("Seeds", "number"), ("First", "number"), ("Why", "")], |m| {
        for reason in &exploration.reasons {
            m.open("tr", &[]);
            m.open("td", &[]);
            let (class, text) =
                if reason.error { ("badge error", "! error") } else { ("badge inconclusive", "? inconclusive") };
            m.el("span", &[("class", class)], text);
            m.close();
            m.el("td", &[("class", "number")], &format::count(reason.count));
            m.el("td", &[("class", "number")], &reason.seed.to_string());
            m.el("td", &[], &names::clean_long(&reason.says));
            m.close();
        }
    });
    m.close();
}

fn faults(exploration: &Exploration, m: &mut Markup) {
    m.open("section", &[("id", "faults")]);
    m.el("h2", &[], "Faults");
    if exploration.faults.is_empty() {
        m.el("p", &[], "There were none.");
    } else {
        let most = exploration.faults.values().map(|count| count.due).max().unwrap_or(1);
        let caption = "A fault counts as bitten where a measured effect proves it.";
        table(m, caption, &[("Kind", ""), ("Due", "number"), ("Bit", "number"), ("Share", "number"), ("", "")], |m| {
            for (kind, count) in &exploration.faults {
                m.open("tr", &[]);
                m.el("th", &[("scope", "row")], &names::clean(kind));
                m.el("td", &[("class", "number")], &format::count(count.due));
                m.el("td", &[("class", "number")], &format::count(count.bit));
                let share = format!("{} %", count.bit * 100 / count.due.max(1));
                m.el("td", &[("class", "number")], &share);
                m.open("td", &[]);
                bar(m, count.bit, most);
                m.close();
                m.close();
            }
        });
    }
    m.close();
}

fn coverage(exploration: &Exploration, m: &mut Markup) {
    m.open("section", &[("id", "coverage")]);
    m.el("h2", &[], "States reached");
    if exploration.coverage.is_empty() {
        m.el("p", &[], "The system names none.");
    } else {
        let caption = "Interesting states of the system: in how many seeds each was reached, and how often in all.";
        table(m, caption, &[("State", ""), ("Seeds", "number"), ("Times", "number"), ("Share of seeds", "")], |m| {
            for (point, times) in &exploration.coverage {
                let seeds = exploration.coverage_seeds.get(point).copied().unwrap_or(0);
                m.open("tr", &[]);
                m.el("th", &[("scope", "row")], &names::clean(point));
                m.el("td", &[("class", "number")], &format::count(seeds));
                m.el("td", &[("class", "number")], &format::count(*times));
                m.open("td", &[]);
                bar(m, seeds, exploration.seeds_run);
                m.close();
                m.close();
            }
        });
    }
    m.close();
}

/// A bar of this share; what is not nothing can be seen.
fn bar(m: &mut Markup, part: u64, whole: u64) {
    const LENGTH: f64 = 200.0;
    let share = part as f64 / whole.max(1) as f64;
    let width = if part == 0 { 0.0 } else { (share * LENGTH).clamp(1.5, LENGTH) };
    let text = format!("{} of {}", format::count(part), format::count(whole));
    m.open("svg", &[("class", "share"), ("viewBox", "0 0 200 10"), ("role", "img"), ("aria-label", &text)]);
    m.leaf("rect", &[("class", "ground"), ("width", "200"), ("height", "10"), ("rx", "2")]);
    m.leaf("rect", &[("class", "value"), ("width", &px(width)), ("height", "10"), ("rx", "2")]);
    m.close();
}
