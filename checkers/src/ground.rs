//! The truth about one dataId, laid out for questions: for each publisher and each thing a content can say about it (that it
//! is missing, or one of its values) the instants that explain it, and the instants at which it is too old to be shown.

use crate::hearing::Hearing;
use crate::options::Options;
use crate::presence::Timeline;
use crate::record::{Publisher, Record, What};
use crate::span::{Span, meets};
use crate::trouble::Horizon;
use history::{DataIx, Nanos};

/// What a content says about a publisher.
#[derive(Clone, Debug, Default)]
pub(crate) struct Choice {
    /// The instants at which this may be the truth; sorted, disjoint.
    pub explained: Vec<Span>,
    /// The instants at which a view that says this is out of date; sorted, disjoint.
    pub bad: Vec<Span>,
    /// `explained`, in positions of [`Ground::marks`].
    pub explained_at: Vec<(u32, u32)>,
    /// `bad`, in positions of [`Ground::cuts`].
    pub bad_at: Vec<(u32, u32)>,
}

/// One publisher.
pub(crate) struct Local {
    pub timeline: Timeline,
    pub missing: Choice,
    /// One for each distinct value, sorted by value.
    pub values: Vec<(u32, Choice)>,
    /// When any value may have been there.
    pub present: Vec<Span>,
    /// When nothing may have been there for a reason that is not an operation of its own.
    pub doubt: Vec<Span>,
}

/// One dataId.
pub(crate) struct Ground {
    pub data: DataIx,
    /// Index of the first of them in the record.
    pub first: usize,
    pub locals: Vec<Local>,
    /// Instants at which something changes; position 2k + 1 is the k-th of them, 2k the gap before it.
    marks: Vec<Nanos>,
    /// Position k is from the k-th of them until the next.
    cuts: Vec<Nanos>,
}

impl Ground {
    pub fn new(record: &Record, options: &Options, horizon: &Horizon, hearings: &[Hearing], data: DataIx) -> Ground {
        let range = record.publishers_of(data);
        let first = range.start;
        let mut locals: Vec<Local> = record.publishers[range]
            .iter()
            .map(|p| Local::new(p, Timeline::new(record, options, hearings, p), horizon, record.end))
            .collect();
        let mut marks: Vec<Nanos> = locals.iter().flat_map(|l| l.timeline.bounds.iter().copied()).collect();
        marks.sort_unstable();
        marks.dedup();
        let mut cuts = vec![0];
        for choice in locals.iter().flat_map(Local::choices) {
            cuts.extend(choice.bad.iter().flat_map(|s| [s.from, s.to.saturating_add(1)]));
        }
        cuts.sort_unstable();
        cuts.dedup();
        let mut ground = Ground { data, first, locals: Vec::new(), marks, cuts };
        for choice in locals.iter_mut().flat_map(Local::choices_mut) {
            choice.explained_at = choice.explained.iter().map(|s| ground.mark_range(*s)).collect();
            choice.bad_at = choice.bad.iter().map(|s| ground.cut_range(*s)).collect();
        }
        ground.locals = locals;
        ground
    }

    /// How many positions instants have.
    pub fn marks_len(&self) -> usize {
        2 * self.marks.len() + 1
    }

    /// How many positions spans of one judgement have.
    pub fn cuts_len(&self) -> usize {
        self.cuts.len()
    }

    fn mark_at(&self, t: Nanos) -> u32 {
        match self.marks.binary_search(&t) {
            Ok(at) => 2 * at as u32 + 1,
            Err(at) => 2 * at as u32,
        }
    }

    pub fn mark_range(&self, span: Span) -> (u32, u32) {
        (self.mark_at(span.from), self.mark_at(span.to))
    }

    fn cut_at(&self, t: Nanos) -> u32 {
        self.cuts.partition_point(|c| *c <= t) as u32 - 1
    }

    pub fn cut_range(&self, span: Span) -> (u32, u32) {
        (self.cut_at(span.from), self.cut_at(span.to))
    }

