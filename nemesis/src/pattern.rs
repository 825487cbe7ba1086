//! Patterns: several faults that belong together, as operators and bad days make them.

use crate::planned::{Pick, PlannedFault, Selector};
use crate::schedule::{Roles, Schedule};
use crate::shape::Shape;
use history::{FaultKind, MILLI, Nanos};
use serde::{Deserialize, Serialize};
use simulation::Stream;

/// A group of faults.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Pattern {
    /// The nodes of one role are killed and started again, one after the other.
    RollingRestart,
    /// Two or more data nodes, up to all of them, are killed at once and started again.
    MassRestart,
    /// The session node with most clients is killed; while its clients come back, a share of all others vanishes and
    /// comes back too.
    SessionLoss,
    /// The database is killed, stands still, is cut off or is slow.
    DatabaseOutage,
    /// The clock of the meta node that holds the lease jumps again and again.
    LeaseHolderClock,
    /// A leader is cut off from all other nodes.
    IsolateLeader,
    /// The same cut comes and goes, many times in a short while.
    Flapping,
    /// All messages of a node are held up for a moment, many times in a short while.
    DelaySpikes,
}

/// The faults of one pattern, and what clients do meanwhile.
pub(crate) struct Group {
    pub faults: Vec<PlannedFault>,
    /// When clients storm, if they do.
    pub storm: Option<Nanos>,
}

/// Cuts of a link that flaps, milliseconds.
const FLAP_MS: (u64, u64) = (40, 300);
/// Between two cuts or spikes.
const PAUSE_MS: (u64, u64) = (30, 400);
/// How long a spike of delay lasts.
const SPIKE_MS: (u64, u64) = (50, 300);

impl Pattern {
    /// All of them.
    pub const ALL: [Pattern; 8] = [
        Pattern::RollingRestart,
        Pattern::MassRestart,
        Pattern::SessionLoss,
        Pattern::DatabaseOutage,
        Pattern::LeaseHolderClock,
        Pattern::IsolateLeader,
        Pattern::Flapping,
        Pattern::DelaySpikes,
    ];

    /// What it is, in a sentence.
    pub fn about(self) -> &'static str {
        match self {
            Pattern::RollingRestart => "nodes of one role killed and started again, one after the other",
            Pattern::MassRestart => "two or more data nodes, up to all, killed at once",
            Pattern::SessionLoss => {
                "the session node with most clients killed, while other clients vanish and come back"
            }
            Pattern::DatabaseOutage => "the database killed, standing still, cut off or slow",
            Pattern::LeaseHolderClock => "the clock of the meta node that holds the lease jumps again and again",
            Pattern::IsolateLeader => "a leader cut off from all other nodes",
            Pattern::Flapping => "the same cut comes and goes, many times in a short while",
            Pattern::DelaySpikes => "all messages of a node held up for a moment, many times in a short while",
        }
    }

    /// The role of nodes without which it makes no sense; none: any.
    pub fn role(self) -> Option<&'static str> {
        match self {
            Pattern::MassRestart => Some("data"),
            Pattern::SessionLoss => Some("session"),
            Pattern::DatabaseOutage => Some("database"),
            Pattern::LeaseHolderClock => Some("meta"),
            Pattern::RollingRestart | Pattern::IsolateLeader | Pattern::Flapping | Pattern::DelaySpikes => None,
        }
    }

    /// Its faults from `at` on, in order of time; numbers are given later.
    pub(crate) fn draw(self, schedule: &Schedule, stream: &mut Stream, at: Nanos, roles: Roles<'_>) -> Group {
        let mut drawing = Drawing { schedule, stream, roles, faults: Vec::new() };
        let mut storm = None;
        match self {
            Pattern::RollingRestart => drawing.rolling_restart(at),
            Pattern::MassRestart => drawing.mass_restart(at),
            Pattern::SessionLoss => storm = Some(drawing.session_loss(at)),
            Pattern::DatabaseOutage => drawing.database_outage(at),
            Pattern::LeaseHolderClock => drawing.lease_holder_clock(at),
            Pattern::IsolateLeader => drawing.isolate_leader(at),
            Pattern::Flapping => drawing.flapping(at),
            Pattern::DelaySpikes => drawing.delay_spikes(at),
        }
        Group { faults: drawing.faults, storm }
    }
}

struct Drawing<'a> {
    schedule: &'a Schedule,
    stream: &'a mut Stream,
    roles: Roles<'a>,
    faults: Vec<PlannedFault>,
}

