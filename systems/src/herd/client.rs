//! A client of the herd: tries until it is served.

use super::config::{HerdConfig, Retry};
use super::message::{Say, Timer};
use super::{Out, SERVER};
use crate::trial::{Given, Said};
use history::MILLI;
use history::calls::Ended;
use simulation::{NodeId, hash_draw};
use std::collections::BTreeMap;
use std::sync::Arc;

/// A client.
#[derive(Clone, Debug)]
pub struct Client {
    id: NodeId,
    config: Arc<HerdConfig>,
    seed: u64,
    /// The attempt at each open operation, and whether it is under way.
    open: BTreeMap<u32, (u32, bool)>,
}

impl Client {
    /// A client with nothing to do.
    pub fn new(id: NodeId, config: Arc<HerdConfig>, seed: u64) -> Client {
        Client { id, config, seed, open: BTreeMap::new() }
    }

    /// A message arrives.
    pub fn hear(&mut self, message: Say, out: &mut Out) {
        match message {
            Say::Begin(operation) => {
                let op = operation.id;
                out.report((self.id, Said::Begins { op, f: "ask", key: None, input: Given::Nil }));
                self.send(op, 0, out);
            }
            Say::Answer(op, _, true) => {
                if self.open.remove(&op).is_some() {
                    out.report((self.id, Said::Ends { op, ended: Ended::Ok, output: Given::Nil }));
                }
            }
            Say::Answer(op, attempt, false) => self.failed(op, attempt, out),
            Say::Ask(..) => {}
        }
    }

    /// A timer has run down.
    pub fn wake(&mut self, timer: Timer, out: &mut Out) {
        match timer {
            Timer::Again(op) => {
                if let Some((attempt, _)) = self.open.get(&op) {
                    self.send(op, attempt + 1, out);
                }
            }
            Timer::TimedOut(op, attempt) => self.failed(op, attempt, out),
            Timer::Done(..) => {}
        }
    }

    /// The server is gone, and with it all that it had.
    pub fn reset(&mut self, out: &mut Out) {
        let open: Vec<(u32, u32)> = self.open.iter().map(|(op, (attempt, _))| (*op, *attempt)).collect();
        for (op, attempt) in open {
            self.failed(op, attempt, out);
        }
    }

    fn send(&mut self, op: u32, attempt: u32, out: &mut Out) {
        self.open.insert(op, (attempt, true));
        out.report((self.id, Said::Fact { what: "sends", value: i64::from(op) }));
        out.send(SERVER, Say::Ask(op, attempt));
        out.timer(self.config.timeout_ms * MILLI, Timer::TimedOut(op, attempt));
    }

    fn failed(&mut self, op: u32, attempt: u32, out: &mut Out) {
        let Some(open) = self.open.get_mut(&op) else { return };
        if *open != (attempt, true) {
            return;
        }
        open.1 = false;
        out.timer(self.delay(op, attempt), Timer::Again(op));
    }

    /// How long to wait after this attempt, nanoseconds. With jitter it is the same on average.
    fn delay(&self, op: u32, attempt: u32) -> u64 {
        let HerdConfig { delay_ms, delay_ms_max, retry, .. } = *self.config;
        let grown = delay_ms.saturating_mul(1 << attempt.min(20)).min(delay_ms_max) * MILLI;
        let same = delay_ms * MILLI;
        let drawn = |mean: u64| 1 + hash_draw(self.seed, &[9, u64::from(op), u64::from(attempt)]) % (2 * mean);
        match retry {
            Retry::Fixed => same,
            Retry::Jitter => drawn(same),
            Retry::Growing => grown,
            Retry::GrowingJitter => drawn(grown),
        }
    }
}
