//! Feeds the metrics of a run from what is recorded: live figures for a dashboard. The verdict comes from the checkers.

use crate::metrics::Metrics;
use crate::observer::Observer;
use crate::plan::Plan;
use history::{
    ClientId, DataIx, Event, FaultStage, Function, MILLI, Nanos, Operation, Outcome, Push, SessionId, Snapshot,
    SnapshotId,
};
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
    /// Addresses of pinned publishers, known from their invocation on (a push may come before the acknowledgement), with
    /// the dataId and the time of the first acknowledgement.
    pinned: FxHashMap<String, (DataIx, Option<Nanos>)>,
    contents: FxHashMap<SnapshotId, Content>,
    /// What each subscription showed last, by client, session and number.
    shown: FxHashMap<(ClientId, SessionId, u32), SnapshotId>,
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
            shown: FxHashMap::default(),
        }
    }

    fn operation(&mut self, operation: &Operation) {
        if operation.outcome != Outcome::Invoke {
            self.metrics.operation(operation.f, operation.outcome);
        }
        let (Some(value), Some(data)) = (&operation.value, operation.data) else { return };
        if operation.f != Function::Publish {
            return;
        }
        let ok = operation.outcome == Outcome::Ok;
        if ok {
            self.acknowledged.insert(value.clone(), operation.time);
        }
        if self.pinned_clients.get(operation.client as usize).copied().unwrap_or(false) {
            let (_, since) = self.pinned.entry(address(value).to_owned()).or_insert((data, None));
            if ok {
                since.get_or_insert(operation.time);
            }
        }
    }

    fn snapshot(&mut self, snapshot: &Snapshot) {
        let base = snapshot.base.and_then(|base| self.contents.get(&base)).cloned().unwrap_or_default();
        let bytes = |values: &[String]| values.iter().map(|value| value.len() as u64).sum::<u64>();
        let pinned = |values: &[String]| values.iter().filter(|v| self.pinned.contains_key(address(v))).count() as u64;
        let content = Content {
            // Against nothing everything would be new.
            fresh: snapshot.base.map(|_| snapshot.add.clone()).unwrap_or_default(),
            bytes: (base.bytes + bytes(&snapshot.add)).saturating_sub(bytes(&snapshot.remove)),
            pinned: (base.pinned + pinned(&snapshot.add)).saturating_sub(pinned(&snapshot.remove)),
        };
        self.contents.insert(snapshot.id, content);
    }

    fn push(&mut self, push: &Push) {
        let Some(content) = self.contents.get(&push.snapshot) else { return };
        let due = |(data, since): &&(DataIx, Option<Nanos>)| {
            *data == push.data && since.is_some_and(|since| since + self.bound_ns < push.time)
        };
        let pinned = self.pinned.values().filter(due).count() as u64;
        // A first push, or a content that was there before, says nothing about the delay of a change.
        let before = self.shown.insert((push.client, push.session, push.subscription), push.snapshot);
        let fresh = content.fresh.iter().filter(|_| before.is_some_and(|before| push.snapshot > before));
        let delay = fresh.filter_map(|value| self.acknowledged.get(value)).max();
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

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::observer::Observers;
    use crate::run::{Setting, run};
    use crate::scenario::Scenario;
    use std::sync::atomic::AtomicBool;

    #[test]
    fn a_passing_run_without_faults_is_complete() {
        let sets = ["faults.kinds=[]", "workload.weights.vanish=0"].map(str::to_owned);
        let (scenario, _) = Scenario::load("quickstart", &sets).unwrap();
        let plan = Plan::draw(&scenario, 7, None);
        let metrics = Metrics::new();
        let store = std::env::temp_dir().join(format!("upheaval-measuring-{}", std::process::id()));
        let setting = Setting {
            store: &store,
            scenario: None,
            observer: &mut Observers(vec![Box::new(Measuring::new(metrics.clone(), &plan))]),
            stop: &AtomicBool::new(false),
            options: &checkers::Options::default(),
            measure: false,
            begun: &mut |_, _| {},
        };
        run(&plan, setting).unwrap();
        std::fs::remove_dir_all(store).unwrap();
        let text = metrics.text();
        let value = |name: &str| -> f64 {
            let line = text.lines().find(|line| line.starts_with(name)).unwrap();
            line.rsplit(' ').next().unwrap().parse().unwrap()
        };
        assert!(value("upheaval_pushes_total ") > 1_000.0, "{text}");
        assert_eq!(value("upheaval_completeness_ratio "), 1.0, "{text}");
        // Live delays are told from differences of contents: a content that comes back may look late.
        assert!(value("upheaval_convergence_within_bound_ratio ") > 0.98, "{text}");
        assert!(value("upheaval_push_bytes_total ") > 10_000.0, "{text}");
    }
}
