//! From an operation history to what it rules out.

use super::append::Lists;
use super::append::unread::{self, Orders};
use super::cycles::{self, Found};
use super::finding::{Cycle, Finding, Findings, Step};
use super::graph::{Edge, Graph, PROCESS, RW, SEEN, WR};
use super::history::History;
use super::judgement::Judgement;
use super::lattice::{self, ConsistencyModel, Names};
use super::paths::{REALTIME, Walk};
use super::register::{Proof, Registers};
use super::weak::{self, Facts, Wanted};
use super::words::{self, Pair};
use crate::linearizability::{GaveUp, Limits};
use crate::options::CheckersError;
use crate::verdict::Verdict;
use history::calls::{Calls, Ended, Value, render};
use rustc_hash::FxHashMap;
use std::fmt;
use std::str::FromStr;

/// The anomaly that only prefix consistency, and what is stronger, forbids.
const PREFIX: &str = "prefix-cycle";
/// The anomaly of registers whose versions can be in no order.
const UNORDERABLE: &str = "unorderable-versions";

/// What transactions are made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Workload {
    /// `[:append k v]` and `[:r k [v ...]]`.
    ListAppend,
    /// `[:w k v]` and `[:r k v]`.
    RwRegister,
}

impl Workload {
    /// All, in the order of documentation.
    pub const ALL: [Workload; 2] = [Workload::ListAppend, Workload::RwRegister];

    /// The name that people use.
    pub fn name(self) -> &'static str {
        match self {
            Workload::ListAppend => "list-append",
            Workload::RwRegister => "rw-register",
        }
    }

    /// Its operations, in a line.
    pub fn about(self) -> &'static str {
        match self {
            Workload::ListAppend => {
                "transactions of [:append k v] and [:r k [v ...]]: anomalies, and the consistency models that they rule out"
            }
            Workload::RwRegister => {
                "transactions of [:w k v] and [:r k v], values of a key unique: the same, with what is known of the order of versions"
            }
        }
    }
}

impl fmt::Display for Workload {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Workload {
    type Err = CheckersError;

    fn from_str(name: &str) -> Result<Workload, CheckersError> {
        let found = Workload::ALL.into_iter().find(|workload| workload.name() == name);
        found.ok_or_else(|| CheckersError::UnknownModel { name: name.to_owned() })
    }
}

/// What may be taken for granted of each register.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyOrder {
    /// Each process sees the versions of a key in their order.
    Sequential,
    /// Versions of a key follow each other in real time.
    Linearizable,
}

/// How to check.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Options {
    /// What the transactions are made of.
    pub workload: Workload,
    /// The model that the history is to obey.
    pub model: ConsistencyModel,
    /// What may be taken for granted of registers, if anything.
    pub keys: Option<KeyOrder>,
    /// A transaction that reads a register and then writes it makes the version after the one it read.
    pub writes_follow_reads: bool,
}

impl Options {
    /// Strict serializability, nothing taken for granted.
    pub fn new(workload: Workload) -> Options {
        Options { workload, model: ConsistencyModel::STRICT_SERIALIZABLE, keys: None, writes_follow_reads: false }
    }
}

/// Checks a history of transactions. Where calls carry independent keys, each of these is a history of its own.
pub fn check(calls: &Calls, options: &Options, limits: &Limits<'_>) -> Result<Judgement, CheckersError> {
    if !calls.keyed {
        return one(calls, options, 0..calls.calls.len(), limits);
    }
    let mut places: FxHashMap<Option<&Value>, usize> = FxHashMap::default();
    let mut keys: Vec<Vec<u32>> = Vec::new();
    for (number, call) in calls.calls.iter().enumerate() {
        let place = *places.entry(call.key.as_ref()).or_insert_with(|| {
            keys.push(Vec::new());
            keys.len() - 1
        });
        keys[place].push(number as u32);
    }
    let mut merged: Option<Judgement> = None;
    for members in keys {
        let key = calls.calls[members[0] as usize].key.as_ref().map(|key| render(key, &calls.symbols));
        let one = one(calls, options, members.iter().map(|number| *number as usize), limits)?.on(key);
        merged = Some(match merged {
            Some(merged) => merged.and(one),
            None => one,
        });
    }
    Ok(merged.unwrap_or_else(|| Judgement::unknown(options, calls, "there is no operation to judge".to_owned())))
}

