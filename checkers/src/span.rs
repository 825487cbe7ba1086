//! Closed spans of time, and lists of them.
//!
//! All sets of instants here are unions of closed spans with whole ends. An instant at which something changes belongs to
//! both sides, which errs towards "explained"; and spans with whole ends that meet at all meet in a whole instant, so
//! looking at whole nanoseconds only loses nothing.

use history::{MILLI, Nanos};

/// Milliseconds of a contract; absurdly long ones are for ever.
pub(crate) fn millis(ms: u64) -> Nanos {
    ms.saturating_mul(MILLI)
}

/// All instants from `from` to `to`, both included. `to == Nanos::MAX` means for ever.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Span {
    pub from: Nanos,
    pub to: Nanos,
}

impl Span {
    pub fn new(from: Nanos, to: Nanos) -> Span {
        Span { from, to }
    }

    pub fn holds(&self, t: Nanos) -> bool {
        self.from <= t && t <= self.to
    }

    pub fn meets(&self, other: Span) -> bool {
        self.from <= other.to && other.from <= self.to
    }

    /// The part common to both, if any.
    pub fn common(&self, other: Span) -> Option<Span> {
        self.meets(other).then(|| Span::new(self.from.max(other.from), self.to.min(other.to)))
    }
}

/// Sorts and joins spans that touch or are less than `gap` apart.
pub(crate) fn joined(mut spans: Vec<Span>, gap: Nanos) -> Vec<Span> {
    spans.sort_unstable();
    let mut out: Vec<Span> = Vec::with_capacity(spans.len());
    for span in spans {
        match out.last_mut() {
            Some(last) if span.from <= last.to || span.from - last.to < gap => last.to = last.to.max(span.to),
            _ => out.push(span),
        }
    }
    out
}

/// What is left of `whole` without the insides of `holes` (sorted, disjoint).
pub(crate) fn without(whole: Span, holes: &[Span]) -> Vec<Span> {
    let mut out = Vec::new();
    let mut from = whole.from;
    for hole in holes.iter().filter(|h| h.meets(whole)) {
        if hole.from > from {
            out.push(Span::new(from, hole.from));
        }
        from = from.max(hole.to);
    }
    if from < whole.to {
        out.push(Span::new(from, whole.to));
    }
    out
}

/// Whether sorted, disjoint spans have an instant in `window`.
pub(crate) fn meets(spans: &[Span], window: Span) -> bool {
    let at = spans.partition_point(|s| s.to < window.from);
    spans.get(at).is_some_and(|s| s.from <= window.to)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn joining_and_cutting() {
        let spans = vec![Span::new(5, 7), Span::new(1, 2), Span::new(9, 9)];
        assert_eq!(joined(spans.clone(), 0), vec![Span::new(1, 2), Span::new(5, 7), Span::new(9, 9)]);
        assert_eq!(joined(spans, 3), vec![Span::new(1, 2), Span::new(5, 9)]);
        let holes = [Span::new(2, 3), Span::new(6, 12)];
        assert_eq!(without(Span::new(0, 10), &holes), vec![Span::new(0, 2), Span::new(3, 6)]);
        assert!(meets(&holes, Span::new(3, 5)) && !meets(&holes, Span::new(4, 5)) && meets(&holes, Span::new(12, 20)));
    }
}
