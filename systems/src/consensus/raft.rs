//! Raft (Ongaro and Ousterhout 2014) without input and output: elections, with the question before them (pre-vote), and the
//! leader's check that a majority still hears it. Replication is in `replication.rs`.

use super::config::ConsensusConfig;
use super::grants::Grants;
use super::message::Rpc;
use super::stable::{Entry, Index, Stable};
use history::{MILLI, Nanos};
use simulation::{NodeId, Now, hash_draw};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// What a timer of the consensus reminds of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Timer {
    /// Server: is there a leader, and a majority?
    Election,
    /// Leader of this term: be heard.
    Heartbeat(u64),
    /// Server: ask for leases.
    Lease,
    /// Who asks: has this attempt at this request been answered?
    Retry(u64, u32),
}

/// A change of who leads, as a server sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Turn {
    /// It leads this term.
    Leads(u64),
    /// It led this term and does not any more.
    Follows(u64),
}

/// What a step comes to.
#[derive(Debug)]
pub(super) struct Effects<C> {
    pub sends: Vec<(NodeId, Rpc<C>)>,
    pub timers: Vec<(Nanos, Timer)>,
    pub turns: Vec<Turn>,
}

impl<C> Effects<C> {
    pub fn new() -> Effects<C> {
        Effects { sends: Vec::new(), timers: Vec::new(), turns: Vec::new() }
    }
}

/// What a leader knows of a follower.
#[derive(Clone, Debug)]
pub(super) struct Peer {
    /// The next entry to send.
    pub next: Index,
    /// The logs agree up to here.
    pub matched: Index,
    /// When it was last heard, by the leader's monotonic clock.
    pub heard: Nanos,
    /// The last round that it answered.
    pub round: u64,
    /// Who may hold a lease of it.
    pub holders: Vec<NodeId>,
}

/// What a leader knows.
#[derive(Clone, Debug)]
pub(super) struct Leading {
    pub peers: BTreeMap<NodeId, Peer>,
    pub round: u64,
}

#[derive(Clone, Debug)]
pub(super) enum Role {
    Follower,
    Candidate { pre: bool, votes: BTreeSet<NodeId> },
    Leader(Leading),
}

/// One server's part in the consensus on a log of commands.
#[derive(Clone, Debug)]
pub(super) struct Raft<C> {
    pub id: NodeId,
    /// All other servers.
    pub peers: Vec<NodeId>,
    pub config: Arc<ConsensusConfig>,
    pub stable: Stable<C>,
    pub role: Role,
    pub commit: Index,
    /// Who is believed to lead.
    pub leader: Option<NodeId>,
    pub grants: Grants,
    seed: u64,
    lives: u64,
    draws: u64,
    /// When it stands for election, by its monotonic clock.
    election_at: Nanos,
    /// When it last heard of a leader.
    heard: Option<Nanos>,
}

impl<C: Clone> Raft<C> {
    pub fn new(id: NodeId, servers: &[NodeId], config: Arc<ConsensusConfig>, seed: u64) -> Raft<C> {
        Raft {
            id,
            peers: servers.iter().copied().filter(|server| *server != id).collect(),
            config,
            stable: Stable::new(),
            role: Role::Follower,
            commit: 0,
            leader: None,
            grants: Grants::default(),
            seed,
            lives: 0,
            draws: 0,
            election_at: 0,
            heard: None,
        }
    }

    /// After a crash: what is on disk.
    pub fn reborn(&self) -> Raft<C> {
        let lives = self.lives + 1;
        let stable = self.stable.crashed(self.seed, &[u64::from(self.id), lives]);
        let fresh = Raft { peers: self.peers.clone(), ..Raft::new(self.id, &[], Arc::clone(&self.config), self.seed) };
        Raft { stable, lives, draws: self.draws, ..fresh }
    }

    pub fn is_leader(&self) -> bool {
        matches!(self.role, Role::Leader(_))
    }

    pub fn majority(&self) -> usize {
        self.peers.len().div_ceil(2) + 1
    }

    pub fn start(&mut self, now: Now, out: &mut Effects<C>) {
        self.wait(now);
        out.timers.push((self.election_at - now.mono, Timer::Election));
        self.begin_leases(now, self.lives > 0, out);
    }

    pub fn wake(&mut self, now: Now, timer: Timer, out: &mut Effects<C>) {
        match timer {
            Timer::Election => {
                if self.is_leader() {
                    self.check_quorum(now, out);
                } else if now.mono >= self.election_at {
                    self.stand(now, out);
                }
                let left = self.election_at.saturating_sub(now.mono);
                let patience = self.config.election_ms.0 * MILLI;
                out.timers.push((if self.is_leader() { patience } else { left.max(MILLI) }, Timer::Election));
            }
            Timer::Heartbeat(term) if self.is_leader() && term == self.stable.term() => {
                self.broadcast(out);
                out.timers.push((self.config.heartbeat_ms * MILLI, timer));
            }
            Timer::Lease => self.plead(now, out),
            _ => {}
        }
        self.settle();
    }

