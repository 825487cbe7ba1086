//! What nodes and clients hold at an instant, for people who look into a run; never for deciding anything.

use super::data::Data;
use super::message::Content;
use super::node::RegistryNode;
use super::slot::Phase;
use super::world::RegistryWorld;
use crate::world::NodeState;
use simulation::{NodeId, Now};

/// Lists by name.
pub(super) type Shown = Vec<(&'static str, Vec<String>)>;

impl RegistryWorld {
    /// All nodes, then all clients that connected at least once.
    pub(super) fn show(&self) -> Vec<NodeState> {
        let nodes = (0..self.ids.clients()).map(|id| {
            let now = self.kernel.clock(id).read(self.kernel.now());
            let mut holds = match self.kernel.machine(id) {
                RegistryNode::Session(node) => node.show(now),
                RegistryNode::Data(node) => node.show(now, &|id| self.ids.name(id)),
                RegistryNode::Meta(node) => node.show(now),
                RegistryNode::Database(node) => node.show(now, &|id| self.ids.name(id)),
                RegistryNode::Clients(_) => Vec::new(),
            };
            if !self.kernel.is_up(id) {
                holds.clear();
            }
            holds.retain(|(_, list)| !list.is_empty());
            NodeState { node: self.ids.name(id), condition: self.condition(id), holds }
        });
        nodes.chain(self.clients().states(&|id| self.ids.name(id))).collect()
    }

    fn condition(&self, id: NodeId) -> String {
        let kernel = &self.kernel;
        if !kernel.is_up(id) {
            return "gone".to_owned();
        }
        let states =
            [(kernel.is_paused(id), "paused"), (kernel.is_half_dead(id), "half-dead"), (kernel.is_slow(id), "slow")];
        let mut words: Vec<String> = states.iter().filter(|(is, _)| *is).map(|(_, word)| (*word).to_owned()).collect();
        if words.is_empty() {
            words.push("runs".to_owned());
        }
        if kernel.backlog(id) > 0 {
            words.push(format!("{} inputs wait", kernel.backlog(id)));
        }
        let error = kernel.clock(id).error(kernel.now());
        if error != 0 {
            words.push(format!("its clock is {} ms off", error / 1_000_000));
        }
        words.join(", ")
    }
}

impl Data {
    /// Its place in the cluster, and its slots with what they hold.
    fn show(&self, now: Now, name: &dyn Fn(NodeId) -> String) -> Shown {
        let valid = if self.member.valid(now) { "a member" } else { "no member" };
        let knows = format!("table v{}, life {}, {valid}", self.member.cluster.version, self.member.incarnation);
        let mut slots = Vec::new();
        let mut datums = Vec::new();
        for (number, slot) in self.slots.iter().enumerate() {
            let phase = match &slot.phase {
                Phase::Away => continue,
                Phase::Follower => "follows".to_owned(),
                Phase::Releasing(who) => {
                    let who: Vec<String> = who.iter().map(|id| name(*id)).collect();
                    format!("leads, Migrating: waits for release by {}", who.join(", "))
                }
                Phase::Syncing => format!("leads, Migrating: {} sessions have said what they hold", slot.synced.len()),
                Phase::Accept if slot.epoch < slot.released => "leads no more: another node asked for it".to_owned(),
                Phase::Accept => "leads, Accept".to_owned(),
            };
            slots.push(format!("slot {number}: {phase}, epoch {}", slot.epoch));
            datums.extend(
                slot.datums().map(|(data, version, values)| {
                    format!("d{data} (slot {number}): v{version} [{}]", values.join(", "))
                }),
            );
        }
        vec![("knows", vec![knows]), ("slots", slots), ("holds", datums)]
    }
}

/// A content in a few words.
pub(super) fn content(content: &Content) -> String {
    let elements: Vec<&str> = content.elements.iter().map(|element| &**element).collect();
    format!("v{} [{}]", content.version, elements.join(", "))
}

/// Words in the order of their keys.
pub(super) fn sorted<K: Ord>(items: impl Iterator<Item = (K, String)>) -> Vec<String> {
    let mut items: Vec<(K, String)> = items.collect();
    items.sort();
    items.into_iter().map(|(_, words)| words).collect()
}
