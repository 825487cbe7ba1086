//! A server: its part in the consensus, and the state machine that the committed commands are applied to.

use super::config::ConsensusConfig;
use super::message::Say;
use super::raft::{Effects, Raft, Timer, Turn};
use super::stable::Index;
use super::{Request, StateMachine};
use crate::trial::Said;
use simulation::{NodeId, Now, Outputs};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// A server. Its log, term and vote are on disk; the state machine is made anew from the log after a crash.
#[derive(Clone, Debug)]
pub struct Server<S: StateMachine> {
    raft: Raft<Request<S::Command>>,
    initial: S,
    machine: S,
    applied: Index,
    /// What came of every request, by who asked and its number.
    answers: BTreeMap<(NodeId, u64), S::Answer>,
    /// Requests that this leader has put into the log.
    proposed: BTreeSet<(NodeId, u64)>,
    /// What the machine tells up to here has been told: applying it again after a crash is no news.
    told: Index,
}

/// A read that has begun on a leader.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Read {
    term: u64,
    round: u64,
    /// What was committed when it began.
    pub index: Index,
}

type Out<M, T> = Outputs<M, T, (NodeId, Said)>;

impl<S: StateMachine> Server<S> {
    /// A server with an empty log; `servers` are all, itself included.
    pub fn new(id: NodeId, servers: &[NodeId], config: Arc<ConsensusConfig>, seed: u64, machine: S) -> Server<S> {
        Server::with(Raft::new(id, servers, config, seed), machine, 0)
    }

    fn with(raft: Raft<Request<S::Command>>, machine: S, told: Index) -> Server<S> {
        let (answers, proposed) = (BTreeMap::new(), BTreeSet::new());
        Server { raft, initial: machine.clone(), machine, applied: 0, answers, proposed, told }
    }

    /// After a crash: with what was on disk.
    pub fn reborn(&self) -> Server<S> {
        Server::with(self.raft.reborn(), self.initial.clone(), self.told)
    }

    /// True if it believes that it leads.
    pub fn is_leader(&self) -> bool {
        self.raft.is_leader()
    }

    /// Who it believes to lead.
    pub fn leader(&self) -> Option<NodeId> {
        self.raft.leader
    }

    /// Its term.
    pub fn term(&self) -> u64 {
        self.raft.stable.term()
    }

    /// The state machine after everything that this server knows to be committed.
    pub fn machine(&self) -> &S {
        &self.machine
    }

    /// How many entries of the log are applied.
    pub fn applied(&self) -> Index {
        self.applied
    }

    /// Committed commands in the order of the log, each with its asker and number.
    pub fn committed(&self) -> impl Iterator<Item = &Request<S::Command>> {
        (1..=self.applied).filter_map(|index| self.raft.stable.entry(index)?.command.as_ref())
    }

    /// `Input::Start`.
    pub fn start<M: From<Say<S>>, T: From<Timer>>(&mut self, now: Now, out: &mut Out<M, T>) {
        let mut effects = Effects::new();
        self.raft.start(now, &mut effects);
        self.done(effects, out);
    }

    /// `Input::Timer` with a timer of the consensus.
    pub fn wake<M: From<Say<S>>, T: From<Timer>>(&mut self, now: Now, timer: Timer, out: &mut Out<M, T>) {
        let mut effects = Effects::new();
        self.raft.wake(now, timer, &mut effects);
        self.done(effects, out);
    }

    /// `Input::Message` with something that is said in the consensus.
    pub fn hear<M, T>(&mut self, now: Now, from: NodeId, say: Say<S>, out: &mut Out<M, T>)
    where
        M: From<Say<S>>,
        T: From<Timer>,
    {
        let mut effects = Effects::new();
        match say {
            Say::Rpc(rpc) => self.raft.hear(now, from, rpc, &mut effects),
            Say::Ask(request, _) => {
                let key = (request.client, request.number);
                if let Some(answer) = self.answers.get(&key) {
                    out.send(from, Say::Answer(request.number, answer.clone()).into());
                } else if !self.raft.is_leader() {
                    out.send(from, Say::NotLeader(request.number, self.raft.leader).into());
                } else if self.proposed.insert(key) {
                    self.raft.add(now, Some(request), &mut effects);
                }
            }
            Say::Answer(..) | Say::NotLeader(..) => {}
        }
        self.done(effects, out);
    }

    /// Begins a read of the state machine that does not go through the log; none where this server does not lead. It is to be
    /// asked again with [`is_readable`](Server::is_readable) whenever a message has been handled.
    pub fn begin_read<M: From<Say<S>>, T: From<Timer>>(&mut self, out: &mut Out<M, T>) -> Option<Read> {
        let mut effects = Effects::new();
        let round = self.raft.begin_round(&mut effects);
        let read = round.map(|round| Read { term: self.term(), round, index: self.raft.commit });
        self.done(effects, out);
        read
    }

    /// True once a majority has shown that this server still led when the read began: from then on the state machine of any
    /// server that has applied `read.index` entries is fresh enough for it.
    pub fn is_readable(&self, read: &Read) -> bool {
        self.term() == read.term && self.raft.is_confirmed(read.round)
    }

    /// True if the state machine of this server is up to date, and stays so until the server hears otherwise: it holds leases of
    /// a majority, and has applied all that it has.
    pub fn may_read(&self, now: Now) -> bool {
        self.raft.is_leased(now) && self.applied == self.raft.stable.last()
    }

    fn done<M: From<Say<S>>, T: From<Timer>>(&mut self, effects: Effects<Request<S::Command>>, out: &mut Out<M, T>) {
        for (to, rpc) in effects.sends {
            out.send(to, Say::Rpc(rpc).into());
        }
        for (after, timer) in effects.timers {
            out.timer(after, timer.into());
        }
        for turn in effects.turns {
            self.proposed.clear();
            let (what, term, says) = match turn {
                Turn::Leads(term) => ("leads", term, format!("is elected: it leads term {term}")),
                Turn::Follows(term) => ("follows", term, format!("does not lead term {term} any more")),
            };
            out.report((self.raft.id, Said::Fact { what, value: term as i64 }));
            out.report((self.raft.id, Said::Note(says)));
        }
        self.apply(out);
    }

    fn apply<M: From<Say<S>>, T: From<Timer>>(&mut self, out: &mut Out<M, T>) {
        while self.applied < self.raft.commit {
            self.applied += 1;
            let Some(entry) = self.raft.stable.entry(self.applied) else { return };
            let Some(request) = &entry.command else { continue };
            let key = (request.client, request.number);
            let answer = match self.answers.get(&key) {
                Some(answer) => answer.clone(),
                None => {
                    let mut told = Vec::new();
                    let answer = self.machine.apply(entry.stamp, request, &mut told);
                    if self.applied > self.told {
                        told.into_iter()
                            .for_each(|(what, value)| out.report((self.raft.id, Said::Fact { what, value })));
                    }
                    self.answers.insert(key, answer.clone());
                    answer
                }
            };
            self.told = self.told.max(self.applied);
            if self.raft.is_leader() {
                out.send(request.client, Say::Answer(request.number, answer).into());
            }
        }
    }
}
