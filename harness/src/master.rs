//! The master loop: ask the plan what is due, hand it to the system under test, wait until the next due time or the next
//! event, record. It runs in virtual and in real time and does not know which system it drives.
//!
//! Phases: warm-up -> chaos -> heal -> settle -> final reads -> end. Healing is unconditional: whatever ends the run, every
//! fault is lifted and the world is shut down.

use crate::clients::Clients;
use crate::observer::Observer;
use crate::plan::Plan;
use crate::recording::Recording;
use history::{Contract, Event, Fault, FaultKind, FaultStage, MILLI, Nanos, PhaseName};
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use systems::{Happening, Observation, World, WorldError};

/// What a run was like, beyond its history.
#[derive(Clone, Copy, Debug, Default)]
pub struct Outcome {
    /// Time in the run at its end.
    pub end: Nanos,
    /// It was stopped before its end.
    pub interrupted: bool,
}

/// Final reads are tried this often before they are given up.
const FINAL_TRIES: u32 = 5;
/// Final reads take at most this long.
const FINAL_NS_MAX: Nanos = 30_000 * MILLI;

/// One run under way.
pub struct Master<'a> {
    world: &'a mut dyn World,
    plan: &'a Plan,
    contract: Contract,
    clients: Clients,
    recording: Recording<'a>,
    observer: &'a mut dyn Observer,
    stop: &'a AtomicBool,
    /// Faults that began and whose targets do not serve yet: the time at which the injector stops.
    active: BTreeMap<u32, Option<Nanos>>,
    next_fault: usize,
    next_operation: usize,
    batch: Vec<Observation>,
    /// Empty between calls; keeps its memory.
    events: Vec<Event>,
    lags: u32,
}

