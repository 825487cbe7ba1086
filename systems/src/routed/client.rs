//! A client: one operation after the other, each tried again elsewhere until its outcome is known or it is given up.

use super::config::{Guard, RoutedConfig};
use super::message::{Act, Answer, Attempt, Proof, Say, Seen, Track};
use super::{CENTRE, Out, TRACKER, Timer};
use crate::trial::{Given, Operation, Said};
use history::MILLI;
use history::calls::Ended;
use simulation::{NodeId, hash_draw};
use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

/// Where an operation stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    /// It looks for the cookie of what it replaces.
    Peek,
    /// It does what it is about.
    Act,
    /// It waits for the tracker to say what became of the last attempt.
    Track,
}

/// An open operation.
#[derive(Clone, Debug)]
struct Open {
    operation: Operation,
    act: Act,
    phase: Phase,
    /// Number of the present attempt.
    attempt: u32,
    /// True if an attempt to change something may have been applied, or still be.
    doubtful: bool,
    /// What is to be replaced.
    seen: Option<Seen>,
    /// With two keys: the first is done.
    second: bool,
}

/// A client.
#[derive(Clone, Debug)]
pub struct Client {
    id: NodeId,
    config: Arc<RoutedConfig>,
    seed: u64,
    agents: Vec<NodeId>,
    waiting: VecDeque<Operation>,
    open: BTreeMap<u32, Open>,
}

/// Between two attempts.
const PAUSE_MS: u64 = 15;

impl Client {
    /// A client that knows all agents.
    pub fn new(id: NodeId, config: Arc<RoutedConfig>, seed: u64, agents: Vec<NodeId>) -> Client {
        Client { id, config, seed, agents, waiting: VecDeque::new(), open: BTreeMap::new() }
    }

    /// It begins to run.
    pub fn start(&mut self, out: &mut Out) {
        if self.config.has_discovery() {
            let phase = hash_draw(self.seed, &[u64::from(self.id), 77]) % self.config.discovery_ms;
            out.timer(phase * MILLI, Timer::Discover);
        }
    }

    /// A message arrives.
    pub fn hear(&mut self, message: Say, out: &mut Out) {
        match message {
            Say::Begin(operation) => {
                self.waiting.push_back(operation);
                self.next(out);
            }
            Say::Accepting(list) if !list.is_empty() => self.agents = list,
            Say::Reply(attempt, answer) => self.reply(attempt, answer, out),
            Say::Tracked(op, attempt, track) => self.tracked(op, attempt, track, out),
            _ => {}
        }
    }

    /// A timer has run down.
    pub fn wake(&mut self, timer: Timer, out: &mut Out) {
        match timer {
            Timer::Discover => {
                out.send(CENTRE, Say::Discover);
                out.timer(self.config.discovery_ms * MILLI, Timer::Discover);
            }
            Timer::TimedOut { op, attempt } => self.unknown(op, attempt, out),
            Timer::Again { op, attempt } => {
                let again = self.open.get(&op).is_some_and(|open| open.attempt == attempt);
                if again {
                    self.attempt(op, out);
                }
            }
            Timer::GiveUp { op } => self.give_up(op, out),
            _ => {}
        }
    }

    /// A connection broke: whatever was asked of that agent is in doubt.
    pub fn reset(&mut self, peer: NodeId, out: &mut Out) {
        let hit: Vec<(u32, u32)> = self.open.iter().map(|(op, open)| (*op, open.attempt)).collect();
        for (op, attempt) in hit {
            let open = &self.open[&op];
            if open.phase != Phase::Track && self.agent(op, open) == peer {
                self.unknown(op, attempt, out);
            }
        }
    }

