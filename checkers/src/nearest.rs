//! The instant that explains most, for what no instant explains as a whole.

use crate::span::Span;
use history::Nanos;

/// The instant of `window` that lies in spans of as many lists as possible; the latest of several. Each list is sorted and
/// disjoint.
pub(crate) fn nearest<'a>(window: Span, lists: impl Iterator<Item = &'a [Span]>) -> Nanos {
    // Closed spans: one that ends at t still counts at t, so ends are taken one later.
    let mut steps: Vec<(Nanos, i64)> = vec![(window.from, 0)];
    for list in lists {
        for span in list.iter().filter_map(|span| span.common(window)) {
            steps.push((span.from, 1));
            if span.to < window.to {
                steps.push((span.to + 1, -1));
            }
        }
    }
    steps.sort_unstable();
    let (mut best, mut most, mut now) = (window.from, i64::MIN, 0);
    for (at, step) in steps.iter().enumerate().map(|(number, step)| (number, *step)) {
        now += step.1;
        let last_of_instant = steps.get(at + 1).is_none_or(|next| next.0 > step.0);
        if last_of_instant && now >= most {
            (best, most) = (step.0, now);
        }
    }
    best
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn most_lists_win_and_the_latest_of_equals() {
        let (a, b, c) = ([Span::new(0, 5)], [Span::new(4, 9)], [Span::new(8, 20)]);
        let lists = || [&a[..], &b[..], &c[..]].into_iter();
        assert_eq!(nearest(Span::new(0, 30), lists()), 8);
        assert_eq!(nearest(Span::new(0, 7), lists()), 4);
        assert_eq!(nearest(Span::new(2, 3), std::iter::empty()), 2);
    }
}
