//! Who asks the group: finds the leader, and asks again under the same number until there is an answer.

use super::config::ConsensusConfig;
use super::message::Say;
use super::raft::Timer;
use super::{Request, StateMachine};
use history::MILLI;
use simulation::{NodeId, Outputs};
use std::collections::BTreeMap;

/// The part of a client that asks the servers.
#[derive(Clone, Debug)]
pub struct Asker<S: StateMachine> {
    me: NodeId,
    servers: Vec<NodeId>,
    retry_ms: u64,
    /// Which server is believed to lead.
    leader: usize,
    /// On disk: a number is never used twice.
    number: u64,
    open: BTreeMap<u64, Open<S::Command>>,
}

/// A request without an answer.
#[derive(Clone, Debug)]
struct Open<C> {
    command: C,
    attempt: u32,
    /// Which server was asked last.
    asked: usize,
}

impl<S: StateMachine> Asker<S> {
    /// One who has asked nothing yet; the first request goes to the first server.
    pub fn new(me: NodeId, servers: &[NodeId], config: &ConsensusConfig) -> Asker<S> {
        let (servers, open) = (servers.to_vec(), BTreeMap::new());
        Asker { me, servers, retry_ms: config.retry_ms, leader: 0, number: 0, open }
    }

    /// After a crash: it has forgotten what it asked, but not the numbers.
    pub fn reborn(&self) -> Asker<S> {
        Asker { open: BTreeMap::new(), ..self.clone() }
    }

    /// True for one of the servers.
    pub fn is_server(&self, node: NodeId) -> bool {
        self.servers.contains(&node)
    }

    /// Asks for a command; the answer comes under the number that is returned.
    pub fn ask<M, T, R>(&mut self, command: S::Command, out: &mut Outputs<M, T, R>) -> u64
    where
        M: From<Say<S>>,
        T: From<Timer>,
    {
        self.number += 1;
        self.open.insert(self.number, Open { command, attempt: 0, asked: self.leader });
        self.send(self.number, out);
        self.number
    }

    /// Stops asking; whether the command is done nobody knows.
    pub fn forget(&mut self, number: u64) {
        self.open.remove(&number);
    }

    /// True while there is no answer.
    pub fn is_open(&self, number: u64) -> bool {
        self.open.contains_key(&number)
    }

    /// A server says something; an answer to an open request comes out, once.
    pub fn hear<M, T, R>(&mut self, say: Say<S>, out: &mut Outputs<M, T, R>) -> Option<(u64, S::Answer)>
    where
        M: From<Say<S>>,
        T: From<Timer>,
    {
        match say {
            Say::Answer(number, answer) => self.open.remove(&number).map(|_| (number, answer)),
            Say::NotLeader(number, leader) => {
                let known = leader.and_then(|leader| self.servers.iter().position(|server| *server == leader));
                // Who is told of a leader tries it at once; otherwise there is an election, and it waits for its timer.
                if let (Some(known), Some(open)) = (known, self.open.get_mut(&number))
                    && known != open.asked
                {
                    self.leader = known;
                    open.attempt += 1;
                    self.send(number, out);
                }
                None
            }
            Say::Rpc(_) | Say::Ask(..) => None,
        }
    }

    /// A timer of the consensus has run down: no answer so far, so that the next server is tried.
    pub fn wake<M: From<Say<S>>, T: From<Timer>, R>(&mut self, timer: Timer, out: &mut Outputs<M, T, R>) {
        let Timer::Retry(number, tried) = timer else { return };
        if let Some(open) = self.open.get_mut(&number)
            && open.attempt == tried
        {
            open.attempt += 1;
            // Another request may have found the leader meanwhile.
            if open.asked == self.leader {
                self.leader = (self.leader + 1) % self.servers.len();
            }
            self.send(number, out);
        }
    }

    fn send<M: From<Say<S>>, T: From<Timer>, R>(&mut self, number: u64, out: &mut Outputs<M, T, R>) {
        let Some(open) = self.open.get_mut(&number) else { return };
        open.asked = self.leader;
        let (attempt, command) = (open.attempt, open.command.clone());
        let request = Request { client: self.me, number, command };
        out.send(self.servers[self.leader], Say::Ask(request, attempt).into());
        out.timer(self.retry_ms * MILLI, Timer::Retry(number, attempt).into());
    }
}
