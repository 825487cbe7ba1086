//! From a scenario's wishes about faults and a seed to the list of faults of a plan.
//!
//! Swarm testing (Groce et al. 2012): with `swarm` the seed switches some kinds of faults off altogether, so that runs
//! differ in more than the order of the same mixture. What was drawn is returned, to be printed and stored.

use crate::fixed::FixedFault;
use crate::pattern::{Group, Pattern};
use crate::planned::{Pick, PlannedFault, Selector};
use crate::shape::Shape;
use history::{FaultKind, MILLI, Nanos, word};
use serde::{Deserialize, Serialize};
use simulation::Stream;

/// What a scenario says about faults.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Schedule {
    /// Kinds that may occur; none: no faults at all.
    pub kinds: Vec<FaultKind>,
    /// Groups of faults that may occur.
    pub patterns: Vec<Pattern>,
    /// The seed leaves some of the kinds and patterns out.
    pub swarm: bool,
    /// With `swarm`: the chance in 1,000 of each to stay in; one of them always does.
    pub swarm_permille: u32,
    /// At least one fault of each kind (and pattern) that is in, before any is repeated.
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
    /// Time that each step of a slow node takes, microseconds.
    pub slow_us: (u64, u64),
    /// Messages that arrive twice, per mille.
    pub duplicate_permille: (u64, u64),
    /// Messages that others overtake, per mille.
    pub reorder_permille: (u64, u64),
    /// What a throttled link carries, bytes a second.
    pub throttle_bytes: (u64, u64),
    /// Faults that every run has, whatever else is drawn: the story of a claim.
    pub fixed: Vec<FixedFault>,
}

impl Default for Schedule {
    fn default() -> Self {
        Schedule {
            kinds: Vec::new(),
            patterns: Vec::new(),
            swarm: false,
            swarm_permille: 600,
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
            slow_us: (1_000, 20_000),
            duplicate_permille: (50, 500),
            reorder_permille: (50, 500),
            throttle_bytes: (4_000, 40_000),
            fixed: Vec::new(),
        }
    }
}

/// How many slots change hands in a rebalancing that is drawn.
const SLOTS_MOVED: (u64, u64) = (4, 8);

/// What the seed drew: name and value.
pub type Drawn = Vec<(String, String)>;

/// Roles of a system's nodes, and how many there are of each.
pub type Roles<'a> = &'a [(&'a str, u32)];

/// The fault side of a plan.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Faults {
    /// In order of time, numbered in that order.
    pub planned: Vec<PlannedFault>,
    /// When clients storm because a pattern says so.
    pub storms: Vec<Nanos>,
    /// To be printed and stored.
    pub drawn: Drawn,
}

/// What can happen next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Incident {
    One(FaultKind),
    Many(Pattern),
}

impl Incident {
    fn name(self) -> String {
        match self {
            Incident::One(kind) => word(&kind),
            Incident::Many(pattern) => word(&pattern),
        }
    }
}

impl Schedule {
    /// The faults between `from` and `until` on a system with these nodes; each that is drawn ends before `until`.
    pub fn draw(&self, seed: u64, from: Nanos, until: Nanos, roles: Roles<'_>) -> Faults {
        let mut faults = self.draw_free(seed, from, until, roles);
        let mut stream = Stream::new(seed, "fixed faults", 0);
        faults.planned.extend(self.fixed.iter().flat_map(|fixed| fixed.draw(&mut stream, from)));
        faults.planned.sort_by_key(|fault| fault.at);
        for (id, fault) in faults.planned.iter_mut().enumerate() {
            fault.id = id as u32;
        }
        faults
    }

    fn draw_free(&self, seed: u64, from: Nanos, until: Nanos, roles: Roles<'_>) -> Faults {
        let mut stream = Stream::new(seed, "faults", 0);
        let menu = self.draw_menu(&mut stream);
        let names: Vec<String> = menu.iter().map(|incident| incident.name()).collect();
        let names = if names.is_empty() { "none".to_owned() } else { names.join(", ") };
        let mut faults = Faults { drawn: vec![("faults".to_owned(), names)], ..Faults::default() };
        if menu.is_empty() {
            return faults;
        }
        let mut at = from + self.gap(&mut stream) / 2;
        let mut owed = menu.clone();
        stream.shuffle(&mut owed);
        loop {
            let incident = match owed.pop() {
                Some(incident) if self.each_kind => incident,
                _ => menu[stream.below(menu.len() as u64) as usize],
            };
            let group = match incident {
                Incident::One(kind) => Group { faults: vec![self.draw_fault(&mut stream, at, kind)], storm: None },
                Incident::Many(pattern) => pattern.draw(self, &mut stream, at, roles),
            };
            let end = group.faults.iter().map(|fault| fault.at + fault.duration).max().unwrap_or(at);
            if end >= until {
                break;
            }
            faults.planned.extend(group.faults);
            faults.storms.extend(group.storm);
            let overlap = stream.chance(self.overlap_permille);
            at = if overlap { at + stream.below(end - at) } else { end + self.gap(&mut stream) };
        }
        faults
    }

