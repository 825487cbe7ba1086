//! The rules: what is wrong about a push, a view and a read, and of which kind.

use super::Judge;
use crate::finding::{CONCERNED_MAX, Finding, Seen};
use crate::nearest::nearest;
use crate::record::Op;
use crate::span::{Span, meets};
use crate::verdict::Kind;
use crate::views::View;
use history::{Nanos, PhaseName};
use std::collections::BTreeMap;

impl Judge<'_, '_> {
    pub(super) fn view(&mut self, view: &View, suspects: &[(usize, Option<u32>)]) {
        let mut known: Vec<(usize, Option<u32>)> = Vec::new();
        if view.judged {
            known = self.push(view, suspects);
        }
        let Some(base) = view.base.filter(|_| view.until > view.at) else { return };
        self.view_at_end(view, base, suspects);
        if view.until == view.at + 1 {
            return;
        }
        for span in self.horizon.too_old(base, Span::new(view.at + 1, view.until - 1)) {
            if !self.bad_in(span) {
                continue;
            }
            let first = suspects
                .iter()
                .filter(|s| !known.contains(s))
                .filter_map(|(l, v)| {
                    let bad = &self.ground.locals[*l].choice(*v).bad;
                    let next = bad.partition_point(|b| b.to < span.from);
                    bad.get(next).and_then(|b| b.common(span)).map(|b| b.from)
                })
                .min();
            self.steps += suspects.len() as u64;
            let Some(time) = first else { continue };
            let concerned = self.bad_at(time, suspects).into_iter().filter(|s| !known.contains(s)).collect();
            let seen = Seen::View(view.push as usize);
            self.report(Kind::Stale, time, view, seen, concerned, Vec::new());
            return;
        }
    }

    fn bad_at(&self, time: Nanos, suspects: &[(usize, Option<u32>)]) -> Vec<(usize, Option<u32>)> {
        let instant = Span::new(time, time);
        let bad = |(l, v): &&(usize, Option<u32>)| meets(&self.ground.locals[*l].choice(*v).bad, instant);
        suspects.iter().filter(bad).copied().collect()
    }

    /// The instant of a push. Answers what was wrong about which publishers.
    fn push(&mut self, view: &View, suspects: &[(usize, Option<u32>)]) -> Vec<(usize, Option<u32>)> {
        let window = self.horizon.window(view.at);
        let wrong = if suspects.is_empty() { Vec::new() } else { self.bad_at(view.at, suspects) };
        self.steps += 1 + suspects.len() as u64;
        let seen = Seen::Push(view.push as usize);
        let mut found = self.sorted_out(&wrong, window);
        if !self.foreign.is_empty() {
            found.entry(Kind::Phantom).or_default();
        }
        for (kind, concerned) in found {
            let foreign = self.foreign.keys().copied().filter(|_| kind == Kind::Phantom).collect();
            self.report(kind, view.at, view, seen, concerned, foreign);
        }
        if !self.doubled.is_empty() {
            let concerned = self.doubles();
            self.report(Kind::Duplicate, view.at, view, seen, concerned, Vec::new());
        }
        let clean = wrong.is_empty() && self.foreign.is_empty() && self.doubled.is_empty();
        if clean && self.record.header.contract.atomic_snapshots && !self.explained_in(window) {
            let concerned = self.torn(window);
            self.report(Kind::Torn, view.at, view, seen, concerned, Vec::new());
        }
        wrong
    }

    fn invoked_after(&self, value: Option<u32>, time: Nanos) -> bool {
        value.is_some_and(|v| self.record.values[v as usize].invoke > time)
    }

    fn doubles(&self) -> Vec<(usize, Option<u32>)> {
        let values = |l: &usize| {
            let l = *l;
            self.shown[l].iter().map(move |v| (l, Some(v.0)))
        };
        self.doubled.iter().flat_map(values).collect()
    }

    /// Those that are wrong at the instant of the window that explains most.
    fn torn(&self, window: Span) -> Vec<(usize, Option<u32>)> {
        let explained =
            |(local, shown): (usize, Option<u32>)| self.ground.locals[local].choice(shown).explained.as_slice();
        let instant = nearest(window, self.said().map(explained));
        let wrong = |pair: &(usize, Option<u32>)| !explained(*pair).iter().any(|span| span.holds(instant));
        self.said().filter(wrong).take(CONCERNED_MAX).collect()
    }