    fn next(&mut self, out: &mut Out) {
        if !self.open.is_empty() && !self.config.pipelined {
            return;
        }
        let Some(operation) = self.waiting.pop_front() else { return };
        let act = match operation.act.as_str() {
            "read" if self.config.pairs => Act::ReadPair,
            "read" => Act::Read,
            "delete" => Act::Delete,
            "add" => Act::Add,
            _ => Act::Write,
        };
        let op = operation.id;
        out.report((self.id, self.begins(&operation, act)));
        let peeks = self.config.guard == Guard::Cookies && !matches!(act, Act::Read | Act::ReadPair);
        let phase = if peeks { Phase::Peek } else { Phase::Act };
        self.open.insert(op, Open { operation, act, phase, attempt: 0, doubtful: false, seen: None, second: false });
        out.timer(self.config.give_up_ms * MILLI, Timer::GiveUp { op });
        self.attempt(op, out);
    }

    fn begins(&self, operation: &Operation, act: Act) -> Said {
        let (op, key) = (operation.id, i64::from(operation.key));
        let (f, input) = match act {
            Act::ReadPair => ("txn", Given::Steps(vec![("r", key, None), ("r", key + 1, None)])),
            Act::Write if self.config.pairs => {
                let value = Some(operation.value);
                ("txn", Given::Steps(vec![("w", key, value), ("w", key + 1, value)]))
            }
            Act::Read => ("read", Given::Nil),
            Act::Write => ("write", Given::Int(operation.value)),
            Act::Delete => ("write", Given::Nil),
            Act::Add => ("add", Given::Int(operation.value)),
        };
        let key = (!self.config.pairs).then_some(operation.key);
        Said::Begins { op, f, key, input }
    }

    /// Which agent an attempt goes to: a draw among those that the client believes to accept.
    fn agent(&self, op: u32, open: &Open) -> NodeId {
        let first = (hash_draw(self.seed, &[u64::from(op)]) % self.agents.len() as u64) as usize;
        // With cookies an attempt asks two agents, one for the cookie and one to write.
        let turn = match self.config.guard {
            Guard::Cookies => 2 * open.attempt + u32::from(open.phase == Phase::Act),
            _ => open.attempt,
        };
        self.agents[(first + turn as usize) % self.agents.len()]
    }

    fn attempt(&mut self, op: u32, out: &mut Out) {
        let Some(open) = self.open.get(&op) else { return };
        let key = open.operation.key + u32::from(open.second);
        let (act, proof) = match open.phase {
            Phase::Peek => (Act::Read, Proof::None),
            _ if matches!(open.act, Act::Read | Act::ReadPair) => (open.act, Proof::None),
            _ => {
                let proof = match (self.config.guard, open.seen) {
                    (Guard::Ids, _) => Proof::Id(u64::from(op + 1) << 8 | u64::from(open.attempt)),
                    (Guard::Cookies, Some(seen)) => Proof::Cookie(seen),
                    _ => Proof::None,
                };
                (open.act, proof)
            }
        };
        let attempt =
            Attempt { op, attempt: open.attempt, client: self.id, act, key, value: open.operation.value, proof };
        out.send(self.agent(op, open), Say::Ask(attempt));
        out.timer(self.config.timeout_ms * MILLI, Timer::TimedOut { op, attempt: open.attempt });
    }

    /// Nobody knows what became of an attempt.
    fn unknown(&mut self, op: u32, attempt: u32, out: &mut Out) {
        let Some(open) = self.open.get_mut(&op) else { return };
        if open.attempt != attempt {
            return;
        }
        if open.phase == Phase::Track {
            // Only the question was lost.
            out.send(TRACKER, Say::Inquire(op, attempt));
            out.timer(self.config.timeout_ms * MILLI, Timer::TimedOut { op, attempt });
            return;
        }
        let changes = open.phase == Phase::Act && !matches!(open.act, Act::Read | Act::ReadPair);
        open.doubtful |= changes;
        if changes && self.config.guard == Guard::Tracker {
            open.phase = Phase::Track;
            out.send(TRACKER, Say::Inquire(op, attempt));
            out.timer(self.config.timeout_ms * MILLI, Timer::TimedOut { op, attempt });
        } else if self.config.retry || !changes {
            if changes && self.config.fresh_cookies {
                open.phase = Phase::Peek;
            }
            self.again(op, 0, out);
        } else {
            self.end(op, Ended::Info, Given::Nil, out);
        }
    }