    fn gap(&self, stream: &mut Stream) -> Nanos {
        stream.between(self.gap_ms.0 * MILLI, self.gap_ms.1 * MILLI)
    }

    fn draw_menu(&self, stream: &mut Stream) -> Vec<Incident> {
        let kinds = self.kinds.iter().map(|kind| Incident::One(*kind));
        let mut menu: Vec<Incident> = kinds.chain(self.patterns.iter().map(|p| Incident::Many(*p))).collect();
        if self.swarm && !menu.is_empty() {
            let sure = menu[stream.below(menu.len() as u64) as usize];
            menu.retain(|incident| stream.chance(self.swarm_permille) || *incident == sure);
        }
        menu
    }

    fn draw_fault(&self, stream: &mut Stream, at: Nanos, kind: FaultKind) -> PlannedFault {
        let duration = stream.between(self.duration_ms.0 * MILLI, self.duration_ms.1 * MILLI);
        let role = (!self.roles.is_empty()).then(|| self.roles[stream.below(self.roles.len() as u64) as usize].clone());
        let pick = match stream.below(4) {
            0 => Pick::Leader,
            1 => Pick::Follower,
            _ => Pick::Any,
        };
        let mut target = Selector { role, pick, draw: stream.below(1 << 16) as u32 };
        let shape = self.shape(stream);
        // Clients are on session nodes, where a system has such.
        if kind.is_on_links() && shape == Shape::Clients && self.roles.iter().any(|role| role == "session") {
            target.role = Some("session".to_owned());
        }
        let amount = self.amount(stream, kind);
        PlannedFault { id: 0, at, duration, kind, target, shape, amount }
    }

    pub(crate) fn shape(&self, stream: &mut Stream) -> Shape {
        match self.shapes.len() {
            0 => Shape::Isolate,
            many => self.shapes[stream.below(many as u64) as usize],
        }
    }

    /// How strong a fault of this kind is, see [`PlannedFault::amount`].
    pub(crate) fn amount(&self, stream: &mut Stream, kind: FaultKind) -> i64 {
        let backwards = stream.chance(500);
        let signed = |size: i64| if backwards { -size } else { size };
        let mut between = |(low, high): (u64, u64)| stream.between(low, high) as i64;
        match kind {
            FaultKind::Delay => between(self.delay_ms),
            FaultKind::Loss => between(self.loss_permille),
            FaultKind::ClockStep => signed(between(self.clock_step_ms)),
            FaultKind::ClockDrift => signed(between(self.clock_drift_ppm)),
            FaultKind::Slow => between(self.slow_us),
            FaultKind::Duplicate => between(self.duplicate_permille),
            FaultKind::Reorder => between(self.reorder_permille),
            FaultKind::Throttle => between(self.throttle_bytes),
            FaultKind::Rebalance => between(SLOTS_MOVED),
            FaultKind::Kill
            | FaultKind::Pause
            | FaultKind::Partition
            | FaultKind::HalfDead
            | FaultKind::StaleTable
            | FaultKind::MasterLag => 0,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use history::SECOND;

    const ROLES: Roles<'static> = &[("session", 3), ("data", 3), ("meta", 3), ("database", 1)];

    fn schedule() -> Schedule {
        Schedule {
            kinds: vec![FaultKind::Kill, FaultKind::Pause, FaultKind::Partition, FaultKind::ClockStep],
            ..Schedule::default()
        }
    }

    #[test]
    fn faults_end_before_chaos_does_and_do_not_overlap_unless_asked() {
        for seed in 0..200 {
            let faults = schedule().draw(seed, 2 * SECOND, 32 * SECOND, ROLES).planned;
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
            sizes[swarm.draw_menu(&mut Stream::new(seed, "faults", 0)).len()] += 1;
        }
        assert_eq!(sizes[0], 0);
        assert!(sizes[1] > 0 && sizes[2] > 0 && sizes[3] > 0 && sizes[4] > 0);
    }

    #[test]
    fn each_kind_occurs_where_asked() {
        let faults = Schedule { each_kind: true, ..schedule() }.draw(3, 0, 60 * SECOND, ROLES).planned;
        for kind in schedule().kinds {
            assert!(faults.iter().any(|fault| fault.kind == kind));
        }
    }

    #[test]
    fn patterns_stand_in_the_plan_as_faults_in_order_of_time() {
        for seed in 0..100 {
            let all =
                Schedule { patterns: Pattern::ALL.to_vec(), each_kind: true, overlap_permille: 300, ..schedule() };
            let faults = all.draw(seed, 0, 120 * SECOND, ROLES);
            assert!(faults.drawn[0].1.contains("rolling-restart"));
            assert_eq!(faults.storms.is_empty(), !faults.drawn[0].1.contains("session-loss"));
            assert!(faults.planned.windows(2).all(|pair| pair[0].at <= pair[1].at && pair[0].id + 1 == pair[1].id));
            assert!(faults.planned.iter().all(|fault| fault.at + fault.duration < 120 * SECOND));
        }
    }
}
