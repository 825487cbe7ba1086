//! What may be at the source of truth for one publisher, at each instant.
//!
//! A publisher's sessions each have an [`Incarnation`]; together: it *must* be there if some incarnation cannot be empty, it is
//! *absent* if all are surely empty, else it *may* be there; any value of any of them is possible. The system keeps one
//! element for a registration, so from the first operation in a newer session on an older incarnation is at most `may`.
//!
//! An obligation is our addition to this: with `reregister_ms_max`, a client that holds a registration by its own intention
//! (published in an earlier session, neither taken back nor closed since) and has been connected in a new session, with
//! no fault on its way, for that long without publishing it again, owes it: from then on it must be there with its last value.
//! Nothing else finds a client library that forgets to register again, because the registry itself is right not to show it.

use crate::hearing::Hearing;
use crate::incarnation::{Incarnation, State};
use crate::options::Options;
use crate::record::{Publisher, Record, Step, What};
use crate::span::{Span, millis};
use history::{Nanos, Outcome};

/// States of a publisher over time: `gaps[0]`, `points[0]` at `bounds[0]`, `gaps[1]`, ...
#[derive(Clone, Debug)]
pub(crate) struct Timeline {
    pub bounds: Vec<Nanos>,
    pub points: Vec<State>,
    pub gaps: Vec<State>,
}

/// From `span.from` until `span.to` the client owes this value.
struct Debt {
    span: Span,
    value: u32,
}

impl Timeline {
    pub fn new(record: &Record, options: &Options, hearings: &[Hearing], publisher: &Publisher) -> Timeline {
        let sessions = sessions_of(publisher);
        let mut parts: Vec<Incarnation> = Vec::with_capacity(sessions.len());
        for &session in &sessions {
            let steps: Vec<&Step> = publisher.steps.iter().filter(|s| s.session == session).collect();
            if let Some(newer) = steps.iter().find(|s| s.what != What::Close) {
                let taken = Span::new(newer.invoke, Nanos::MAX);
                parts.iter_mut().for_each(|older| older.doubts.push(taken));
            }
            parts.push(Incarnation::new(record, session, &hearings[session], &steps));
        }
        sweep(&parts, &debts(record, options, hearings, publisher))
    }

    /// Closed spans of the instants at which `holds` is true of some state there.
    pub fn spans(&self, holds: impl Fn(&State) -> bool) -> Vec<Span> {
        let mut out: Vec<Span> = Vec::new();
        let mut open = holds(&self.gaps[0]).then_some(0);
        for (at, &bound) in self.bounds.iter().enumerate() {
            let (point, gap) = (holds(&self.points[at]), holds(&self.gaps[at + 1]));
            match (open, point || gap) {
                (None, true) if gap => open = Some(bound),
                (None, true) => out.push(Span::new(bound, bound)),
                (Some(from), _) if !gap => {
                    out.push(Span::new(from, bound));
                    open = None;
                }
                _ => {}
            }
        }
        if let Some(from) = open {
            out.push(Span::new(from, Nanos::MAX));
        }
        out
    }

    /// The state right after `t`.
    pub fn after(&self, t: Nanos) -> &State {
        &self.gaps[self.bounds.partition_point(|b| *b <= t)]
    }

    /// The state at `t`; generous at changes.
    pub fn at(&self, t: Nanos) -> &State {
        match self.bounds.binary_search(&t) {
            Ok(at) => &self.points[at],
            Err(at) => &self.gaps[at],
        }
    }

    /// How much of `span` the publisher must be there.
    pub fn must_in(&self, span: Span) -> Nanos {
        let mut sum = 0;
        for (at, _) in self.gaps.iter().enumerate().filter(|g| g.1.must()) {
            let from = if at == 0 { 0 } else { self.bounds[at - 1] }.max(span.from);
            let to = self.bounds.get(at).copied().unwrap_or(Nanos::MAX).min(span.to);
            sum += to.saturating_sub(from);
        }
        sum
    }
}

/// Sessions in which a publisher acted, in the order of its first step in each.
fn sessions_of(publisher: &Publisher) -> Vec<usize> {
    let mut out = Vec::new();
    for step in &publisher.steps {
        if out.last() != Some(&step.session) && !out.contains(&step.session) {
            out.push(step.session);
        }
    }
    out
}

/// Walks one incarnation forward.
struct Cursor<'a> {
    part: &'a Incarnation,
    next: usize,
}

impl Cursor<'_> {
    fn gap(&self, before: usize, bound: Nanos) -> State {
        let mut state = match before {
            0 => State::empty(),
            _ => self.part.changes[before - 1].1.clone(),
        };
        if self.part.doubts.iter().any(|d| d.from <= bound && bound < d.to) {
            (state.soft, state.none) = (true, true);
        }
        state
    }

    /// The state at `bound`, which joins what is before, at and after it; and the state of the gap after it.
    fn pass(&mut self, bound: Nanos, before: &State) -> (State, State) {
        let mut point = before.clone();
        while let Some((_, state)) = self.part.changes.get(self.next).filter(|c| c.0 <= bound) {
            point.merge(state);
            self.next += 1;
        }
        let gap = self.gap(self.next, bound);
        point.merge(&gap);
        if self.part.doubts.iter().any(|d| d.holds(bound)) {
            (point.soft, point.none) = (true, true);
        }
        (point, gap)
    }
}

