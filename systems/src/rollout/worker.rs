//! A worker (any process that serves requests), and the agent beside it.

use super::config::{Chokes, Interaction, RolloutConfig, Target};
use super::message::{Form, Say};
use super::{GATEWAY, Out, Timer, fact, note};
use history::MILLI;
use simulation::NodeId;
use std::sync::Arc;

/// How often a worker asks its masters what to do.
const ROUND_MS: u64 = 100;

/// A worker.
#[derive(Clone, Debug)]
pub struct Worker {
    id: NodeId,
    config: Arc<RolloutConfig>,
    cluster: u32,
    /// The masters of its group.
    masters: Vec<NodeId>,
    new: bool,
    /// It has choked on an order, and fails every request from then on.
    broken: bool,
}

/// True if code of this version cannot handle an order of this form.
fn chokes(config: &RolloutConfig, new: bool, form: Form) -> bool {
    let hurt = match config.chokes {
        Chokes::Old => !new,
        Chokes::New => new,
    };
    config.faults.bad && form == Form::New && hurt
}

impl Worker {
    /// A worker with the old version.
    pub fn new(id: NodeId, config: Arc<RolloutConfig>, cluster: u32, masters: Vec<NodeId>) -> Worker {
        Worker { id, config, cluster, masters, new: false, broken: false }
    }

    /// It begins to run, or a round is over: it asks for orders, where that is how it gets them.
    pub fn round(&mut self, out: &mut Out) {
        if self.config.interaction == Interaction::Answers && self.config.target != Target::Workers {
            for master in &self.masters {
                out.send(*master, Say::Fetch);
            }
            out.timer(ROUND_MS * MILLI, Timer::Round);
        }
    }

    /// A message arrives.
    pub fn hear(&mut self, message: Say, out: &mut Out) {
        match message {
            Say::Install => self.new = true,
            Say::Order(form) if chokes(&self.config, self.new, form) && !self.broken => {
                self.broken = true;
                note(out, self.id, || "cannot handle the new field, and breaks".to_owned());
            }
            Say::Ask(request) => {
                let bad = self.new && self.config.faults.bad && self.config.target == Target::Workers;
                let fails = self.broken || bad;
                if fails {
                    fact(out, self.id, "hurt", i64::from(self.cluster));
                }
                out.send(GATEWAY, Say::Answer(request, !fails));
            }
            _ => {}
        }
    }
}

/// The agent beside a process: it handles orders, so that the process does not have to.
#[derive(Clone, Debug)]
pub struct Agent {
    id: NodeId,
    config: Arc<RolloutConfig>,
    worker: NodeId,
    new: bool,
    broken: bool,
}

impl Agent {
    /// The agent of a worker, with the old version.
    pub fn new(id: NodeId, config: Arc<RolloutConfig>, worker: NodeId) -> Agent {
        Agent { id, config, worker, new: false, broken: false }
    }

    /// A message arrives.
    pub fn hear(&mut self, message: Say, out: &mut Out) {
        match message {
            Say::Install => {
                self.new = true;
                // What it hands on as it is, the SDK has to handle: it was brought along.
                if self.config.faults.verbatim {
                    out.send(self.worker, Say::Install);
                }
            }
            Say::Order(form) if self.config.faults.verbatim => out.send(self.worker, Say::Order(form)),
            Say::Order(form) if chokes(&self.config, self.new, form) && !self.broken => {
                self.broken = true;
                fact(out, self.id, "agent broken", 0);
                note(out, self.id, || {
                    "cannot handle the new field, and breaks: its process goes on without".to_owned()
                });
            }
            _ => {}
        }
    }
}