/// Checks some calls, whatever their independent keys.
fn one(
    calls: &Calls,
    options: &Options,
    members: impl ExactSizeIterator<Item = usize>,
    limits: &Limits<'_>,
) -> Result<Judgement, CheckersError> {
    let history = History::new(calls, options.workload == Workload::ListAppend, members)?;
    let mut state = State::new(&history, options.model.name());
    let done = match options.workload {
        Workload::ListAppend => state.lists(limits),
        Workload::RwRegister => state.registers(options, limits),
    };
    if let Err(gave_up) = done {
        state.unknown = Some(format!("{} {}; anomalies may be left", gave_up.words(), state.stage));
        state.gave_up = true;
    }
    Ok(state.judge(options))
}

/// Why one transaction precedes another by an edge of some kind.
type Reason<'r> = &'r dyn Fn(&Pair<'_>, u8) -> Option<String>;

struct State<'h, 'a> {
    history: &'h History<'a>,
    model: &'static str,
    findings: Findings,
    /// A cycle that prefix consistency forbids.
    prefix: Walk,
    /// Models that were proved to hold.
    proved: Names,
    /// Models that hold with no order of versions.
    refuted: Names,
    /// Why what was not found may still be there.
    unknown: Option<String>,
    /// What is being done, for whoever is told that it took too long.
    stage: String,
    gave_up: bool,
}

impl<'h, 'a> State<'h, 'a> {
    fn new(history: &'h History<'a>, model: &'static str) -> State<'h, 'a> {
        let (proved, refuted) = (Names::new(), Names::new());
        let (findings, prefix) = (Findings::default(), Walk::new());
        let stage = "while the dependencies were worked out".to_owned();
        State { history, model, findings, prefix, proved, refuted, unknown: None, stage, gave_up: false }
    }

    fn lists(&mut self, limits: &Limits<'_>) -> Result<(), GaveUp> {
        let lists = Lists::new(self.history);
        self.unknown = lists.unusable().map(str::to_owned);
        lists.anomalies(&mut self.findings);
        let mut edges = Vec::with_capacity(self.history.all().len() * 2);
        if let Err(why) = lists.edges(&mut edges) {
            self.unknown.get_or_insert(why);
        }
        let reason = |pair: &Pair<'_>, kind| lists.reason(pair, kind);
        let graph = self.cycles(edges, limits, &reason)?;
        let not = self.not();
        self.proved.extend(lattice::established_in_any_order(&not));
        let orders = lists.contested();
        if self.open() {
            self.stage = "while an order of the appends that nobody read was looked for".to_owned();
            if let Some(not) = self.in_order(&graph, &orders, limits)? {
                self.proved.extend(lattice::established(&not));
            }
        }
        if !not.is_empty() {
            self.weak(&graph, || lists.facts(), limits, &reason)?;
        }
        if self.open() && !orders.is_empty() {
            self.stage = "while other orders of the appends that nobody read were looked for".to_owned();
            self.other_orders(&graph, orders, limits)?;
        }
        Ok(())
    }

    /// True if nothing is known of the model that was asked for, but could be.
    fn open(&self) -> bool {
        self.unknown.is_none() && !self.not().contains(self.model) && !self.proved.contains(self.model)
    }

    /// Looks for an order of the appends that nobody read with which the model holds, after the first one did not.
    fn other_orders(&mut self, graph: &Graph, mut orders: Orders, limits: &Limits<'_>) -> Result<(), GaveUp> {
        let completes = |txn: u32| self.history.txns[txn as usize].complete;
        unread::sort_by_dependencies(graph, completes, &mut orders, self.model, limits)?;
        let sorted = self.in_order(graph, &orders, limits)?;
        self.proved.extend(sorted.iter().flat_map(lattice::established));
        if self.proved.contains(self.model) {
            return Ok(());
        }
        let Some(all) = unread::all(&orders) else { return Ok(()) };
        let mut all_ruled_out = true;
        for orders in all {
            let not = self.in_order(graph, &orders, limits)?;
            self.proved.extend(not.iter().flat_map(lattice::established));
            if self.proved.contains(self.model) {
                return Ok(());
            }
            all_ruled_out &= not.is_some_and(|not| not.contains(self.model));
        }
        if all_ruled_out {
            self.unorderable();
        }
        Ok(())
    }

    /// What is ruled out with an order of the appends that nobody read; none if that is not known.
    fn in_order(&self, graph: &Graph, orders: &Orders, limits: &Limits<'_>) -> Result<Option<Names>, GaveUp> {
        let found = match unread::joined(graph, orders, limits)? {
            Some((graph, parts)) => cycles::find_in(&graph, parts, limits),
            None => Found::default(),
        };
        // What was found without the order is there with it.
        let names = found.cycles.iter().map(|(name, _)| *name).chain(self.findings.counts.keys().copied());
        // The cycle that prefix consistency forbids is not among the findings yet.
        let names = names.chain((!self.prefix.is_empty()).then_some(PREFIX));
        let not = lattice::ruled_out(names);
        found.gave_up.map_or(Ok(Some(not).filter(|_| found.undecided.is_empty())), Err)
    }

    fn unorderable(&mut self) {
        self.refuted = lattice::stronger(self.model);
        let model = self.model;
        self.findings
            .found(UNORDERABLE, || format!("whatever the order of the versions of each key, {model} does not hold"));
    }

    fn registers(&mut self, options: &Options, limits: &Limits<'_>) -> Result<(), GaveUp> {
        let mut registers = Registers::new(self.history);
        self.unknown = registers.unusable().map(str::to_owned);
        registers.anomalies(&mut self.findings);
        registers.infer(options, &mut self.findings, limits)?;
        let mut edges = Vec::with_capacity(self.history.all().len() * 2);
        if let Err(why) = registers.edges(&mut edges) {
            self.unknown.get_or_insert(why);
        }
        let reason = |pair: &Pair<'_>, kind| registers.reason(pair, kind);
        let graph = self.cycles(edges, limits, &reason)?;
        let anomalies: Names = self.findings.counts.keys().copied().collect();
        if !self.not().contains(self.model) && self.unknown.is_none() {
            self.stage = "while an order of the versions was looked for".to_owned();
            match registers.prove(self.model, &anomalies, limits)? {
                Proof::Holds => self.proved.extend(lattice::weaker(self.model)),
                Proof::RuledOut => self.unorderable(),
                Proof::Unknown => {}
            }
        }
        if !self.proved.contains("strict-serializable") {
            self.weak(&graph, || registers.facts(), limits, &reason)?;
        }
        Ok(())
    }

    /// Models that are ruled out.
    fn not(&self) -> Names {
        let mut not = lattice::ruled_out(self.findings.counts.keys().copied());
        not.extend(&self.refuted);
        not
    }

    fn cycles(&mut self, mut edges: Vec<Edge>, limits: &Limits<'_>, reason: Reason<'_>) -> Result<Graph, GaveUp> {
        self.history.in_processes(|from, to| edges.push((from, to, PROCESS)));
        let graph = Graph::new(&edges, self.history.later());
        drop(edges);
        let Found { cycles, undecided, gave_up, at } = cycles::find(&graph, limits);
        self.stage = format!("while cycles of the kind {at} were looked for");
        for (anomaly, walk) in cycles {
            if anomaly == PREFIX {
                self.prefix = walk;
            } else if walk.is_empty() {
                self.findings.found(anomaly, || "there is such a cycle, and none was found that is short".to_owned());
            } else {
                self.findings.cycle(anomaly, || told(self.history, &walk, reason));
            }
        }
        if let Some(anomaly) = undecided.first() {
            self.unknown.get_or_insert_with(|| format!("the search for {anomaly} took too long"));
        }
        gave_up.map_or(Ok(graph), Err)
    }

    /// Models that need no order of versions, where nothing that is known implies them.
    fn weak(
        &mut self,
        graph: &Graph,
        facts: impl FnOnce() -> Facts,
        limits: &Limits<'_>,
        reason: Reason<'_>,
    ) -> Result<(), GaveUp> {
        self.stage = "while models were decided that need no order of versions".to_owned();
        let wanted = Wanted {
            read_atomic: !self.proved.contains("read-atomic"),
            monotonic_view: !self.proved.contains("monotonic-view"),
            causal: !self.proved.contains("causal"),
        };
        let (circles, causal) = match wanted.any() {
            true => weak::find(self.history, graph, &facts(), wanted, limits)?,
            false => (Vec::new(), true),
        };
        for circle in circles {
            if lattice::ruled_out([circle.anomaly]).is_subset(&self.not()) {
                continue;
            }
            let because = |pair: &Pair<'_>, kind| match kind {
                SEEN => circle.reason(self.history, pair),
                kind => reason(pair, kind),
            };
            if circle.walk.is_empty() {
                circle.told(self.history, &mut self.findings);
            } else {
                self.findings.cycle(circle.anomaly, || told(self.history, &circle.walk, &because));
            }
        }
        // What rules out nothing more is not worth a name.
        let walk = std::mem::take(&mut self.prefix);
        if !walk.is_empty() && !self.not().contains("prefix") {
            self.findings.cycle(PREFIX, || told(self.history, &walk, reason));
        }
        let decided = [("read-atomic", true), ("monotonic-view", true), ("causal", causal)];
        let not = self.not();
        let held = decided.into_iter().filter(|(model, decided)| *decided && !not.contains(model));
        self.proved.extend(held.flat_map(|(model, _)| lattice::weaker(model)));
        Ok(())
    }

    fn judge(self, options: &Options) -> Judgement {
        let not = self.not();
        let State { history, model, findings, proved, unknown, gave_up, .. } = self;
        let certain = history.txns.iter().any(|txn| txn.ended == Ended::Ok);
        let reason = if !certain {
            Some("no transaction is known to have taken effect".to_owned())
        } else if unknown.is_some() {
            unknown
        } else if let Some(cut) = &history.calls.cut {
            Some(format!("the history is not whole: {cut}"))
        } else if proved.contains(model) {
            None
        } else if options.workload == Workload::RwRegister {
            Some(format!("nothing was found that rules {model} out, nor an order of versions that proves it"))
        } else {
            Some(format!("nothing was found that rules {model} out, but this checker does not see all that it forbids"))
        };
        let verdict = match (not.contains(model), &reason) {
            (true, _) => Verdict::Violation,
            (false, Some(_)) => Verdict::Inconclusive,
            (false, None) => Verdict::Pass,
        };
        let forbidden =
            |finding: &Finding| finding.anomaly == UNORDERABLE || lattice::ruled_out([finding.anomaly]).contains(model);
        let (mut told, permitted): (Vec<_>, Vec<_>) = findings.told.into_iter().partition(forbidden);
        told.extend(permitted);
        let list = |names: Names| names.into_iter().collect::<Vec<_>>();
        let all = || ConsistencyModel::all().map(ConsistencyModel::name);
        Judgement {
            verdict,
            model: options.model,
            algorithm: "cycles of dependencies".to_owned(),
            transactions: history.txns.len() as u64,
            keys: history.keys.len() as u64,
            anomalies: findings.counts,
            weakest: list(lattice::weakest(&not)),
            may_hold: all().filter(|name| !not.contains(name)).collect(),
            not: all().filter(|name| not.contains(name)).collect(),
            findings: told,
            reached: (gave_up && verdict == Verdict::Inconclusive).then_some(0),
            reason: reason.filter(|_| verdict == Verdict::Inconclusive),
        }
    }
}

