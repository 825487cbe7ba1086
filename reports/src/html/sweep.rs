//! A quantity swept across its bound: the share of seeds that show a violation at each value, and where the formulas put the bound.

use super::frame;
use super::markup::{Markup, px};
use crate::claims::{Point, Swept};
use crate::names;

const WIDTH: f64 = 720.0;
const HEIGHT: f64 = 260.0;
const LEFT: f64 = 64.0;
const RIGHT: f64 = 20.0;
const TOP: f64 = 24.0;
const BOTTOM: f64 = 214.0;

/// Draws a sweep.
pub(super) fn figure(swept: &Swept, m: &mut Markup) {
    let most = swept.points.iter().map(|point| point.value).max().unwrap_or(1).max(swept.bound).max(1);
    let x = |value: i64| LEFT + value as f64 / most as f64 * (WIDTH - LEFT - RIGHT);
    let y = |share: f64| BOTTOM - share * (BOTTOM - TOP);
    let share = |point: &Point| point.violated as f64 / point.seeds.max(1) as f64;
    let (name, unit) = (names::clean(&swept.name), names::clean(&swept.unit));
    let whence = if swept.measured { "the maximum that was measured" } else { "the bound that the formulas give" };
    m.open("figure", &[]);
    m.open("figcaption", &[]);
    m.el("b", &[], &format!("Share of seeds with a violation, by {name}"));
    m.text(" ");
    m.el("span", &[], &format!("The dashed line is {whence}: {} {unit}.", swept.bound));
    m.close();
    let words = format!("Share of seeds with a violation against {name}; the bound is {} {unit}", swept.bound);
    frame::open_wide(m, WIDTH, HEIGHT, "The sweep", &words);
    for percent in [0u32, 25, 50, 75, 100] {
        let at = y(f64::from(percent) / 100.0);
        let (left, right) = (px(LEFT), px(WIDTH - RIGHT));
        m.leaf("line", &[("class", "grid"), ("x1", &left), ("x2", &right), ("y1", &px(at)), ("y2", &px(at))]);
        let (x, y) = (px(LEFT - 8.0), px(at + 4.0));
        m.el("text", &[("class", "mark end"), ("x", &x), ("y", &y)], &format!("{percent} %"));
    }
    let bound = px(x(swept.bound));
    m.leaf("line", &[("class", "bound"), ("x1", &bound), ("x2", &bound), ("y1", &px(TOP)), ("y2", &px(BOTTOM))]);
    let points: Vec<String> =
        swept.points.iter().map(|point| format!("{},{}", px(x(point.value)), px(y(share(point))))).collect();
    m.leaf("polyline", &[("class", "step"), ("points", &points.join(" "))]);
    let mut last = f64::MIN;
    for point in &swept.points {
        let text = format!("{} {unit}: {} of {} seeds", point.value, point.violated, point.seeds);
        let (cx, cy) = (px(x(point.value)), px(y(share(point))));
        m.titled("circle", &[("class", "joined"), ("cx", &cx), ("cy", &cy), ("r", "4")], &text);
        // Numbers that would touch are left out; the table has them all.
        if x(point.value) - last > 40.0 {
            last = x(point.value);
            let (at, y) = (px(last), px(BOTTOM + 17.0));
            m.el("text", &[("class", "mark mid"), ("x", &at), ("y", &y)], &point.value.to_string());
        }
    }
    let (middle, y) = (px((LEFT + WIDTH) / 2.0), px(HEIGHT - 8.0));
    m.el("text", &[("class", "mark mid"), ("x", &middle), ("y", &y)], &format!("{name}, {unit}"));
    m.close();
    m.close();
}
