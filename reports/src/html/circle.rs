//! A cycle of transactions drawn: one under the other, an arrow from each to the one that it precedes, and one back to the first.

use super::frame::{self, WIDTH};
use super::markup::{Markup, px};
use crate::names;
use checkers::transactions::Cycle;

const ROW: f64 = 76.0;
const BOX: f64 = 30.0;
const TOP: f64 = 12.0;
const LEFT: f64 = 96.0;
/// Where arrows leave the boxes.
const STEM: f64 = 40.0;
/// About the width of a character of the boxes' font.
const CHARACTER: f64 = 6.8;
/// Longer texts are cut in the drawing; the list has them whole.
const TEXT_MAX: usize = 120;

/// Draws a cycle.
pub(crate) fn draw(m: &mut Markup, cycle: &Cycle) {
    let count = cycle.transactions.len();
    let texts: Vec<String> = cycle.transactions.iter().map(|txn| label(&txn.name, &txn.text)).collect();
    let widest = texts.iter().map(|text| room(text)).fold(0.0, f64::max);
    let steps = cycle.steps.iter().map(|step| STEM + 20.0 + room(&short(&step.sentence))).fold(0.0, f64::max);
    let width = (LEFT + widest.max(steps) + 20.0).max(WIDTH);
    // The last step goes back to the first row: its words stand under the last one.
    let height = TOP + ROW * count as f64;
    let description =
        "Transactions as boxes, one under the other; an arrow leads from each to the one that it precedes.";
    frame::open_wide(m, width, height, "A cycle of transactions", description);
    for (row, (text, txn)) in texts.iter().zip(&cycle.transactions).enumerate() {
        let y = TOP + ROW * row as f64;
        let class = if txn.complete.is_some() { "there" } else { "unsure" };
        let (x, top, wide, high) = (px(LEFT), px(y), px(room(text)), px(BOX));
        let whole = format!("{}: {}", txn.name, names::clean(&txn.text));
        m.titled(
            "rect",
            &[("class", class), ("x", &x), ("y", &top), ("width", &wide), ("height", &high), ("rx", "4")],
            &whole,
        );
        m.el("text", &[("class", "inside"), ("x", &px(LEFT + 8.0)), ("y", &px(y + 19.0))], text);
        if let Some(process) = txn.process {
            m.el("text", &[("class", "lane"), ("x", "24"), ("y", &px(y + 19.0))], &format!("process {process}"));
        }
    }
    for (row, step) in cycle.steps.iter().enumerate() {
        let y = TOP + ROW * row as f64 + BOX;
        let last = row + 1 == count;
        if last {
            back(m, y);
        } else {
            down(m, y);
        }
        let x = if last { LEFT } else { LEFT + STEM + 14.0 };
        m.el("text", &[("class", "lane strong"), ("x", &px(x)), ("y", &px(y + 19.0))], step.kind);
        m.el("text", &[("class", "mark"), ("x", &px(x)), ("y", &px(y + 35.0))], &short(&step.sentence));
    }
    m.close();
}

/// From a box to the next one.
fn down(m: &mut Markup, y: f64) {
    let (x, end) = (LEFT + STEM, y + ROW - BOX - 2.0);
    m.leaf("path", &[("class", "step"), ("d", &format!("M{} {}V{}", px(x), px(y), px(end)))]);
    let head = format!("M{} {}l5 9l5 -9", px(x - 5.0), px(end - 9.0));
    m.leaf("path", &[("class", "step"), ("d", &head)]);
}

/// From the last box around the left to the first.
fn back(m: &mut Markup, y: f64) {
    let (first, last) = (TOP + BOX / 2.0, y - BOX / 2.0);
    let way = format!("M{} {}H12V{}H{}", px(LEFT), px(last), px(first), px(LEFT - 2.0));
    m.leaf("path", &[("class", "lost"), ("d", &way)]);
    let head = format!("M{} {}l9 5l-9 5", px(LEFT - 11.0), px(first - 5.0));
    m.leaf("path", &[("class", "lost"), ("d", &head)]);
}

fn label(name: &str, text: &str) -> String {
    short(&format!("{name}  {}", names::clean(text)))
}

fn short(text: &str) -> String {
    let text = names::clean(text);
    if text.chars().count() <= TEXT_MAX {
        return text;
    }
    text.chars().take(TEXT_MAX - 1).chain(['\u{2026}']).collect()
}

fn room(text: &str) -> f64 {
    text.chars().count() as f64 * CHARACTER + 18.0
}
