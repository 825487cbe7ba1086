//! Which version of a key is before which, from what may be taken for granted.

use super::super::check::{KeyOrder, Options};
use super::super::components::components;
use super::super::finding::Findings;
use super::super::graph::{Graph, Steps, View, WW};
use super::super::history::NONE;
use super::Registers;
use crate::linearizability::{GaveUp, Limits};
use history::calls::{NO_PROCESS, OPEN};
use rustc_hash::FxHashMap;

/// Pairs of versions.
pub(super) type Pairs = Vec<(u32, u32)>;

impl Registers<'_, '_> {
    /// Infers the order of versions, one source after the other; a source that goes in circles is an anomaly and left out.
    pub(in super::super) fn infer(
        &mut self,
        options: &Options,
        findings: &mut Findings,
        limits: &Limits<'_>,
    ) -> Result<(), GaveUp> {
        let mut sources: Vec<(&str, Pairs)> = Vec::new();
        if options.writes_follow_reads {
            sources.push(("writes follow reads", self.within()));
        }
        match options.keys {
            Some(KeyOrder::Sequential) => sources.push(("keys are sequential", self.by_process())),
            Some(KeyOrder::Linearizable) => sources.push(("keys are linearizable", self.by_time())),
            None => {}
        }
        for (name, mut pairs) in sources {
            pairs.extend(&self.before);
            pairs.sort_unstable();
            pairs.dedup();
            if self.acyclic(name, &pairs, findings, limits)? {
                self.before = pairs;
            }
        }
        self.first();
        Ok(())
    }

    /// Nil is before all others: before those that no version with a writer is before, that is enough.
    fn first(&mut self) {
        let mut follows = vec![false; self.name.len()];
        for (from, to) in &self.before {
            follows[*to as usize] |= self.possible(self.writer[*from as usize]);
        }
        for version in self.history.keys.len() as u32..self.name.len() as u32 {
            if !follows[version as usize] {
                self.before.push((self.name[version as usize].0, version));
            }
        }
        self.before.sort_unstable();
        self.before.dedup();
    }

    /// A pair of versions seen in this order, if they differ. Nil after a version is before it, too: a circle.
    fn pair(&self, pairs: &mut Pairs, from: u32, to: u32) {
        let key = self.name[from as usize].0;
        if from != to && from != key {
            pairs.push((from, to));
            if to == key {
                pairs.push((to, from));
            }
        }
    }

    pub(super) fn within(&self) -> Pairs {
        let mut pairs = Pairs::new();
        for txn in self.history.numbers().filter(|txn| self.history.txns[*txn as usize].ok()) {
            for (_, saw, wrote) in self.touched(txn).iter().copied() {
                if let (Some(saw), Some(wrote)) = (saw, wrote) {
                    self.pair(&mut pairs, saw, wrote);
                }
            }
        }
        pairs
    }

    pub(super) fn by_process(&self) -> Pairs {
        let mut pairs = Pairs::new();
        let mut last: FxHashMap<(i64, u32), u32> = FxHashMap::default();
        for (number, txn) in self.history.numbers().zip(&self.history.txns) {
            if !txn.possible() || txn.process == NO_PROCESS {
                continue;
            }
            for (key, saw, wrote) in self.touched(number).iter().copied() {
                let (Some(first), Some(end)) = (saw.or(wrote), wrote.or(saw)) else { continue };
                if let Some(before) = last.get(&(txn.process, key)) {
                    self.pair(&mut pairs, *before, first);
                }
                if txn.ok() {
                    last.insert((txn.process, key), end);
                }
            }
        }
        pairs
    }

    /// For each key, from each transaction to those that began after it ended, unless another one lies between them.
    pub(super) fn by_time(&self) -> Pairs {
        /// Touched by: first and last version, invocation, completion.
        type Touch = (u32, u32, u32, u32);
        let mut touches: Vec<Vec<Touch>> = vec![Vec::new(); self.history.keys.len()];
        for (number, txn) in self.history.numbers().zip(&self.history.txns).filter(|(_, txn)| txn.possible()) {
            for (key, saw, wrote) in self.touched(number).iter().copied() {
                if let (Some(first), Some(end)) = (saw.or(wrote), wrote.or(saw)) {
                    touches[key as usize].push((first, end, txn.invoke, txn.complete));
                }
            }
        }
        let mut pairs = Pairs::new();
        for touches in touches {
            let mut ends: Vec<Touch> = touches.iter().copied().filter(|touch| touch.3 != OPEN).collect();
            ends.sort_unstable_by_key(|touch| touch.3);
            let mut ends = ends.into_iter().peekable();
            let mut frontier: Vec<Touch> = Vec::new();
            for touch in touches {
                while let Some(ended) = ends.next_if(|ended| ended.3 < touch.2) {
                    frontier.retain(|before| before.3 > ended.2);
                    frontier.push(ended);
                }
                frontier.iter().for_each(|before| self.pair(&mut pairs, before.1, touch.0));
            }
        }
        pairs
    }

    /// False, and an anomaly, if the versions go in circles.
    fn acyclic(
        &self,
        source: &str,
        pairs: &[(u32, u32)],
        findings: &mut Findings,
        limits: &Limits<'_>,
    ) -> Result<bool, GaveUp> {
        let edges: Vec<_> = pairs.iter().map(|(from, to)| (*from, *to, WW)).collect();
        let n = self.name.len() as u32;
        let graph = Graph::new(&edges, vec![n; n as usize]);
        let view = View { graph: &graph, mask: WW, realtime: false, steps: Steps::Any, within: None };
        let parts = components(&view, 0..n, limits)?;
        for part in &parts.members {
            findings.found("cyclic-versions", || {
                let names: Vec<String> = part.iter().take(8).map(|version| self.named(*version).1).collect();
                let key = self.named(part[0]).0;
                format!("if {source}, the values {} of key {key} are each before the others", names.join(", "))
            });
        }
        Ok(parts.members.is_empty())
    }

    /// True if the first version is known to be directly before the second.
    pub(super) fn precedes(&self, first: u32, second: u32) -> bool {
        first != NONE && self.before.binary_search(&(first, second)).is_ok()
    }
}
