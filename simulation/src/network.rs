//! All links between all nodes: when what is sent now arrives.

use crate::link::{Hold, Letter, Link};
use crate::machine::{Channel, NodeId};
use crate::{Latency, Trouble, hash_begin, hash_on};
use history::Nanos;
use std::collections::BTreeMap;

/// When a message arrives, and its duplicate if there is one.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Arrival {
    pub at: Nanos,
    pub again: Option<Nanos>,
}

/// Who sends what to whom.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Way {
    pub from: NodeId,
    pub to: NodeId,
    pub channel: Channel,
}

/// Links between all nodes.
#[derive(Debug)]
pub(crate) struct Network {
    nodes: u32,
    links: Vec<Link>,
    touches: BTreeMap<u32, u64>,
}

impl Network {
    pub fn new(seed: u64, nodes: u32, mut latency: impl FnMut(NodeId, NodeId) -> Latency) -> Network {
        let pairs = (0..nodes).flat_map(|from| (0..nodes).map(move |to| (from, to)));
        let draws = |from, to| hash_on(hash_begin(seed), u64::from(from) << 32 | u64::from(to));
        let links = pairs.map(|(from, to)| Link::new(draws(from, to), latency(from, to))).collect();
        Network { nodes, links, touches: BTreeMap::new() }
    }

    fn index(&self, from: NodeId, to: NodeId) -> usize {
        from as usize * self.nodes as usize + to as usize
    }

    /// When a message sent now arrives; none if it does not. `identity` and `size` are those of the message.
    pub fn route(&mut self, now: Nanos, way: Way, identity: u64, size: impl Fn() -> u64) -> Option<Arrival> {
        if let Some(at) = self.undisturbed(now, way, identity) {
            return Some(Arrival { at, again: None });
        }
        let index = self.index(way.from, way.to);
        let (touches, link) = (&mut self.touches, &mut self.links[index]);
        let letter = Letter { channel: way.channel, identity, sent: now, size };
        let passage = link.passage(&letter, |fault| *touches.entry(fault).or_insert(0) += 1)?;
        let mut at = now.saturating_add(passage.takes);
        if !passage.overtakable {
            at = link.queue(way.channel, now, at);
        }
        let again = passage.again.map(|late| at.saturating_add(late));
        link.busy_until = link.busy_until.max(again.unwrap_or(at));
        Some(Arrival { at, again })
    }

    /// When a message sent now arrives on a link without faults; none, and nothing was sent, if there are any.
    #[inline(always)]
    pub fn undisturbed(&mut self, now: Nanos, way: Way, identity: u64) -> Option<Nanos> {
        let Way { from, to, channel } = way;
        if from == to {
            return Some(now);
        }
        let index = self.index(from, to);
        let link = &mut self.links[index];
        if !link.holds.is_empty() {
            return None;
        }
        let at = now.saturating_add(link.undisturbed(channel, identity));
        Some(link.queue(channel, now, at))
    }

    /// A message may be sent here soon.
    pub fn prepare(&self, from: NodeId, to: NodeId, channel: Channel) {
        self.links[self.index(from, to)].prepare(channel);
    }

    /// Lays a fault on a directed link.
    pub fn trouble(&mut self, from: NodeId, to: NodeId, fault: u32, trouble: Trouble) {
        let index = self.index(from, to);
        self.links[index].holds.push(Hold::new(fault, trouble));
    }

    /// Takes a fault off all links.
    pub fn lift(&mut self, fault: u32) {
        for link in &mut self.links {
            link.holds.retain(|hold| hold.fault != fault);
        }
    }

    /// How many messages this fault has touched so far.
    pub fn touched(&self, fault: u32) -> u64 {
        self.touches.get(&fault).copied().unwrap_or(0)
    }

    /// When everything that is under way on this link will have arrived.
    pub fn busy_until(&self, from: NodeId, to: NodeId) -> Nanos {
        self.links[self.index(from, to)].busy_until
    }
}
