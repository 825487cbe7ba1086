//! Replication of the log: what a leader sends, what a follower makes of it, and what is committed.

use super::message::Rpc;
use super::raft::{Effects, Raft, Role};
use super::stable::{Entry, Index};
use simulation::{NodeId, Now};

/// Entries in one message.
const ENTRIES_MAX: usize = 64;

impl<C: Clone> Raft<C> {
    /// Sends every follower what it has not been sent, or a heartbeat.
    pub fn broadcast(&mut self, out: &mut Effects<C>) {
        if let Role::Leader(leading) = &mut self.role {
            leading.round += 1;
        }
        for at in 0..self.peers.len() {
            self.feed(self.peers[at], out);
        }
    }

    fn feed(&mut self, to: NodeId, out: &mut Effects<C>) {
        let Role::Leader(leading) = &mut self.role else { return };
        let round = leading.round;
        let Some(peer) = leading.peers.get_mut(&to) else { return };
        let before = peer.next - 1;
        let entries = self.stable.after(before, ENTRIES_MAX);
        // What is sent is taken to arrive; a follower that misses it says so.
        peer.next += entries.len() as Index;
        let prev = (self.stable.term_at(before), before);
        let (term, commit) = (self.stable.term(), self.commit);
        out.sends.push((to, Rpc::Append { term, prev, entries, commit, round }));
    }

    /// What a follower does with entries: whether they fit, and up to where the logs agree (or may agree).
    pub fn append(&mut self, prev: (u64, Index), entries: &[Entry<C>], commit: Index) -> (bool, Index) {
        let (prev_term, before) = prev;
        let fits = before == 0 || (before <= self.stable.last() && self.stable.term_at(before) == prev_term);
        if !fits {
            return (false, self.stable.last().min(before.saturating_sub(1)));
        }
        for (index, entry) in (before + 1..).zip(entries) {
            self.stable.put(index, entry);
        }
        let agreed = before + entries.len() as Index;
        self.commit = self.commit.max(commit.min(agreed));
        (true, agreed)
    }

    /// A follower's answer reaches the leader.
    pub fn appended(
        &mut self,
        now: Now,
        from: NodeId,
        (fits, index): (bool, Index),
        round: u64,
        holders: Vec<NodeId>,
        out: &mut Effects<C>,
    ) {
        let Role::Leader(leading) = &mut self.role else { return };
        let Some(peer) = leading.peers.get_mut(&from) else { return };
        (peer.heard, peer.round, peer.holders) = (now.mono, peer.round.max(round), holders);
        if fits {
            peer.matched = peer.matched.max(index);
            peer.next = peer.next.max(peer.matched + 1);
            self.advance(now, out);
        } else {
            peer.next = (index + 1).max(peer.matched + 1);
            self.feed(from, out);
        }
    }

    /// Commits what a majority has, and every holder of a lease. An entry of an earlier term is committed only with one of this
    /// term.
    pub fn advance(&mut self, now: Now, out: &mut Effects<C>) {
        let Role::Leader(leading) = &self.role else { return };
        let mut matched: Vec<Index> = leading.peers.values().map(|peer| peer.matched).collect();
        matched.push(self.stable.last());
        matched.sort_unstable_by(|a, b| b.cmp(a));
        let mut commit = matched[self.majority() - 1];
        if self.config.read_lease_ms > 0 {
            commit = self.allowed(now, commit);
        }
        if commit > self.commit && self.stable.term_at(commit) == self.stable.term() {
            self.commit = commit;
            if self.config.announce {
                self.broadcast(out);
            }
        }
    }

    /// The round from which on an answer of a majority shows that this server still led when it was asked; none if it does not
    /// lead, or does not know yet what is committed.
    pub fn begin_round(&mut self, out: &mut Effects<C>) -> Option<u64> {
        let knows = self.stable.term_at(self.commit) == self.stable.term();
        if !self.is_leader() || !knows {
            return None;
        }
        self.broadcast(out);
        match &self.role {
            Role::Leader(leading) => Some(leading.round),
            _ => None,
        }
    }

    /// True if a majority has answered this round.
    pub fn is_confirmed(&self, round: u64) -> bool {
        let Role::Leader(leading) = &self.role else { return false };
        leading.peers.values().filter(|peer| peer.round >= round).count() + 1 >= self.majority()
    }
}
