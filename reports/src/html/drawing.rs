//! A contradiction drawn: operations as bars by process, a chosen order as a line through them, and the operation that cannot
//! follow.

use super::frame::{self, WIDTH};
use super::markup::{Markup, px};
use crate::names;
use checkers::linearizability::{Explanation, Path};
use std::collections::BTreeMap;

const ROW: f64 = 46.0;
const BAR: f64 = 24.0;
const TOP: f64 = 14.0;
const LEFT: f64 = 90.0;
/// About the width of a character of the bars' font.
const CHARACTER: f64 = 6.8;
/// Longer texts are cut in the drawing; the list has them whole.
const TEXT_MAX: usize = 40;

/// Where everything is.
struct Layout {
    /// Left and right edge of each operation.
    spans: Vec<(f64, f64)>,
    /// Upper edge of each operation's bar.
    tops: Vec<f64>,
    width: f64,
    height: f64,
    rows: Vec<(String, f64)>,
}

/// Draws one order.
pub(crate) fn draw(m: &mut Markup, explanation: &Explanation, path: &Path) {
    let layout = layout(explanation);
    let description = "Operations as bars by process; a line goes through them in the chosen order.";
    frame::open_wide(m, layout.width, layout.height, "Operations and an order of them", description);
    for (name, y) in &layout.rows {
        m.el("text", &[("class", "lane"), ("x", "0"), ("y", &px(y + BAR / 2.0 + 4.0))], name);
        let y = px(y + BAR / 2.0);
        m.leaf("line", &[("class", "grid"), ("x1", &px(LEFT)), ("x2", &px(layout.width)), ("y1", &y), ("y2", &y)]);
    }
    for (number, op) in explanation.operations.iter().enumerate() {
        let ((from, until), top) = (layout.spans[number], layout.tops[number]);
        let class = match (number == path.stuck, op.complete) {
            (true, _) => "view off",
            (false, Some(_)) => "there",
            (false, None) => "unsure",
        };
        let (x, y, width) = (px(from), px(top), px(until - from));
        let text = names::clean(&op.text);
        let height = px(BAR);
        m.titled(
            "rect",
            &[("class", class), ("x", &x), ("y", &y), ("width", &width), ("height", &height), ("rx", "3")],
            &text,
        );
        let (x, y) = (px(from + 6.0), px(top + BAR / 2.0 + 4.0));
        m.el("text", &[("class", "inside"), ("x", &x), ("y", &y)], &short(&text));
    }
    order(m, explanation, path, &layout);
    m.close();
}

/// The line through the order, with the state after each step, and where it ends.
fn order(m: &mut Markup, explanation: &Explanation, path: &Path, layout: &Layout) {
    let mut at = LEFT;
    let mut points = Vec::new();
    for index in &path.order {
        at = (at + 14.0).max(layout.spans[*index].0 + 10.0).min(layout.spans[*index].1.max(at));
        points.push((at, layout.tops[*index] + BAR + 4.0));
    }
    let line: Vec<String> = points.iter().map(|(x, y)| format!("{},{}", px(*x), px(*y))).collect();
    m.leaf("polyline", &[("class", "step"), ("points", &line.join(" "))]);
    for (number, ((x, y), state)) in points.iter().zip(&path.states).enumerate() {
        let what = explanation.operations[path.order[number]].text.as_str();
        let title = format!("{}. {}: then {}", number + 1, names::clean(what), names::clean(state));
        m.titled("circle", &[("class", "joined"), ("cx", &px(*x)), ("cy", &px(*y)), ("r", "4")], &title);
        let text = format!("{}", number + 1);
        m.el("text", &[("class", "mark"), ("x", &px(x + 6.0)), ("y", &px(y + 11.0))], &text);
    }
    let (from, until) = layout.spans[path.stuck];
    let x = (at + 14.0).clamp(from, until);
    let y = layout.tops[path.stuck];
    let cross = format!("M{} {}l8 8m0 -8l-8 8", px(x - 4.0), px(y - 10.0));
    m.leaf("path", &[("class", "lost"), ("d", &cross)]);
    let state = names::clean(path.states.last().unwrap_or(&path.start));
    let (x, y) = (px(x + 8.0), px(y - 2.0));
    m.el("text", &[("class", "instant halo"), ("x", &x), ("y", &y)], &short(&format!("cannot: it is {state}")));
}

fn short(text: &str) -> String {
    if text.chars().count() <= TEXT_MAX {
        return text.to_owned();
    }
    text.chars().take(TEXT_MAX - 1).chain(['\u{2026}']).collect()
}

/// Columns are the places of invocations and completions, as wide as the texts need; rows are processes.
fn layout(explanation: &Explanation) -> Layout {
    let ops = &explanation.operations;
    let mut columns: BTreeMap<u32, f64> = BTreeMap::new();
    for op in ops {
        columns.insert(op.invoke, 0.0);
        op.complete.map(|place| columns.insert(place, 0.0));
    }
    // From left to right: a column is far enough from those where bars that end in it begin.
    let mut at = LEFT;
    let places: Vec<u32> = columns.keys().copied().collect();
    for place in places {
        at += 22.0;
        for op in ops.iter().filter(|op| op.complete == Some(place)) {
            let begin = columns.get(&op.invoke).copied().unwrap_or(LEFT);
            at = at.max(begin + room(&op.text));
        }
        columns.insert(place, at);
    }
    let mut width = (at + 30.0).max(WIDTH);
    let mut rows: Vec<(String, f64)> = Vec::new();
    let mut row_of: BTreeMap<Option<i64>, Vec<(usize, u32)>> = BTreeMap::new();
    let (mut spans, mut tops) = (Vec::new(), Vec::new());
    for op in ops {
        let begin = columns.get(&op.invoke).copied().unwrap_or(LEFT);
        if op.complete.is_none() {
            width = width.max(begin + room(&op.text) + 10.0);
        }
        // Operations without a process, and open ones, can overlap in their row: then they get one more.
        let mine = row_of.entry(op.process).or_default();
        let row = match mine.iter().position(|(_, until)| *until < op.invoke) {
            Some(free) => free,
            None => {
                let name = op.process.map_or(String::new(), |process| format!("process {process}"));
                mine.push((rows.len(), 0));
                rows.push((name, TOP + ROW * rows.len() as f64));
                mine.len() - 1
            }
        };
        mine[row].1 = op.complete.unwrap_or(u32::MAX);
        tops.push(rows[mine[row].0].1);
        spans.push((begin, op.complete.and_then(|place| columns.get(&place).copied()).unwrap_or(f64::MAX)));
    }
    spans.iter_mut().for_each(|span| span.1 = span.1.min(width - 4.0));
    Layout { spans, tops, width, height: TOP + ROW * rows.len() as f64, rows }
}

fn room(text: &str) -> f64 {
    text.chars().count().min(TEXT_MAX) as f64 * CHARACTER + 16.0
}
