//! Monotonic view, read atomicity and causality, decided without any order of versions: Biswas and Enea, "On the complexity of
//! checking transactional consistency" (2019), in the manner of "AWDIT" (2025): a vector of clocks over the processes.
//!
//! If a transaction reads a key from T1, and must see T2, which wrote that key too, then T2 is before T1. What it must see:
//!
//! - monotonic view: what it read from before, in its own order;
//! - read atomic: what it read from;
//! - causal: everything before it by reads and processes.
//!
//! A history obeys the model if nothing of this goes in circles.

use super::components::components;
use super::finding::Findings;
use super::graph::{Edge, Graph, PROCESS, SEEN, Steps, View, WR, WW, WW_PERHAPS};
use super::history::{Does, History, NONE};
use super::paths::{Paths, Walk};
use super::words;
use crate::linearizability::{GaveUp, Limits};
use history::calls::NO_PROCESS;
use rustc_hash::FxHashMap;

/// Entries of clocks; more processes are too many.
const CLOCKS_MAX: usize = 100_000_000;

/// What a transaction read from others, and which keys it wrote.
#[derive(Debug, Default)]
pub(super) struct Facts {
    starts: Vec<u32>,
    /// Key and writer, in the order of the reads; [`NONE`] wrote what is there at first.
    reads: Vec<(u32, u32)>,
    wrote_starts: Vec<u32>,
    /// Keys, ascending.
    wrote: Vec<u32>,
}

impl Facts {
    /// Of all transactions that may have taken effect; `writer` says who wrote what a read (its place, its key) saw, if anybody
    /// is known to have.
    pub(super) fn of(history: &History<'_>, writer: impl Fn(usize, u32) -> Option<u32>) -> Facts {
        let (mut facts, all) = (Facts::default(), history.all());
        for (number, txn) in history.numbers().zip(&history.txns) {
            let does = |does: Does| move |at: &usize| txn.possible() && all[*at].does == does;
            let reads = history.range(number).filter(does(Does::Read));
            let reads = reads.filter_map(|at| Some((all[at].key, writer(at, all[at].key)?)));
            facts.push(reads, history.range(number).filter(does(Does::Write)).map(|at| all[at].key));
        }
        facts
    }

    /// The next transaction, in the order of the history.
    fn push(&mut self, reads: impl Iterator<Item = (u32, u32)>, wrote: impl Iterator<Item = u32>) {
        self.starts.push(self.reads.len() as u32);
        self.wrote_starts.push(self.wrote.len() as u32);
        self.reads.extend(reads);
        self.wrote.extend(wrote);
        let from = self.wrote_starts[self.wrote_starts.len() - 1] as usize;
        self.wrote[from..].sort_unstable();
    }

    fn reads(&self, txn: u32) -> &[(u32, u32)] {
        part(&self.starts, &self.reads, txn)
    }

    fn wrote(&self, txn: u32) -> &[u32] {
        part(&self.wrote_starts, &self.wrote, txn)
    }

    fn writes(&self, txn: u32, key: u32) -> bool {
        self.wrote(txn).binary_search(&key).is_ok()
    }
}

fn part<'a, T>(starts: &[u32], all: &'a [T], at: u32) -> &'a [T] {
    let end = starts.get(at as usize + 1).map_or(all.len(), |end| *end as usize);
    &all[starts[at as usize] as usize..end]
}

/// Why one must be before another: the reader, and the key.
type Because = FxHashMap<(u32, u32), (u32, u32)>;

/// What the reads of one model demand.
#[derive(Default)]
struct Demands {
    edges: Vec<Edge>,
    because: Because,
    /// A reader, a key, and who wrote it before the reader saw nothing there.
    nothing: Option<(u32, u32, u32)>,
}

impl Demands {
    fn add(&mut self, reader: u32, key: u32, seen: u32, from: u32) {
        if from == NONE {
            self.nothing.get_or_insert((reader, key, seen));
        } else {
            self.edges.push((seen, from, SEEN));
            self.because.entry((seen, from)).or_insert((reader, key));
        }
    }
}

/// The name of an anomaly, and a cycle of it with why; an empty one if something was seen as it was at first.
pub(super) struct Circle {
    pub(super) anomaly: &'static str,
    pub(super) walk: Walk,
    because: Because,
    nothing: Option<(u32, u32, u32)>,
}