    pub fn hear(&mut self, now: Now, from: NodeId, rpc: Rpc<C>, out: &mut Effects<C>) {
        match rpc {
            Rpc::Stand { term, pre, last } => {
                let granted = self.votes(now, from, (term, pre), last, out);
                let term = if granted { term } else { self.stable.term() };
                out.sends.push((from, Rpc::Vote { term, pre, granted }));
            }
            Rpc::Vote { term, pre, granted } => self.voted(now, from, (term, pre), granted, out),
            Rpc::Append { term, prev, entries, commit, round } => {
                if term < self.stable.term() {
                    let (term, holders) = (self.stable.term(), Vec::new());
                    let answer = Rpc::Appended { term, fits: false, index: 0, round, holders };
                    out.sends.push((from, answer));
                } else {
                    self.follow(term, out);
                    (self.leader, self.heard) = (Some(from), Some(now.mono));
                    self.wait(now);
                    let (fits, index) = self.append(prev, &entries, commit);
                    let holders = self.holders(now);
                    out.sends.push((from, Rpc::Appended { term, fits, index, round, holders }));
                }
            }
            Rpc::Appended { term, .. } if term > self.stable.term() => self.follow(term, out),
            Rpc::Appended { term, fits, index, round, holders } if term == self.stable.term() => {
                self.appended(now, from, (fits, index), round, holders, out);
            }
            Rpc::Appended { .. } => {}
            Rpc::Plea { at } => self.grant(now, from, at, out),
            Rpc::Grant { at, tail } => self.granted(from, at, tail),
        }
        self.settle();
    }

    /// Before anything is said it is on disk.
    pub fn settle(&mut self) {
        if self.config.sync {
            self.stable.sync();
        }
    }

    /// Draws anew when to stand for election.
    fn wait(&mut self, now: Now) {
        self.draws += 1;
        let (low, high) = self.config.election_ms;
        let draw = hash_draw(self.seed, &[u64::from(self.id), self.draws]);
        self.election_at = now.mono + low * MILLI + draw % ((high - low) * MILLI + 1);
    }

    /// A leader that hears from no majority does not lead.
    fn check_quorum(&mut self, now: Now, out: &mut Effects<C>) {
        let Role::Leader(leading) = &self.role else { return };
        let since = now.mono.saturating_sub(self.config.patience());
        let heard = leading.peers.values().filter(|peer| peer.heard >= since).count();
        if heard + 1 < self.majority() {
            self.leader = None;
            self.follow(self.stable.term(), out);
            self.wait(now);
        }
    }

    /// Follows whoever leads this term.
    fn follow(&mut self, term: u64, out: &mut Effects<C>) {
        if self.is_leader() {
            out.turns.push(Turn::Follows(self.stable.term()));
        }
        self.role = Role::Follower;
        if term > self.stable.term() {
            self.stable.set_term(term, None);
            self.leader = None;
        }
    }

    /// The first step of an election.
    fn stand(&mut self, now: Now, out: &mut Effects<C>) {
        self.wait(now);
        self.leader = None;
        let pre = self.config.pre_vote;
        self.ask(now, pre, out);
    }

    fn ask(&mut self, now: Now, pre: bool, out: &mut Effects<C>) {
        let term = self.stable.term() + 1;
        if !pre {
            self.stable.set_term(term, Some(self.id));
        }
        self.role = Role::Candidate { pre, votes: BTreeSet::from([self.id]) };
        let last = self.tail();
        for peer in &self.peers {
            out.sends.push((*peer, Rpc::Stand { term, pre, last }));
        }
        self.count(now, out);
    }

    /// Term and place of the last entry.
    pub fn tail(&self) -> (u64, Index) {
        let last = self.stable.last();
        (self.stable.term_at(last), last)
    }

    fn votes(
        &mut self,
        now: Now,
        from: NodeId,
        election: (u64, bool),
        last: (u64, Index),
        out: &mut Effects<C>,
    ) -> bool {
        let (term, pre) = election;
        let complete = last >= self.tail();
        if pre {
            // Whoever hears a leader wants no other.
            let since = now.mono.saturating_sub(self.config.election_ms.0 * MILLI);
            let content = self.is_leader() || self.heard.is_some_and(|heard| heard > since);
            return term > self.stable.term() && complete && !content;
        }
        if term > self.stable.term() {
            self.follow(term, out);
        }
        let free = self.stable.vote().is_none_or(|vote| vote == from);
        let granted = term == self.stable.term() && free && complete && !self.is_leader();
        if granted {
            self.stable.set_term(term, Some(from));
            self.wait(now);
        }
        granted
    }

    fn voted(&mut self, now: Now, from: NodeId, election: (u64, bool), granted: bool, out: &mut Effects<C>) {
        let (term, was_pre) = election;
        let current = self.stable.term();
        if !granted {
            if term > current {
                self.follow(term, out);
            }
            return;
        }
        if let Role::Candidate { pre, votes } = &mut self.role
            && *pre == was_pre
            && term == current + u64::from(was_pre)
        {
            votes.insert(from);
            self.count(now, out);
        }
    }

    fn count(&mut self, now: Now, out: &mut Effects<C>) {
        let majority = self.majority();
        let Role::Candidate { pre, votes } = &self.role else { return };
        if votes.len() < majority {
            return;
        }
        if *pre { self.ask(now, false, out) } else { self.lead(now, out) }
    }

    fn lead(&mut self, now: Now, out: &mut Effects<C>) {
        let peer = Peer { next: self.stable.last() + 1, matched: 0, heard: now.mono, round: 0, holders: Vec::new() };
        let peers = self.peers.iter().map(|id| (*id, peer.clone())).collect();
        self.role = Role::Leader(Leading { peers, round: 0 });
        self.leader = Some(self.id);
        let term = self.stable.term();
        out.turns.push(Turn::Leads(term));
        out.timers.push((self.config.heartbeat_ms * MILLI, Timer::Heartbeat(term)));
        self.add(now, None, out);
    }

    /// Appends an entry as the leader, and sends it on.
    pub fn add(&mut self, now: Now, command: Option<C>, out: &mut Effects<C>) {
        let stamp = now.wall.max(self.stable.stamp());
        self.stable.append(Entry { term: self.stable.term(), stamp, command });
        self.settle();
        self.broadcast(out);
        self.advance(now, out);
    }
}
