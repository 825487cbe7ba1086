//! The front: takes an order to the database, notes it in the monitor log, and answers.

use super::trial::FailingConfig;
use super::{DB_A, DB_B, FRONT, LOG, Say, Timer};
use crate::trial::Said;
use history::MILLI;
use simulation::{NodeId, Outputs};
use std::collections::BTreeMap;
use std::sync::Arc;

type Out = Outputs<Say, Timer, (NodeId, Said)>;

/// An order that is open.
#[derive(Clone, Copy, Debug)]
struct Order {
    client: NodeId,
    attempt: u32,
    /// Which database was called.
    db: NodeId,
    /// It is stored, and the monitor log is awaited.
    stored: bool,
}

/// The front.
#[derive(Clone, Debug)]
pub struct Front {
    config: Arc<FailingConfig>,
    /// Which database serves.
    active: NodeId,
    orders: BTreeMap<u32, Order>,
    probes: u64,
}

impl Front {
    /// A front that uses the original database.
    pub fn new(config: Arc<FailingConfig>) -> Front {
        Front { config, active: DB_A, orders: BTreeMap::new(), probes: 0 }
    }

    /// It begins to run.
    pub fn start(&self, out: &mut Out) {
        if self.config.fail_back {
            out.timer(self.config.probe_ms * MILLI, Timer::Probe);
        }
    }

    /// A message arrives.
    pub fn hear(&mut self, from: NodeId, say: Say, out: &mut Out) {
        match say {
            Say::Order(op) => {
                let order = Order { client: from, attempt: 0, db: self.active, stored: false };
                self.orders.insert(op, order);
                out.timer(self.config.give_up_ms * MILLI, Timer::GiveUp(op));
                self.call(op, out);
            }
            Say::Stored(op, _) => self.stored(op, out),
            Say::Logged(op) if self.orders.get(&op).is_some_and(|order| order.stored) => self.answer(op, true, out),
            Say::Here(_) if self.active != DB_A => {
                self.active = DB_A;
                out.report((FRONT, Said::Note("turns back to db-a".to_owned())));
            }
            _ => {}
        }
    }

    /// A timer has run down.
    pub fn wake(&mut self, timer: Timer, out: &mut Out) {
        match timer {
            Timer::TimedOut(op, attempt) => {
                if self.orders.get(&op).is_some_and(|order| order.attempt == attempt && !order.stored) {
                    self.failed(op, out);
                }
            }
            Timer::LogTimedOut(op) | Timer::GiveUp(op) => self.answer(op, false, out),
            Timer::Probe => {
                self.probes += 1;
                if self.active != DB_A {
                    out.send(DB_A, Say::Probe(self.probes));
                }
                out.timer(self.config.probe_ms * MILLI, Timer::Probe);
            }
        }
    }

    /// The process of a peer is gone: connection refused.
    pub fn reset(&mut self, peer: NodeId, out: &mut Out) {
        if peer == LOG {
            let logging = self.orders.iter().filter(|(_, order)| order.stored).map(|(op, _)| *op);
            return logging.collect::<Vec<u32>>().into_iter().for_each(|op| self.answer(op, false, out));
        }
        // Without one of the remedies it is tried again when the call has had its time.
        if self.config.fail_over || self.config.fail_fast {
            let calling = self.orders.iter().filter(|(_, order)| order.db == peer && !order.stored).map(|(op, _)| *op);
            calling.collect::<Vec<u32>>().into_iter().for_each(|op| self.failed(op, out));
        }
    }

    fn call(&self, op: u32, out: &mut Out) {
        if let Some(order) = self.orders.get(&op) {
            out.send(order.db, Say::Store(op, order.attempt));
            out.timer(self.config.timeout_ms * MILLI, Timer::TimedOut(op, order.attempt));
        }
    }

    /// A call of a database has failed.
    fn failed(&mut self, op: u32, out: &mut Out) {
        let Some(order) = self.orders.get_mut(&op) else { return };
        if self.config.fail_over {
            if self.active == order.db {
                self.active = if order.db == DB_A { DB_B } else { DB_A };
                let other = if self.active == DB_A { "db-a" } else { "db-b" };
                out.report((FRONT, Said::Note(format!("turns to {other}"))));
            }
        } else if self.config.fail_fast {
            return self.answer(op, false, out);
        }
        order.attempt += 1;
        order.db = self.active;
        self.call(op, out);
    }

    fn stored(&mut self, op: u32, out: &mut Out) {
        let Some(order) = self.orders.get_mut(&op).filter(|order| !order.stored) else { return };
        order.stored = true;
        out.send(LOG, Say::Log(op));
        if self.config.fail_safe {
            // Whatever becomes of the note in the log.
            self.answer(op, true, out);
        } else {
            out.timer(self.config.timeout_ms * MILLI, Timer::LogTimedOut(op));
        }
    }

    fn answer(&mut self, op: u32, ok: bool, out: &mut Out) {
        if let Some(order) = self.orders.remove(&op) {
            out.send(order.client, Say::Answer(op, ok));
        }
    }
}