impl Drawing<'_> {
    fn ms(&mut self, (low, high): (u64, u64)) -> Nanos {
        self.stream.between(low * MILLI, high * MILLI)
    }

    fn push(&mut self, at: Nanos, duration: Nanos, kind: FaultKind, target: Selector) -> &mut PlannedFault {
        let fault = PlannedFault { id: 0, at, duration, kind, target, shape: Shape::Isolate, amount: 0 };
        self.faults.push(fault);
        self.faults.last_mut().expect("it was just put there")
    }

    fn nodes_of(&self, role: &str) -> u32 {
        self.roles.iter().find(|(name, _)| *name == role).map_or(1, |(_, nodes)| (*nodes).max(1))
    }

    /// A role that the schedule hits, or any but the database.
    fn some_role(&mut self) -> Option<String> {
        let mut known: Vec<&str> = self.schedule.roles.iter().map(String::as_str).collect();
        if known.is_empty() {
            known = self.roles.iter().map(|(name, _)| *name).filter(|name| *name != "database").collect();
        }
        let at = self.stream.below(known.len() as u64) as usize;
        known.get(at).map(|role| (*role).to_owned())
    }

    fn rolling_restart(&mut self, mut at: Nanos) {
        let role = self.some_role();
        let nodes = role.as_deref().map_or(1, |role| self.nodes_of(role));
        for draw in 0..nodes {
            let duration = self.ms(self.schedule.duration_ms);
            // All others run while one is down, so that the draw counts through them.
            self.push(at, duration, FaultKind::Kill, Selector { role: role.clone(), pick: Pick::Any, draw });
            at += duration + self.ms(PAUSE_MS);
        }
    }

    fn mass_restart(&mut self, at: Nanos) {
        let nodes = self.nodes_of("data");
        let many = self.stream.between(2.min(nodes.into()), nodes.into());
        let duration = self.ms(self.schedule.duration_ms);
        for _ in 0..many {
            let draw = self.stream.below(1 << 16) as u32;
            // Those killed before are no candidates any more.
            let late = self.stream.below(20 * MILLI);
            let target = Selector { role: Some("data".to_owned()), pick: Pick::Any, draw };
            self.push(at + late, duration, FaultKind::Kill, target);
        }
        self.faults.sort_by_key(|fault| fault.at);
    }

    fn session_loss(&mut self, at: Nanos) -> Nanos {
        let duration = self.ms(self.schedule.duration_ms);
        let target = Selector { role: Some("session".to_owned()), pick: Pick::Leader, draw: 0 };
        self.push(at, duration, FaultKind::Kill, target);
        at + self.stream.below(duration.max(1))
    }

    fn database_outage(&mut self, at: Nanos) {
        let kinds = [FaultKind::Kill, FaultKind::Pause, FaultKind::Partition, FaultKind::Slow];
        let kind = kinds[self.stream.below(kinds.len() as u64) as usize];
        let duration = self.ms(self.schedule.duration_ms);
        let amount = self.schedule.amount(self.stream, kind);
        let target = Selector { role: Some("database".to_owned()), pick: Pick::Any, draw: 0 };
        self.push(at, duration, kind, target).amount = amount;
    }

    fn lease_holder_clock(&mut self, mut at: Nanos) {
        for _ in 0..self.stream.between(2, 4) {
            let duration = self.ms(self.schedule.duration_ms) / 2;
            let amount = self.schedule.amount(self.stream, FaultKind::ClockStep);
            let target = Selector { role: Some("meta".to_owned()), pick: Pick::Leader, draw: 0 };
            self.push(at, duration, FaultKind::ClockStep, target).amount = amount;
            at += duration + self.ms(PAUSE_MS);
        }
    }

    fn isolate_leader(&mut self, at: Nanos) {
        let role = self.some_role();
        let duration = self.ms(self.schedule.duration_ms);
        self.push(at, duration, FaultKind::Partition, Selector { role, pick: Pick::Leader, draw: 0 });
    }

    fn flapping(&mut self, mut at: Nanos) {
        let role = self.some_role();
        let draw = self.stream.below(1 << 16) as u32;
        let shape = self.schedule.shape(self.stream);
        for _ in 0..self.stream.between(4, 10) {
            let duration = self.ms(FLAP_MS);
            let target = Selector { role: role.clone(), pick: Pick::Any, draw };
            self.push(at, duration, FaultKind::Partition, target).shape = shape;
            at += duration + self.ms(PAUSE_MS);
        }
    }

    fn delay_spikes(&mut self, mut at: Nanos) {
        let role = self.some_role();
        let draw = self.stream.below(1 << 16) as u32;
        let (_, usual) = self.schedule.delay_ms;
        for _ in 0..self.stream.between(3, 8) {
            let duration = self.ms(SPIKE_MS);
            let amount = self.stream.between(usual, 4 * usual) as i64;
            let target = Selector { role: role.clone(), pick: Pick::Any, draw };
            self.push(at, duration, FaultKind::Delay, target).amount = amount;
            at += duration + self.ms(PAUSE_MS);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use history::SECOND;

    const ROLES: Roles<'static> = &[("session", 3), ("data", 4), ("meta", 3), ("database", 1)];

    fn group(pattern: Pattern, seed: u64) -> Group {
        let schedule = Schedule::default();
        pattern.draw(&schedule, &mut Stream::new(seed, "pattern", 0), 5 * SECOND, ROLES)
    }

    #[test]
    fn every_pattern_has_faults_in_order_of_time_on_nodes_of_its_role() {
        for pattern in Pattern::ALL {
            for seed in 0..50 {
                let group = group(pattern, seed);
                assert!(!group.faults.is_empty(), "{pattern:?}");
                assert!(group.faults.windows(2).all(|pair| pair[0].at <= pair[1].at), "{pattern:?}");
                assert!(group.faults.iter().all(|fault| fault.at >= 5 * SECOND && fault.duration > 0));
                if let Some(role) = pattern.role() {
                    assert!(group.faults.iter().all(|fault| fault.target.role.as_deref() == Some(role)));
                }
                assert_eq!(group.storm.is_some(), pattern == Pattern::SessionLoss);
            }
        }
    }

    #[test]
    fn a_rolling_restart_meets_each_node_once_and_one_at_a_time() {
        let faults = group(Pattern::RollingRestart, 3).faults;
        for pair in faults.windows(2) {
            assert!(pair[0].at + pair[0].duration < pair[1].at);
        }
        let draws: Vec<u32> = faults.iter().map(|fault| fault.target.draw).collect();
        assert!(draws == [0, 1, 2] || draws == [0, 1, 2, 3], "{draws:?}");
    }

    #[test]
    fn a_mass_restart_meets_several_at_once() {
        for seed in 0..50 {
            let faults = group(Pattern::MassRestart, seed).faults;
            assert!((2..=4).contains(&faults.len()));
            assert!(faults.iter().all(|fault| fault.at < faults[0].at + faults[0].duration));
        }
    }
}
