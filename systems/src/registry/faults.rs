//! Faults while they last: injected, lifted, and over only when their target serves again. Every effect is measured.

use super::node::RegistryNode;
use super::slot::Phase;
use super::world::RegistryWorld;
use crate::world::Happening;
use history::{Effect, Fault, FaultKind, FaultStage, MILLI, Nanos};
use nemesis::PlannedFault;
use simulation::{NodeId, Trouble};

/// A fault that began.
#[derive(Debug)]
pub(super) struct Active {
    pub(super) event: Fault,
    pub(super) target: NodeId,
    links: Vec<(NodeId, NodeId)>,
    amount: i64,
    /// The target's process when it began.
    life: u64,
    since: Nanos,
    steps: u64,
    /// Migrations that had begun by then.
    pub(super) migrations: u64,
    clock_error: i64,
    /// Inputs that had to wait.
    waited: u64,
    /// True once the injector has stopped.
    ended: bool,
}

const MICRO: Nanos = 1_000;
/// Second copies, and messages that others may overtake, arrive up to so much later.
const LATE_MAX: Nanos = 50 * MILLI;

fn permille(amount: i64) -> u32 {
    amount.clamp(0, 1000) as u32
}

impl RegistryWorld {
    /// Resolves and injects.
    pub(super) fn begin(&mut self, planned: &PlannedFault) {
        let mut event = Fault {
            time: self.time(),
            id: planned.id,
            stage: FaultStage::Start,
            kind: planned.kind,
            nodes: Vec::new(),
            links: Vec::new(),
            clients: Vec::new(),
            detail: String::new(),
            effect: None,
        };
        match self.aim(planned) {
            Ok((target, links)) => {
                let name = self.ids.name(target);
                if !planned.kind.is_on_links() && planned.kind != FaultKind::Rebalance {
                    event.nodes.push(name);
                }
                event.links = links.iter().map(|(from, to)| (self.ids.name(*from), self.ids.name(*to))).collect();
                event.detail = self.describe(planned, target);
                let active = Active {
                    event: event.clone(),
                    target,
                    links,
                    amount: planned.amount,
                    life: self.kernel.life(target),
                    since: self.time(),
                    steps: self.kernel.steps_of(target),
                    migrations: self.migrations(),
                    clock_error: self.kernel.clock(target).error(self.kernel.now()),
                    waited: 0,
                    ended: false,
                };
                self.note_begin(&active);
                self.inject(&active);
                self.faults.insert(planned.id, active);
            }
            Err(why) => {
                event.stage = FaultStage::Missed;
                event.detail = why;
            }
        }
        self.observe(Happening::Fault(Box::new(event)));
    }

    fn aim(&self, planned: &PlannedFault) -> Result<(NodeId, Vec<(NodeId, NodeId)>), String> {
        if self.faults.contains_key(&planned.id) {
            return Err(format!("fault {} has begun already", planned.id));
        }
        if planned.kind == FaultKind::Rebalance {
            // Whoever leads meta decides about slots.
            let target = self.meta_leader().ok_or_else(|| "no meta node leads".to_owned())?;
            return Ok((target, Vec::new()));
        }
        let target = self.resolve(planned)?;
        match planned.kind {
            FaultKind::MasterLag => Err("a master's lag cannot be planned".to_owned()),
            kind if kind.is_on_links() => Ok((target, self.links(target, planned.shape, planned.target.draw)?)),
            _ => Ok((target, Vec::new())),
        }
    }

    fn describe(&self, planned: &PlannedFault, target: NodeId) -> String {
        let name = self.ids.name(target);
        let leads = if self.meta_leader() == Some(target) { " (meta leader)" } else { "" };
        let shape = history::word(&planned.shape);
        let amount = planned.amount;
        match planned.kind {
            FaultKind::Kill => format!("kill {name}{leads}"),
            FaultKind::Pause => format!("pause {name}{leads}"),
            FaultKind::Partition => format!("cut {name}{leads} ({shape})"),
            FaultKind::Delay => format!("{amount} ms more from and to {name}{leads} ({shape})"),
            FaultKind::Loss => format!("{amount} of 1,000 messages lost from and to {name}{leads} ({shape})"),
            FaultKind::ClockStep => format!("clock of {name}{leads} moved by {amount} ms"),
            FaultKind::ClockDrift => format!("clock of {name}{leads} drifts by {amount} ppm"),
            FaultKind::Slow => format!("each step of {name}{leads} takes {amount} µs"),
            FaultKind::HalfDead => format!("{name}{leads} is half-dead: only its heartbeats go on"),
            FaultKind::Duplicate => format!("{amount} of 1,000 messages twice from and to {name}{leads} ({shape})"),
            FaultKind::Reorder => format!("{amount} of 1,000 messages late from and to {name}{leads} ({shape})"),
            FaultKind::Throttle => format!("{amount} bytes a second from and to {name}{leads} ({shape})"),
            FaultKind::StaleTable => format!("{name} takes no newer slot table"),
            FaultKind::Rebalance => format!("leaders of {amount} slots change hands"),
            FaultKind::MasterLag => String::new(),
        }
    }