impl Circle {
    /// The reason of an edge of a demand.
    pub(super) fn reason(&self, history: &History<'_>, pair: &words::Pair<'_>) -> Option<String> {
        let (reader, key) = self.because.get(&(pair.from, pair.to))?;
        let (reader, key) = (words::txn(history, *reader), words::key(history, *key));
        let (from, to) = (pair.from_name, pair.to_name);
        Some(format!("{from} and {to} wrote key {key}, and {reader} read it from {to} although it had to see {from}"))
    }

    /// Books it.
    pub(super) fn told(&self, history: &History<'_>, findings: &mut Findings) {
        let Some((reader, key, seen)) = self.nothing else { return };
        findings.found(self.anomaly, || {
            let (reader, seen) = (words::txn(history, reader), words::txn(history, seen));
            let key = words::key(history, key);
            format!(
                "{reader} read key {key} as it was before all writes, although it had to see {seen}, which wrote it"
            )
        });
    }
}

/// Which of the three models are to be decided.
#[derive(Clone, Copy)]
pub(super) struct Wanted {
    pub(super) read_atomic: bool,
    pub(super) monotonic_view: bool,
    pub(super) causal: bool,
}

impl Wanted {
    /// True if there is anything to do.
    pub(super) fn any(self) -> bool {
        self.read_atomic || self.monotonic_view || self.causal
    }
}

/// Decides some of the three models, the causal one if there are not too many processes (then the second answer is false).
pub(super) fn find(
    history: &History<'_>,
    graph: &Graph,
    facts: &Facts,
    wanted: Wanted,
    limits: &Limits<'_>,
) -> Result<(Vec<Circle>, bool), GaveUp> {
    let mut circles = Vec::new();
    let direct_ones =
        [("read-atomic-cycle", true, wanted.read_atomic), ("monotonic-view-cycle", false, wanted.monotonic_view)];
    for (anomaly, whole, _) in direct_ones.into_iter().filter(|(.., wanted)| *wanted) {
        let mut demands = Demands::default();
        for txn in history.numbers() {
            direct(facts, txn, whole, &mut demands);
        }
        circles.extend(circle(graph, anomaly, demands, 0, limits)?);
    }
    if wanted.causal {
        let Some(demands) = causal(history, graph, facts, limits)? else { return Ok((circles, false)) };
        circles.extend(circle(graph, "causal-cycle", demands, PROCESS, limits)?);
    }
    Ok((circles, true))
}

/// What a transaction must see because it read from it, anywhere or before.
fn direct(facts: &Facts, txn: u32, whole: bool, demands: &mut Demands) {
    let reads = facts.reads(txn);
    for (i, (key, from)) in reads.iter().enumerate() {
        let others = if whole { reads } else { &reads[..i] };
        for (_, seen) in others {
            if *seen != NONE && *seen != txn && seen != from && *from != txn && facts.writes(*seen, *key) {
                demands.add(txn, *key, *seen, *from);
            }
        }
    }
}

/// A cycle of what is known and what is demanded.
fn circle(
    graph: &Graph,
    anomaly: &'static str,
    demands: Demands,
    more: u8,
    limits: &Limits<'_>,
) -> Result<Option<Circle>, GaveUp> {
    let Demands { mut edges, because, nothing } = demands;
    if nothing.is_some() {
        return Ok(Some(Circle { anomaly, walk: Vec::new(), because, nothing }));
    }
    edges.sort_unstable();
    edges.dedup();
    let mask = WW | WW_PERHAPS | WR | more;
    for txn in 0..graph.len() as u32 {
        edges.extend(graph.out(txn).filter(|(_, kind)| kind & mask != 0).map(|(to, kind)| (txn, to, kind)));
    }
    let whole = Graph::new(&edges, graph.later.clone());
    let view = View { graph: &whole, mask: mask | SEEN, realtime: false, steps: Steps::Any, within: None };
    let parts = components(&view, 0..whole.len() as u32, limits)?;
    let mut paths = Paths::new(whole.len());
    for part in 0..parts.members.len() as u32 {
        paths.enter(&view, &parts, part);
        for from in &parts.members[part as usize] {
            for (to, kind) in whole.out(*from).filter(|(to, _)| parts.of[*to as usize] == part) {
                if let Some(walk) = paths.closing(&view, &parts, part, (*from, to, kind), limits)? {
                    return Ok(Some(Circle { anomaly, walk, because, nothing }));
                }
            }
        }
    }
    Ok(None)
}

