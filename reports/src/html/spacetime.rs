//! The space-time diagram: a line for each client and node, time running down, arrows for messages, crosses for what was
//! lost and for faults.
//!
//! Messages take a fraction of a millisecond and leases take seconds, so time is not to scale: every message and mark has a
//! row of its own, and long silences are cut short.

use super::markup::{Markup, px};
use crate::format;
use crate::tale::{Arrow, Diagram, Mark, MarkKind};
use history::{MILLI, Nanos};

/// Width in the drawing's own units.
const WIDTH: f64 = 1000.0;
/// Room for instants on the left.
const LEFT: f64 = 76.0;
/// Room for the names of lanes on top.
const TOP: f64 = 44.0;
/// From one row to the next.
const ROW: f64 = 28.0;
/// From one arrival to the next where nothing is written.
const STEP: f64 = 8.0;
/// A silence that is cut short takes this much room.
const SILENCE: f64 = 34.0;
/// Silences longer than this are cut short.
const SILENCE_NS: Nanos = 20 * MILLI;
/// Width of a letter of a label.
const LETTER: f64 = 6.7;

/// Where everything goes, from top to bottom.
#[derive(Debug, Default)]
struct Layout {
    sent: Vec<f64>,
    arrives: Vec<f64>,
    marks: Vec<f64>,
    instants: Vec<(f64, String)>,
    silences: Vec<(f64, Nanos)>,
    bottom: f64,
}

/// Something that needs a place.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Point {
    Arrives(usize),
    Mark(usize),
    Sent(usize),
    /// The violation comes last.
    Wrong(usize),
}

impl Layout {
    fn of(diagram: &Diagram) -> Layout {
        let mut points: Vec<(Nanos, Point)> = Vec::new();
        for (at, arrow) in diagram.arrows.iter().enumerate() {
            points.push((arrow.sent, Point::Sent(at)));
            points.extend(arrow.arrives.filter(|time| *time > arrow.sent).map(|time| (time, Point::Arrives(at))));
        }
        for (at, mark) in diagram.marks.iter().enumerate() {
            let wrong = mark.kind == MarkKind::Violation;
            points.push((mark.time, if wrong { Point::Wrong(at) } else { Point::Mark(at) }));
        }
        points.sort_unstable();
        let mut layout = Layout {
            sent: vec![0.0; diagram.arrows.len()],
            arrives: vec![0.0; diagram.arrows.len()],
            marks: vec![0.0; diagram.marks.len()],
            ..Layout::default()
        };
        layout.place(&points);
        layout
    }

    fn place(&mut self, points: &[(Nanos, Point)]) {
        let (mut y, mut before) = (TOP, points.first().map_or(0, |(time, _)| *time));
        // Where the last label stands: the next needs a row of its own.
        let mut labelled = y - ROW / 2.0;
        for (time, point) in points {
            if time - before > SILENCE_NS {
                self.silences.push((y + SILENCE / 2.0, time - before));
                y += SILENCE;
            } else if *time > before {
                y += STEP;
            }
            before = *time;
            if let Point::Arrives(at) = point {
                y = y.max(self.sent[*at] + STEP);
                self.arrives[*at] = y;
                continue;
            }
            // The line of the violation crosses all lanes: it needs some room to itself.
            let room = if matches!(point, Point::Wrong(_)) { 18.0 } else { 0.0 };
            y = (y + room).max(labelled + ROW);
            labelled = y;
            let text = format::seconds(*time);
            if self.instants.last().is_none_or(|(_, last)| *last != text) {
                self.instants.push((y, text));
            }
            match point {
                // Where it arrives at once, or never, nothing else gives its end a place.
                Point::Sent(at) => (self.sent[*at], self.arrives[*at]) = (y, y + STEP),
                Point::Mark(at) | Point::Wrong(at) => self.marks[*at] = y,
                Point::Arrives(_) => {}
            }
        }
        self.bottom = y + ROW;
    }
}

