//! Whether a model holds although not every order of versions is known.
//!
//! What is inferred rules models out, but its silence proves nothing. So an order of all versions is looked for with which the
//! model holds: first by running the transactions one after the other in an order that respects everything known, which finds
//! the order in which a store did; then, for small histories, by trying all. If none is right, the model is ruled out after all.

use super::super::cycles;
use super::super::graph::{Edge, Graph, PROCESS, Steps, View};
use super::super::history::{Does, NONE};
use super::super::lattice::{self, Names};
use super::Registers;
use super::order::Pairs;
use super::serial::Serial;
use crate::linearizability::{GaveUp, Limits};

/// So many orders of versions are tried.
const ORDERS_MAX: usize = 3_000;

/// What is known of a model.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in super::super) enum Proof {
    /// There is an order of versions with which it holds.
    Holds,
    /// There is none.
    RuledOut,
    /// Nobody knows.
    Unknown,
}

/// Models for which the order of processes binds, and of time.
const IN_PROCESSES: [&str; 3] =
    ["strong-session-serializable", "strong-session-snapshot-isolation", "strong-session-read-committed"];
const IN_TIME: [&str; 2] = ["strict-serializable", "strong-snapshot-isolation"];

impl Registers<'_, '_> {
    /// Proves a model that the anomalies found so far do not rule out.
    pub(in super::super) fn prove(
        &self,
        model: &'static str,
        anomalies: &Names,
        limits: &Limits<'_>,
    ) -> Result<Proof, GaveUp> {
        let weaker = lattice::weaker(model);
        if !weaker.contains("read-committed") {
            return Ok(Proof::Unknown);
        }
        let in_time = IN_TIME.iter().any(|one| weaker.contains(one));
        let in_processes = IN_PROCESSES.iter().any(|one| weaker.contains(one));
        // From read committed on a version that a transaction wrote over what it had read is behind it, else there is G1c.
        let mut pairs = self.within();
        pairs.extend(&self.before);
        if in_time {
            pairs.extend(self.by_time());
        } else if in_processes {
            pairs.extend(self.by_process());
        }
        let keys = self.history.keys.len() as u32;
        let known = |version: u32| version < keys || self.writer[version as usize] != NONE;
        pairs.retain(|(from, to)| known(*from) && known(*to));
        pairs.sort_unstable();
        pairs.dedup();
        let Some(graph) = self.graph(&pairs) else { return Ok(Proof::Unknown) };
        if self.holds(&graph, model, anomalies, limits)? == Proof::RuledOut {
            return Ok(Proof::RuledOut);
        }
        let mask = if in_processes { 0xff } else { !PROCESS };
        let view = View { graph: &graph, mask, realtime: in_time, steps: Steps::Any, within: None };
        let order = self.run(view, weaker.contains("serializable"), limits)?;
        if let Some(graph) = self.graph(&self.chain(&order))
            && self.holds(&graph, model, anomalies, limits)? == Proof::Holds
        {
            return Ok(Proof::Holds);
        }
        self.try_all(model, anomalies, limits)
    }

    fn graph(&self, pairs: &[(u32, u32)]) -> Option<Graph> {
        let mut edges: Vec<Edge> = Vec::new();
        self.reads(&mut edges);
        self.versions(pairs, &mut edges).ok()?;
        self.history.in_processes(|from, to| edges.push((from, to, PROCESS)));
        Some(Graph::new(&edges, self.history.later()))
    }

    /// What the cycles of a graph, and the anomalies besides, say of a model.
    fn holds(
        &self,
        graph: &Graph,
        model: &'static str,
        anomalies: &Names,
        limits: &Limits<'_>,
    ) -> Result<Proof, GaveUp> {
        let found = cycles::find(graph, limits);
        if let Some(gave_up) = found.gave_up {
            return Err(gave_up);
        }
        let names = found.cycles.iter().map(|(name, _)| *name).chain(anomalies.iter().copied());
        let not = lattice::ruled_out(names);
        Ok(match not.contains(model) {
            true => Proof::RuledOut,
            false if !found.undecided.is_empty() => Proof::Unknown,
            false if lattice::established(&not).contains(model) => Proof::Holds,
            false => Proof::Unknown,
        })
    }

    /// True for transactions that took effect: the others may be taken for none.
    pub(super) fn present(&self, txn: u32) -> bool {
        let written = |at: usize| {
            self.history.all()[at].does == Does::Write
                && self.writer[self.at[at] as usize] == txn
                && !self.readers_of(self.at[at]).is_empty()
        };
        let one = &self.history.txns[txn as usize];
        one.ok() || one.possible() && self.history.range(txn).any(written)
    }

    /// Each version before the next, by the place of their writers in an order.
    fn chain(&self, order: &[u32]) -> Pairs {
        let mut last: Vec<u32> = (0..self.history.keys.len() as u32).collect();
        let mut pairs = Pairs::new();
        for txn in order.iter().filter(|txn| self.present(**txn)) {
            for (key, _, wrote) in self.touched(*txn).iter().copied() {
                if let Some(wrote) = wrote {
                    pairs.push((last[key as usize], wrote));
                    last[key as usize] = wrote;
                }
            }
        }
        pairs.sort_unstable();
        pairs
    }

    /// Runs the transactions in an order that respects a graph as far as it has no cycles.
    fn run(&self, view: View<'_>, serial: bool, limits: &Limits<'_>) -> Result<Vec<u32>, GaveUp> {
        if serial && let Some(order) = Serial::new(self, view).order(true, limits)? {
            return Ok(order);
        }
        Ok(Serial::new(self, view).order(false, limits)?.unwrap_or_default())
    }

    /// Tries every order of the versions of each key, where these are few.
    fn try_all(&self, model: &'static str, anomalies: &Names, limits: &Limits<'_>) -> Result<Proof, GaveUp> {
        let mut versions: Vec<Vec<u32>> = vec![Vec::new(); self.history.keys.len()];
        for txn in self.history.numbers().filter(|txn| self.present(*txn)) {
            for (key, _, wrote) in self.touched(txn).iter().copied() {
                versions[key as usize].extend(wrote);
            }
        }
        let count = |list: &Vec<u32>| (1..=list.len()).try_fold(1usize, |a, b| a.checked_mul(b));
        let orders = versions.iter().try_fold(1usize, |all, list| count(list).and_then(|one| all.checked_mul(one)));
        let Some(orders) = orders.filter(|orders| *orders <= ORDERS_MAX) else { return Ok(Proof::Unknown) };
        let mut all_ruled_out = true;
        for number in 0..orders {
            let mut pairs = Pairs::new();
            let mut rest = number;
            for (key, list) in versions.iter().enumerate() {
                let mut left = list.clone();
                let mut last = key as u32;
                while !left.is_empty() {
                    let next = left.remove(rest % left.len());
                    rest /= left.len() + 1;
                    pairs.push((last, next));
                    last = next;
                }
            }
            pairs.sort_unstable();
            let Some(graph) = self.graph(&pairs) else { return Ok(Proof::Unknown) };
            match self.holds(&graph, model, anomalies, limits)? {
                Proof::Holds => return Ok(Proof::Holds),
                Proof::Unknown => all_ruled_out = false,
                Proof::RuledOut => {}
            }
        }
        Ok(if all_ruled_out { Proof::RuledOut } else { Proof::Unknown })
    }
}
