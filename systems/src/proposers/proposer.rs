//! A proposer, which is a client too: it proposes what it is asked to, and says what was chosen.

use super::trial::{Manner, ProposersConfig};
use super::{Ballot, Say, Timer};
use crate::trial::{Draws, Given, Operation, Said};
use history::calls::Ended;
use history::{MILLI, Nanos};
use simulation::{NodeId, Now, Outputs};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

type Out = Outputs<Say, Timer, (NodeId, Said)>;

/// What it tries in a slot.
#[derive(Clone, Debug)]
struct Attempt {
    ballot: Ballot,
    value: i64,
    /// How often it was pre-empted.
    tries: u32,
    promises: BTreeSet<NodeId>,
    /// What was accepted under the highest ballot, as far as promises say.
    accepted: Option<(Ballot, i64)>,
    accepts: BTreeSet<NodeId>,
}

/// A proposer.
#[derive(Clone, Debug)]
pub struct Proposer {
    id: NodeId,
    config: Arc<ProposersConfig>,
    seed: u64,
    acceptors: u32,
    /// Its place among the proposers.
    place: usize,
    proposers: Vec<NodeId>,
    /// When each was heard, by its monotonic clock.
    heard: Vec<Nanos>,
    attempts: BTreeMap<u32, Attempt>,
    /// Open operations by slot.
    open: BTreeMap<u32, u32>,
    chosen: BTreeMap<u32, i64>,
}

const BEAT_MS: u64 = 25;
/// Ballots of proposers differ in their remainder by this.
const PROPOSERS_MAX: u64 = 16;

impl Proposer {
    /// A proposer; acceptors are the first nodes.
    pub fn new(
        id: NodeId,
        config: Arc<ProposersConfig>,
        seed: u64,
        acceptors: u32,
        proposers: Vec<NodeId>,
    ) -> Proposer {
        let place = (id - acceptors) as usize;
        let (heard, attempts, open) = (vec![0; proposers.len()], BTreeMap::new(), BTreeMap::new());
        Proposer { id, config, seed, acceptors, place, proposers, heard, attempts, open, chosen: BTreeMap::new() }
    }

    /// It begins to run.
    pub fn start(&mut self, out: &mut Out) {
        if self.config.manner == Manner::Leader {
            out.timer(0, Timer::Beat);
        }
    }

    /// The first proposer that lives, where one of them leads; otherwise every one for itself.
    fn leader(&self, now: Now) -> NodeId {
        let lives = |at: &usize| *at == self.place || now.mono - self.heard[*at] < 4 * BEAT_MS * MILLI;
        match self.config.manner {
            Manner::Leader => (0..=self.place).find(lives).map_or(self.id, |at| self.proposers[at]),
            Manner::AtOnce | Manner::BackOff => self.id,
        }
    }

    /// A message arrives.
    pub fn hear(&mut self, now: Now, from: NodeId, say: Say, out: &mut Out) {
        match say {
            Say::Begin(operation) => self.begin(now, &operation, out),
            Say::Forward(slot, value) => match self.chosen.get(&slot) {
                Some(chosen) => out.send(from, Say::Chosen(slot, *chosen)),
                None => self.propose(slot, value, out),
            },
            Say::Chosen(slot, value) => self.learn(slot, value, out),
            Say::Beat => {
                if let Some(at) = self.proposers.iter().position(|proposer| *proposer == from) {
                    self.heard[at] = now.mono;
                }
            }
            Say::Promise(slot, ballot, accepted) => self.promised(from, slot, ballot, accepted, out),
            Say::PreEmpted(slot, ballot, higher) => self.pre_empted(slot, ballot, higher, out),
            Say::Accepted(slot, ballot) => self.accepted(from, slot, ballot, out),
            Say::Prepare(..) | Say::Accept(..) => {}
        }
    }

    /// A timer has run down.
    pub fn wake(&mut self, timer: Timer, out: &mut Out) {
        match timer {
            Timer::Beat => {
                let others = self.proposers.iter().filter(|other| **other != self.id);
                others.for_each(|other| out.send(*other, Say::Beat));
                out.timer(BEAT_MS * MILLI, Timer::Beat);
            }
            Timer::Synced(slot, ballot) => {
                if let Some(attempt) = self.attempts.get(&slot).filter(|attempt| attempt.ballot == ballot) {
                    let value = attempt.accepted.map_or(attempt.value, |(_, value)| value);
                    self.to_acceptors(|| Say::Accept(slot, ballot, value), out);
                }
            }
            Timer::Again(slot, ballot) => {
                if self.attempts.get(&slot).is_some_and(|attempt| attempt.ballot == ballot) {
                    self.prepare(slot, out);
                }
            }
            Timer::GiveUp(slot, op) => {
                if self.open.get(&slot) == Some(&op) {
                    self.open.remove(&slot);
                    self.attempts.remove(&slot);
                    out.report((self.id, Said::Ends { op, ended: Ended::Info, output: Given::Nil }));
                }
            }
        }
    }

