//! The gateway, which takes requests to workers, tries again where it may, and counts; and the clients before it.

use super::config::RolloutConfig;
use super::message::{Request, Say, Tally};
use super::{DEPLOYER, GATEWAY, Out, fact};
use crate::trial::{Given, Said};
use history::calls::Ended;
use simulation::NodeId;
use std::collections::BTreeMap;
use std::sync::Arc;

/// What became of a request.
#[derive(Clone, Copy, Debug)]
struct Seen {
    /// The worker that was asked first.
    first: NodeId,
    retried: bool,
    failed: bool,
}

/// The gateway.
#[derive(Clone, Debug)]
pub struct Gateway {
    config: Arc<RolloutConfig>,
    workers: Vec<NodeId>,
    /// Who asked, by operation.
    open: BTreeMap<u32, NodeId>,
    seen: Vec<Seen>,
}

impl Gateway {
    /// A gateway that knows these workers.
    pub fn new(config: Arc<RolloutConfig>, workers: Vec<NodeId>) -> Gateway {
        Gateway { config, workers, open: BTreeMap::new(), seen: Vec::new() }
    }

    /// The worker that an attempt goes to.
    fn worker(&self, request: &Request, attempt: u32) -> NodeId {
        let replicas = self.config.replicas;
        let at = request.shard * replicas + (request.first + attempt) % replicas;
        self.workers[at as usize % self.workers.len()]
    }

    /// A message arrives.
    pub fn hear(&mut self, from: NodeId, message: Say, out: &mut Out) {
        match message {
            Say::Ask(request) => {
                self.open.insert(request.op, from);
                out.send(self.worker(&request, 0), Say::Ask(request));
            }
            Say::Answer(request, false) if request.attempt + 1 < self.config.attempts => {
                let again = Request { attempt: request.attempt + 1, ..request };
                fact(out, GATEWAY, "retried", i64::from(request.op));
                out.send(self.worker(&request, again.attempt), Say::Ask(again));
            }
            Say::Answer(request, fine) => {
                let Some(client) = self.open.remove(&request.op) else { return };
                let first = self.worker(&request, 0);
                self.seen.push(Seen { first, retried: request.attempt > 0, failed: !fine });
                fact(out, GATEWAY, if fine { "answered" } else { "failed" }, i64::from(request.op));
                out.send(client, Say::Answer(request, fine));
            }
            Say::Watch => self.seen.clear(),
            Say::Count(of) => out.send(DEPLOYER, Say::Counted(self.count(&of))),
            _ => {}
        }
    }

    fn count(&self, of: &[NodeId]) -> Tally {
        let mut tally = Tally::default();
        for seen in self.seen.iter().filter(|seen| of.is_empty() || of.contains(&seen.first)) {
            tally.requests += 1;
            tally.errors += u64::from(seen.failed);
            tally.retries += u64::from(seen.retried);
        }
        tally
    }
}

/// A client: it asks, and takes the answer as it comes.
#[derive(Clone, Debug)]
pub struct Client {
    /// Its own number.
    pub id: NodeId,
}

impl Client {
    /// A message arrives.
    pub fn hear(&mut self, message: Say, out: &mut Out) {
        match message {
            Say::Begin(operation) => {
                let (op, shard) = (operation.id, operation.key);
                out.report((self.id, Said::Begins { op, f: "ask", key: Some(shard), input: Given::Nil }));
                let first = operation.value.unsigned_abs() as u32;
                out.send(GATEWAY, Say::Ask(Request { op, shard, first, attempt: 0 }));
            }
            Say::Answer(request, fine) => {
                let ended = if fine { Ended::Ok } else { Ended::Fail };
                out.report((self.id, Said::Ends { op: request.op, ended, output: Given::Nil }));
            }
            _ => {}
        }
    }
}
