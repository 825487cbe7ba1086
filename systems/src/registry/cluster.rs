//! What meta decides: who is alive, and which data node leads which slot. Pure functions; each decision is a new version.

use super::RegistryConfig;
use super::config::Generation;
use super::layout::NodeIds;
use simulation::{NodeId, hash_draw};
use std::collections::BTreeMap;

/// Who keeps a slot.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Seat {
    /// Who leads it; none while no data node lives.
    pub leader: Option<NodeId>,
    /// Rises whenever the leader changes, also when the same node leads again after a restart.
    pub epoch: u64,
    /// Who copies it.
    pub followers: Vec<NodeId>,
}

/// The list of live nodes, with the incarnation of each, and the slot table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cluster {
    /// Rises with every change.
    pub version: u64,
    /// Live session nodes.
    pub sessions: BTreeMap<NodeId, u64>,
    /// Live data nodes.
    pub data: BTreeMap<NodeId, u64>,
    /// One seat a slot.
    pub slots: Vec<Seat>,
    /// How seats are given.
    generation: Generation,
}

/// How many leaders move at once when the cluster is balanced.
const MOVES_MAX: usize = 4;

impl Cluster {
    /// Nobody is known.
    pub fn of(config: &RegistryConfig) -> Cluster {
        Cluster {
            generation: config.generation,
            version: 0,
            sessions: BTreeMap::new(),
            data: BTreeMap::new(),
            slots: vec![Seat::default(); config.slots.max(1) as usize],
        }
    }

    /// True if this incarnation of this node is in the list.
    pub fn lists(&self, node: NodeId, incarnation: u64) -> bool {
        self.sessions.get(&node).or_else(|| self.data.get(&node)) == Some(&incarnation)
    }

    /// All live nodes.
    pub fn nodes(&self) -> impl Iterator<Item = (NodeId, u64)> {
        self.sessions.iter().chain(&self.data).map(|(node, incarnation)| (*node, *incarnation))
    }

    /// The next version, with these nodes gone and these there (a new incarnation of a known node replaces it); each
    /// slot that lost its leader has a new one.
    pub fn changed(&self, ids: &NodeIds, gone: &[NodeId], come: &[(NodeId, u64)], replicas: u32) -> Cluster {
        let mut next = self.clone();
        next.version += 1;
        let mut void: Vec<NodeId> = gone.to_vec();
        void.extend(come.iter().map(|(node, _)| *node));
        for node in &void {
            next.sessions.remove(node);
            next.data.remove(node);
        }
        for seat in &mut next.slots {
            seat.followers.retain(|node| !void.contains(node));
            if seat.leader.is_some_and(|leader| void.contains(&leader)) {
                seat.leader = None;
            }
        }
        for (node, incarnation) in come {
            let list = if ids.is_session(*node) { &mut next.sessions } else { &mut next.data };
            list.insert(*node, *incarnation);
        }
        next.fill(replicas);
        next
    }

    /// Gives every slot a leader and its followers, as far as there are nodes.
    fn fill(&mut self, replicas: u32) {
        if self.generation == Generation::V5 {
            return self.hash(replicas);
        }
        for at in 0..self.slots.len() {
            if self.slots[at].leader.is_none() {
                let follower = self.slots[at].followers.first().copied();
                let Some(leader) = follower.or_else(|| self.least_leading()) else { continue };
                let seat = &mut self.slots[at];
                seat.followers.retain(|node| *node != leader);
                seat.leader = Some(leader);
                seat.epoch += 1;
            }
            while self.slots[at].followers.len() + 1 < replicas as usize {
                let seat = &self.slots[at];
                let free = |node: &&NodeId| seat.leader != Some(**node) && !seat.followers.contains(node);
                let Some(node) = self.data.keys().filter(free).min_by_key(|node| (self.copies(**node), **node)) else {
                    break;
                };
                let node = *node;
                self.slots[at].followers.push(node);
            }
        }
    }

