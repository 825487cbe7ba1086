//! A session's or data node's place in the cluster: its heartbeats to meta, the newest cluster it knows, and the fence.
//!
//! Meta confirms heartbeats. A node counts from when it *sent* the last one that was confirmed, so that neither delay nor
//! a pause can make it believe in a lease that is over; when `node_fence_ms` have passed it serves no more. Meta gives
//! it up only `node_lease_ms` after the last heartbeat *arrived*, which is later: nobody takes its place before.

use super::RegistryConfig;
use super::bugs::Bug;
use super::cluster::Cluster;
use super::config::Generation;
use super::layout::NodeIds;
use super::message::{Message, Out};
use history::{MILLI, Nanos};
use simulation::{NodeId, Now};
use std::sync::Arc;

/// A node that never fences itself.
const NEVER: Nanos = Nanos::MAX;

/// See the module.
#[derive(Clone, Debug)]
pub struct Membership {
    id: NodeId,
    /// Of this node's volatile state: rises with every restart and with every fence of a session.
    pub incarnation: u64,
    /// The newest that is known.
    pub cluster: Arc<Cluster>,
    /// True if that cluster lists this incarnation.
    listed: bool,
    confirmed: Option<Nanos>,
    fence: Nanos,
    /// It may serve before this instant: asked at every step, so kept.
    until: Nanos,
    /// [`Generation::V5`]: what the list says does not matter once it was a member.
    stays: bool,
    /// No newer cluster is taken.
    stuck: bool,
}

impl Membership {
    /// Knows nothing yet.
    pub fn new(id: NodeId, incarnation: u64, config: &RegistryConfig, bug: Option<Bug>) -> Membership {
        let cluster = Arc::new(Cluster::of(config));
        let stays = config.generation == Generation::V5;
        let never = stays || bug == Some(Bug::LeaseWithoutClock);
        let fence = if never { NEVER } else { config.node_fence_ms * MILLI };
        Membership { id, incarnation, cluster, listed: false, confirmed: None, fence, until: 0, stays, stuck: false }
    }

    /// Says to every meta node that this one lives; only the leader minds.
    pub fn beat(&self, now: Now, ids: &NodeIds, out: &mut Out) {
        for meta in ids.all_metas() {
            out.send(meta, Message::Beat(self.incarnation, now.mono, self.cluster.version));
        }
    }

    /// The leader confirmed the heartbeat of that time. True if the cluster is news.
    pub fn confirmed(&mut self, incarnation: u64, sent: Nanos, cluster: Option<Arc<Cluster>>) -> bool {
        if incarnation == self.incarnation {
            self.confirmed = self.confirmed.max(Some(sent));
            self.reckon();
        }
        cluster.is_some_and(|cluster| self.learn(cluster))
    }

    /// True if the cluster is news.
    pub fn learn(&mut self, cluster: Arc<Cluster>) -> bool {
        let news = cluster.version > self.cluster.version && !self.stuck;
        if news {
            self.cluster = cluster;
            self.listed = self.cluster.lists(self.id, self.incarnation);
            self.reckon();
        }
        news
    }

    /// From now on no newer cluster is taken, or again every newer one.
    pub fn stick(&mut self, stuck: bool) {
        self.stuck = stuck;
    }

    /// True if no newer cluster is taken.
    pub fn is_stuck(&self) -> bool {
        self.stuck
    }

    /// True if the newest cluster known lists this incarnation.
    pub fn listed(&self) -> bool {
        self.listed
    }

    /// True if this node may serve now.
    pub fn valid(&self, now: Now) -> bool {
        now.mono < self.until
    }

    /// Something has changed on which it hangs until when this node may serve.
    fn reckon(&mut self) {
        let confirmed = self.confirmed.filter(|_| self.stays || self.listed);
        self.until = confirmed.map_or(0, |sent| sent.saturating_add(self.fence));
    }

    /// Begins a new life without a restart: whatever was held is void.
    pub fn renew(&mut self) {
        self.incarnation += 1;
        self.confirmed = None;
        self.listed = self.cluster.lists(self.id, self.incarnation);
        self.reckon();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_fence_counts_from_sending() {
        let ids = NodeIds { sessions: 1, data: 1, metas: 1 };
        let config = RegistryConfig { slots: 4, node_fence_ms: 2_000, ..RegistryConfig::default() };
        let mut member = Membership::new(0, 7, &config, None);
        let cluster = Arc::new(Cluster::of(&config).changed(&ids, &[], &[(0, 7), (1, 1)], 1));
        let at = |ms: u64| Now::at(ms * MILLI);
        assert!(!member.valid(at(0)));
        assert!(member.confirmed(7, 100 * MILLI, Some(cluster)));
        assert!(member.valid(at(2_099)));
        assert!(!member.valid(at(2_100)), "2,000 ms after it was sent, however late the answer came");
        member.confirmed(7, 50 * MILLI, None);
        assert!(member.valid(at(2_099)), "an older confirmation takes nothing back");
        member.renew();
        assert!(!member.valid(at(200)), "the list has the old incarnation");
    }
}
