//! Judges the contents of one dataId against its truth.
//!
//! Two segment trees stand for the content at hand: `against` counts, for each instant, the publishers about which the content
//! would be wrong then (an instant with none explains the whole content); `bad` counts, for each instant at which the
//! content may be shown, the publishers about which it is out of date. Going from one content to the next changes only
//! what differs, so a content costs its difference.
//!
//! [`Judge::survey`] asks each content once when it is in order ([`Shown`]): nearly all views are found in order by that alone, as
//! they pass by. [`Judge::views`] judges the others, of which there are few, and says what is wrong about them.

mod rules;

use crate::content::Contents;
use crate::finding::Findings;
use crate::ground::Ground;
use crate::record::Record;
use crate::span::{Span, meets};
use crate::tree::Tree;
use crate::trouble::Horizon;
use crate::views::View;
use history::{Nanos, SnapshotId};
use rustc_hash::FxHashMap;
use smallvec::SmallVec;
use std::collections::{BTreeMap, BTreeSet};

/// The values of one publisher in a content: one, as long as nothing is wrong.
pub(crate) type Said = SmallVec<[u32; 2]>;

/// What one content says about a publisher after another.
#[derive(Clone, Debug)]
pub(crate) struct Transition {
    /// Index into [`Ground::locals`].
    pub local: usize,
    pub before: Said,
    pub after: Said,
    /// The least and the greatest position of what was shown before; 0 if nothing was.
    pub places_before: (usize, usize),
    /// The same of what is shown now.
    pub places_after: (usize, usize),
    /// By then all of it had been asked for.
    pub asked: Nanos,
}

impl Transition {
    pub fn new(record: &Record, local: usize, before: Said, after: Said) -> Transition {
        let place = |v: &u32| record.values[*v as usize].owner.map_or(0, |owner| owner.1);
        let places = |all: &[u32]| {
            let least = all.iter().map(place).min().unwrap_or(0);
            (least, all.iter().map(place).max().unwrap_or(0))
        };
        let (places_before, places_after) = (places(&before), places(&after));
        let asked = before.iter().chain(&after).map(|v| record.values[*v as usize].invoke).max().unwrap_or(0);
        Transition { local, before, after, places_before, places_after, asked }
    }
}

/// When a content is in order, and what it changes.
#[derive(Clone, Debug, Default)]
pub(crate) struct Shown {
    /// It has what nobody published, or something twice: never in order.
    pub odd: bool,
    /// The instants at which it is not out of date; sorted, disjoint.
    pub fresh: Vec<Span>,
    /// The instants that explain all of it; sorted, disjoint.
    pub explained: Vec<Span>,
    /// What differs from its base, or from the empty content if it has none.
    pub edge: Vec<Transition>,
}

/// A content with more spans than this is left to [`Judge::views`] whenever it is shown.
const SPANS_MAX: usize = 64;

/// The work on one dataId.
pub(crate) struct Judge<'a, 'b> {
    pub record: &'b Record<'a>,
    pub contents: &'b Contents,
    pub horizon: &'b Horizon,
    pub ground: &'b Ground,
    pub findings: Findings,
    pub steps: u64,
    pub steps_max: u64,
    against: Tree,
    bad: Tree,
    /// What the content says about each publisher: values with their number.
    shown: Vec<Vec<(u32, u32)>>,
    foreign: BTreeMap<u32, u32>,
    doubled: BTreeSet<usize>,
}

/// Why the judge gave up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stopped {
    /// Work was more than allowed.
    Exhausted,
    /// A content removes what its base does not have.
    Damaged(SnapshotId),
}

impl<'a, 'b> Judge<'a, 'b> {
    pub fn new(
        record: &'b Record<'a>,
        contents: &'b Contents,
        horizon: &'b Horizon,
        ground: &'b Ground,
        steps_max: u64,
    ) -> Judge<'a, 'b> {
        let mut judge = Judge {
            record,
            contents,
            horizon,
            ground,
            findings: Findings::default(),
            steps: 0,
            steps_max,
            against: Tree::new(ground.marks_len()),
            bad: Tree::new(ground.cuts_len()),
            shown: vec![Vec::new(); ground.locals.len()],
            foreign: BTreeMap::new(),
            doubled: BTreeSet::new(),
        };
        (0..ground.locals.len()).for_each(|local| judge.toggle(local, None, 1));
        judge
    }