fn sweep(parts: &[Incarnation], debts: &[Debt]) -> Timeline {
    let mut bounds: Vec<Nanos> = Vec::new();
    for part in parts {
        bounds.extend(part.changes.iter().map(|c| c.0));
        bounds.extend(part.doubts.iter().flat_map(|d| [d.from, d.to]));
    }
    bounds.extend(debts.iter().flat_map(|d| [d.span.from, d.span.to]));
    bounds.retain(|b| *b != Nanos::MAX);
    bounds.sort_unstable();
    bounds.dedup();
    let mut cursors: Vec<Cursor> = parts.iter().map(|part| Cursor { part, next: 0 }).collect();
    let mut before: Vec<State> = vec![State::empty(); parts.len()];
    let (mut points, mut gaps) = (Vec::with_capacity(bounds.len()), vec![State::empty()]);
    for &bound in &bounds {
        let mut point = Vec::with_capacity(parts.len());
        for (cursor, before) in cursors.iter_mut().zip(&mut before) {
            let (at, gap) = cursor.pass(bound, before);
            point.push(at);
            *before = gap;
        }
        points.push(combined(point));
        let mut gap = combined(before.clone());
        if let Some(debt) = debts.iter().find(|d| d.span.from <= bound && bound < d.span.to) {
            gap.insert(debt.value);
            if gap.none {
                (gap.none, gap.soft, gap.owed) = (false, false, true);
            }
        }
        // The instant at which a debt begins or ends is not owed yet, or any more.
        if let Some(debt) = debts.iter().find(|d| d.span.holds(bound)) {
            let last = points.len() - 1;
            points[last].insert(debt.value);
            if points[last].none && debt.span.from < bound && bound < debt.span.to {
                (points[last].none, points[last].soft, points[last].owed) = (false, false, true);
            }
        }
        gaps.push(gap);
    }
    Timeline { bounds, points, gaps }
}

fn combined(states: Vec<State>) -> State {
    let none = states.iter().all(|s| s.none);
    let soft = none && states.iter().any(|s| s.soft);
    // Nearly always there is one session, and nothing to merge.
    let mut states = states.into_iter();
    let mut out = states.next().unwrap_or_default();
    states.for_each(|s| out.merge(&s));
    (out.none, out.soft) = (none, soft);
    out
}

fn debts(record: &Record, options: &Options, hearings: &[Hearing], publisher: &Publisher) -> Vec<Debt> {
    let Some(promise) = record.header.contract.reregister_ms_max else { return Vec::new() };
    let promise = millis(promise) / options.divisor.max(1);
    let late = |(open, value, _): (Span, u32, bool)| {
        let from = open.from.saturating_add(promise);
        (from < open.to).then(|| Debt { span: Span::new(from, open.to), value })
    };
    unregistered(record, hearings, publisher).into_iter().filter_map(late).collect()
}

/// The longest that this publisher took to register again in a new session without a fault on its way.
pub(crate) fn reregistered_after(record: &Record, hearings: &[Hearing], publisher: &Publisher) -> Option<Nanos> {
    let all = unregistered(record, hearings, publisher);
    all.into_iter().filter(|(_, _, again)| *again).map(|(open, _, _)| open.to - open.from).max()
}

/// Spans of undisturbed connection in a new session during which this publisher has not registered again what it means
/// to hold; with that value, and whether a new registration ended the span.
fn unregistered(record: &Record, hearings: &[Hearing], publisher: &Publisher) -> Vec<(Span, u32, bool)> {
    let mut out = Vec::new();
    for &session in record.by_client.get(&publisher.client).into_iter().flatten() {
        let Some(begin) = record.sessions[session].stretches.first().map(|s| s.from) else { continue };
        // The steps before this session tell what the client means to hold.
        let earlier = publisher.steps.partition_point(|s| s.invoke < begin);
        if publisher.steps[..earlier].iter().any(|s| s.session == session) {
            continue;
        }
        // A publish that failed changes nothing; trying to take back or to close, even in vain, ends the intention.
        let failed = |s: &&Step| s.outcome == Outcome::Fail && matches!(s.what, What::Put(_));
        let held = publisher.steps[..earlier].iter().rev().find(|s| !failed(s));
        let Some(Step { what: What::Put(value), .. }) = held else { continue };
        let acts = publisher.steps.get(earlier).map_or(Nanos::MAX, |s| s.invoke);
        for clean in &hearings[session].clean {
            let open = Span { from: clean.from, to: clean.to.min(acts) };
            if open.from < open.to {
                out.push((open, *value, acts < Nanos::MAX && acts <= clean.to));
            }
        }
    }
    out
}
