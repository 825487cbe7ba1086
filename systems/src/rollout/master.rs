//! A master: the leader of a group sends orders to the workers of the group. Who leads is the deployer's word.

use super::config::{Interaction, RolloutConfig, Target};
use super::message::{Form, Say};
use super::{Out, Timer, note};
use history::MILLI;
use simulation::NodeId;
use std::sync::Arc;

/// How often orders are sent.
const ROUND_MS: u64 = 100;

/// A master.
#[derive(Clone, Debug)]
pub struct Master {
    id: NodeId,
    config: Arc<RolloutConfig>,
    /// Workers of its group, or their agents.
    workers: Vec<NodeId>,
    leads: bool,
    new: bool,
    /// The new form goes to so many of the workers.
    reach: u32,
}

impl Master {
    /// A master with the old version.
    pub fn new(id: NodeId, config: Arc<RolloutConfig>, workers: Vec<NodeId>, leads: bool) -> Master {
        Master { id, config, workers, leads, new: false, reach: u32::MAX }
    }

    /// It begins to run.
    pub fn start(&mut self, out: &mut Out) {
        if self.config.interaction == Interaction::Orders && self.config.target != Target::Workers {
            self.round(out);
        }
    }

    /// Orders are due.
    pub fn round(&mut self, out: &mut Out) {
        if self.leads {
            for (at, worker) in self.workers.iter().enumerate() {
                out.send(*worker, Say::Order(self.form(at)));
            }
        }
        out.timer(ROUND_MS * MILLI, Timer::Round);
    }

    fn form(&self, worker: usize) -> Form {
        // Only orders were made to go out little by little: answers take no notice of the reach.
        let within = (worker as u64) < u64::from(self.reach) || self.config.interaction == Interaction::Answers;
        if self.new && within { Form::New } else { Form::Old }
    }

    /// A message arrives.
    pub fn hear(&mut self, from: NodeId, message: Say, out: &mut Out) {
        match message {
            Say::Install => self.new = true,
            Say::Follow => self.leads = false,
            Say::Lead { reach } => {
                (self.leads, self.reach) = (true, reach);
                note(out, self.id, || "leads from now on".to_owned());
            }
            Say::Reach(reach) => self.reach = reach,
            Say::Fetch if self.leads => {
                let at = self.workers.iter().position(|worker| *worker == from).unwrap_or(0);
                out.send(from, Say::Order(self.form(at)));
            }
            _ => {}
        }
    }
}
