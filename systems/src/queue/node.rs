//! Any node around a queue, as the kernel sees it.

use super::Out;
use super::client::Client;
use super::machine::Queue;
use super::message::{Say, Timer};
use super::prober::Prober;
use super::worker::Worker;
use crate::consensus::Server;
use crate::trial::{Actor, Operation, Said};
use simulation::{Input, Machine, NodeId, Now};
use std::collections::BTreeSet;

/// A node.
#[derive(Clone, Debug)]
pub enum Node {
    /// A server, and whom it takes for dead.
    Server(Box<Server<Queue>>, BTreeSet<NodeId>),
    /// A client.
    Client(Client),
    /// A worker.
    Worker(Worker),
    /// The prober.
    Prober(Prober),
}

/// A server hears something.
fn serve(server: &mut Server<Queue>, shunned: &mut BTreeSet<NodeId>, now: Now, from: NodeId, say: Say, out: &mut Out) {
    match say {
        Say::Consensus(say) if !shunned.contains(&from) => server.hear(now, from, say, out),
        Say::Probe(round) => out.send(from, Say::Probed(round)),
        Say::Shun(node) => _ = shunned.insert(node),
        Say::Trust(node) => _ = shunned.remove(&node),
        _ => {}
    }
}

impl Machine for Node {
    type Message = Say;
    type Timer = Timer;
    type Report = (NodeId, Said);

    fn step(&mut self, now: Now, input: Input<Say, Timer>, out: &mut Out) {
        match (self, input) {
            (Node::Server(server, _), Input::Start) => server.start(now, out),
            (Node::Server(server, _), Input::Timer(Timer::Consensus(timer))) => server.wake(now, timer, out),
            (Node::Server(server, shunned), Input::Message { from, message, .. }) => {
                serve(server, shunned, now, from, message, out);
            }
            (Node::Client(client), Input::Message { message: Say::Begin(operation), .. }) => {
                client.begin(&operation, out);
            }
            (Node::Client(client), Input::Message { message: Say::Consensus(say), .. }) => client.hear(say, out),
            (Node::Client(client), Input::Timer(timer)) => client.wake(timer, out),
            (Node::Worker(worker), Input::Start) => worker.start(out),
            (Node::Worker(worker), Input::Message { message: Say::Consensus(say), .. }) => worker.hear(say, out),
            (Node::Worker(worker), Input::Timer(timer)) => worker.wake(timer, out),
            (Node::Prober(prober), Input::Start | Input::Timer(Timer::Round)) => prober.round(now, out),
            (Node::Prober(prober), Input::Message { from, message: Say::Probed(round), .. }) => {
                prober.probed(now, from, round, out);
            }
            _ => {}
        }
    }

    /// What servers say to each other has a thread of its own; requests of clients, and probes, are work.
    fn is_heartbeat(&self, input: &Input<Say, Timer>) -> bool {
        match input {
            Input::Message { message: Say::Consensus(crate::consensus::Say::Rpc(_)), .. } => true,
            Input::Timer(Timer::Consensus(_)) => matches!(self, Node::Server(..)),
            _ => false,
        }
    }
}

impl Actor for Node {
    fn reborn(&self) -> Node {
        match self {
            Node::Server(server, _) => Node::Server(Box::new(server.reborn()), BTreeSet::new()),
            Node::Worker(worker) => Node::Worker(worker.reborn()),
            other => other.clone(),
        }
    }

    fn asks(operation: &Operation) -> Say {
        Say::Begin(operation.clone())
    }
}
