//! The ground that plots stand on: scales, grid, fault bands, marks of the axes.

use super::markup::{Markup, px};
use crate::digest::Digest;
use crate::format;
use history::{Nanos, SECOND};

/// Width of every plot in its own units; the page shows them at about this many pixels.
pub(super) const WIDTH: f64 = 1000.0;
/// Room on the left, the same everywhere so that plots under each other share their time axis.
pub(super) const LEFT: f64 = 76.0;
/// Room on the right.
pub(super) const RIGHT: f64 = 12.0;

/// A plotting area with time along the bottom.
#[derive(Clone, Copy, Debug)]
pub(super) struct Frame {
    /// First instant shown.
    pub(super) from: Nanos,
    /// Last instant shown.
    pub(super) until: Nanos,
    /// Upper edge of the plotting area.
    pub(super) top: f64,
    /// Lower edge.
    pub(super) bottom: f64,
}

impl Frame {
    /// Horizontal place of an instant, inside the area.
    pub(super) fn x(&self, time: Nanos) -> f64 {
        let time = time.clamp(self.from, self.until);
        let share = (time - self.from) as f64 / (self.until - self.from).max(1) as f64;
        LEFT + share * (WIDTH - LEFT - RIGHT)
    }

    /// Vertical place of a share of the height, 0 at the bottom.
    pub(super) fn y(&self, share: f64) -> f64 {
        self.bottom - share.clamp(0.0, 1.0) * (self.bottom - self.top)
    }

    /// Round instants for the marks of the time axis.
    pub(super) fn time_marks(&self) -> Vec<Nanos> {
        let step = time_step(self.until.saturating_sub(self.from) / 8);
        let mut marks = Vec::new();
        let mut mark = self.from.div_ceil(step) * step;
        while mark <= self.until && marks.len() < 40 {
            marks.push(mark);
            mark += step;
        }
        marks
    }

    /// Vertical grid lines, and numbers below where asked for.
    pub(super) fn time_axis(&self, m: &mut Markup, numbered: bool) {
        let marks = self.time_marks();
        let decimals = decimals(&marks);
        let (top, bottom) = (px(self.top), px(self.bottom));
        for mark in marks {
            let x = px(self.x(mark));
            m.leaf("line", &[("class", "grid"), ("x1", &x), ("x2", &x), ("y1", &top), ("y2", &bottom)]);
            if numbered {
                let text = format!("{:.decimals$} s", mark as f64 / SECOND as f64);
                let y = px(self.bottom + 15.0);
                m.el("text", &[("class", "mark mid"), ("x", &x), ("y", &y)], &text);
            }
        }
    }

    /// One horizontal grid line with its number on the left.
    pub(super) fn level(&self, m: &mut Markup, share: f64, text: &str) {
        let y = px(self.y(share));
        let (left, right) = (px(LEFT), px(WIDTH - RIGHT));
        m.leaf("line", &[("class", "grid"), ("x1", &left), ("x2", &right), ("y1", &y), ("y2", &y)]);
        let (x, y) = (px(LEFT - 8.0), px(self.y(share) + 4.0));
        m.el("text", &[("class", "mark end"), ("x", &x), ("y", &y)], text);
    }

    /// Bands from the beginning of each fault until its target served again.
    pub(super) fn fault_bands(&self, m: &mut Markup, digest: &Digest) {
        for fault in digest.faults.iter().filter(|fault| !fault.missed) {
            let over = fault.over(digest.end);
            if over < self.from || fault.start > self.until {
                continue;
            }
            let (x, y) = (px(self.x(fault.start)), px(self.top));
            let width = px((self.x(over) - self.x(fault.start)).max(1.0));
            let height = px(self.bottom - self.top);
            m.titled(
                "rect",
                &[("class", "band"), ("x", &x), ("y", &y), ("width", &width), ("height", &height)],
                &fault.title_and_span(digest.end),
            );
        }
    }
}

