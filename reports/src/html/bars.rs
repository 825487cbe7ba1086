//! Figures of several variants side by side: a bar for each, the mean over its seeds.

use super::frame;
use super::markup::{Markup, px};
use crate::claims::Row;
use crate::names;
use std::collections::BTreeSet;

const WIDTH: f64 = 720.0;
const LEFT: f64 = 230.0;
const RIGHT: f64 = 80.0;
const LINE: f64 = 24.0;
const BAR: f64 = 14.0;

/// Draws those figures between which a relation is predicted.
pub(super) fn figures(rows: &[&Row], m: &mut Markup) {
    let measured: Vec<&Row> = rows.iter().copied().filter(|row| !row.figures.is_empty()).collect();
    let compared: BTreeSet<&str> =
        measured.iter().flat_map(|row| row.comparisons.iter().map(|comparison| comparison.figure.as_str())).collect();
    if measured.len() < 2 {
        return;
    }
    for figure in compared {
        let bars: Vec<(String, f64)> =
            measured.iter().filter_map(|row| Some((names::clean(&row.variant), mean(row, figure)?))).collect();
        draw(&names::clean(figure), &bars, m);
    }
}

/// None where the variant does not measure it.
fn mean(row: &Row, figure: &str) -> Option<f64> {
    row.figures.get(figure).map(|sum| *sum as f64 / row.seeds_run.max(1) as f64)
}

fn draw(figure: &str, bars: &[(String, f64)], m: &mut Markup) {
    let most = bars.iter().map(|(_, value)| *value).fold(0.0, f64::max);
    let scale = if most > 0.0 { (WIDTH - LEFT - RIGHT) / most } else { 0.0 };
    m.open("figure", &[]);
    m.open("figcaption", &[]);
    m.el("b", &[], figure);
    m.text(" ");
    m.el("span", &[], "Mean of a run.");
    m.close();
    let words: Vec<String> = bars.iter().map(|(name, value)| format!("{name}: {value:.1}")).collect();
    frame::open_wide(m, WIDTH, LINE * bars.len() as f64 + 8.0, figure, &words.join("; "));
    for (at, (name, value)) in bars.iter().enumerate() {
        let top = LINE * at as f64 + 4.0;
        let (text, y) = (px(top + 11.5), px(top));
        m.el("text", &[("class", "mark end"), ("x", &px(LEFT - 8.0)), ("y", &text)], name);
        let width = (value * scale).max(0.0);
        let attributes =
            [("class", "bar"), ("x", &*px(LEFT)), ("y", &*y), ("width", &*px(width)), ("height", &*px(BAR))];
        m.titled("rect", &attributes, &format!("{name}: {value:.1}"));
        m.el("text", &[("class", "mark"), ("x", &px(LEFT + width + 6.0)), ("y", &text)], &format!("{value:.1}"));
    }
    m.close();
    m.close();
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::claims::Comparison;

    fn row(variant: &str, hurt: i64, compares: bool) -> Row {
        let pair = |name: &str| (name.to_owned(), 1);
        let comparison = Comparison { figure: "hurt".to_owned(), less: pair("a"), more: pair("b"), holds: true };
        Row {
            variant: variant.to_owned(),
            seeds_run: 4,
            figures: [("hurt".to_owned(), hurt), ("other".to_owned(), 1)].into(),
            comparisons: if compares { vec![comparison] } else { Vec::new() },
            ..Row::default()
        }
    }

    #[test]
    fn what_is_compared_is_drawn_for_all_and_nothing_else() {
        let (one, two) = (row("one", 8, true), row("two", 2, false));
        let mut m = Markup::new();
        figures(&[&one, &two], &mut m);
        let page = m.finish();
        assert_eq!(page.matches("<svg").count(), 1);
        assert!(page.contains("one: 2.0; two: 0.5"));
        let mut m = Markup::new();
        figures(&[&one], &mut m);
        assert!(m.finish().is_empty(), "one alone is compared with nothing");
    }
}
