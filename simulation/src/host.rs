//! A node's process and host: whether it runs, how fast, and what waits for it.

use crate::Clock;
use crate::machine::{Input, Machine};
use history::Nanos;
use std::collections::VecDeque;

pub(crate) type InputOf<M> = Input<<M as Machine>::Message, <M as Machine>::Timer>;

/// Why a process is not itself.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Condition {
    /// It stands still.
    pub paused: bool,
    /// Only its heartbeat thread works.
    pub half_dead: bool,
    /// True time that each input takes it; 0 for none.
    pub service: Nanos,
    /// It works on the first input of the backlog, and an event in the queue says when it is done.
    pub busy: bool,
}

/// A node's process and host.
pub(crate) struct Host<M: Machine> {
    pub machine: M,
    pub clock: Clock,
    /// Rises at each kill and at each start, so that timers and connections of an earlier life are void.
    pub life: u32,
    pub up: bool,
    /// The life whose inputs are all handled the moment they arrive; none while it is not itself.
    pub prompt: Option<u32>,
    pub condition: Condition,
    pub backlog: VecDeque<InputOf<M>>,
    pub steps: u64,
}

/// What becomes of an input that arrives at a process that runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Admission {
    /// It is handled now.
    Now,
    /// It waits until the process gets round to it.
    Waits,
    /// It waits, and is the first: an event must say when it is done.
    Begins,
}

impl<M: Machine> Host<M> {
    /// A process in its first life.
    pub fn new(machine: M) -> Host<M> {
        Host {
            machine,
            clock: Clock::default(),
            life: 1,
            up: true,
            prompt: Some(1),
            condition: Condition::default(),
            backlog: VecDeque::new(),
            steps: 0,
        }
    }

    /// From now on it is in another condition.
    pub fn change(&mut self, change: impl FnOnce(&mut Condition)) {
        change(&mut self.condition);
        let Condition { paused, half_dead, service, .. } = self.condition;
        let itself = self.up && !paused && !half_dead && service == 0;
        self.prompt = itself.then_some(self.life);
    }

    /// Whether this input is handled now; otherwise it has to go to the end of the backlog.
    pub fn admit(&mut self, input: &InputOf<M>) -> Admission {
        if self.prompt.is_some() {
            return Admission::Now;
        }
        if self.condition.paused {
            return Admission::Waits;
        }
        if self.condition.half_dead {
            // The heartbeat thread has nothing else to do, so it is never slow.
            return if self.machine.is_heartbeat(input) { Admission::Now } else { Admission::Waits };
        }
        if self.condition.busy {
            return Admission::Waits;
        }
        self.condition.busy = true;
        Admission::Begins
    }

    /// The process is gone, and with it what waited.
    pub fn die(&mut self) {
        self.up = false;
        self.life += 1;
        self.change(|condition| *condition = Condition::default());
        self.backlog.clear();
    }

    /// A new process begins its life.
    pub fn live(&mut self) {
        self.up = true;
        self.life += 1;
        self.change(|_| ());
    }
}