    fn inject(&mut self, active: &Active) {
        let trouble = match active.event.kind {
            FaultKind::Kill => {
                self.note_backlog(active.target);
                self.kernel.kill(active.target);
                return;
            }
            FaultKind::Pause => return self.kernel.pause(active.target),
            FaultKind::ClockStep => return self.kernel.step_clock(active.target, active.amount * MILLI as i64),
            FaultKind::ClockDrift => return self.kernel.drift_clock(active.target, active.amount),
            FaultKind::Slow => {
                self.kernel.slow(active.target, active.amount.unsigned_abs().max(1) * MICRO);
                return;
            }
            FaultKind::HalfDead => return self.kernel.half_die(active.target),
            FaultKind::StaleTable => return self.stick(active.target, true),
            FaultKind::Rebalance => {
                let count = active.amount.unsigned_abs().clamp(1, u64::from(self.config.slots)) as u32;
                if let Some(meta) = self.kernel.machine_mut(active.target).meta_mut() {
                    meta.rotate = count;
                }
                return;
            }
            FaultKind::Partition => Trouble::Cut,
            FaultKind::Delay => Trouble::Delay(active.amount.unsigned_abs() * MILLI),
            FaultKind::Loss => Trouble::Loss(permille(active.amount)),
            FaultKind::Duplicate => Trouble::Duplicate { permille: permille(active.amount), late: LATE_MAX },
            FaultKind::Reorder => Trouble::Reorder { permille: permille(active.amount), late: LATE_MAX },
            FaultKind::Throttle => Trouble::Bandwidth(active.amount.unsigned_abs().max(1)),
            FaultKind::MasterLag => return,
        };
        for (from, to) in &active.links {
            self.kernel.trouble(*from, *to, active.event.id, trouble);
        }
    }

    /// A paused or half-dead process is killed: what waited for it never will be handled, but it did wait.
    fn note_backlog(&mut self, node: NodeId) {
        let backlog = self.kernel.backlog(node) as u64;
        for active in self.faults.values_mut() {
            let holds_up = matches!(active.event.kind, FaultKind::Pause | FaultKind::HalfDead);
            if holds_up && active.target == node && !active.ended {
                active.waited = active.waited.max(backlog);
            }
        }
    }

    /// Lifts a fault; it is over when its target serves.
    pub(super) fn lift(&mut self, id: u32) {
        let Some(mut active) = self.faults.remove(&id).filter(|active| !active.ended) else { return };
        let target = active.target;
        let same_life = self.kernel.life(target) == active.life;
        match active.event.kind {
            // Nobody else starts a killed node, so it is still down.
            FaultKind::Kill => {
                let fresh = self.restarted(target);
                self.kernel.restart(target, fresh);
            }
            FaultKind::Pause if same_life => active.waited = self.kernel.resume(target) as u64,
            FaultKind::HalfDead if same_life => active.waited = self.kernel.revive(target) as u64,
            FaultKind::Slow if same_life => {
                // Steps so far took their time; what still waits is handled at once.
                active.waited = self.kernel.steps_of(target) - active.steps;
                active.waited += self.kernel.slow(target, 0) as u64;
            }
            FaultKind::StaleTable if same_life => {
                let newest = self.database().cluster.version;
                let known = self.kernel.machine(target).member().map_or(newest, |member| member.cluster.version);
                active.waited = newest.saturating_sub(known);
                self.stick(target, false);
            }
            // A new process is neither paused nor slow, and takes every table.
            FaultKind::Pause | FaultKind::HalfDead | FaultKind::Slow | FaultKind::StaleTable | FaultKind::Rebalance => {
            }
            FaultKind::ClockStep => self.kernel.step_clock(target, -active.amount * MILLI as i64),
            FaultKind::ClockDrift => self.kernel.drift_clock(target, -active.amount),
            FaultKind::Partition
            | FaultKind::Delay
            | FaultKind::Loss
            | FaultKind::Duplicate
            | FaultKind::Reorder
            | FaultKind::Throttle => self.kernel.lift(id),
            FaultKind::MasterLag => {}
        }
        self.collect();
        self.note_end(&active);
        active.ended = true;
        active.event.effect = Some(self.measure(&active));
        let event = Fault { time: self.time(), stage: FaultStage::End, effect: None, ..active.event.clone() };
        self.faults.insert(id, active);
        self.observe(Happening::Fault(Box::new(event)));
    }

    fn stick(&mut self, node: NodeId, stuck: bool) {
        if let Some(member) = self.kernel.machine_mut(node).member_mut() {
            member.stick(stuck);
        }
    }

    fn restarted(&self, node: NodeId) -> RegistryNode {
        match self.kernel.machine(node) {
            // Its disk is as it was.
            RegistryNode::Database(database) => RegistryNode::Database(database.clone()),
            _ => RegistryNode::fresh(node, self.kernel.life(node) + 1, &self.config, self.ids, self.bug),
        }
    }