impl<'a> Master<'a> {
    /// A run that has not begun.
    pub fn new(
        world: &'a mut dyn World,
        plan: &'a Plan,
        contract: Contract,
        recording: Recording<'a>,
        observer: &'a mut dyn Observer,
        stop: &'a AtomicBool,
    ) -> Master<'a> {
        let clients = Clients::new(plan, &world.info().nodes);
        Master {
            world,
            plan,
            contract,
            clients,
            recording,
            observer,
            stop,
            active: BTreeMap::new(),
            next_fault: 0,
            next_operation: 0,
            batch: Vec::new(),
            events: Vec::new(),
            lags: 0,
        }
    }

    /// Runs all phases. On an error faults are still lifted; what was recorded stays recorded.
    pub fn run(mut self) -> Result<Outcome, MasterError> {
        let time = self.plan.time;
        let warm = time.warmup_ns;
        let chaos = warm + time.chaos_ns;
        self.phase(PhaseName::WarmUp)?;
        let mut result = self.pass_until(warm);
        if result.is_ok() {
            self.phase(PhaseName::Chaos)?;
            result = self.pass_until(chaos);
        }
        let healed = self.heal();
        result?;
        healed?;
        if !self.stopped() {
            self.settle()?;
            self.final_reads()?;
        }
        let interrupted = self.stopped();
        if !interrupted {
            self.phase(PhaseName::End)?;
        }
        let end = self.world.now();
        Ok(Outcome { end, interrupted })
    }

    fn stopped(&self) -> bool {
        self.stop.load(Ordering::Relaxed)
    }

    fn phase(&mut self, name: PhaseName) -> Result<(), MasterError> {
        let time = self.world.now();
        self.record(Event::Phase(history::Phase { time, name }))
    }

    fn record(&mut self, event: Event) -> Result<(), MasterError> {
        self.observer.event(&event);
        Ok(self.recording.event(event)?)
    }

    /// Lets time pass until `end`, doing everything that is due.
    fn pass_until(&mut self, end: Nanos) -> Result<(), MasterError> {
        while self.world.now() < end && !self.stopped() {
            let next = self.do_what_is_due(end)?;
            self.wait(next)?;
        }
        Ok(())
    }

    /// Starts what is due and says when the next thing is, at the latest `end`.
    fn do_what_is_due(&mut self, end: Nanos) -> Result<Nanos, MasterError> {
        let now = self.world.now();
        while let Some(operation) = self.plan.operations.get(self.next_operation).filter(|o| o.at <= now) {
            self.clients.plan(operation);
            self.next_operation += 1;
        }
        while let Some(fault) = self.plan.faults.get(self.next_fault).filter(|fault| fault.at <= now) {
            self.active.insert(fault.id, Some(now + fault.duration));
            self.world.start_fault(fault);
            self.next_fault += 1;
        }
        if !self.active.is_empty() {
            self.end_what_is_over(now);
        }
        let mut next = self.clients.next_due().unwrap_or(end);
        if next <= now {
            self.start_operations(now)?;
            next = self.clients.next_due().unwrap_or(end);
        }
        if let Some(operation) = self.plan.operations.get(self.next_operation) {
            next = next.min(operation.at);
        }
        if let Some(fault) = self.plan.faults.get(self.next_fault) {
            next = next.min(fault.at);
        }
        let lift = self.active.values().flatten().min().copied();
        // In real time the end may have passed since it was looked at.
        Ok(next.min(lift.unwrap_or(end)).min(end).max(now))
    }

    fn end_what_is_over(&mut self, now: Nanos) {
        let is_over = |until: &Option<Nanos>| until.is_some_and(|until| until <= now);
        let over: Vec<u32> = self.active.iter().filter(|(_, until)| is_over(until)).map(|(id, _)| *id).collect();
        for id in over {
            self.active.insert(id, None);
            self.world.end_fault(id);
        }
    }

    fn start_operations(&mut self, now: Nanos) -> Result<(), MasterError> {
        let mut events = std::mem::take(&mut self.events);
        while let Some(call) = self.clients.start(now, &mut events) {
            for event in events.drain(..) {
                self.record(event)?;
            }
            self.world.submit(call);
        }
        self.events = events;
        Ok(())
    }

    fn wait(&mut self, until: Nanos) -> Result<(), MasterError> {
        let mut batch = std::mem::take(&mut self.batch);
        let result = self.world.wait(until, &mut batch);
        self.clients.prepare(&batch);
        for observation in batch.drain(..) {
            self.observe(observation)?;
        }
        self.batch = batch;
        result?;
        let now = self.world.now();
        self.observer.tick(now, self.clients.connected());
        self.recording.tick()?;
        self.note_lag(until, now)
    }

    /// A master that is late would call the system stale: it says so instead, as a fault.
    fn note_lag(&mut self, until: Nanos, now: Nanos) -> Result<(), MasterError> {
        let lag = now.saturating_sub(until);
        if self.world.info().virtual_time || lag <= self.contract.visible_ms_max * MILLI / 4 {
            return Ok(());
        }
        self.lags += 1;
        let id = self.plan.faults.len() as u32 + self.lags;
        let detail = format!("the master was {} ms late", lag / MILLI);
        for (time, stage) in [(until, FaultStage::Start), (now, FaultStage::Serving)] {
            let fault = Fault {
                time,
                id,
                stage,
                kind: FaultKind::MasterLag,
                nodes: Vec::new(),
                links: Vec::new(),
                clients: Vec::new(),
                detail: detail.clone(),
                effect: None,
            };
            self.record(Event::Fault(Box::new(fault)))?;
        }
        Ok(())
    }

    fn observe(&mut self, observation: Observation) -> Result<(), MasterError> {
        if observation.is_push() {
            let Some((new, push)) = self.clients.push(observation, &mut self.recording) else { return Ok(()) };
            if let Some(new) = new {
                self.record(Event::from(new))?;
            }
            return self.record(Event::Push(push));
        }
        if let Happening::Fault(fault) = &observation.what {
            if matches!(fault.stage, FaultStage::Serving | FaultStage::Missed) {
                self.active.remove(&fault.id);
            }
            return self.record(Event::Fault(Box::new(Fault::clone(fault))));
        }
        let mut events = std::mem::take(&mut self.events);
        self.clients.observe(observation, &mut self.recording, &mut events);
        for event in events.drain(..) {
            self.record(event)?;
        }
        self.events = events;
        Ok(())
    }

    /// Ends every fault and waits, bounded, until every target serves again.
    fn heal(&mut self) -> Result<(), MasterError> {
        self.phase(PhaseName::Heal)?;
        for event in self.clients.give_up(self.world.now(), "chaos was over") {
            self.record(event)?;
        }
        let open: Vec<u32> = self.active.iter().filter(|(_, until)| until.is_some()).map(|(id, _)| *id).collect();
        for id in open {
            self.active.insert(id, None);
            self.world.end_fault(id);
        }
        self.next_fault = self.plan.faults.len();
        let limit = self.world.now() + self.plan.time.heal_ns_max;
        while !self.active.is_empty() && self.world.now() < limit {
            let now = self.world.now();
            self.start_operations(now)?;
            let next = self.clients.next_due().unwrap_or(limit).max(now);
            self.wait(next.min(limit).min(now + 100 * MILLI))?;
        }
        Ok(())
    }

    /// Nothing acts any more but what clients do by themselves to come back.
    fn settle(&mut self) -> Result<(), MasterError> {
        self.phase(PhaseName::Settle)?;
        let planned = self.plan.time.settle_ns;
        let needed = self.contract.recovered_ms_max.max(self.contract.lease_ms_max) * MILLI;
        let settle = if planned > 0 { planned } else { needed + needed / 4 };
        let end = self.world.now() + settle;
        self.pass_until(end)
    }

    /// Fresh clients read every dataId on every node that serves clients.
    fn final_reads(&mut self) -> Result<(), MasterError> {
        self.phase(PhaseName::Final)?;
        let now = self.world.now();
        self.clients.plan_final_reads(now, FINAL_TRIES);
        let limit = now + FINAL_NS_MAX;
        while !self.clients.final_reads_done() && self.world.now() < limit && !self.stopped() {
            let now = self.world.now();
            self.start_operations(now)?;
            let next = self.clients.next_due().unwrap_or(limit).max(now);
            self.wait(next.min(limit))?;
        }
        Ok(())
    }
}

/// The run could not go on.
#[derive(Debug, thiserror::Error)]
pub enum MasterError {
    /// The system under test, as a whole, broke.
    #[error(transparent)]
    World(#[from] WorldError),
    /// The history could not be written.
    #[error(transparent)]
    History(#[from] history::Error),
}