    /// Judges reads (places of operations that ended ok) and says of each content, by its place, when it is in order.
    pub fn survey(&mut self, reads: &[usize]) -> Result<Vec<Shown>, Stopped> {
        let mut read_of: FxHashMap<usize, Vec<usize>> = FxHashMap::default();
        for &at in reads {
            let content = self.record.ops[at].snapshot.and_then(|id| self.contents.find(id));
            if let Some(content) = content.filter(|c| self.contents.all[*c].data == self.ground.data) {
                read_of.entry(content).or_default().push(at);
            }
        }
        let count = self.contents.counts.get(&self.ground.data).copied().unwrap_or(0);
        let mut out = vec![Shown::default(); count as usize];
        self.each(|judge, at| {
            out[judge.contents.all[at].place as usize] = judge.shown_at(at);
            for &read in read_of.get(&at).into_iter().flatten() {
                judge.read(read, at);
            }
        })?;
        Ok(out)
    }

    /// Judges views that a look at their content does not find in order.
    pub fn views(&mut self, views: &[View]) -> Result<(), Stopped> {
        let mut of: FxHashMap<usize, Vec<&View>> = FxHashMap::default();
        views.iter().for_each(|view| of.entry(view.content as usize).or_default().push(view));
        self.each(|judge, at| {
            let Some(views) = of.get(&at) else { return };
            let suspects = judge.suspects(views);
            views.iter().for_each(|view| judge.view(view, &suspects));
        })
    }

    /// Visits all contents, each with the trees as they stand for it.
    fn each(&mut self, mut visit: impl FnMut(&mut Self, usize)) -> Result<(), Stopped> {
        // Depth first, without recursion: chains of differences are long. True: enter, false: leave.
        let roots = self.contents.roots.get(&self.ground.data).cloned().unwrap_or_default();
        let mut stack: Vec<(usize, bool)> = roots.into_iter().rev().map(|r| (r, true)).collect();
        let mut ahead = stack.len();
        while let Some((at, enter)) = stack.pop() {
            // With nothing left to enter there is nothing to go back for.
            if ahead == 0 {
                break;
            }
            if !self.apply(at, enter) {
                return Err(Stopped::Damaged(self.contents.all[at].id));
            }
            if !enter {
                continue;
            }
            ahead = ahead - 1 + self.contents.children[at].len();
            visit(self, at);
            if self.steps > self.steps_max {
                return Err(Stopped::Exhausted);
            }
            stack.push((at, false));
            stack.extend(self.contents.children[at].iter().rev().map(|c| (*c, true)));
        }
        Ok(())
    }

    fn shown_at(&mut self, at: usize) -> Shown {
        let edge = self.edge(at);
        self.steps += 1 + edge.len() as u64;
        let odd = !self.foreign.is_empty() || !self.doubled.is_empty();
        let fresh = self.bad.zeros(SPANS_MAX).map(|runs| self.ground.cut_spans(&runs)).unwrap_or_default();
        let explained = self.against.zeros(SPANS_MAX).map(|runs| self.ground.mark_spans(&runs)).unwrap_or_default();
        Shown { odd, fresh, explained, edge }
    }

    /// What the content at hand changes about publishers, against its base.
    fn edge(&self, at: usize) -> Vec<Transition> {
        let content = &self.contents.all[at];
        let values = content.add.iter().map(|v| (*v, 1)).chain(content.remove.iter().map(|v| (*v, -1)));
        let local_of = |value: u32| self.ground.local_of(self.record, value);
        let mut changed: SmallVec<[(usize, u32, i32); 4]> =
            values.filter_map(|(value, n)| local_of(value).map(|local| (local, value, n))).collect();
        changed.sort_unstable();
        let made = |net: &[(usize, u32, i32)]| {
            let local = net[0].0;
            // How often each value was there before: what is there now without the difference.
            let mut counts: SmallVec<[(u32, i32); 4]> = self.shown[local].iter().map(|v| (v.0, v.1 as i32)).collect();
            let after: Said = counts.iter().map(|c| c.0).collect();
            for &(_, value, n) in net {
                match counts.binary_search_by_key(&value, |c| c.0) {
                    Ok(at) => counts[at].1 -= n,
                    Err(at) => counts.insert(at, (value, -n)),
                }
            }
            let before = counts.into_iter().filter(|c| c.1 > 0).map(|c| c.0).collect();
            Transition::new(self.record, local, before, after)
        };
        changed.chunk_by(|a, b| a.0 == b.0).map(made).filter(|t| t.before != t.after).collect()
    }

