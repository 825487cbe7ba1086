//! Any node of the routed store, as the kernel sees it.

use super::Timer;
use super::agent::Agent;
use super::centre::Centre;
use super::client::Client;
use super::message::Say;
use super::store::Store;
use super::tracker::{Copier, Tracker};
use super::{COPIER, Out};
use crate::trial::{Actor, Operation, Said};
use simulation::{Input, Machine, NodeId, Now};

/// A node.
#[derive(Clone, Debug)]
pub enum Node {
    /// The configuration centre.
    Centre(Centre),
    /// A store.
    Store(Store),
    /// The request tracker.
    Tracker(Tracker),
    /// The copier.
    Copier(Copier),
    /// A client.
    Client(Client),
    /// An agent.
    Agent(Agent),
}

impl Machine for Node {
    type Message = Say;
    type Timer = Timer;
    type Report = (NodeId, Said);

    fn step(&mut self, now: Now, input: Input<Say, Timer>, out: &mut Out) {
        match (self, input) {
            (Node::Centre(centre), Input::Start) => centre.start(now, out),
            (Node::Centre(centre), Input::Message { from, message, .. }) => centre.hear(now, from, message, out),
            (Node::Centre(centre), Input::Timer(timer)) => centre.wake(now, timer, out),
            (Node::Store(store), Input::Message { from, message, .. }) => store.hear(from, message, out),
            (Node::Tracker(tracker), Input::Message { from, message, .. }) => tracker.hear(now, from, message, out),
            (Node::Copier(copier), Input::Message { from, message, .. }) => copier.hear(COPIER, from, message, out),
            (Node::Copier(copier), Input::Timer(_)) => copier.fetch(out),
            (Node::Client(client), Input::Start) => client.start(out),
            (Node::Client(client), Input::Message { message, .. }) => client.hear(message, out),
            (Node::Client(client), Input::Timer(timer)) => client.wake(timer, out),
            (Node::Client(client), Input::Reset { peer, .. }) => client.reset(peer, out),
            (Node::Agent(agent), Input::Start) => agent.start(out),
            (Node::Agent(agent), Input::Message { from, message, .. }) => agent.hear(now, from, message, out),
            (Node::Agent(agent), Input::Timer(timer)) => agent.wake(now, timer, out),
            _ => {}
        }
    }
}

impl Actor for Node {
    fn reborn(&self) -> Node {
        match self {
            Node::Agent(agent) => Node::Agent(agent.reborn()),
            // Only agents are killed in this trial; all others keep everything on disk.
            other => other.clone(),
        }
    }

    fn asks(operation: &Operation) -> Say {
        Say::Begin(operation.clone())
    }
}