/// The middle of a lane.
fn lane_x(diagram: &Diagram, lane: usize) -> f64 {
    let count = diagram.lanes.len().max(1) as f64;
    let room = (WIDTH - LEFT) / count;
    LEFT + room * (lane as f64 + 0.5)
}

/// As a figure of the page.
pub(super) fn figure(diagram: &Diagram, title: &str, m: &mut Markup) {
    let layout = Layout::of(diagram);
    let view = format!("0 0 {} {}", px(WIDTH), px(layout.bottom + 6.0));
    m.open("svg", &[("class", "spacetime"), ("viewBox", &view), ("role", "img"), ("aria-label", title)]);
    draw(diagram, &layout, m);
    m.close();
}

/// As a file of its own, with its own colours for light and dark.
pub(super) fn file(diagram: &Diagram, title: &str) -> String {
    let layout = Layout::of(diagram);
    let (width, height) = (px(WIDTH), px(layout.bottom + 6.0));
    let view = format!("0 0 {width} {height}");
    let mut m = Markup::new();
    m.open(
        "svg",
        &[
            ("xmlns", "http://www.w3.org/2000/svg"),
            ("class", "spacetime"),
            ("viewBox", &view),
            ("width", &width),
            ("height", &height),
            ("role", "img"),
        ],
    );
    m.el("title", &[], title);
    m.open("style", &[]);
    m.raw(COLOURS);
    m.raw(super::SPACETIME_STYLE);
    m.close();
    m.leaf("rect", &[("class", "st-paper"), ("width", &width), ("height", &height)]);
    draw(diagram, &layout, &mut m);
    m.close();
    m.finish()
}

/// Those of the page's style sheet that the diagram uses.
const COLOURS: &str = "
svg { --paper: #fdfdfc; --panel: #f5f5f2; --ink: #1c2024; --soft: #555d66; --rule: #cfd1cc; --accent: #2b5f9e; --band: #d98a1f;
  --fault: #c27a16; --good: #1d7444; --bad: #b3261e; --warn: #8a5a00;
  --sans: system-ui, -apple-system, 'Segoe UI', Roboto, 'Noto Sans', 'Liberation Sans', Arial, sans-serif;
  --mono: ui-monospace, 'SF Mono', Menlo, Consolas, 'Liberation Mono', monospace; }