    /// What is wrong about publishers that no instant of the window explains, by kind.
    fn sorted_out(&self, wrong: &[(usize, Option<u32>)], window: Span) -> BTreeMap<Kind, Vec<(usize, Option<u32>)>> {
        let mut out: BTreeMap<Kind, Vec<_>> = BTreeMap::new();
        for &(local, shown) in wrong {
            let kind = match shown {
                None => Kind::Incomplete,
                Some(_) if self.invoked_after(shown, window.to) => Kind::Phantom,
                Some(_) if self.ground.locals[local].absent_in(window) => Kind::Ghost,
                Some(_) => Kind::Stale,
            };
            out.entry(kind).or_default().push((local, shown));
        }
        out
    }

    fn view_at_end(&mut self, view: &View, base: Nanos, suspects: &[(usize, Option<u32>)]) {
        let Some(&end) = self.record.phases.get(&PhaseName::Final) else { return };
        if view.at > end || end >= view.until {
            return;
        }
        let due = self.horizon.age(end).is_some_and(|age| end.saturating_sub(age) > base);
        let wrong = if due { self.bad_at(end, suspects) } else { Vec::new() };
        if !wrong.is_empty() || !self.foreign.is_empty() || !self.doubled.is_empty() {
            let foreign = self.foreign.keys().copied().collect();
            let mut concerned = wrong;
            concerned.extend(self.doubles());
            self.report(Kind::WrongAtEnd, end, view, Seen::View(view.push as usize), concerned, foreign);
        }
    }

    fn report(
        &mut self,
        kind: Kind,
        time: Nanos,
        view: &View,
        seen: Seen,
        concerned: Vec<(usize, Option<u32>)>,
        foreign: Vec<u32>,
    ) {
        let window = self.horizon.window(time);
        let concerned = self.named(concerned);
        let data = self.ground.data;
        self.findings.push(Finding { seen, concerned, foreign, ..Finding::in_view(kind, data, view, time, window) });
    }

    /// With indices into the record, and not too many.
    fn named(&self, concerned: Vec<(usize, Option<u32>)>) -> Vec<(usize, Option<u32>)> {
        let first = self.ground.first;
        concerned.into_iter().take(CONCERNED_MAX).map(|(l, v)| (l + first, v)).collect()
    }

    pub(super) fn read(&mut self, at: usize, content: usize) {
        let op = self.record.ops[at].clone();
        let linear = self.record.header.contract.linearizable_reads;
        let window = match linear {
            true => Span::new(op.invoke, op.end),
            false => self.horizon.window_over(op.invoke, op.end),
        };
        let final_read = self.record.phases.get(&PhaseName::Final).is_some_and(|f| op.invoke >= *f);
        let mut wrong = Vec::new();
        let whole = self.explained_in(window);
        if !whole {
            self.steps += self.shown.len() as u64;
            wrong = self.said().filter(|(l, v)| !meets(&self.ground.locals[*l].choice(*v).explained, window)).collect();
        }
        let foreign: Vec<u32> = self.foreign.keys().copied().collect();
        let doubles = self.doubles();
        let mut found: BTreeMap<Kind, Vec<(usize, Option<u32>)>> = BTreeMap::new();
        if final_read {
            if !wrong.is_empty() || !foreign.is_empty() || !doubles.is_empty() {
                found.insert(Kind::WrongAtEnd, wrong.into_iter().chain(doubles).collect());
            }
        } else {
            for (kind, concerned) in self.sorted_out(&wrong, window) {
                let kind = if linear && kind != Kind::Phantom { Kind::Stale } else { kind };
                found.entry(kind).or_default().extend(concerned);
            }
            if !foreign.is_empty() {
                found.entry(Kind::Phantom).or_default();
            }
            if !doubles.is_empty() {
                found.insert(Kind::Duplicate, doubles);
            }
            if found.is_empty() && !whole && self.record.header.contract.atomic_snapshots {
                found.insert(Kind::Torn, self.torn(window));
            }
        }
        for (kind, concerned) in found {
            let foreign = if matches!(kind, Kind::Phantom | Kind::WrongAtEnd) { foreign.clone() } else { Vec::new() };
            self.report_read(kind, at, &op, (content, window), concerned, foreign);
        }
    }

    fn report_read(
        &mut self,
        kind: Kind,
        at: usize,
        op: &Op,
        seen: (usize, Span),
        concerned: Vec<(usize, Option<u32>)>,
        foreign: Vec<u32>,
    ) {
        self.findings.push(Finding {
            kind,
            time: op.end,
            client: op.client,
            subscription: None,
            node: op.node,
            data: self.ground.data,
            content: Some(seen.0),
            version: None,
            seen: Seen::Read(at),
            window: seen.1,
            concerned: self.named(concerned),
            foreign,
            amount: 0,
        });
    }
}
