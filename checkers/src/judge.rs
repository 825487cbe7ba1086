//! Judges every content of one dataId at every instant at which somebody had it before the eyes.
//!
//! Two segment trees stand for the content at hand: `against` counts, for each instant, the publishers about which the content
//! would be wrong then (an instant with none explains the whole content); `bad` counts, for each instant at which the
//! content may be shown, the publishers about which it is out of date. Going from one content to the next changes only
//! what differs, so a content costs its difference, and a push or a view of a known content costs a logarithm.

mod rules;

use crate::content::Contents;
use crate::finding::Findings;
use crate::ground::Ground;
use crate::record::Record;
use crate::span::{Span, meets};
use crate::tree::Tree;
use crate::trouble::Horizon;
use crate::views::Views;
use history::SnapshotId;
use rustc_hash::FxHashMap;
use std::collections::{BTreeMap, BTreeSet};

/// What changed about one publisher between two contents.
#[derive(Clone, Debug)]
pub(crate) struct Transition {
    /// Index into [`Ground::locals`].
    pub local: usize,
    pub before: Vec<u32>,
    pub after: Vec<u32>,
}

/// Differences between pairs of contents that followed each other before somebody's eyes.
pub(crate) type Pairs = FxHashMap<(usize, usize), Vec<Transition>>;

/// What belongs to one dataId, by index: views in order of time, reads that ended ok, runs.
#[derive(Default)]
pub(crate) struct Mine {
    pub views: Vec<u32>,
    pub reads: Vec<usize>,
    pub runs: Vec<usize>,
}

/// The work on one dataId.
pub(crate) struct Judge<'a, 'b> {
    pub record: &'b Record<'a>,
    pub contents: &'b Contents,
    pub horizon: &'b Horizon,
    pub views: &'b Views,
    pub ground: &'b Ground,
    pub findings: Findings,
    pub pairs: Pairs,
    pub steps: u64,
    pub steps_max: u64,
    against: Tree,
    bad: Tree,
    /// What the content says about each publisher: values with their number.
    shown: Vec<Vec<(u32, u32)>>,
    foreign: BTreeMap<u32, u32>,
    doubled: BTreeSet<usize>,
}

/// Where a content was seen.
#[derive(Default)]
struct Uses {
    views: Vec<u32>,
    reads: Vec<usize>,
    /// Contents before it.
    before: BTreeSet<usize>,
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
        views: &'b Views,
        ground: &'b Ground,
        steps_max: u64,
    ) -> Judge<'a, 'b> {
        let mut judge = Judge {
            record,
            contents,
            horizon,
            views,
            ground,
            findings: Findings::default(),
            pairs: Pairs::default(),
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

    /// Judges everything of this dataId.
    pub fn run(&mut self, mine: &Mine) -> Result<(), Stopped> {
        let mut uses: FxHashMap<usize, Uses> = FxHashMap::default();
        for &at in &mine.views {
            let view = &self.views.all[at as usize];
            let entry = uses.entry(view.content()).or_default();
            entry.views.push(at);
            if let Some(before) = view.before.get() {
                let before = self.views.all[before].content();
                if before != view.content() {
                    entry.before.insert(before);
                }
            }
        }
        for &at in &mine.reads {
            let content = self.record.ops[at].snapshot.and_then(|id| self.contents.by_id.get(&id));
            if let Some(content) = content.filter(|c| self.contents.all[**c].data == self.ground.data) {
                uses.entry(*content).or_default().reads.push(at);
            }
        }
        // Depth first, without recursion: chains of differences are long. True: enter, false: leave.
        let roots = self.contents.roots.get(&self.ground.data).cloned().unwrap_or_default();
        let mut stack: Vec<(usize, bool)> = roots.into_iter().rev().map(|r| (r, true)).collect();
        while let Some((at, enter)) = stack.pop() {
            if !self.apply(at, enter) {
                return Err(Stopped::Damaged(self.contents.all[at].id));
            }
            if !enter {
                continue;
            }
            if let Some(uses) = uses.get(&at) {
                self.content(at, uses);
            }
            if self.steps > self.steps_max {
                return Err(Stopped::Exhausted);
            }
            stack.push((at, false));
            stack.extend(self.contents.children[at].iter().rev().map(|c| (*c, true)));
        }
        Ok(())
    }

    fn toggle(&mut self, local: usize, shown: Option<u32>, by: i32) {
        let choice = self.ground.locals[local].choice(shown);
        for &(from, to) in &choice.against {
            self.against.add(from as usize, to as usize, by);
        }
        for &(from, to) in &choice.bad_at {
            self.bad.add(from as usize, to as usize, by);
        }
        self.steps += 1 + choice.against.len() as u64 + choice.bad_at.len() as u64;
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

    fn content(&mut self, at: usize, uses: &Uses) {
        for &before in &uses.before {
            let transitions = self.transitions(before, at);
            self.steps += transitions.len() as u64;
            self.pairs.insert((before, at), transitions);
        }
        let suspects = self.suspects(uses);
        for &view in &uses.views {
            self.view(view as usize, &suspects);
        }
        for &read in &uses.reads {
            self.read(read, at);
        }
    }

    fn transitions(&self, from: usize, to: usize) -> Vec<Transition> {
        let mut changed: BTreeMap<usize, Vec<(u32, i32)>> = BTreeMap::new();
        for (value, n) in self.contents.difference(from, to) {
            if let Some(local) = self.ground.local_of(self.record, value) {
                changed.entry(local).or_default().push((value, n));
            }
        }
        let made = |(local, net): (usize, Vec<(u32, i32)>)| {
            let mut counts: BTreeMap<u32, i32> = self.shown[local].iter().map(|v| (v.0, v.1 as i32)).collect();
            let after: Vec<u32> = counts.keys().copied().collect();
            net.iter().for_each(|(v, n)| *counts.entry(*v).or_default() -= n);
            let before = counts.into_iter().filter(|c| c.1 > 0).map(|c| c.0).collect();
            Transition { local, before, after }
        };
        changed.into_iter().map(made).filter(|t| t.before != t.after).collect()
    }

    /// Publishers about which this content is out of date at some instant of its use; found once for each content.
    fn suspects(&mut self, uses: &Uses) -> Vec<(usize, Option<u32>)> {
        let all = || uses.views.iter().map(|v| &self.views.all[*v as usize]);
        let (Some(from), Some(to)) = (all().map(|v| v.at).min(), all().map(|v| v.until.max(v.at)).max()) else {
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
