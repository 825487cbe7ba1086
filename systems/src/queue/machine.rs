//! The queue itself: what is replicated.

use crate::consensus::{Request, StateMachine};
use history::MILLI;
use simulation::NodeId;
use std::collections::BTreeMap;

/// What can be done with a queue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Command {
    /// Put a unit in.
    Put(u32),
    /// Take the next one out.
    Take,
    /// A unit is done.
    Finish(u32),
}

/// What comes of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    /// It is done.
    Done,
    /// Work on this; none: there is nothing to do.
    Work(Option<u32>),
}

/// Where a unit is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    Waiting,
    /// A worker has it; by the time of the log its lease ends then.
    Taken {
        by: NodeId,
        until: i64,
    },
    Finished,
}

/// A queue.
#[derive(Clone, Debug)]
pub struct Queue {
    /// How long a lease lasts, milliseconds; none: a unit that is taken is gone.
    lease_ms: Option<u64>,
    units: BTreeMap<u32, Place>,
}

impl Queue {
    /// An empty queue.
    pub fn new(lease_ms: Option<u64>) -> Queue {
        Queue { lease_ms, units: BTreeMap::new() }
    }

    fn take(&mut self, stamp: i64, by: NodeId) -> Option<u32> {
        let lease = self.lease_ms.map(|lease| (lease * MILLI) as i64);
        let is_free = |place: &Place| match place {
            Place::Waiting => true,
            Place::Taken { until, .. } => lease.is_some() && stamp >= *until,
            Place::Finished => false,
        };
        let (unit, place) = self.units.iter_mut().find(|(_, place)| is_free(place))?;
        *place = Place::Taken { by, until: stamp + lease.unwrap_or(0) };
        Some(*unit)
    }
}

impl StateMachine for Queue {
    type Command = Command;
    type Answer = Answer;

    fn apply(&mut self, stamp: i64, request: &Request<Command>, _: &mut Vec<(&'static str, i64)>) -> Answer {
        match request.command {
            Command::Put(unit) => {
                self.units.entry(unit).or_insert(Place::Waiting);
                Answer::Done
            }
            Command::Take => Answer::Work(self.take(stamp, request.client)),
            Command::Finish(unit) => {
                // Whoever finishes it: it is done, and once is enough.
                self.units.insert(unit, Place::Finished);
                Answer::Done
            }
        }
    }

    fn words(command: &Command) -> String {
        match command {
            Command::Put(unit) => format!("put unit {unit}"),
            Command::Take => "work, please".to_owned(),
            Command::Finish(unit) => format!("unit {unit} is done"),
        }
    }

    fn answer_words(answer: &Answer) -> String {
        match answer {
            Answer::Done => "done".to_owned(),
            Answer::Work(Some(unit)) => format!("work on unit {unit}"),
            Answer::Work(None) => String::new(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ask(queue: &mut Queue, at_ms: i64, command: Command) -> Answer {
        let request = Request { client: 7, number: 0, command };
        queue.apply(at_ms * MILLI as i64, &request, &mut Vec::new())
    }

    #[test]
    fn a_unit_comes_back_when_its_lease_is_over_and_not_when_it_is_finished() {
        let mut queue = Queue::new(Some(100));
        ask(&mut queue, 0, Command::Put(3));
        assert_eq!(ask(&mut queue, 10, Command::Take), Answer::Work(Some(3)));
        assert_eq!(ask(&mut queue, 100, Command::Take), Answer::Work(None));
        assert_eq!(ask(&mut queue, 110, Command::Take), Answer::Work(Some(3)));
        ask(&mut queue, 120, Command::Finish(3));
        ask(&mut queue, 130, Command::Put(3));
        assert_eq!(ask(&mut queue, 900, Command::Take), Answer::Work(None));
    }

    #[test]
    fn without_leases_a_unit_that_is_taken_is_gone() {
        let mut queue = Queue::new(None);
        ask(&mut queue, 0, Command::Put(3));
        assert_eq!(ask(&mut queue, 10, Command::Take), Answer::Work(Some(3)));
        assert_eq!(ask(&mut queue, 90_000, Command::Take), Answer::Work(None));
    }
}