    /// What the fault did, as far as it is known when the injector stops.
    fn measure(&self, active: &Active) -> Effect {
        let now = self.kernel.now();
        let touched = self.kernel.touched(active.event.id) as i64;
        let effect = |amount: i64, unit: &str| Effect { bit: amount != 0, amount, unit: unit.to_owned() };
        match active.event.kind {
            FaultKind::Kill => effect(1, "ms without service"),
            FaultKind::Pause | FaultKind::HalfDead | FaultKind::Slow => effect(active.waited as i64, "inputs delayed"),
            FaultKind::Partition => effect(touched, "messages dropped"),
            FaultKind::Delay => effect(touched, "messages delayed"),
            FaultKind::Loss => effect(touched, "messages lost"),
            FaultKind::Duplicate => effect(touched, "messages doubled"),
            FaultKind::Reorder => effect(touched, "messages out of turn"),
            FaultKind::Throttle => effect(touched, "messages held up"),
            FaultKind::ClockStep | FaultKind::ClockDrift => {
                // A step is taken back at the end, so its error is what it was moved by; drift leaves what it made.
                let error = match active.event.kind {
                    FaultKind::ClockStep => active.amount * MILLI as i64,
                    _ => self.kernel.clock(active.target).error(now) - active.clock_error,
                };
                // Nobody saw it if the node made no step meanwhile.
                let seen = self.kernel.steps_of(active.target) > active.steps;
                let amount = error / MILLI as i64;
                Effect { bit: seen && error != 0, amount, unit: "ms of clock error".to_owned() }
            }
            FaultKind::StaleTable => effect(active.waited as i64, "tables behind"),
            FaultKind::Rebalance => effect((self.migrations() - active.migrations) as i64, "slots moved"),
            FaultKind::MasterLag => effect(0, ""),
        }
    }

    /// True if a lifted fault waits for its target to serve.
    pub(super) fn is_healing(&self) -> bool {
        self.faults.values().any(|active| active.ended)
    }

    /// Looks whether targets serve again.
    pub(super) fn review_faults(&mut self) {
        let serving: Vec<u32> =
            self.faults.iter().filter(|(_, active)| active.ended && self.serves(active)).map(|(id, _)| *id).collect();
        for id in serving {
            let Some(active) = self.faults.remove(&id) else { continue };
            let time = self.time();
            let mut event = Fault { time, stage: FaultStage::Serving, ..active.event };
            if let (FaultKind::Kill, Some(effect)) = (event.kind, event.effect.as_mut()) {
                effect.amount = ((time - active.since) / MILLI) as i64;
            }
            self.observe(Happening::Fault(Box::new(event)));
        }
    }

    /// True if nothing of this fault is left: its nodes run and are members, every slot is served where the newest table
    /// says, everybody knows that table, and whatever was delayed has arrived.
    fn serves(&self, active: &Active) -> bool {
        let now = self.kernel.now();
        let arrived = active.links.iter().all(|(from, to)| self.kernel.busy_until(*from, *to) <= now);
        let touched = active.links.iter().flat_map(|(from, to)| [*from, *to]).chain([active.target]);
        arrived
            && touched.filter(|node| *node < self.ids.clients()).all(|node| self.node_serves(node))
            && self.is_settled()
    }

    fn runs(&self, node: NodeId) -> bool {
        let kernel = &self.kernel;
        kernel.is_up(node) && !kernel.is_paused(node) && !kernel.is_half_dead(node) && !kernel.is_slow(node)
    }

    fn node_serves(&self, node: NodeId) -> bool {
        let now = self.kernel.clock(node).read(self.kernel.now());
        let version = self.database().cluster.version;
        self.runs(node)
            && match self.kernel.machine(node) {
                RegistryNode::Session(session) => {
                    session.member.valid(now) && session.member.cluster.version == version && session.is_calm(now.mono)
                }
                RegistryNode::Data(data) => data.member.valid(now) && data.member.cluster.version == version,
                RegistryNode::Meta(meta) => meta.answered,
                _ => true,
            }
    }

    /// True if meta is led, everyone listed serves, and every slot is served by its leader.
    pub fn is_settled(&self) -> bool {
        let cluster = &self.database().cluster;
        let led = self.meta_leader().is_some_and(|node| self.runs(node));
        let accepts = |(at, seat): (usize, &super::cluster::Seat)| {
            let leader = seat.leader.and_then(|node| self.kernel.machine(node).data());
            leader.is_some_and(|data| data.slots[at].phase == Phase::Accept && data.slots[at].epoch == seat.epoch)
        };
        led && !cluster.sessions.is_empty()
            && cluster.nodes().all(|(node, _)| self.node_serves(node))
            && cluster.balanced(self.config.replicas)
            && cluster.slots.iter().enumerate().all(accepts)
    }
}
