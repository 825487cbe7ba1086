//! What a history holds, in numbers.

use crate::{ClientId, Event, FaultStage, Function, Loaded, Nanos, Outcome, PhaseName, SnapshotId};
use rustc_hash::FxHashSet;
use serde::Serialize;
use std::collections::BTreeMap;

/// Figures of one history.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Stats {
    /// Events between header and closing line.
    pub events: u64,
    /// Events by kind (`op`, `push` ...).
    pub by_kind: BTreeMap<String, u64>,
    /// Operations by function and outcome.
    pub operations: BTreeMap<String, Outcomes>,
    /// Pushes.
    pub pushes: u64,
    /// Elements in all pushes together: what would be stored without interning.
    pub pushed_elements: u64,
    /// Distinct contents written.
    pub snapshots: u64,
    /// Distinct contents that a push or read refers to.
    pub snapshots_used: u64,
    /// Clients that appear.
    pub clients: u64,
    /// Faults that began, by kind.
    pub faults: BTreeMap<String, u64>,
    /// Faults that were due and did not happen.
    pub faults_missed: u64,
    /// Time of the earliest event.
    pub first_ns: Option<Nanos>,
    /// Time of the latest event.
    pub last_ns: Option<Nanos>,
    /// Phases and when they began.
    pub phases: Vec<(PhaseName, Nanos)>,
    /// Bytes of the file.
    pub file_bytes: u64,
    /// Bytes of its text.
    pub text_bytes: u64,
    /// True if the closing line is there and nothing is wrong.
    pub whole: bool,
}

/// How operations of one function ended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Outcomes {
    /// Invoked.
    pub invoke: u64,
    /// Took effect.
    pub ok: u64,
    /// Did not take effect.
    pub fail: u64,
    /// Unknown.
    pub info: u64,
    /// Never started.
    pub dropped: u64,
}

/// Counts.
pub fn stats(history: &Loaded) -> Stats {
    let whole = history.closing.is_some() && history.damage.is_none();
    let mut counting = Counting {
        stats: Stats { file_bytes: history.file_bytes, text_bytes: history.text_bytes, whole, ..Stats::default() },
        ..Counting::default()
    };
    for event in &history.events {
        counting.event(event);
    }
    let Counting { mut stats, clients, used, .. } = counting;
    stats.clients = clients.len() as u64;
    stats.snapshots_used = used.len() as u64;
    stats
}

#[derive(Default)]
struct Counting {
    stats: Stats,
    clients: FxHashSet<ClientId>,
    used: FxHashSet<SnapshotId>,
    sizes: Vec<u64>,
}

impl Counting {
    fn event(&mut self, event: &Event) {
        let stats = &mut self.stats;
        stats.events += 1;
        *stats.by_kind.entry(kind(event).into()).or_default() += 1;
        if let Some(time) = event.time() {
            stats.first_ns = Some(stats.first_ns.map_or(time, |first| first.min(time)));
            stats.last_ns = Some(stats.last_ns.map_or(time, |last| last.max(time)));
        }
        match event {
            Event::Op(op) => {
                self.clients.insert(op.client);
                self.used.extend(op.snapshot);
                let outcomes = stats.operations.entry(function(op.f)).or_default();
                match op.outcome {
                    Outcome::Invoke => outcomes.invoke += 1,
                    Outcome::Ok => outcomes.ok += 1,
                    Outcome::Fail => outcomes.fail += 1,
                    Outcome::Info => outcomes.info += 1,
                }
            }
            Event::Dropped(dropped) => {
                self.clients.insert(dropped.client);
                stats.operations.entry(function(dropped.f)).or_default().dropped += 1;
            }
            Event::Push(push) => {
                self.clients.insert(push.client);
                self.used.insert(push.snapshot);
                stats.pushes += 1;
                stats.pushed_elements += self.sizes.get(push.snapshot as usize).copied().unwrap_or(0);
            }
            Event::Snapshot(snapshot) => {
                stats.snapshots += 1;
                let base = snapshot.base.and_then(|base| self.sizes.get(base as usize)).copied().unwrap_or(0);
                let more = base + snapshot.add.len() as u64;
                self.sizes.push(more.saturating_sub(snapshot.remove.len() as u64));
            }
            Event::Connection(connection) => {
                self.clients.insert(connection.client);
            }
            Event::Fault(fault) => match fault.stage {
                FaultStage::Start => *stats.faults.entry(word(&fault.kind)).or_default() += 1,
                FaultStage::Missed => stats.faults_missed += 1,
                FaultStage::End | FaultStage::Serving => {}
            },
            Event::Phase(phase) => stats.phases.push((phase.name, phase.time)),
            Event::Routes(_) => {}
        }
    }
}

/// The word for an event's kind on disk.
pub fn kind(event: &Event) -> &'static str {
    match event {
        Event::Op(_) => "op",
        Event::Dropped(_) => "dropped",
        Event::Push(_) => "push",
        Event::Snapshot(_) => "snapshot",
        Event::Connection(_) => "connection",
        Event::Fault(_) => "fault",
        Event::Phase(_) => "phase",
        Event::Routes(_) => "routes",
    }
}

/// The word for a function on disk.
pub fn function(f: Function) -> String {
    word(&f)
}

/// The word that a variant without fields ([`Outcome`], [`Function`], [`crate::FaultKind`] ...) has on disk and in reports.
///
/// # Panics
/// If the value is written as anything but a string.
pub fn word<T: Serialize>(value: &T) -> String {
    match serde_json::to_value(value) {
        Ok(serde_json::Value::String(word)) => word,
        other => unreachable!("not a word: {other:?}"),
    }
}
