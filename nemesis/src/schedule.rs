//! From a scenario's wishes about faults and a seed to the list of faults of a plan.
//!
//! Swarm testing (Groce et al. 2012): with `swarm` the seed switches some kinds of faults off altogether, so that runs
//! differ in more than the order of the same mixture. What was drawn is returned, to be printed and stored.

use crate::planned::{Pick, PlannedFault, Selector, Shape};
use history::{FaultKind, MILLI, Nanos};
use serde::{Deserialize, Serialize};
use simulation::Stream;

/// What a scenario says about faults.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Schedule {
    /// Kinds that may occur; none: no faults at all.
    pub kinds: Vec<FaultKind>,
    /// The seed leaves some of the kinds out.
    pub swarm: bool,
    /// At least one fault of each kind that is in, before any is repeated.
    pub each_kind: bool,
    /// Roles of nodes that are hit; none: any node.
    pub roles: Vec<String>,
    /// From the end of one fault to the start of the next, milliseconds.
    pub gap_ms: (u64, u64),
    /// How long a fault is held, milliseconds.
    pub duration_ms: (u64, u64),
    /// Chance in 1,000 that a second fault begins while one is active.
    pub overlap_permille: u32,
    /// Shapes of partitions (and of delay and loss).
    pub shapes: Vec<Shape>,
    /// Added delay, milliseconds.
    pub delay_ms: (u64, u64),
    /// Messages lost, per mille.
    pub loss_permille: (u64, u64),
    /// Size of clock steps, milliseconds, forwards or backwards.
    pub clock_step_ms: (u64, u64),
    /// Clock drift, parts per million, fast or slow.
    pub clock_drift_ppm: (u64, u64),
}

impl Default for Schedule {
    fn default() -> Self {
        Schedule {
            kinds: Vec::new(),
            swarm: false,
            each_kind: false,
            roles: Vec::new(),
            gap_ms: (1_000, 4_000),
            duration_ms: (500, 2_500),
            overlap_permille: 0,
            shapes: vec![Shape::Isolate, Shape::OneWayOut, Shape::OneWayIn, Shape::Minority],
            delay_ms: (20, 200),
            loss_permille: (50, 300),
            clock_step_ms: (200, 5_000),
            clock_drift_ppm: (100, 50_000),
        }
    }
}

/// What the seed drew: name and value.
pub type Drawn = Vec<(String, String)>;

impl Schedule {
    /// The faults between `from` and `until`; each ends before `until`.
    pub fn draw(&self, seed: u64, from: Nanos, until: Nanos) -> (Vec<PlannedFault>, Drawn) {
        let mut stream = Stream::new(seed, "faults", 0);
        let kinds = self.draw_kinds(&mut stream);
        let names: Vec<String> = kinds.iter().map(|kind| name_of(*kind)).collect();
        let drawn = vec![("faults".to_owned(), if names.is_empty() { "none".to_owned() } else { names.join(", ") })];
        let mut faults = Vec::new();
        if kinds.is_empty() {
            return (faults, drawn);
        }
        let mut at = from + self.gap(&mut stream) / 2;
        let mut owed = kinds.clone();
        stream.shuffle(&mut owed);
        loop {
            let kind = match owed.pop() {
                Some(kind) if self.each_kind => kind,
                _ => kinds[stream.below(kinds.len() as u64) as usize],
            };
            let duration = stream.between(self.duration_ms.0 * MILLI, self.duration_ms.1 * MILLI);
            let fault = self.draw_fault(&mut stream, faults.len() as u32, at, duration, kind);
            if at + duration >= until {
                return (faults, drawn);
            }
            faults.push(fault);
            let overlap = stream.chance(self.overlap_permille);
            at += if overlap { stream.below(duration) } else { duration + self.gap(&mut stream) };
        }
    }

    fn gap(&self, stream: &mut Stream) -> Nanos {
        stream.between(self.gap_ms.0 * MILLI, self.gap_ms.1 * MILLI)
    }

    fn draw_kinds(&self, stream: &mut Stream) -> Vec<FaultKind> {
        let mut kinds = self.kinds.clone();
        if self.swarm && !kinds.is_empty() {
            let sure = kinds[stream.below(kinds.len() as u64) as usize];
            kinds.retain(|kind| stream.chance(600) || *kind == sure);
        }
        kinds
    }

    fn draw_fault(&self, stream: &mut Stream, id: u32, at: Nanos, duration: Nanos, kind: FaultKind) -> PlannedFault {
        let role = (!self.roles.is_empty()).then(|| self.roles[stream.below(self.roles.len() as u64) as usize].clone());
        let pick = match stream.below(4) {
            0 => Pick::Leader,
            1 => Pick::Follower,
            _ => Pick::Any,
        };
        let target = Selector { role, pick, draw: stream.below(1 << 16) as u32 };
        let shape = match self.shapes.len() {
            0 => Shape::Isolate,
            many => self.shapes[stream.below(many as u64) as usize],
        };
        let backwards = stream.chance(500);
        let signed = |size: u64| if backwards { -(size as i64) } else { size as i64 };
        let amount = match kind {
            FaultKind::Delay => stream.between(self.delay_ms.0, self.delay_ms.1) as i64,
            FaultKind::Loss => stream.between(self.loss_permille.0, self.loss_permille.1) as i64,
            FaultKind::ClockStep => signed(stream.between(self.clock_step_ms.0, self.clock_step_ms.1)),
            FaultKind::ClockDrift => signed(stream.between(self.clock_drift_ppm.0, self.clock_drift_ppm.1)),
            FaultKind::Kill | FaultKind::Pause | FaultKind::Partition | FaultKind::MasterLag => 0,
        };
        PlannedFault { id, at, duration, kind, target, shape, amount }
    }
}

/// The name that scenarios and histories use.
fn name_of(kind: FaultKind) -> String {
    match serde_json::to_value(kind) {
        Ok(serde_json::Value::String(name)) => name,
        _ => format!("{kind:?}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use history::SECOND;

    fn schedule() -> Schedule {
        Schedule {
            kinds: vec![FaultKind::Kill, FaultKind::Pause, FaultKind::Partition, FaultKind::ClockStep],
            ..Schedule::default()
        }
    }

    #[test]
    fn faults_end_before_chaos_does_and_do_not_overlap_unless_asked() {
        for seed in 0..200 {
            let (faults, _) = schedule().draw(seed, 2 * SECOND, 32 * SECOND);
            assert!(faults.len() >= 3);
            for pair in faults.windows(2) {
                assert!(pair[0].at + pair[0].duration < pair[1].at);
            }
            assert!(faults.iter().all(|fault| fault.at >= 2 * SECOND && fault.at + fault.duration < 32 * SECOND));
        }
    }

    #[test]
    fn swarm_leaves_kinds_out_but_never_all() {
        let swarm = Schedule { swarm: true, ..schedule() };
        let mut sizes = [0; 5];
        for seed in 0..200 {
            sizes[swarm.draw_kinds(&mut Stream::new(seed, "faults", 0)).len()] += 1;
        }
        assert_eq!(sizes[0], 0);
        assert!(sizes[1] > 0 && sizes[2] > 0 && sizes[3] > 0 && sizes[4] > 0);
    }

    #[test]
    fn each_kind_occurs_where_asked() {
        let (faults, _) = Schedule { each_kind: true, ..schedule() }.draw(3, 0, 60 * SECOND);
        for kind in schedule().kinds {
            assert!(faults.iter().any(|fault| fault.kind == kind));
        }
    }
}
