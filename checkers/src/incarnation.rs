//! What one session's operations make of one registration.
//!
//! The state is the set of contents that the source of truth may hold for the registration because of this session: `none`
//! and any of the published values. Operations move it as they are invoked and end; an operation whose outcome is unknown
//! adds its result and, where stale writes are not rejected, stays able to take effect after any later one.

use crate::hearing::Hearing;
use crate::record::{Record, Step, What};
use crate::span::{Span, millis};
use history::{Nanos, Outcome};
use smallvec::{SmallVec, smallvec};

/// What may be there.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct State {
    /// Nothing may be there.
    pub none: bool,
    /// `none`, and not because the latest operation says so: a lease may have run out, a replacement may be half done.
    pub soft: bool,
    /// There only because the client owes it: a new session without the registration made again.
    pub owed: bool,
    /// Values that may be there, sorted; seldom more than an old and a new one.
    pub values: SmallVec<[u32; 2]>,
}

impl State {
    pub fn empty() -> State {
        State { none: true, ..State::default() }
    }

    pub fn must(&self) -> bool {
        !self.none
    }

    pub fn insert(&mut self, value: u32) {
        if let Err(at) = self.values.binary_search(&value) {
            self.values.insert(at, value);
        }
    }

    pub fn merge(&mut self, other: &State) {
        self.none |= other.none;
        self.soft |= other.soft;
        if self.values != other.values {
            other.values.iter().for_each(|v| self.insert(*v));
        }
    }
}

/// The registration in one session.
#[derive(Clone, Debug)]
pub(crate) struct Incarnation {
    /// From each instant on, in order; empty before.
    pub changes: Vec<(Nanos, State)>,
    /// Gone for a reason other than its own operations.
    pub doubts: Vec<Span>,
}

/// Operations that may still take effect, whatever came later.
#[derive(Clone, Default)]
struct Afloat {
    none: bool,
    values: Vec<u32>,
}

struct Machine {
    settled: State,
    /// Unknown operations since the last ok.
    pending: Afloat,
    /// Unknown operations before it.
    late: Afloat,
    changes: Vec<(Nanos, State)>,
}

impl Machine {
    fn shows(&mut self, time: Nanos, mut state: State) {
        if self.late.none {
            (state.none, state.soft) = (true, true);
        }
        self.late.values.iter().for_each(|v| state.insert(*v));
        self.changes.push((time, state));
    }

    fn step(&mut self, step: &Step, atomic: bool, rejects_stale: bool) {
        let mut open = self.settled.clone();
        match step.what {
            What::Put(value) => {
                open.insert(value);
                open.none |= !atomic;
                open.soft |= !atomic;
            }
            What::Take | What::Close => open.none = true,
        }
        self.shows(step.invoke, open.clone());
        match (step.outcome, step.what) {
            // A close that the server confirmed ends the incarnation: see `absent`.
            (Outcome::Ok, What::Put(_) | What::Take) => {
                self.settled = match step.what {
                    What::Put(value) => State { values: smallvec![value], ..State::default() },
                    What::Take | What::Close => State::empty(),
                };
                let pending = std::mem::take(&mut self.pending);
                if rejects_stale {
                    self.late = Afloat::default();
                } else {
                    self.late.none |= pending.none;
                    self.late.values.extend(pending.values);
                }
                self.shows(step.end, self.settled.clone());
            }
            (Outcome::Fail, What::Put(_) | What::Take) => self.shows(step.end, self.settled.clone()),
            _ => {
                self.settled = open;
                match step.what {
                    What::Put(value) => {
                        self.pending.values.push(value);
                        self.pending.none |= !atomic;
                    }
                    What::Take | What::Close => self.pending.none = true,
                }
            }
        }
    }
}

impl Incarnation {
    /// `steps` are those of one registration in one session.
    pub fn new(record: &Record, session: usize, hearing: &Hearing, steps: &[&Step]) -> Incarnation {
        let contract = &record.header.contract;
        let mut machine = Machine {
            settled: State::empty(),
            pending: Afloat::default(),
            late: Afloat::default(),
            changes: Vec::new(),
        };
        for step in steps {
            machine.step(step, contract.atomic_replace, contract.stale_writes_rejected);
        }
        let mut changes = std::mem::take(&mut machine.changes);
        if let Some(absent) = hearing.absent {
            let mut rest = State::empty();
            machine.late.values.iter().chain(&machine.pending.values).for_each(|v| rest.insert(*v));
            // What came after the end (a history that contradicts itself) stays possible.
            changes.iter().filter(|c| c.0 > absent).flat_map(|c| &c.1.values).for_each(|v| rest.insert(*v));
            changes.retain(|c| c.0 <= absent);
            if !rest.values.is_empty() {
                changes.push((absent, rest));
                changes.push((absent.saturating_add(millis(contract.in_flight_ms_max)), State::empty()));
            } else {
                changes.push((absent, State::empty()));
            }
        }
        let accepted: Vec<(Nanos, Nanos)> = steps
            .iter()
            .filter(|s| s.outcome == Outcome::Ok && matches!(s.what, What::Put(_)))
            .map(|s| (s.invoke, s.end))
            .collect();
        let mut doubts = hearing.gone.clone();
        doubts.extend(hearing.gone_behind(record, &record.sessions[session], &accepted));
        // Closed without an operation that says so.
        if let Some(absent) = hearing.absent.filter(|_| steps.iter().all(|s| s.what != What::Close)) {
            doubts.push(Span::new(absent, Nanos::MAX));
        }
        for &killed in &hearing.killed {
            let again = accepted.iter().find(|p| p.0 >= killed).map_or(Nanos::MAX, |p| p.1);
            doubts.push(Span::new(killed, again));
        }
        Incarnation { changes, doubts }
    }
}
