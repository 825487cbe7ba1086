//! The page of the claims: what was predicted and what was observed, and the story of every violation.

use super::checks::head;
use super::markup::Markup;
use super::{bars, sweep, tale};
use crate::claims::{ClaimSummary, Row};
use crate::{format, names, story};
use std::collections::BTreeSet;

/// The whole page.
pub fn claims_page(summary: &ClaimSummary) -> String {
    let title = format!("{} of {} claims as predicted", summary.as_predicted, summary.total);
    super::document(
        &title,
        |m| top(summary, &title, m),
        |m| {
            for (id, sentence) in &summary.sentences {
                let rows: Vec<&Row> = summary.claims.iter().filter(|row| row.id == *id).collect();
                claim(id, sentence, &rows, m);
            }
        },
    )
}

fn top(summary: &ClaimSummary, title: &str, m: &mut Markup) {
    let all = summary.as_predicted == summary.total;
    m.open("header", &[("class", if all { "top pass" } else { "top violation" })]);
    m.el("p", &[("class", "over")], "upheaval claims");
    m.open("h1", &[("id", "verdict")]);
    m.el("span", &[("class", "sign"), ("aria-hidden", "true")], if all { "✓" } else { "✗" });
    m.text(title);
    m.close();
    let variants = format::counted(summary.claims.len() as u64, "variants");
    m.el("p", &[("class", "why")], &format!("{variants}, in {}.", format::duration_ms(summary.wall_ms)));
    m.close();
}

fn claim(id: &str, sentence: &str, rows: &[&Row], m: &mut Markup) {
    m.open("section", &[("id", id)]);
    m.el("h2", &[], id);
    m.el("p", &[("class", "lead")], sentence);
    side_by_side(rows, m);
    bars::figures(rows, m);
    for row in rows {
        variant(row, m);
    }
    m.close();
}

/// What was measured of several variants, next to each other.
fn side_by_side(rows: &[&Row], m: &mut Markup) {
    let measured: Vec<&&Row> = rows.iter().filter(|row| !row.figures.is_empty()).collect();
    if measured.len() < 2 {
        return;
    }
    let figures: BTreeSet<&str> = measured.iter().flat_map(|row| row.figures.keys().map(String::as_str)).collect();
    m.open("div", &[("class", "wide")]);
    m.open("table", &[]);
    let seeds = format::counted(measured[0].seeds_run, "seeds");
    m.el("caption", &[], &format!("Means over {seeds}."));
    let titles: Vec<String> = measured.iter().map(|row| names::clean(&row.variant)).collect();
    let columns = titles.iter().map(|title| (title.as_str(), "number"));
    head(m, &[("", "")].into_iter().chain(columns).collect::<Vec<_>>());
    m.open("tbody", &[]);
    for figure in figures {
        m.open("tr", &[]);
        m.el("th", &[("scope", "row")], &names::clean(figure));
        for row in &measured {
            let mean = row.figures.get(figure).map(|sum| *sum as f64 / row.seeds_run.max(1) as f64);
            let text = mean.map_or_else(|| "-".to_owned(), |mean| format!("{mean:.1}"));
            m.el("td", &[("class", "number")], &text);
        }
        m.close();
    }
    m.close();
    m.close();
    m.close();
}

fn variant(row: &Row, m: &mut Markup) {
    m.open("article", &[]);
    m.open("h3", &[]);
    m.text(&names::clean(&row.variant));
    m.text(" ");
    let (class, sign) = if row.as_predicted { ("badge pass", "✓") } else { ("badge violation", "✗") };
    m.el("span", &[("class", class)], &format!("{sign} {}", names::clean(&row.observed)));
    m.close();
    m.el("p", &[], &names::clean_long(&row.about));
    let seeds = format::counted(row.seeds_run, "seeds");
    let said = story::sentence(&names::clean_long(&row.detail));
    m.el("p", &[("class", "note")], &format!("Predicted {}; {seeds}. {said}", names::clean(&row.predicted)));
    if let Some(swept) = &row.sweep {
        sweep::figure(swept, m);
    }
    if let Some(told) = &row.tale {
        m.open("details", &[]);
        m.el("summary", &[], &names::clean_long(&told.headline));
        tale::told(told, m);
        m.close();
    }
    m.close();
}
