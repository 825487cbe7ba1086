//! A client: one write after the other, each tried at one member after the other, the nearest first, until the leader does it.

use super::message::{Please, Say};
use super::{Out, Timer};
use crate::trial::{Given, Operation, Said};
use history::MILLI;
use history::calls::Ended;
use simulation::NodeId;
use std::collections::VecDeque;

/// A client.
#[derive(Clone, Debug)]
pub struct Client {
    id: NodeId,
    members: Vec<NodeId>,
    waiting: VecDeque<Operation>,
    open: Option<Please>,
}

/// An attempt times out.
const TIMEOUT_MS: u64 = 120;
/// After being sent away, before the next member is tried.
const PAUSE_MS: u64 = 10;
/// An operation is given up.
const GIVE_UP_MS: u64 = 2_000;

impl Client {
    /// A client that knows all members.
    pub fn new(id: NodeId, members: Vec<NodeId>) -> Client {
        Client { id, members, waiting: VecDeque::new(), open: None }
    }

    /// A message arrives.
    pub fn hear(&mut self, say: Say, out: &mut Out) {
        match say {
            Say::Begin(operation) => {
                self.waiting.push_back(operation);
                self.next(out);
            }
            Say::Done(please) if self.open.is_some_and(|open| open.op == please.op) => {
                self.end(please.op, Ended::Ok, out);
            }
            Say::NotI(please) if self.open == Some(please) => {
                out.timer(PAUSE_MS * MILLI, Timer::TimedOut(please.op, please.attempt));
            }
            _ => {}
        }
    }

    /// A timer has run down.
    pub fn wake(&mut self, timer: Timer, out: &mut Out) {
        match (timer, self.open) {
            (Timer::TimedOut(op, attempt), Some(open)) if (open.op, open.attempt) == (op, attempt) => {
                self.open = Some(Please { attempt: attempt + 1, ..open });
                self.attempt(out);
            }
            (Timer::GiveUp(op), Some(open)) if open.op == op => self.end(op, Ended::Info, out),
            _ => {}
        }
    }

    fn next(&mut self, out: &mut Out) {
        if self.open.is_some() {
            return;
        }
        let Some(Operation { id: op, key, value, .. }) = self.waiting.pop_front() else { return };
        out.report((self.id, Said::Begins { op, f: "write", key: Some(key), input: Given::Int(value) }));
        out.timer(GIVE_UP_MS * MILLI, Timer::GiveUp(op));
        self.open = Some(Please { op, attempt: 0, client: self.id, value });
        self.attempt(out);
    }

    fn attempt(&mut self, out: &mut Out) {
        let Some(open) = self.open else { return };
        let member = self.members[(self.id + open.attempt) as usize % self.members.len()];
        out.send(member, Say::Please(open));
        out.timer(TIMEOUT_MS * MILLI, Timer::TimedOut(open.op, open.attempt));
    }

    fn end(&mut self, op: u32, ended: Ended, out: &mut Out) {
        let output = self.open.take().map_or(Given::Nil, |open| Given::Int(open.value));
        out.report((self.id, Said::Ends { op, ended, output }));
        self.next(out);
    }
}
