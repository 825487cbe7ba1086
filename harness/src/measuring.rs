//! Feeds the metrics of a run from what is recorded: live figures for a dashboard. The verdict comes from the checkers.

use crate::metrics::Metrics;
use crate::observer::Observer;
use crate::plan::Plan;
use history::{DataIx, Event, FaultStage, Function, MILLI, Nanos, Operation, Outcome, Push, Snapshot, SnapshotId};
use rustc_hash::FxHashMap;

/// Where a scenario does not say how long "eventually" may take.
const BOUND_NS: Nanos = 1_000 * MILLI;

/// Watches a run for its metrics.
pub struct Measuring {
    metrics: Metrics,
    bound_ns: Nanos,
    pinned_clients: Vec<bool>,
    /// When each value was acknowledged.
    acknowledged: FxHashMap<String, Nanos>,
    /// Addresses of pinned publishers, with the dataId and the time of their first acknowledgement.
    pinned: FxHashMap<String, (DataIx, Nanos)>,
    contents: FxHashMap<SnapshotId, Content>,
}

/// What is remembered of a content: the cost is that of its difference to the one before.
#[derive(Clone, Debug, Default)]
struct Content {
    /// Values that the content before it did not have.
    fresh: Vec<String>,
    bytes: u64,
    pinned: u64,
}

impl Measuring {
    /// Feeds `metrics` for a run of `plan`.
    pub fn new(metrics: Metrics, plan: &Plan) -> Measuring {
        Measuring {
            metrics,
            bound_ns: plan.contract.visible_ms_max.map_or(BOUND_NS, |ms| ms * MILLI),
            pinned_clients: plan.clients.iter().map(|client| client.pinned).collect(),
            acknowledged: FxHashMap::default(),
            pinned: FxHashMap::default(),
            contents: FxHashMap::default(),
        }
    }

    fn operation(&mut self, operation: &Operation) {
        if operation.outcome == Outcome::Invoke {
            return;
        }
        self.metrics.operation(operation.f, operation.outcome);
        let (Some(value), Some(data)) = (&operation.value, operation.data) else { return };
        if operation.f != Function::Publish || operation.outcome != Outcome::Ok {
            return;
        }
        self.acknowledged.insert(value.clone(), operation.time);
        if self.pinned_clients.get(operation.client as usize).copied().unwrap_or(false) {
            self.pinned.entry(address(value).to_owned()).or_insert((data, operation.time));
        }
    }

    fn snapshot(&mut self, snapshot: &Snapshot) {
        let base = snapshot.base.and_then(|base| self.contents.get(&base)).cloned().unwrap_or_default();
        let bytes = |values: &[String]| values.iter().map(|value| value.len() as u64).sum::<u64>();
        let pinned = |values: &[String]| values.iter().filter(|v| self.pinned.contains_key(address(v))).count() as u64;
        let content = Content {
            fresh: snapshot.add.clone(),
            bytes: (base.bytes + bytes(&snapshot.add)).saturating_sub(bytes(&snapshot.remove)),
            pinned: (base.pinned + pinned(&snapshot.add)).saturating_sub(pinned(&snapshot.remove)),
        };
        self.contents.insert(snapshot.id, content);
    }

    fn push(&mut self, push: &Push) {
        let Some(content) = self.contents.get(&push.snapshot) else { return };
        let due = |(data, since): &&(DataIx, Nanos)| *data == push.data && since + self.bound_ns < push.time;
        let pinned = self.pinned.values().filter(due).count() as u64;
        let delay = content.fresh.iter().filter_map(|value| self.acknowledged.get(value)).max();
        let delay = delay.map(|acknowledged| push.time.saturating_sub(*acknowledged));
        if let Some(delay) = delay {
            self.metrics.converged(delay <= self.bound_ns);
        }
        self.metrics.push(delay, content.bytes, content.pinned >= pinned);
    }
}

/// `10.0.0.3:9000#4` without its number.
fn address(value: &str) -> &str {
    value.split('#').next().unwrap_or(value)
}

impl Observer for Measuring {
    fn event(&mut self, event: &Event) {
        match event {
            Event::Op(operation) => self.operation(operation),
            Event::Snapshot(snapshot) => self.snapshot(snapshot),
            Event::Push(push) => self.push(push),
            Event::Fault(fault) if fault.stage == FaultStage::Start => self.metrics.fault(fault.kind),
            _ => {}
        }
    }

    fn tick(&mut self, _now: Nanos, connected: usize) {
        self.metrics.connected(connected);
    }
}
