//! A client: reads from the replica next to it, or by the consensus; writes by the consensus.

use super::registers::{Act, Registers};
use super::trial::Path;
use super::{Say, Timer};
use crate::consensus::{Asker, ConsensusConfig};
use crate::trial::{Given, Operation, Said};
use history::MILLI;
use history::calls::Ended;
use simulation::{NodeId, Outputs};
use std::collections::VecDeque;

type Out = Outputs<Say, Timer, (NodeId, Said)>;

/// A client; one operation after the other.
#[derive(Clone, Debug)]
pub struct Client {
    id: NodeId,
    path: Path,
    replicas: Vec<NodeId>,
    asker: Asker<Registers>,
    waiting: VecDeque<Operation>,
    open: Option<Open>,
}

/// The operation that is open.
#[derive(Clone, Debug)]
struct Open {
    operation: Operation,
    attempt: u32,
    /// Number of the request to the consensus, if there is one.
    asked: Option<u64>,
}

/// An attempt at a read times out.
const TIMEOUT_MS: u64 = 100;
/// An operation is given up.
const GIVE_UP_MS: u64 = 2_500;

impl Client {
    /// A client that knows all replicas.
    pub fn new(id: NodeId, path: Path, replicas: Vec<NodeId>, config: &ConsensusConfig) -> Client {
        let asker = Asker::new(id, &replicas, config);
        Client { id, path, replicas, asker, waiting: VecDeque::new(), open: None }
    }

    /// A message arrives.
    pub fn hear(&mut self, say: Say, out: &mut Out) {
        match say {
            Say::Begin(operation) => {
                self.waiting.push_back(operation);
                self.next(out);
            }
            Say::Value((op, _, _), value) if self.is_open(op) => self.end(Ended::Ok, value, out),
            Say::NotNow((op, attempt, _)) => self.again(op, attempt, out),
            Say::Servers(say) => {
                if let Some((number, value)) = self.asker.hear(say, out)
                    && self.open.as_ref().is_some_and(|open| open.asked == Some(number))
                {
                    self.end(Ended::Ok, value, out);
                }
            }
            _ => {}
        }
    }

    /// A timer has run down.
    pub fn wake(&mut self, timer: Timer, out: &mut Out) {
        match timer {
            Timer::TimedOut(op, attempt) => self.again(op, attempt, out),
            Timer::GiveUp(op) if self.is_open(op) => {
                let reads = self.open.as_ref().is_some_and(|open| open.operation.act == "read");
                self.end(if reads { Ended::Fail } else { Ended::Info }, None, out);
            }
            Timer::GiveUp(_) => {}
            Timer::Consensus(timer) => self.asker.wake(timer, out),
        }
    }

    fn is_open(&self, op: u32) -> bool {
        self.open.as_ref().is_some_and(|open| open.operation.id == op)
    }

    fn next(&mut self, out: &mut Out) {
        if self.open.is_some() {
            return;
        }
        let Some(operation) = self.waiting.pop_front() else { return };
        let Operation { id: op, key, value, .. } = operation;
        let writes = operation.act == "write";
        let (f, input) = if writes { ("write", Given::Int(value)) } else { ("read", Given::Nil) };
        out.report((self.id, Said::Begins { op, f, key: Some(key), input }));
        out.timer(GIVE_UP_MS * MILLI, Timer::GiveUp(op));
        let asked = match (writes, self.path) {
            (true, _) => Some(self.asker.ask(Act::Write(key, value), out)),
            (false, Path::Log) => Some(self.asker.ask(Act::Read(key), out)),
            (false, _) => None,
        };
        self.open = Some(Open { operation, attempt: 0, asked });
        self.glance(out);
    }

    /// Asks a replica, unless the consensus is asked.
    fn glance(&self, out: &mut Out) {
        let Some(open) = self.open.as_ref().filter(|open| open.asked.is_none()) else { return };
        let (op, attempt) = (open.operation.id, open.attempt);
        let replica = self.replicas[(self.id + attempt) as usize % self.replicas.len()];
        out.send(replica, Say::Read((op, attempt, open.operation.key)));
        out.timer(TIMEOUT_MS * MILLI, Timer::TimedOut(op, attempt));
    }

    fn again(&mut self, op: u32, attempt: u32, out: &mut Out) {
        let Some(open) = &mut self.open else { return };
        if open.operation.id == op && open.attempt == attempt && open.asked.is_none() {
            open.attempt += 1;
            self.glance(out);
        }
    }

    fn end(&mut self, ended: Ended, value: Option<i64>, out: &mut Out) {
        let Some(open) = self.open.take() else { return };
        open.asked.iter().for_each(|number| self.asker.forget(*number));
        let output = value.map_or(Given::Nil, Given::Int);
        out.report((self.id, Said::Ends { op: open.operation.id, ended, output }));
        self.next(out);
    }
}