@media screen and (prefers-color-scheme: dark) {
  svg { --paper: #15181b; --panel: #1e2226; --ink: #e4e6e8; --soft: #a2aab3; --rule: #3d444b; --accent: #82b4ec; --band: #e0a04a;
    --fault: #d8963a; --good: #6cc893; --bad: #ff8d80; --warn: #e5b455; }
}
.st-paper { fill: var(--paper); }
";

fn draw(diagram: &Diagram, layout: &Layout, m: &mut Markup) {
    for (y, silence) in &layout.silences {
        let (left, right) = (px(LEFT), px(WIDTH));
        m.leaf("line", &[("class", "st-silence"), ("x1", &left), ("x2", &right), ("y1", &px(*y)), ("y2", &px(*y))]);
        let words = format!("{} later", format::duration(*silence));
        m.el("text", &[("class", "st-quiet"), ("x", &px(LEFT / 2.0)), ("y", &px(y + 4.0))], &words);
    }
    lanes(diagram, layout, m);
    for (y, text) in &layout.instants {
        m.el("text", &[("class", "st-time"), ("x", &px(LEFT - 14.0)), ("y", &px(y + 4.0))], text);
    }
    bars(diagram, layout, m);
    for (at, arrow) in diagram.arrows.iter().enumerate() {
        self::arrow(diagram, arrow, layout.sent[at], layout.arrives[at], m);
    }
    // Labels lie on top of all lines.
    for (at, arrow) in diagram.arrows.iter().enumerate() {
        label(diagram, arrow, layout.sent[at], layout.arrives[at], m);
    }
    for (at, mark) in diagram.marks.iter().enumerate() {
        self::mark(diagram, mark, layout.marks[at], m);
    }
}

fn lanes(diagram: &Diagram, layout: &Layout, m: &mut Markup) {
    for (at, lane) in diagram.lanes.iter().enumerate() {
        let x = lane_x(diagram, at);
        let (top, bottom) = (px(26.0), px(layout.bottom));
        m.leaf("line", &[("class", "st-life"), ("x1", &px(x)), ("x2", &px(x)), ("y1", &top), ("y2", &bottom)]);
        let wide = (LETTER * lane.name.chars().count() as f64 + 22.0).min((WIDTH - LEFT) / diagram.lanes.len() as f64);
        let class = if lane.client { "st-head client" } else { "st-head" };
        let (left, width) = (px(x - wide / 2.0), px(wide));
        m.leaf("rect", &[("class", class), ("x", &left), ("y", "2"), ("width", &width), ("height", "24"), ("rx", "5")]);
        m.el("text", &[("class", "st-name"), ("x", &px(x)), ("y", "18")], &lane.name);
    }
}

fn bars(diagram: &Diagram, layout: &Layout, m: &mut Markup) {
    let y_of = |lane: usize, time: Nanos| {
        let at = diagram.marks.iter().position(|mark| mark.lane == lane && mark.time == time)?;
        layout.marks.get(at).copied()
    };
    for bar in &diagram.bars {
        let Some(top) = y_of(bar.lane, bar.from) else { continue };
        let bottom = bar.until.and_then(|until| y_of(bar.lane, until)).unwrap_or(layout.bottom);
        let (x, height) = (px(lane_x(diagram, bar.lane) - 5.0), px((bottom - top).max(4.0)));
        let class = if bar.down { "st-bar down" } else { "st-bar" };
        m.leaf(
            "rect",
            &[("class", class), ("x", &x), ("y", &px(top)), ("width", "10"), ("height", &height), ("rx", "3")],
        );
    }
}

/// From where to where, a little apart from the lanes; a lost one ends on its way.
fn ends(diagram: &Diagram, arrow: &Arrow, sent: f64, arrives: f64) -> [(f64, f64); 2] {
    let (from, to) = (lane_x(diagram, arrow.from), lane_x(diagram, arrow.to));
    let apart = if to > from { 6.0 } else { -6.0 };
    match arrow.arrives {
        Some(_) => [(from + apart, sent), (to - apart, arrives)],
        None => [(from + apart, sent), (from + (to - from) * 0.62, sent + STEP)],
    }
}

fn arrow(diagram: &Diagram, arrow: &Arrow, sent: f64, arrives: f64, m: &mut Markup) {
    let [(x1, y1), (x2, y2)] = ends(diagram, arrow, sent, arrives);
    let line = format!("M{} {}L{} {}", px(x1), px(y1), px(x2), px(y2));
    if arrow.arrives.is_none() {
        let cross = format!("M{} {}l10 10m0 -10l-10 10", px(x2 - 5.0), px(y2 - 5.0));
        m.leaf("path", &[("class", "st-lost"), ("d", &format!("{line}{cross}"))]);
        return;
    }
    // The head: two short strokes back along the line, turned to either side.
    let (dx, dy) = (x2 - x1, y2 - y1);
    let length = (dx * dx + dy * dy).sqrt().max(1.0);
    let (ux, uy) = (dx / length, dy / length);
    let side = |turn: f64| (x2 - 8.0 * ux - turn * 4.0 * uy, y2 - 8.0 * uy + turn * 4.0 * ux);
    let ((ax, ay), (bx, by)) = (side(1.0), side(-1.0));
    let head = format!("M{} {}L{} {}L{} {}", px(ax), px(ay), px(x2), px(y2), px(bx), px(by));
    m.leaf("path", &[("class", "st-arrow"), ("d", &format!("{line}{head}"))]);
}

fn label(diagram: &Diagram, arrow: &Arrow, sent: f64, arrives: f64, m: &mut Markup) {
    let [(x1, y1), (x2, y2)] = ends(diagram, arrow, sent, arrives);
    const LETTERS_MAX: usize = 64;
    let long = arrow.label.chars().count() > LETTERS_MAX;
    let text: String = arrow.label.chars().take(LETTERS_MAX).chain(long.then_some('…')).collect();
    let half = LETTER * text.chars().count() as f64 / 2.0;
    // Above the middle of the line; where it falls far, near its beginning: rows are made for beginnings.
    let share = if y2 - y1 <= ROW { 0.5 } else { 0.5 * ROW / (y2 - y1) };
    let middle = x1 + (x2 - x1) * share;
    let x = middle.clamp(LEFT + half.min(WIDTH / 2.0 - LEFT), WIDTH - half.min(WIDTH / 2.0));
    let steep = ((y2 - y1) / (x2 - x1).abs().max(1.0) * half).min(5.0);
    let y = y1 + (y2 - y1) * share - 4.0 - steep;
    let class = if arrow.arrives.is_some() { "st-label" } else { "st-label lost" };
    m.el("text", &[("class", class), ("x", &px(x)), ("y", &px(y))], &text);
}

fn mark(diagram: &Diagram, mark: &Mark, y: f64, m: &mut Markup) {
    let x = lane_x(diagram, mark.lane);
    let cross = format!("M{} {}l12 12m0 -12l-12 12", px(x - 6.0), px(y - 6.0));
    let class = match mark.kind {
        MarkKind::Fault => {
            m.leaf("path", &[("class", "st-cross"), ("d", &cross)]);
            "st-said fault"
        }
        MarkKind::Lifted => {
            m.leaf("circle", &[("class", "st-lift"), ("cx", &px(x)), ("cy", &px(y)), ("r", "5")]);
            "st-said fault"
        }
        MarkKind::Gone => {
            m.leaf("path", &[("class", "st-gone"), ("d", &cross)]);
            "st-said"
        }
        MarkKind::Violation => {
            let (left, right, at) = (px(LEFT), px(WIDTH), px(y));
            m.leaf("line", &[("class", "st-wrong"), ("x1", &left), ("x2", &right), ("y1", &at), ("y2", &at)]);
            m.leaf("circle", &[("class", "st-point"), ("cx", &px(x)), ("cy", &px(y)), ("r", "6")]);
            "st-said wrong"
        }
    };
    let last = mark.lane + 1 == diagram.lanes.len();
    let (class, x) = if last { (format!("{class} st-end"), x - 12.0) } else { (class.to_owned(), x + 12.0) };
    // Above the line of the violation, beside everything else.
    let y = if mark.kind == MarkKind::Violation { y - 7.0 } else { y + 4.0 };
    m.el("text", &[("class", &class), ("x", &px(x)), ("y", &px(y))], &mark.label);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tale::Lane;

    #[test]
    fn every_label_has_a_row_of_its_own_and_arrows_run_down() {
        let lanes = ["client 0", "session-1"].map(|name| Lane { name: name.to_owned(), client: false });
        let arrow = |sent: Nanos, arrives| Arrow { from: 0, to: 1, sent, arrives, label: "x".to_owned() };
        let arrows = vec![
            arrow(0, Some(MILLI)),
            arrow(0, Some(900 * MILLI)),
            arrow(MILLI, None),
            arrow(2_000 * MILLI, Some(2_000 * MILLI)),
        ];
        let mark = Mark { lane: 0, time: 2_000 * MILLI, kind: MarkKind::Violation, label: "wrong".to_owned() };
        let diagram = Diagram { lanes: lanes.to_vec(), arrows, marks: vec![mark], bars: vec![] };
        let layout = Layout::of(&diagram);
        let mut rows = layout.sent.clone();
        rows.extend(&layout.marks);
        rows.sort_by(f64::total_cmp);
        assert!(rows.windows(2).all(|pair| pair[1] - pair[0] >= ROW), "{rows:?}");
        assert!(
            diagram
                .arrows
                .iter()
                .enumerate()
                .all(|(at, a)| a.arrives.is_none() || layout.arrives[at] > layout.sent[at])
        );
        assert_eq!(layout.silences.len(), 2);
        assert!(layout.marks[0] > layout.sent[3], "the violation comes last");
    }
}