/// What everything before a transaction demands; none with too many processes.
fn causal(history: &History<'_>, graph: &Graph, facts: &Facts, limits: &Limits<'_>) -> Result<Option<Demands>, GaveUp> {
    let places = Places::new(history);
    let (n, k) = (history.txns.len(), places.sessions);
    if n.saturating_mul(k) > CLOCKS_MAX {
        return Ok(None);
    }
    limits.book(n as u64, 0, n as u64 * k as u64 * 4)?;
    let view = View { graph, mask: WR | PROCESS, realtime: false, steps: Steps::Any, within: None };
    let writers = places.writers(history, facts);
    let mut clocks = vec![0u32; n * k];
    let mut demands = Demands::default();
    for txn in order(&view) {
        let begin = txn as usize * k;
        for (key, from) in facts.reads(txn).iter().filter(|(_, from)| *from != txn) {
            for session in writers.get(key).into_iter().flatten() {
                let known = clocks[begin + session[0].0 as usize];
                let upto = session.partition_point(|(_, place, _)| *place <= known);
                let Some((_, _, seen)) = upto.checked_sub(1).map(|at| session[at]) else { continue };
                if seen != *from && seen != txn {
                    demands.add(txn, *key, seen, *from);
                }
            }
        }
        let clock: Vec<u32> = clocks[begin..begin + k].to_vec();
        let (session, place) = places.of[txn as usize];
        for (to, _) in graph.out(txn).filter(|(_, kind)| kind & (WR | PROCESS) != 0) {
            let target = &mut clocks[to as usize * k..(to as usize + 1) * k];
            target.iter_mut().zip(&clock).for_each(|(a, b)| *a = (*a).max(*b));
            target[session as usize] = target[session as usize].max(place);
        }
    }
    limits.release(n as u64 * k as u64 * 4);
    Ok(Some(demands))
}

/// Transactions so that edges go forward; what is on cycles, and behind them, is left out.
fn order(view: &View<'_>) -> Vec<u32> {
    let n = view.graph.len() as u32;
    let mut waits = vec![0u32; n as usize];
    let each = |txn: u32, f: &mut dyn FnMut(u32)| {
        view.graph.out(txn).filter(|(_, kind)| kind & view.mask != 0).for_each(|(to, _)| f(to));
    };
    (0..n).for_each(|txn| each(txn, &mut |to| waits[to as usize] += 1));
    let mut ready: Vec<u32> = (0..n).rev().filter(|txn| waits[*txn as usize] == 0).collect();
    let mut order = Vec::with_capacity(n as usize);
    while let Some(txn) = ready.pop() {
        order.push(txn);
        each(txn, &mut |to| {
            waits[to as usize] -= 1;
            if waits[to as usize] == 0 {
                ready.push(to);
            }
        });
    }
    order
}

/// Transactions of one session in its order: session, place, transaction.
type Session = Vec<(u32, u32, u32)>;

/// The session of each transaction and its place there, counted from 1.
struct Places {
    of: Vec<(u32, u32)>,
    sessions: usize,
}

impl Places {
    /// A transaction with unknown outcome ends its session: what its process does next may come before it.
    fn new(history: &History<'_>) -> Places {
        let mut open: FxHashMap<i64, (u32, u32)> = FxHashMap::default();
        let mut sessions = 0;
        let mut of = Vec::with_capacity(history.txns.len());
        for txn in &history.txns {
            if !txn.possible() {
                of.push((0, 0));
                continue;
            }
            let fresh = txn.process == NO_PROCESS || !open.contains_key(&txn.process);
            if fresh {
                sessions += 1;
                open.insert(txn.process, (sessions - 1, 0));
            }
            let Some(last) = open.get_mut(&txn.process) else { continue };
            last.1 += 1;
            of.push(*last);
            if !txn.ok() {
                open.remove(&txn.process);
            }
        }
        Places { of, sessions: sessions as usize }
    }

    /// For each key the transactions that wrote it, by session and in its order: session, place, transaction.
    fn writers(&self, history: &History<'_>, facts: &Facts) -> FxHashMap<u32, Vec<Session>> {
        let mut flat: FxHashMap<u32, Session> = FxHashMap::default();
        for txn in history.numbers() {
            let (session, place) = self.of[txn as usize];
            for key in facts.wrote(txn) {
                flat.entry(*key).or_default().push((session, place, txn));
            }
        }
        let group = |mut all: Session| {
            all.sort_unstable();
            all.chunk_by(|a, b| a.0 == b.0).map(<[_]>::to_vec).collect()
        };
        flat.into_iter().map(|(key, all)| (key, group(all))).collect()
    }
}
