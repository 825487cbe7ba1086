//! The controller of the migration: once everybody has moved it lets consumers give up interface level, then providers and the
//! converter.

use super::message::Say;
use super::{CLIENTS, CONTROLLER, CONVERTER, Out, note};
use simulation::NodeId;
use std::collections::BTreeSet;

/// The controller.
#[derive(Clone, Debug)]
pub struct Controller {
    providers: u32,
    consumers: u32,
    moved: BTreeSet<NodeId>,
    given_up: BTreeSet<NodeId>,
    told: bool,
}

impl Controller {
    /// The controller of so many clients.
    pub fn new(providers: u32, consumers: u32) -> Controller {
        Controller { providers, consumers, moved: BTreeSet::new(), given_up: BTreeSet::new(), told: false }
    }

    /// A message arrives.
    pub fn hear(&mut self, from: NodeId, message: &Say) {
        match message {
            Say::Moved => _ = self.moved.insert(from),
            Say::GivenUp => _ = self.given_up.insert(from),
            _ => {}
        }
    }

    /// Tells whoever is next to give up.
    pub fn tick(&mut self, out: &mut Out) {
        if self.moved.len() < (self.providers + self.consumers) as usize {
            return;
        }
        if !self.told {
            self.told = true;
            note(out, CONTROLLER, "knows that everybody has moved");
        }
        let first = CLIENTS + self.providers;
        let consumers = first..first + self.consumers;
        let left: Vec<NodeId> = consumers.filter(|node| !self.given_up.contains(node)).collect();
        if !left.is_empty() {
            left.into_iter().for_each(|node| out.send(node, Say::GiveUp));
            return;
        }
        let rest = (CLIENTS..first).chain([CONVERTER]).filter(|node| !self.given_up.contains(node));
        rest.for_each(|node| out.send(node, Say::GiveUp));
    }
}
