//! A client, the store of outputs, and the operator who changes the configuration and the addresses.

use super::message::{Say, Timer};
use super::{CLIENTS, OPERATOR, Out, SERVERS, STORE, fact, note};
use crate::trial::{Given, Said};
use history::calls::Ended;
use history::{MILLI, Nanos};
use simulation::NodeId;
use std::collections::BTreeMap;

/// A client asks again after so long.
const AGAIN_MS: u64 = 200;

/// A client: asks until its unit is committed.
#[derive(Clone, Debug)]
pub struct Client {
    /// Its own number.
    pub id: NodeId,
    /// Pipeline and unit of each open operation.
    pub open: BTreeMap<u32, (NodeId, u32)>,
}

impl Client {
    /// A message arrives.
    pub fn hear(&mut self, message: Say, out: &mut Out) {
        match message {
            Say::Begin(operation) => {
                let (op, unit) = (operation.id, operation.value.unsigned_abs() as u32);
                out.report((self.id, Said::Begins { op, f: "put", key: Some(operation.key), input: Given::Nil }));
                self.open.insert(op, (operation.key, unit));
                self.ask(op, out);
            }
            Say::Committed(op) if self.open.remove(&op).is_some() => {
                out.report((self.id, Said::Ends { op, ended: Ended::Ok, output: Given::Nil }));
            }
            _ => {}
        }
    }

    /// Asks again, if there is still no answer.
    pub fn ask(&self, op: u32, out: &mut Out) {
        if let Some((server, unit)) = self.open.get(&op) {
            out.send(*server, Say::Put(op, *unit));
            out.timer(AGAIN_MS * MILLI, Timer::Again(op));
        }
    }
}

/// The store of outputs, by name: what was written last is what stands there.
pub fn store(from: NodeId, message: Say, out: &mut Out) {
    if let Say::Write(work) = message {
        fact(out, STORE, "output", i64::from(work.name) * 1_000_000 + i64::from(work.attempt));
        note(out, STORE, || format!("keeps output {} of attempt {}", work.name, work.attempt));
        out.send(from, Say::Written(work));
    }
}

/// The operator.
#[derive(Clone, Debug)]
pub struct Operator {
    /// When the configuration changes.
    pub configures: Nanos,
    /// When the addresses change places.
    pub moves: Nanos,
    /// Workers.
    pub workers: Vec<NodeId>,
}

impl Operator {
    /// It begins to run.
    pub fn start(&self, out: &mut Out) {
        out.timer(self.configures, Timer::Configure);
        out.timer(self.moves, Timer::Move);
    }

    /// Something is to be changed.
    pub fn wake(&self, timer: Timer, out: &mut Out) {
        match timer {
            Timer::Configure => (0..SERVERS).for_each(|server| out.send(server, Say::Configure(2))),
            Timer::Move => {
                note(out, OPERATOR, || "lets the addresses of the two servers change places".to_owned());
                self.workers.iter().for_each(|worker| out.send(*worker, Say::Moved));
            }
            _ => {}
        }
    }
}

/// The number of a client in the cast.
pub fn client(at: u32) -> NodeId {
    CLIENTS + at
}
