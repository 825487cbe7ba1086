//! What a history holds, counted in one pass.

use crate::facts::Run;
use crate::faults::{self, FaultRecord};
use history::{Event, Function, Nanos, Outcome, PhaseName};
use std::collections::BTreeMap;

/// Counts over a whole history.
#[derive(Clone, Debug, Default)]
pub struct Digest {
    /// Operations invoked.
    pub operations: u64,
    /// Planned ones that were never started.
    pub dropped: u64,
    /// Pushes received.
    pub pushes: u64,
    /// Time of the last event.
    pub end: Nanos,
    /// Phases: from, until, name.
    pub phases: Vec<(Nanos, Nanos, PhaseName)>,
    /// Faults in the order of their beginning.
    pub faults: Vec<FaultRecord>,
    /// Operations by what they ask for.
    pub functions: BTreeMap<&'static str, FunctionCounts>,
}

/// How operations of one function ended.
#[derive(Clone, Debug, Default)]
pub struct FunctionCounts {
    /// Invoked.
    pub invoked: u64,
    /// Ended ok.
    pub ok: u64,
    /// Certainly not done.
    pub fail: u64,
    /// Unknown.
    pub info: u64,
    /// Never started.
    pub dropped: u64,
    /// How long those that ended ok took, sorted.
    pub took: Vec<Nanos>,
}

impl FunctionCounts {
    /// Quantile of those that ended ok, in thousandths.
    pub fn quantile(&self, permille: u64) -> Option<Nanos> {
        let rank = (self.took.len() as u64 * permille).div_ceil(1_000).max(1) - 1;
        self.took.get(rank as usize).copied()
    }
}

impl Digest {
    /// Counts a run's history.
    pub fn of(run: &Run<'_>) -> Digest {
        let mut digest = Digest { faults: faults::collect(run.events), ..Digest::default() };
        let mut open: BTreeMap<u32, Nanos> = BTreeMap::new();
        run.events.each(&mut |event| {
            digest.end = digest.end.max(event.time().unwrap_or(0));
            match event {
                Event::Op(op) => {
                    let counts = digest.functions.entry(crate::names::function(op.f)).or_default();
                    let began = if op.outcome == Outcome::Invoke {
                        digest.operations += 1;
                        counts.invoked += 1;
                        open.insert(op.op, op.time);
                        None
                    } else {
                        open.remove(&op.op)
                    };
                    match op.outcome {
                        Outcome::Invoke => {}
                        Outcome::Ok => {
                            counts.ok += 1;
                            counts.took.extend(began.map(|began| op.time.saturating_sub(began)));
                        }
                        Outcome::Fail => counts.fail += 1,
                        Outcome::Info => counts.info += 1,
                    }
                }
                Event::Dropped(dropped) => {
                    digest.dropped += 1;
                    digest.functions.entry(crate::names::function(dropped.f)).or_default().dropped += 1;
                }
                Event::Push(_) => digest.pushes += 1,
                Event::Phase(phase) => digest.phases.push((phase.time, phase.time, phase.name)),
                Event::Snapshot(_) | Event::Connection(_) | Event::Fault(_) | Event::Routes(_) => {}
            }
        });
        digest.functions.values_mut().for_each(|counts| counts.took.sort_unstable());
        digest.close_phases();
        digest
    }

    fn close_phases(&mut self) {
        for index in 0..self.phases.len() {
            self.phases[index].1 = self.phases.get(index + 1).map_or(self.end, |next| next.0);
        }
        self.phases.retain(|(_, _, name)| *name != PhaseName::End);
    }

    /// The fault of this number.
    pub fn fault(&self, id: u32) -> Option<&FaultRecord> {
        self.faults.iter().find(|fault| fault.id == id)
    }

    /// How many faults bit.
    pub fn bit(&self) -> u64 {
        self.faults.iter().filter(|fault| fault.bit()).count() as u64
    }

    /// Order of functions in tables: as a client's life goes.
    pub fn functions_in_order(&self) -> Vec<(&'static str, &FunctionCounts)> {
        use Function as F;
        [F::Connect, F::Publish, F::Unpublish, F::Subscribe, F::Unsubscribe, F::Read, F::Ping, F::Close, F::Vanish]
            .into_iter()
            .filter_map(|f| self.functions.get_key_value(crate::names::function(f)))
            .map(|(name, counts)| (*name, counts))
            .collect()
    }
}
