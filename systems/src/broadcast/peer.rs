//! A node of a reliable broadcast, honest or lying.

use super::Out;
use super::message::{Say, Stage};
use crate::trial::Said;
use simulation::NodeId;
use std::collections::{BTreeMap, BTreeSet};

/// What a node knows of a broadcast.
#[derive(Clone, Debug, Default)]
struct Known {
    /// Who said what at which stage.
    said: BTreeMap<(Stage, i64), BTreeSet<NodeId>>,
    echoed: bool,
    ready: bool,
    delivered: bool,
    /// Who asked for it, where this node is the origin.
    client: Option<NodeId>,
}

/// A node.
#[derive(Clone, Debug)]
pub struct Peer {
    id: NodeId,
    peers: u32,
    lies: bool,
    known: BTreeMap<u32, Known>,
}

impl Peer {
    /// A node among so many.
    pub fn new(id: NodeId, peers: u32, lies: bool) -> Peer {
        Peer { id, peers, lies, known: BTreeMap::new() }
    }

    /// It begins to run.
    pub fn start(&mut self, out: &mut Out) {
        if !self.lies {
            out.report((self.id, Said::Fact { what: "honest", value: 0 }));
        }
    }

    fn tell(&self, stage: Stage, op: u32, value: i64, out: &mut Out) {
        for peer in 0..self.peers {
            out.send(peer, Say::Tell(stage, op, value));
        }
    }

    /// A message arrives.
    pub fn hear(&mut self, from: NodeId, message: Say, out: &mut Out) {
        match message {
            Say::Please(op, value) if self.lies => self.lie(from, op, value, out),
            Say::Please(op, value) => {
                self.known.entry(op).or_default().client = Some(from);
                self.tell(Stage::Send, op, value, out);
            }
            Say::Tell(stage, op, value) if !self.lies => self.told(from, stage, op, value, out),
            _ => {}
        }
    }

    /// Tells everybody something else, and backs it up.
    fn lie(&self, client: NodeId, op: u32, value: i64, out: &mut Out) {
        for peer in 0..self.peers {
            let value = value + i64::from(peer % 2) * 500;
            for stage in [Stage::Send, Stage::Echo, Stage::Ready] {
                out.send(peer, Say::Tell(stage, op, value));
            }
        }
        out.send(client, Say::Done(op));
    }

    fn told(&mut self, from: NodeId, stage: Stage, op: u32, value: i64, out: &mut Out) {
        // One may be silent, and one may lie.
        let (enough, one_honest) = (self.peers as usize - 1, 2);
        let known = self.known.entry(op).or_default();
        let voices = known.said.entry((stage, value)).or_default();
        voices.insert(from);
        let count = voices.len();
        let echoes = stage == Stage::Send && !known.echoed;
        let readies = !known.ready
            && ((stage == Stage::Echo && count >= enough) || (stage == Stage::Ready && count >= one_honest));
        let delivers = stage == Stage::Ready && count >= enough && !known.delivered;
        known.echoed |= echoes;
        known.ready |= readies;
        known.delivered |= delivers;
        let client = known.client;
        if echoes {
            self.tell(Stage::Echo, op, value, out);
        }
        if readies {
            self.tell(Stage::Ready, op, value, out);
        }
        if delivers {
            out.report((self.id, Said::Fact { what: "delivers", value: i64::from(op) * 1_000 + value }));
            out.report((self.id, Said::Note(format!("delivers {value}"))));
            if let Some(client) = client {
                out.send(client, Say::Done(op));
            }
        }
    }
}
