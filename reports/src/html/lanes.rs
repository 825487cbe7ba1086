//! Lanes on a time axis: what the subscriber saw, and each publisher's trail under it.

use super::frame::{self, Frame, LEFT, RIGHT, WIDTH};
use super::markup::{Markup, px};
use super::view::Piece;
use crate::digest::Digest;
use crate::facts::Run;
use crate::trail::{self, Publisher};
use crate::{format, names};
use checkers::{TrailEntry, Violation};
use history::{MILLI, Nanos};

/// Publishers that get a lane.
pub(super) const LANES_MAX: usize = 12;
/// Height of a lane.
const LANE: f64 = 30.0;
/// Room on top for the names of faults and of the instant.
const TOP: f64 = 50.0;

/// How sure it is that a registration is there, as its own operations tell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Presence {
    /// Acknowledged.
    There,
    /// An operation is open or unknown, or the session is lost.
    Unsure,
}

/// A stretch of a lane.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Stretch<'a> {
    from: Nanos,
    until: Nanos,
    presence: Presence,
    value: Option<&'a str>,
}

/// One figure: everything between two instants.
pub(super) fn figure(
    run: &Run<'_>,
    digest: &Digest,
    violation: &Violation,
    pieces: &[Piece],
    (from, until): (Nanos, Nanos),
    m: &mut Markup,
) {
    let publishers = trail::publishers(violation);
    let shown = &publishers[..publishers.len().min(LANES_MAX)];
    let lanes = shown.len() + usize::from(!pieces.is_empty());
    let frame = Frame { from, until: until.max(from + 1), top: TOP, bottom: TOP + LANE * lanes.max(1) as f64 };
    let title = format!("Trail of the publishers concerned, {}", format::span(from, until));
    let steps: usize = shown.iter().map(|publisher| publisher.steps.len()).sum();
    frame::open(
        m,
        frame.bottom + 22.0,
        &title,
        &format!(
            "{} of {}; the same steps stand in the table below.",
            format::counted(steps as u64, "steps"),
            format::counted(publishers.len() as u64, "publishers")
        ),
    );
    frame.fault_bands(m, digest);
    frame.time_axis(m, true);
    let mut top = frame.top;
    if !pieces.is_empty() {
        let name = violation.client.map_or_else(String::new, |client| format!("view {}", names::client(client)));
        lane_name(m, top, &name, true);
        view_lane(m, &frame, top, pieces, violation);
        top += LANE;
    }
    for publisher in shown {
        lane_name(m, top, &publisher.name(), publisher.concerned);
        publisher_lane(run, m, &frame, top, publisher, violation.time);
        top += LANE;
    }
    fault_names(m, &frame, digest);
    instant(m, &frame, violation.time);
    m.close();
}

/// Which fault a band is, on two lines above it; one that has no room there is left to its tooltip.
fn fault_names(m: &mut Markup, frame: &Frame, digest: &Digest) {
    let mut taken = [f64::MIN; 2];
    for fault in digest.faults.iter().filter(|fault| !fault.missed) {
        let (from, over) = (fault.start, fault.over(digest.end));
        let name = fault.title();
        let (x, width) = (frame.x(from), 6.4 * name.chars().count() as f64);
        let Some(line) = taken.iter().position(|taken| x >= *taken) else { continue };
        if over < frame.from || from > frame.until || x + width > WIDTH {
            continue;
        }
        taken[line] = x + width + 10.0;
        let y = 10.0 + 14.0 * line as f64;
        m.el("text", &[("class", "mark"), ("x", &px(x + 3.0)), ("y", &px(y))], &name);
        let (x, top, bottom) = (px(x), px(y - 8.0), px(frame.top));
        m.leaf("line", &[("class", "band-edge"), ("x1", &x), ("x2", &x), ("y1", &top), ("y2", &bottom)]);
    }
}

fn lane_name(m: &mut Markup, top: f64, name: &str, strong: bool) {
    let y = px(top + LANE);
    let (left, right) = (px(0.0), px(WIDTH - RIGHT));
    m.leaf("line", &[("class", "grid"), ("x1", &left), ("x2", &right), ("y1", &y), ("y2", &y)]);
    let class = if strong { "lane end strong" } else { "lane end" };
    m.el("text", &[("class", class), ("x", &px(LEFT - 8.0)), ("y", &px(top + 19.0))], name);
}