    /// [`Generation::V5`]: the list of data nodes alone says who keeps a slot (rendezvous hashing, Thaler and Ravishankar
    /// 1998). Nobody needs a table: who has the same list, routes alike.
    fn hash(&mut self, replicas: u32) {
        for (at, seat) in self.slots.iter_mut().enumerate() {
            let mut nodes: Vec<NodeId> = self.data.keys().copied().collect();
            nodes.sort_by_key(|node| (hash_draw(0x517, &[at as u64, u64::from(*node)]), *node));
            nodes.truncate(replicas.max(1) as usize);
            let mut nodes = nodes.into_iter();
            let leader = nodes.next();
            seat.epoch += u64::from(leader.is_some() && leader != seat.leader);
            (seat.leader, seat.followers) = (leader, nodes.collect());
        }
    }

    /// How many slots this node leads.
    pub fn led_by(&self, node: NodeId) -> usize {
        self.slots.iter().filter(|seat| seat.leader == Some(node)).count()
    }

    fn copies(&self, node: NodeId) -> usize {
        self.slots.iter().filter(|seat| seat.leader == Some(node) || seat.followers.contains(&node)).count()
    }

    fn least_leading(&self) -> Option<NodeId> {
        self.data.keys().copied().min_by_key(|node| (self.led_by(*node), *node))
    }

    fn most_leading(&self) -> Option<NodeId> {
        self.data.keys().copied().max_by_key(|node| (self.led_by(*node), std::cmp::Reverse(*node)))
    }

    /// True if no two nodes differ by more than one in what they lead, and each slot has all the copies it can have.
    pub fn balanced(&self, replicas: u32) -> bool {
        self.generation == Generation::V5
            || self.balancing_move().is_none() && {
                let copies = (replicas as usize).min(self.data.len());
                self.slots.iter().all(|seat| seat.followers.len() + 1 >= copies)
            }
    }

    /// The slot that moves next for balance, and to whom.
    fn balancing_move(&self) -> Option<(usize, NodeId)> {
        if self.generation == Generation::V5 {
            return None;
        }
        let (from, to) = (self.most_leading()?, self.least_leading()?);
        if self.led_by(from) <= self.led_by(to) + 1 {
            return None;
        }
        let of_from = || self.slots.iter().enumerate().filter(|(_, seat)| seat.leader == Some(from));
        let copied = of_from().find(|(_, seat)| seat.followers.contains(&to));
        copied.or_else(|| of_from().next()).map(|(at, _)| (at, to))
    }

    /// The next version, a few leaders nearer to balance; none if it is balanced. The old leader follows.
    pub fn rebalanced(&self, replicas: u32) -> Option<Cluster> {
        let is_led = |seat: &Seat| seat.leader.is_some();
        if self.generation != Generation::V5 && self.balanced(replicas) && self.slots.iter().all(is_led) {
            return None;
        }
        let mut next = self.clone();
        let mut moves = 0;
        while moves < MOVES_MAX
            && let Some((at, to)) = next.balancing_move()
        {
            let seat = &mut next.slots[at];
            let old = seat.leader.replace(to);
            seat.epoch += 1;
            seat.followers.retain(|node| *node != to);
            seat.followers.splice(0..0, old);
            seat.followers.truncate((replicas as usize).saturating_sub(1));
            moves += 1;
        }
        next.fill(replicas);
        if next == *self {
            return None;
        }
        next.version += 1;
        Some(next)
    }

