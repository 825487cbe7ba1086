//! Progress of a run for people, on standard error.

use crate::observer::Observer;
use crate::plan::Plan;
use history::{Event, Fault, FaultStage, Nanos, Outcome, PhaseName, SECOND};
use indicatif::{ProgressBar, ProgressStyle};
use std::collections::BTreeMap;

/// A bar with phase, operations, pushes and the faults that are active. Hidden where standard error is no terminal.
pub struct Progress {
    bar: ProgressBar,
    phase: PhaseName,
    operations: u64,
    pushes: u64,
    active: BTreeMap<u32, Fault>,
    total: Nanos,
}

impl Progress {
    /// A bar for this plan.
    pub fn new(plan: &Plan) -> Progress {
        let total = plan.time.warmup_ns + plan.time.chaos_ns;
        let bar = ProgressBar::new(total / 1_000_000);
        if let Ok(style) = ProgressStyle::with_template("{prefix:<7} {elapsed_precise} {bar:20.cyan/dim} {msg}") {
            bar.set_style(style.progress_chars("##-"));
        }
        Progress { bar, phase: PhaseName::WarmUp, operations: 0, pushes: 0, active: BTreeMap::new(), total }
    }
}

impl Observer for Progress {
    fn event(&mut self, event: &Event) {
        match event {
            Event::Op(op) if op.outcome == Outcome::Ok => self.operations += 1,
            Event::Push(_) => self.pushes += 1,
            Event::Phase(phase) => self.phase = phase.name,
            Event::Fault(fault) => match fault.stage {
                FaultStage::Start => drop(self.active.insert(fault.id, Fault::clone(fault))),
                FaultStage::Serving => drop(self.active.remove(&fault.id)),
                FaultStage::End | FaultStage::Missed => {}
            },
            _ => {}
        }
    }

    fn tick(&mut self, now: Nanos, connected: usize) {
        if self.bar.is_hidden() {
            return;
        }
        let faults: Vec<&str> = self.active.values().map(|fault| fault.detail.as_str()).collect();
        self.bar.set_prefix(self.phase.name());
        self.bar.set_position(now.min(self.total) / 1_000_000);
        self.bar.set_message(format!(
            "{} s  {} ops  {} pushes  {connected} connected  {}",
            now / SECOND,
            self.operations,
            self.pushes,
            faults.join(", ")
        ));
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}
