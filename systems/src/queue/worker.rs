//! A worker: takes a unit, works on it, says that it is done.

use super::config::QueueConfig;
use super::machine::{Answer, Command, Queue};
use super::message::Timer;
use super::{Out, fact, note};
use crate::consensus::{Asker, Say};
use history::MILLI;
use simulation::{NodeId, hash_draw};
use std::sync::Arc;

/// A worker. What it works on is not on disk.
#[derive(Clone, Debug)]
pub struct Worker {
    id: NodeId,
    config: Arc<QueueConfig>,
    seed: u64,
    asker: Asker<Queue>,
    /// The request for work that is open.
    asked: Option<u64>,
}

impl Worker {
    /// A worker for these servers.
    pub fn new(id: NodeId, config: Arc<QueueConfig>, seed: u64, servers: &[NodeId]) -> Worker {
        let asker = Asker::new(id, servers, &config.consensus());
        Worker { id, config, seed, asker, asked: None }
    }

    /// The same after a crash.
    pub fn reborn(&self) -> Worker {
        Worker { asker: self.asker.reborn(), asked: None, ..self.clone() }
    }

    /// It begins to run.
    pub fn start(&mut self, out: &mut Out) {
        let phase = u64::from(self.id) * 17 % self.config.poll_ms;
        out.timer(phase * MILLI, Timer::Poll);
    }

    /// A timer has run down.
    pub fn wake(&mut self, timer: Timer, out: &mut Out) {
        match timer {
            Timer::Consensus(timer) => self.asker.wake(timer, out),
            Timer::Poll => self.asked = Some(self.asker.ask(Command::Take, out)),
            Timer::Worked(unit) => {
                fact(out, self.id, "worked", i64::from(unit));
                note(out, self.id, || format!("has done unit {unit}"));
                self.asker.ask(Command::Finish(unit), out);
                out.timer(MILLI, Timer::Poll);
            }
            _ => {}
        }
    }

    /// A server says something.
    pub fn hear(&mut self, say: Say<Queue>, out: &mut Out) {
        let Some((number, answer)) = self.asker.hear(say, out) else { return };
        if self.asked != Some(number) {
            return;
        }
        self.asked = None;
        match answer {
            Answer::Work(Some(unit)) => {
                note(out, self.id, || format!("takes unit {unit}"));
                let (low, high) = self.config.work_ms;
                let draw = hash_draw(self.seed, &[8, u64::from(unit), u64::from(self.id)]);
                out.timer((low + draw % (high - low + 1)) * MILLI, Timer::Worked(unit));
            }
            _ => out.timer(self.config.poll_ms * MILLI, Timer::Poll),
        }
    }
}
