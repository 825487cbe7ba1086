//! A worker: takes a unit, works, writes the output, commits. Nothing is on disk but the count of its attempts.

use super::config::DistributorConfig;
use super::message::{Say, Task, Timer, Work};
use super::{Out, SERVERS, STORE, note};
use history::MILLI;
use simulation::{NodeId, hash_draw};
use std::sync::Arc;

/// A request is asked again after so long.
const TIMEOUT_MS: u64 = 150;

/// A worker.
#[derive(Clone, Debug)]
pub struct Worker {
    id: NodeId,
    config: Arc<DistributorConfig>,
    seed: u64,
    /// The server that its address leads to.
    server: NodeId,
    /// Requests so far.
    asked: u32,
    /// True while a request for work is open.
    waits: bool,
    /// Attempts so far.
    attempts: u32,
}

impl Worker {
    /// A worker of a pipeline.
    pub fn new(id: NodeId, config: Arc<DistributorConfig>, seed: u64, server: NodeId) -> Worker {
        Worker { id, config, seed, server, asked: 0, waits: false, attempts: 0 }
    }

    /// The same after a crash.
    pub fn reborn(&self) -> Worker {
        Worker { waits: false, ..self.clone() }
    }

    /// It begins to run.
    pub fn start(&mut self, out: &mut Out) {
        out.timer(u64::from(self.id) * 11 % self.config.poll_ms * MILLI, Timer::Poll);
    }

    /// A timer has run down.
    pub fn wake(&mut self, timer: Timer, out: &mut Out) {
        match timer {
            Timer::Poll => self.take(out),
            Timer::TimedOut(number) if self.waits && number == self.asked => self.take(out),
            Timer::Worked(task) => {
                self.attempts += 1;
                let attempt = self.id * 1_000 + self.attempts;
                // Names of units are below those of attempts; each pipeline has its own.
                let name = if self.config.unique_names { attempt } else { task.token * 1_000 + task.unit };
                out.send(STORE, Say::Write(Work { task, attempt, name }));
            }
            _ => {}
        }
    }

    fn take(&mut self, out: &mut Out) {
        self.asked += 1;
        self.waits = true;
        out.send(self.server, Say::Take(self.asked));
        out.timer(TIMEOUT_MS * MILLI, Timer::TimedOut(self.asked));
    }

    /// A message arrives.
    pub fn hear(&mut self, message: Say, out: &mut Out) {
        match message {
            Say::Given(number, task) if self.waits && number == self.asked => {
                self.waits = false;
                match task {
                    Some(task) => self.work(task, out),
                    None => out.timer(self.config.poll_ms * MILLI, Timer::Poll),
                }
            }
            // The server refuses what it must; nothing depends on its answer.
            Say::Written(work) => {
                out.send(self.server, Say::Commit(work));
                out.timer(MILLI, Timer::Poll);
            }
            Say::Moved => {
                self.server = (self.server + 1) % SERVERS;
                note(out, self.id, || "finds the other server at its address".to_owned());
            }
            _ => {}
        }
    }

    fn work(&self, task: Task, out: &mut Out) {
        let (low, high) = self.config.work_ms;
        let parts = [8, u64::from(self.id), u64::from(task.unit), u64::from(task.lease)];
        out.timer((low + hash_draw(self.seed, &parts) % (high - low + 1)) * MILLI, Timer::Worked(task));
    }
}