    fn tracked(&mut self, op: u32, attempt: u32, track: Track, out: &mut Out) {
        let Some(open) = self.open.get_mut(&op) else { return };
        if open.attempt != attempt || open.phase != Phase::Track {
            return;
        }
        match track {
            // It asks again when its timer runs down.
            Track::Running => {}
            Track::Settled => self.done(op, out),
            Track::Barred => {
                (open.phase, open.doubtful) = (Phase::Act, false);
                self.again(op, 0, out);
            }
        }
    }

    fn again(&mut self, op: u32, after_ms: u64, out: &mut Out) {
        let Some(open) = self.open.get_mut(&op) else { return };
        open.attempt += 1;
        let attempt = open.attempt;
        if after_ms == 0 {
            self.attempt(op, out);
        } else {
            out.timer(after_ms * MILLI, Timer::Again { op, attempt });
        }
    }

    fn reply(&mut self, attempt: Attempt, answer: Answer, out: &mut Out) {
        let op = attempt.op;
        let Some(open) = self.open.get_mut(&op) else { return };
        let current = open.attempt == attempt.attempt;
        let peek = open.phase == Phase::Peek;
        match answer {
            Answer::Value { seen, .. } if peek && current => {
                (open.seen, open.phase) = (Some(seen), Phase::Act);
                if open.doubtful && seen.cookie >> 8 == u64::from(op) + 1 {
                    return self.done(op, out);
                }
                self.attempt(op, out);
            }
            Answer::Value { value, next, .. } if matches!(open.act, Act::Read | Act::ReadPair) => {
                let key = i64::from(open.operation.key);
                let output = match (open.act, value) {
                    (Act::ReadPair, _) => Given::Steps(vec![("r", key, value), ("r", key + 1, next)]),
                    (_, Some(value)) => Given::Int(value),
                    _ if self.config.increments => Given::Int(0),
                    _ => Given::Nil,
                };
                self.end(op, Ended::Ok, output, out);
            }
            Answer::Done | Answer::Superseded if attempt.act == open.act => self.done(op, out),
            Answer::Mismatch(seen) if current && !peek => {
                let (mine, doubtful) = (seen.cookie >> 8 == u64::from(op) + 1, open.doubtful);
                if mine {
                    self.done(op, out);
                } else if doubtful {
                    // An earlier attempt may have been applied and replaced since, or never have arrived.
                    self.end(op, Ended::Info, Given::Nil, out);
                } else {
                    open.phase = Phase::Peek;
                    self.again(op, 0, out);
                }
            }
            Answer::Dropped if current => self.unknown(op, attempt.attempt, out),
            Answer::Refused if current => self.again(op, PAUSE_MS, out),
            _ => {}
        }
    }

    /// What the operation asked for is done; the second of two keys comes next.
    fn done(&mut self, op: u32, out: &mut Out) {
        let pairs = self.config.pairs;
        let Some(open) = self.open.get_mut(&op) else { return };
        if pairs && !open.second {
            open.second = true;
            open.doubtful = false;
            open.phase = if self.config.guard == Guard::Cookies { Phase::Peek } else { Phase::Act };
            return self.again(op, 0, out);
        }
        let Operation { key, value, .. } = open.operation;
        let output = match open.act {
            Act::Write if pairs => {
                let (key, value) = (i64::from(key), Some(value));
                Given::Steps(vec![("w", key, value), ("w", key + 1, value)])
            }
            Act::Delete => Given::Nil,
            _ => Given::Int(value),
        };
        self.end(op, Ended::Ok, output, out);
    }

    fn give_up(&mut self, op: u32, out: &mut Out) {
        let Some(open) = self.open.get(&op) else { return };
        // What is under way right now may still be applied.
        let reads = matches!(open.act, Act::Read | Act::ReadPair);
        let ended = if reads { Ended::Fail } else { Ended::Info };
        self.end(op, ended, Given::Nil, out);
    }

    fn end(&mut self, op: u32, ended: Ended, output: Given, out: &mut Out) {
        self.open.remove(&op);
        out.report((self.id, Said::Ends { op, ended, output }));
        self.next(out);
    }
}
