//! The prober: asks every server for a piece of real work, and has one that does none taken for dead, however lively its
//! heartbeat is.

use super::config::QueueConfig;
use super::message::{Say, Timer};
use super::{Out, fact, note};
use history::{MILLI, Nanos};
use simulation::{NodeId, Now};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// The prober.
#[derive(Clone, Debug)]
pub struct Prober {
    id: NodeId,
    config: Arc<QueueConfig>,
    servers: Vec<NodeId>,
    round: u64,
    /// When each server last did a piece of work.
    worked: BTreeMap<NodeId, Nanos>,
    shunned: BTreeSet<NodeId>,
}

impl Prober {
    /// A prober of these servers.
    pub fn new(id: NodeId, config: Arc<QueueConfig>, servers: &[NodeId]) -> Prober {
        let worked = servers.iter().map(|server| (*server, 0)).collect();
        Prober { id, config, servers: servers.to_vec(), round: 0, worked, shunned: BTreeSet::new() }
    }

    /// It begins to run, or a round is over.
    pub fn round(&mut self, now: Now, out: &mut Out) {
        if self.config.probe_ms == 0 {
            return;
        }
        self.round += 1;
        for server in self.servers.clone() {
            out.send(server, Say::Probe(self.round));
            let silent = now.mono.saturating_sub(self.worked[&server]) > self.config.suspect_ms * MILLI;
            // Never more than one: without a majority nothing works.
            if silent && self.shunned.is_empty() {
                self.shunned.insert(server);
                fact(out, self.id, "detected", i64::from(server));
                note(out, self.id, || "gets no work out of a server, and has it taken for dead".to_owned());
                self.tell(&Say::Shun(server), out);
            }
        }
        out.timer(self.config.probe_ms * MILLI, Timer::Round);
    }

    /// A server has done a piece of work.
    pub fn probed(&mut self, now: Now, from: NodeId, round: u64, out: &mut Out) {
        // Answers to probes of long ago say nothing about now.
        if round + 2 < self.round {
            return;
        }
        self.worked.insert(from, now.mono);
        if self.shunned.remove(&from) {
            self.tell(&Say::Trust(from), out);
        }
    }

    fn tell(&self, message: &Say, out: &mut Out) {
        for server in &self.servers {
            out.send(*server, message.clone());
        }
    }
}
