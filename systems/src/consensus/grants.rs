//! Quorum leases (Moraru, Andersen and Kaminsky 2014): a server that holds leases of a majority reads what it has applied without
//! asking anybody. In return nothing is committed before every holder has it, or before its leases are over.
//!
//! A grantor counts a lease from when it is asked, its holder from when it asked, each by its own monotonic clock: only the rates
//! of clocks matter, and the grantor adds a tenth for those.

use super::message::Rpc;
use super::raft::{Effects, Raft, Role, Timer};
use super::stable::Index;
use history::{MILLI, Nanos};
use simulation::{NodeId, Now};
use std::collections::BTreeMap;

/// A lease that a server holds of another.
#[derive(Clone, Copy, Debug)]
struct Lease {
    until: Nanos,
    /// The grantor's last entry when it granted: before it is here the lease is worth nothing.
    tail: (u64, Index),
}

/// Leases that a server has granted, and leases that it holds.
#[derive(Clone, Debug, Default)]
pub(super) struct Grants {
    granted: BTreeMap<NodeId, Nanos>,
    held: BTreeMap<NodeId, Lease>,
}

impl<C: Clone> Raft<C> {
    fn lease(&self) -> Nanos {
        self.config.read_lease_ms * MILLI
    }

    /// How long a grantor counts it.
    fn long_lease(&self) -> Nanos {
        self.lease() / 10 * 11
    }

    /// At a start: what was granted before a crash is forgotten, so that everybody may hold a lease of this server.
    pub fn begin_leases(&mut self, now: Now, reborn: bool, out: &mut Effects<C>) {
        if self.config.read_lease_ms == 0 {
            return;
        }
        if reborn {
            let until = now.mono + self.long_lease();
            self.grants.granted = self.peers.iter().map(|peer| (*peer, until)).collect();
        }
        self.plead(now, out);
    }

    /// Asks all others for leases, and will again.
    pub fn plead(&mut self, now: Now, out: &mut Effects<C>) {
        out.sends.extend(self.peers.iter().map(|peer| (*peer, Rpc::Plea { at: now.mono })));
        out.timers.push((self.lease() / 3, Timer::Lease));
    }

    /// Grants a lease.
    pub fn grant(&mut self, now: Now, to: NodeId, at: Nanos, out: &mut Effects<C>) {
        self.grants.granted.insert(to, now.mono + self.long_lease());
        out.sends.push((to, Rpc::Grant { at, tail: self.tail() }));
    }

    /// A lease is granted that was asked for at this time.
    pub fn granted(&mut self, by: NodeId, at: Nanos, tail: (u64, Index)) {
        let until = at + self.lease();
        self.grants.held.insert(by, Lease { until, tail });
    }

    /// True if this server holds leases of a majority.
    pub fn is_leased(&self, now: Now) -> bool {
        let tail = self.tail();
        let held = self.grants.held.values().filter(|lease| now.mono < lease.until && lease.tail <= tail).count();
        self.config.read_lease_ms > 0 && held + 1 >= self.majority()
    }

    /// Who may hold a lease of this server.
    pub fn holders(&self, now: Now) -> Vec<NodeId> {
        self.grants.granted.iter().filter(|(_, until)| **until > now.mono).map(|(holder, _)| *holder).collect()
    }

    /// Up to where the leader may commit, of what a majority has: every holder of a lease of a server that has an entry must have
    /// it too.
    pub fn allowed(&self, now: Now, mut commit: Index) -> Index {
        let Role::Leader(leading) = &self.role else { return self.commit };
        let own = self.holders(now);
        let servers: Vec<(Index, &[NodeId])> = std::iter::once((self.stable.last(), own.as_slice()))
            .chain(leading.peers.values().map(|peer| (peer.matched, peer.holders.as_slice())))
            .collect();
        let matched = |holder: &NodeId| leading.peers.get(holder).map_or(self.stable.last(), |peer| peer.matched);
        loop {
            let with = servers.iter().filter(|(index, _)| *index >= commit);
            let lowest = with.flat_map(|(_, holders)| holders.iter().map(matched)).min().unwrap_or(commit);
            if lowest >= commit {
                return commit;
            }
            commit = lowest;
        }
    }
}