    fn toggle(&mut self, local: usize, shown: Option<u32>, by: i32) {
        let choice = self.ground.locals[local].choice(shown);
        // Against all instants but those that explain it.
        self.against.add_all(by);
        for &(from, to) in &choice.explained_at {
            self.against.add(from as usize, to as usize, -by);
        }
        for &(from, to) in &choice.bad_at {
            self.bad.add(from as usize, to as usize, by);
        }
        self.steps += 1 + choice.explained_at.len() as u64 + choice.bad_at.len() as u64;
    }

    /// False if it removes what is not there.
    fn apply(&mut self, at: usize, enter: bool) -> bool {
        let contents = self.contents;
        let content = &contents.all[at];
        let (add, remove) = if enter { (&content.add, &content.remove) } else { (&content.remove, &content.add) };
        add.iter().all(|v| self.count(*v, true)) && remove.iter().all(|v| self.count(*v, false))
    }

    /// One more or one less of a value; false if there is none left to take away.
    fn count(&mut self, value: u32, more: bool) -> bool {
        let Some(local) = self.ground.local_of(self.record, value) else {
            let n = self.foreign.get(&value).copied().unwrap_or(0);
            match (more, n) {
                (true, _) => self.foreign.insert(value, n + 1),
                (false, 0) => return false,
                (false, 1) => self.foreign.remove(&value),
                (false, _) => self.foreign.insert(value, n - 1),
            };
            return true;
        };
        let list = &mut self.shown[local];
        let found = list.iter().position(|v| v.0 == value);
        match (found, more) {
            (Some(at), true) => list[at].1 += 1,
            (Some(at), false) if list[at].1 > 1 => list[at].1 -= 1,
            (Some(at), false) => {
                list.remove(at);
                let none_left = list.is_empty();
                self.toggle(local, Some(value), -1);
                if none_left {
                    self.toggle(local, None, 1);
                }
            }
            (None, true) => {
                let was_missing = list.is_empty();
                list.push((value, 1));
                list.sort_unstable();
                if was_missing {
                    self.toggle(local, None, -1);
                }
                self.toggle(local, Some(value), 1);
            }
            (None, false) => return false,
        }
        let list = &self.shown[local];
        let two_values = list.len() > 1 && self.record.header.contract.atomic_replace;
        if two_values || list.iter().any(|v| v.1 > 1) {
            self.doubled.insert(local);
        } else {
            self.doubled.remove(&local);
        }
        true
    }

    /// Publishers about which this content is out of date at some instant of its use; found once for each content.
    fn suspects(&mut self, views: &[&View]) -> Vec<(usize, Option<u32>)> {
        let from = views.iter().map(|v| v.at).min();
        let (Some(from), Some(to)) = (from, views.iter().map(|v| v.until.max(v.at)).max()) else {
            return Vec::new();
        };
        let whole = Span::new(from, to);
        if !self.bad_in(whole) {
            return Vec::new();
        }
        self.steps += self.shown.len() as u64;
        self.said().filter(|(l, v)| meets(&self.ground.locals[*l].choice(*v).bad, whole)).collect()
    }

    /// All that the content says: publishers with the value shown, or none for missing ones.
    fn said(&self) -> impl Iterator<Item = (usize, Option<u32>)> + '_ {
        self.shown.iter().enumerate().flat_map(|(local, list)| {
            let missing = list.is_empty().then_some((local, None));
            missing.into_iter().chain(list.iter().map(move |v| (local, Some(v.0))))
        })
    }

    fn bad_in(&mut self, span: Span) -> bool {
        self.steps += 1;
        let (from, to) = self.ground.cut_range(span);
        self.bad.most(from as usize, to as usize) > 0
    }

    fn explained_in(&mut self, window: Span) -> bool {
        self.steps += 1;
        let (from, to) = self.ground.mark_range(window);
        self.against.least(from as usize, to as usize) == 0
    }
}