    fn begin(&mut self, now: Now, operation: &Operation, out: &mut Out) {
        let (op, slot, value) = (operation.id, operation.key, operation.value);
        out.report((self.id, Said::Begins { op, f: "propose", key: Some(slot), input: Given::Int(value) }));
        out.timer(self.config.give_up_ms * MILLI, Timer::GiveUp(slot, op));
        self.open.insert(slot, op);
        let leader = self.leader(now);
        match self.chosen.get(&slot) {
            Some(chosen) => self.learn(slot, *chosen, out),
            None if leader == self.id => self.propose(slot, value, out),
            None => out.send(leader, Say::Forward(slot, value)),
        }
    }

    fn propose(&mut self, slot: u32, value: i64, out: &mut Out) {
        if self.attempts.contains_key(&slot) {
            return;
        }
        let attempt = Attempt {
            ballot: PROPOSERS_MAX + self.place as Ballot,
            value,
            tries: 0,
            promises: BTreeSet::new(),
            accepted: None,
            accepts: BTreeSet::new(),
        };
        self.attempts.insert(slot, attempt);
        self.prepare(slot, out);
    }

    fn to_acceptors(&self, say: impl Fn() -> Say, out: &mut Out) {
        (0..self.acceptors).for_each(|acceptor| out.send(acceptor, say()));
    }

    fn prepare(&self, slot: u32, out: &mut Out) {
        if let Some(attempt) = self.attempts.get(&slot) {
            self.to_acceptors(|| Say::Prepare(slot, attempt.ballot), out);
        }
    }

    fn promised(&mut self, from: NodeId, slot: u32, ballot: Ballot, accepted: Option<(Ballot, i64)>, out: &mut Out) {
        let majority = self.acceptors as usize / 2 + 1;
        let Some(attempt) = self.attempts.get_mut(&slot).filter(|attempt| attempt.ballot == ballot) else { return };
        attempt.accepted = attempt.accepted.max(accepted);
        if attempt.promises.insert(from) && attempt.promises.len() == majority {
            out.timer(self.config.sync_ms * MILLI, Timer::Synced(slot, ballot));
        }
    }

    fn pre_empted(&mut self, slot: u32, ballot: Ballot, higher: Ballot, out: &mut Out) {
        let Some(attempt) = self.attempts.get_mut(&slot).filter(|attempt| attempt.ballot == ballot) else { return };
        out.report((self.id, Said::Fact { what: "pre-empted", value: i64::from(slot) }));
        attempt.tries += 1;
        attempt.ballot = (higher / PROPOSERS_MAX + 1) * PROPOSERS_MAX + self.place as Ballot;
        attempt.promises.clear();
        attempt.accepts.clear();
        let (ballot, tries) = (attempt.ballot, attempt.tries);
        if self.config.manner == Manner::BackOff {
            let most = (self.config.back_off_ms * MILLI) << tries.min(4);
            let wait = Draws(self.seed).below(&[41, u64::from(self.id), u64::from(slot), u64::from(tries)], most);
            out.timer(wait, Timer::Again(slot, ballot));
        } else {
            self.prepare(slot, out);
        }
    }

    fn accepted(&mut self, from: NodeId, slot: u32, ballot: Ballot, out: &mut Out) {
        let majority = self.acceptors as usize / 2 + 1;
        let Some(attempt) = self.attempts.get_mut(&slot).filter(|attempt| attempt.ballot == ballot) else { return };
        attempt.accepts.insert(from);
        if attempt.accepts.len() < majority {
            return;
        }
        let value = attempt.accepted.map_or(attempt.value, |(_, value)| value);
        let others = self.proposers.iter().filter(|other| **other != self.id);
        others.for_each(|other| out.send(*other, Say::Chosen(slot, value)));
        self.learn(slot, value, out);
    }

    fn learn(&mut self, slot: u32, value: i64, out: &mut Out) {
        self.chosen.insert(slot, value);
        self.attempts.remove(&slot);
        if let Some(op) = self.open.remove(&slot) {
            out.report((self.id, Said::Ends { op, ended: Ended::Ok, output: Given::Int(value) }));
        }
    }
}
