//! A client of the queue: puts units in.

use super::config::QueueConfig;
use super::machine::{Command, Queue};
use super::message::Timer;
use super::{Out, fact};
use crate::consensus::{Asker, Say};
use crate::trial::{Given, Operation, Said};
use history::MILLI;
use history::calls::Ended;
use simulation::NodeId;
use std::collections::BTreeMap;
use std::sync::Arc;

/// A client.
#[derive(Clone, Debug)]
pub struct Client {
    id: NodeId,
    config: Arc<QueueConfig>,
    asker: Asker<Queue>,
    /// The operation of each request.
    open: BTreeMap<u64, u32>,
}

impl Client {
    /// A client of these servers.
    pub fn new(id: NodeId, config: Arc<QueueConfig>, servers: &[NodeId]) -> Client {
        let asker = Asker::new(id, servers, &config.consensus());
        Client { id, config, asker, open: BTreeMap::new() }
    }

    /// An operation is due.
    pub fn begin(&mut self, operation: &Operation, out: &mut Out) {
        let op = operation.id;
        out.report((self.id, Said::Begins { op, f: "put", key: None, input: Given::Int(i64::from(op)) }));
        let number = self.asker.ask(Command::Put(op), out);
        self.open.insert(number, op);
        if self.config.give_up_ms > 0 {
            out.timer(self.config.give_up_ms * MILLI, Timer::GiveUp(op));
        }
    }

    /// A server says something.
    pub fn hear(&mut self, say: Say<Queue>, out: &mut Out) {
        let Some((number, _)) = self.asker.hear(say, out) else { return };
        let Some(op) = self.open.remove(&number) else { return };
        fact(out, self.id, "accepted", i64::from(op));
        out.report((self.id, Said::Ends { op, ended: Ended::Ok, output: Given::Nil }));
    }

    /// A timer has run down.
    pub fn wake(&mut self, timer: Timer, out: &mut Out) {
        match timer {
            Timer::Consensus(timer) => self.asker.wake(timer, out),
            Timer::GiveUp(op) => {
                let Some((number, _)) = self.open.iter().find(|(_, open)| **open == op) else { return };
                let number = *number;
                self.open.remove(&number);
                self.asker.forget(number);
                fact(out, self.id, "gave up", self.config.give_up_ms as i64);
                out.report((self.id, Said::Ends { op, ended: Ended::Info, output: Given::Nil }));
            }
            _ => {}
        }
    }
}