/// The instant of the violation, through all lanes.
fn instant(m: &mut Markup, frame: &Frame, time: Nanos) {
    let x = frame.x(time);
    m.leaf("line", &[("class", "instant"), ("x1", &px(x)), ("x2", &px(x)), ("y1", "34"), ("y2", &px(frame.bottom))]);
    let (class, at) = if x > WIDTH / 2.0 { ("instant end", x - 5.0) } else { ("instant", x + 5.0) };
    m.el("text", &[("class", class), ("x", &px(at)), ("y", "42")], &format!("violation at {}", format::instant(time)));
}

/// What was in view. Neighbours that are too narrow to tell apart are drawn as one.
fn view_lane(m: &mut Markup, frame: &Frame, top: f64, pieces: &[Piece], violation: &Violation) {
    let visible: Vec<&Piece> =
        pieces.iter().filter(|piece| piece.until >= frame.from && piece.from <= frame.until).collect();
    let mut index = 0;
    while index < visible.len() {
        let first = visible[index];
        let off = first.content.is_off(violation);
        let (x, mut end) = (frame.x(first.from), frame.x(first.until));
        let mut last = first;
        index += 1;
        while let Some(next) = visible.get(index) {
            let near = frame.x(next.from) - end < 0.5 && (end - x < 1.5 || frame.x(next.until) - end < 1.5);
            if !near || next.content.is_off(violation) != off {
                break;
            }
            end = frame.x(next.until);
            last = next;
            index += 1;
        }
        let width = (end - x - 0.7).max(0.8);
        let class = if off { "view off" } else { "view" };
        let title = format!(
            "{}: {}",
            format::span(first.from, last.until),
            format::counted(last.content.elements.max(0) as u64, "elements")
        );
        let (left, y, wide) = (px(x), px(top + 6.0), px(width));
        m.titled(
            "rect",
            &[("class", class), ("x", &left), ("y", &y), ("width", &wide), ("height", "18"), ("rx", "2")],
            &title,
        );
        let text = last.content.elements.to_string();
        if width > 9.0 * text.len() as f64 + 6.0 {
            m.el("text", &[("class", "inside"), ("x", &px(x + 5.0)), ("y", &px(top + 19.0))], &text);
        }
    }
}

/// The trail ends at the violation: nothing is drawn after it.
fn publisher_lane(
    run: &Run<'_>,
    m: &mut Markup,
    frame: &Frame,
    top: f64,
    publisher: &Publisher<'_>,
    known_until: Nanos,
) {
    for stretch in stretches(run, publisher, known_until) {
        if stretch.until < frame.from || stretch.from > frame.until {
            continue;
        }
        let x = frame.x(stretch.from);
        let width = (frame.x(stretch.until) - x).max(1.0);
        let class = if stretch.presence == Presence::There { "there" } else { "unsure" };
        let words = match (stretch.presence, stretch.value) {
            (Presence::There, Some(_)) => "acknowledged",
            (Presence::There, None) => "there, its value being replaced",
            (Presence::Unsure, _) => "not sure",
        };
        let value = stretch.value.map(names::clean).unwrap_or_default();
        let (left, y, wide) = (px(x), px(top + 9.0), px(width));
        let title = format!("{value} {words} {}", format::span(stretch.from, stretch.until));
        m.titled(
            "rect",
            &[("class", class), ("x", &left), ("y", &y), ("width", &wide), ("height", "12"), ("rx", "2")],
            &title,
        );
        if stretch.presence == Presence::There && width > 7.0 * value.chars().count() as f64 + 22.0 {
            m.el("text", &[("class", "inside"), ("x", &px(x + 8.0)), ("y", &px(top + 19.0))], &value);
        }
    }
    for entry in publisher.steps.iter().filter(|entry| entry.time >= frame.from && entry.time <= frame.until) {
        mark(run, m, frame, top, entry);
    }
}

/// A sign for one step: session lost, session begun, operation.
fn mark(run: &Run<'_>, m: &mut Markup, frame: &Frame, top: f64, entry: &TrailEntry) {
    let (x, y) = (frame.x(entry.time), top + 15.0);
    let title = trail::step(run.header, entry);
    match entry.what.as_str() {
        "lost" | "expired" | "vanish" | "close" | "closed" => {
            let d = format!("M{} {}l9 9m0 -9l-9 9", px(x - 4.5), px(y - 4.5));
            m.titled("path", &[("class", "lost"), ("d", &d)], &title);
        }
        "connected" | "resumed" | "connect" => {
            m.titled("circle", &[("class", "joined"), ("cx", &px(x)), ("cy", &px(y)), ("r", "4.5")], &title);
        }
        _ => {
            let d = format!("M{} {}v18", px(x), px(y - 9.0));
            m.titled("path", &[("class", "step"), ("d", &d)], &title);
        }
    }
}