    /// The next version, with so many leaders (rounded up to one of each data node) handed on to the next data node: as
    /// balanced as before. The old leader follows. None with [`Generation::V5`], or where nobody can take over.
    pub fn rotated(&self, count: u32, replicas: u32) -> Option<Cluster> {
        let nodes: Vec<NodeId> = self.data.keys().copied().collect();
        if self.generation == Generation::V5 || nodes.len() < 2 || count == 0 {
            return None;
        }
        let mut next = self.clone();
        let rounds = (count as usize).div_ceil(nodes.len());
        for (at, node) in nodes.iter().enumerate() {
            let to = nodes[(at + 1) % nodes.len()];
            let own = (0..self.slots.len()).filter(|slot| self.slots[*slot].leader == Some(*node));
            for slot in own.take(rounds) {
                let seat = &mut next.slots[slot];
                seat.leader = Some(to);
                seat.epoch += 1;
                seat.followers.retain(|follower| *follower != to);
                seat.followers.insert(0, *node);
                seat.followers.truncate((replicas as usize).saturating_sub(1));
            }
        }
        next.version += 1;
        Some(next)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn ids() -> NodeIds {
        NodeIds { sessions: 3, data: 3, metas: 3 }
    }

    fn full() -> Cluster {
        let come: Vec<_> = (0..6).map(|node| (node, 1)).collect();
        Cluster::of(&RegistryConfig::default()).changed(&ids(), &[], &come, 2)
    }

    #[test]
    fn hashing_moves_only_what_was_on_the_node_that_went() {
        let config = RegistryConfig { generation: Generation::V5, ..RegistryConfig::default() };
        let ids = NodeIds { sessions: 3, data: 6, metas: 3 };
        let come: Vec<_> = (0..9).map(|node| (node, 1)).collect();
        let before = Cluster::of(&config).changed(&ids, &[], &come, 3);
        let after = before.changed(&ids, &[5], &[], 3);
        for (old, new) in before.slots.iter().zip(&after.slots) {
            assert_eq!(new.followers.len(), 2);
            if old.leader == Some(5) {
                assert_eq!(new.leader, Some(old.followers[0]), "the first copy leads");
            } else {
                assert_eq!(new.leader, old.leader);
            }
        }
        let back = after.changed(&ids, &[], &[(5, 2)], 3);
        assert!(back.slots.iter().zip(&before.slots).all(|(new, old)| new.leader == old.leader));
        assert!(back.balanced(3) && back.rebalanced(3).is_none());
    }

    #[test]
    fn a_new_cluster_is_balanced_and_complete() {
        let cluster = full();
        assert!(cluster.balanced(2));
        assert_eq!(cluster.sessions.len(), 3);
        for seat in &cluster.slots {
            assert_eq!(seat.epoch, 1);
            assert_eq!(seat.followers.len(), 1);
            assert_ne!(seat.leader, Some(seat.followers[0]));
        }
    }

    #[test]
    fn a_lost_leader_is_followed_by_its_follower_in_a_new_epoch() {
        let before = full();
        let after = before.changed(&ids(), &[3], &[], 2);
        for (old, new) in before.slots.iter().zip(&after.slots) {
            if old.leader == Some(3) {
                assert_eq!(new.leader, Some(old.followers[0]));
                assert_eq!(new.epoch, old.epoch + 1);
            } else {
                assert_eq!((new.leader, new.epoch), (old.leader, old.epoch));
            }
            assert!(!new.followers.contains(&3));
        }
    }

    #[test]
    fn a_restarted_leader_does_not_lead_in_the_old_epoch() {
        let before = full();
        let after = before.changed(&ids(), &[], &[(4, 2)], 2);
        for (old, new) in before.slots.iter().zip(&after.slots) {
            assert!(old.leader != Some(4) || new.epoch > old.epoch);
        }
        assert!(after.lists(4, 2) && !after.lists(4, 1));
    }

    #[test]
    fn return_of_a_node_ends_in_balance() {
        let mut cluster = full().changed(&ids(), &[3, 4], &[], 2);
        assert_eq!(cluster.led_by(5), 16);
        cluster = cluster.changed(&ids(), &[], &[(3, 2)], 2);
        let mut rounds = 0;
        while let Some(next) = cluster.rebalanced(2) {
            cluster = next;
            rounds += 1;
            assert!(rounds < 10);
        }
        assert_eq!((cluster.led_by(3), cluster.led_by(5)), (8, 8));
        assert!(cluster.balanced(2));
    }

    #[test]
    fn a_rotation_moves_as_many_as_asked_for_and_keeps_the_balance() {
        let before = full();
        let after = before.rotated(5, 2).unwrap();
        let moved = before.slots.iter().zip(&after.slots).filter(|(old, new)| old.leader != new.leader);
        assert!(moved.clone().count() == 6, "two of each of three nodes");
        assert!(moved.clone().all(|(old, new)| new.epoch == old.epoch + 1 && Some(new.followers[0]) == old.leader));
        assert!(after.balanced(2) && after.version == before.version + 1);
        assert!(before.rotated(0, 2).is_none());
    }

    #[test]
    fn nobody_left_means_no_leader() {
        let cluster = full().changed(&ids(), &[3, 4, 5], &[], 2);
        assert!(cluster.slots.iter().all(|seat| seat.leader.is_none() && seat.followers.is_empty()));
        let cluster = cluster.changed(&ids(), &[], &[(5, 9)], 2);
        assert!(cluster.slots.iter().all(|seat| seat.leader == Some(5) && seat.epoch == 2));
    }
}