    /// Runs of positions of cuts as spans of time.
    pub fn cut_spans(&self, runs: &[(usize, usize)]) -> Vec<Span> {
        let end = |to: usize| self.cuts.get(to + 1).map_or(Nanos::MAX, |next| next - 1);
        runs.iter().map(|&(from, to)| Span::new(self.cuts[from], end(to))).collect()
    }

    /// Runs of positions of marks as spans of time; without those between two marks with no instant in between.
    pub fn mark_spans(&self, runs: &[(usize, usize)]) -> Vec<Span> {
        let begin = |at: usize| match (at % 2, at / 2) {
            (1, mark) => self.marks[mark],
            (_, 0) => 0,
            (_, mark) => self.marks[mark - 1].saturating_add(1),
        };
        let end = |at: usize| match (at % 2, at / 2) {
            (1, mark) => self.marks[mark],
            (_, mark) => self.marks.get(mark).map_or(Nanos::MAX, |next| next.saturating_sub(1)),
        };
        runs.iter().map(|&(from, to)| Span::new(begin(from), end(to))).filter(|s| s.from <= s.to).collect()
    }

    /// The publisher of a value that was published for this dataId, as an index into `locals`.
    pub fn local_of(&self, record: &Record, value: u32) -> Option<usize> {
        let (publisher, _) = record.values[value as usize].owner?;
        publisher.checked_sub(self.first).filter(|l| *l < self.locals.len())
    }
}

impl Local {
    fn new(publisher: &Publisher, timeline: Timeline, horizon: &Horizon, end: Nanos) -> Local {
        let choice = |explained: Vec<Span>| {
            let bad = too_old(&explained, horizon, end);
            Choice { explained, bad, ..Choice::default() }
        };
        let mut values: Vec<u32> =
            publisher.steps.iter().filter_map(|s| if let What::Put(v) = s.what { Some(v) } else { None }).collect();
        values.sort_unstable();
        values.dedup();
        let values =
            values.into_iter().map(|v| (v, choice(timeline.spans(|s| s.values.binary_search(&v).is_ok())))).collect();
        Local {
            missing: choice(timeline.spans(|s| s.none)),
            values,
            present: timeline.spans(|s| !s.values.is_empty()),
            doubt: timeline.spans(|s| s.soft),
            timeline,
        }
    }

    fn choices(&self) -> impl Iterator<Item = &Choice> {
        std::iter::once(&self.missing).chain(self.values.iter().map(|v| &v.1))
    }

    fn choices_mut(&mut self) -> impl Iterator<Item = &mut Choice> {
        std::iter::once(&mut self.missing).chain(self.values.iter_mut().map(|v| &mut v.1))
    }

    /// What it means that `shown` stands for this publisher (none: it is missing).
    pub fn choice(&self, shown: Option<u32>) -> &Choice {
        match shown {
            None => &self.missing,
            Some(value) => match self.values.binary_search_by_key(&value, |v| v.0) {
                Ok(at) => &self.values[at].1,
                Err(_) => unreachable!("a value belongs to the publisher that published it"),
            },
        }
    }

    /// Whether it was surely absent throughout.
    pub fn absent_in(&self, window: Span) -> bool {
        !meets(&self.present, window)
    }
}

/// The instants up to `end` whose window meets none of the explained spans.
fn too_old(explained: &[Span], horizon: &Horizon, end: Nanos) -> Vec<Span> {
    let mut out = Vec::new();
    let Some(first) = explained.first() else { return vec![Span::new(0, end)] };
    if first.from > 0 {
        out.push(Span::new(0, first.from - 1));
    }
    for (at, span) in explained.iter().enumerate() {
        let next = explained.get(at + 1).map_or(end, |n| n.from - 1);
        if span.to < next {
            out.extend(horizon.too_old(span.to, Span::new(span.to + 1, next)));
        }
    }
    out
}