/// From the steps of a publisher to stretches. This draws what the operations say; it does not judge.
fn stretches<'a>(run: &Run<'_>, publisher: &Publisher<'a>, end: Nanos) -> Vec<Stretch<'a>> {
    let mut lane = Lane { done: Vec::new(), open: None };
    let lease = run.header.contract.lease_ms_max.saturating_mul(MILLI);
    let mut gone_at: Option<Nanos> = None;
    for entry in &publisher.steps {
        if let Some(over) = gone_at.filter(|over| *over <= entry.time) {
            lane.turn(over, None, None);
            gone_at = None;
        }
        let until = entry.end.unwrap_or(entry.time);
        let before = lane.open.as_ref().map(|stretch| (stretch.presence, stretch.value));
        let ok = entry.outcome.as_deref() == Some("ok");
        let failed = entry.outcome.as_deref() == Some("fail");
        match entry.what.as_str() {
            "publish" => {
                let value = entry.value.as_deref();
                // While a registration is replaced it is there all the same, with one of two values.
                let there = before.is_some_and(|(presence, _)| presence == Presence::There);
                let (presence, open_value) = if there { (Presence::There, None) } else { (Presence::Unsure, value) };
                lane.turn(entry.time, Some(presence), open_value);
                if ok {
                    lane.turn(until, Some(Presence::There), value);
                    gone_at = None;
                } else if failed {
                    lane.turn(until, before.map(|(presence, _)| presence), before.and_then(|(_, value)| value));
                }
            }
            "unpublish" | "close" | "closed" => {
                if before.is_some() {
                    lane.turn(entry.time, Some(Presence::Unsure), before.and_then(|(_, value)| value));
                }
                if ok || entry.what == "closed" {
                    lane.turn(until, None, None);
                } else if failed {
                    lane.turn(until, before.map(|(presence, _)| presence), before.and_then(|(_, value)| value));
                }
            }
            "lost" | "vanish" if before.is_some() => {
                lane.turn(entry.time, Some(Presence::Unsure), before.and_then(|(_, value)| value));
                gone_at = Some(entry.time.saturating_add(lease));
            }
            "expired" => lane.turn(entry.time, None, None),
            "resumed" if before.is_some() => {
                lane.turn(entry.time, Some(Presence::There), before.and_then(|(_, value)| value));
                gone_at = None;
            }
            _ => {}
        }
    }
    if let Some(over) = gone_at.filter(|over| *over < end) {
        lane.turn(over, None, None);
    }
    lane.turn(end, None, None);
    lane.done
}

/// Stretches done and the one that is open.
struct Lane<'a> {
    done: Vec<Stretch<'a>>,
    open: Option<Stretch<'a>>,
}

impl<'a> Lane<'a> {
    /// From this instant on it is so.
    fn turn(&mut self, time: Nanos, presence: Option<Presence>, value: Option<&'a str>) {
        if let Some(mut open) = self.open.take() {
            open.until = time.max(open.from);
            if open.until > open.from {
                self.done.push(open);
            }
        }
        self.open = presence.map(|presence| Stretch { from: time, until: time, presence, value });
    }
}

/// What the signs mean.
pub(super) fn legend(m: &mut Markup, with_view: bool) {
    m.open("ul", &[("class", "legend")]);
    let mut items = vec![
        ("there", "published, acknowledged"),
        ("unsure", "operation open, outcome unknown or session lost"),
        ("step", "operation"),
        ("lost", "session lost or closed"),
        ("joined", "connected"),
        ("band", "fault active"),
    ];
    if with_view {
        items.insert(0, ("view off", "view that lacks a missing element or has an extra one"));
        items.insert(0, ("view", "view, with its number of elements"));
    }
    for (class, text) in items {
        m.open("li", &[]);
        m.open("svg", &[("viewBox", "0 0 20 14"), ("width", "20"), ("height", "14"), ("aria-hidden", "true")]);
        match class {
            "step" => m.leaf("path", &[("class", class), ("d", "M10 0v14")]),
            "lost" => m.leaf("path", &[("class", class), ("d", "M5.5 2.5l9 9m0 -9l-9 9")]),
            "joined" => m.leaf("circle", &[("class", class), ("cx", "10"), ("cy", "7"), ("r", "4.5")]),
            _ => m.leaf("rect", &[("class", class), ("y", "1"), ("width", "20"), ("height", "12"), ("rx", "2")]),
        }
        m.close();
        m.text(text);
        m.close();
    }
    m.close();
}