/// A cycle in words.
fn told(history: &History<'_>, walk: &Walk, reason: Reason<'_>) -> Cycle {
    let names: Vec<String> = (1..=walk.len()).map(|number| format!("T{number}")).collect();
    let step = |at: usize| {
        let (from, kind) = walk[at];
        let next = (at + 1) % walk.len();
        let pair = Pair { from, to: walk[next].0, from_name: &names[at], to_name: &names[next] };
        let (kind, why) = match kind {
            PROCESS => ("process", Some(format!("one process ran {} and then {}", pair.from_name, pair.to_name))),
            REALTIME => ("realtime", Some(format!("{} ended before {} began", pair.from_name, pair.to_name))),
            WR => ("wr", reason(&pair, kind)),
            RW => ("rw", reason(&pair, kind)),
            SEEN => ("seen", reason(&pair, kind)),
            _ => ("ww", reason(&pair, kind)),
        };
        let why = why.unwrap_or_else(|| format!("{} depends on {}", pair.to_name, pair.from_name));
        Step { kind, sentence: format!("{why}, so {} precedes {}", pair.from_name, pair.to_name) }
    };
    let transactions = walk.iter().zip(&names).map(|((txn, _), name)| words::shown(history, *txn, name.clone()));
    Cycle { transactions: transactions.collect(), steps: (0..walk.len()).map(step).collect() }
}