/// Opens a plot that says what it is to those who do not see it.
pub(super) fn open(m: &mut Markup, height: f64, title: &str, description: &str) {
    let view = format!("0 0 {} {}", px(WIDTH), px(height));
    m.open("svg", &[("class", "plot"), ("viewBox", &view), ("role", "img"), ("aria-label", title)]);
    m.el("desc", &[], description);
}

/// The same for a drawing that may be wider than the page, and is then moved sideways instead of made small.
pub(super) fn open_wide(m: &mut Markup, width: f64, height: f64, title: &str, description: &str) {
    let view = format!("0 0 {} {}", px(width), px(height));
    let least = format!("min-width: {}px", px(width.min(WIDTH * 20.0) * if width > WIDTH { 1.0 } else { 0.6 }));
    m.open("svg", &[("class", "plot"), ("viewBox", &view), ("style", &least), ("role", "img"), ("aria-label", title)]);
    m.el("desc", &[], description);
}

/// The next round step of time: 1, 2 or 5 times a power of ten, from a microsecond on.
fn time_step(at_least: Nanos) -> Nanos {
    let mut decade = 1_000;
    loop {
        for factor in [1, 2, 5] {
            let step = decade * factor;
            if step >= at_least || step > 1_000_000 * SECOND {
                return step;
            }
        }
        decade *= 10;
    }
}

fn decimals(marks: &[Nanos]) -> usize {
    (0..6).find(|decimals| marks.iter().all(|mark| mark % (SECOND / 10u64.pow(*decimals)) == 0)).unwrap_or(6) as usize
}

/// The next round number not below this one, and three levels that divide it.
pub(super) fn round_top(largest: u64) -> u64 {
    let mut decade = 1u64;
    loop {
        for factor in [1, 2, 3, 4, 5, 6, 8] {
            let top = decade.saturating_mul(factor);
            if top >= largest {
                return top;
            }
        }
        decade = decade.saturating_mul(10);
    }
}

/// A logarithmic scale of times whose ends are powers of ten.
#[derive(Clone, Copy, Debug)]
pub(super) struct LogScale {
    first_decade: i32,
    last_decade: i32,
}

impl LogScale {
    /// One that holds both times.
    pub(super) fn holding(smallest: Nanos, largest: Nanos) -> LogScale {
        let first_decade = (smallest.max(1).ilog10() as i32).max(3);
        let mut last_decade = largest.max(1).ilog10() as i32;
        if 10u64.saturating_pow(last_decade as u32) < largest {
            last_decade += 1;
        }
        LogScale { first_decade, last_decade: last_decade.max(first_decade + 1) }
    }

    /// 0 at the low end, 1 at the high end.
    pub(super) fn share(&self, time: Nanos) -> f64 {
        let log = (time.max(1) as f64).log10();
        (log - f64::from(self.first_decade)) / f64::from(self.last_decade - self.first_decade)
    }

    /// Powers of ten within, with their names.
    pub(super) fn decades(&self) -> Vec<(Nanos, String)> {
        (self.first_decade..=self.last_decade)
            .map(|decade| {
                let time = 10u64.saturating_pow(decade.max(0) as u32);
                (time, format::duration(time))
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_are_round_and_inside() {
        let frame = Frame { from: 2_950_000_000, until: 12_481_000_000, top: 0.0, bottom: 10.0 };
        let marks = frame.time_marks();
        assert_eq!(marks.first(), Some(&4_000_000_000));
        assert_eq!(marks.last(), Some(&12_000_000_000));
        let empty = Frame { from: 5, until: 5, top: 0.0, bottom: 10.0 };
        assert!(empty.x(5).is_finite());
    }

    #[test]
    fn scales_hold_what_they_were_made_for() {
        let scale = LogScale::holding(240_000, 2_900_000_000);
        assert!(scale.share(240_000) >= 0.0 && scale.share(2_900_000_000) <= 1.0);
        assert_eq!(scale.decades().first().map(|(_, name)| name.as_str()), Some("100 µs"));
        assert_eq!(round_top(61), 80);
        assert_eq!(round_top(0), 1);
    }
}
