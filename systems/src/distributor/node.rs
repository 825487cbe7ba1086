//! Any node of the work distributor, as the kernel sees it.

use super::Out;
use super::client::{self, Client, Operator};
use super::message::{Say, Timer};
use super::server::Server;
use super::worker::Worker;
use crate::trial::{Actor, Operation, Said};
use simulation::{Input, Machine, NodeId, Now};

/// A node.
#[derive(Clone, Debug)]
pub enum Node {
    /// The server of a pipeline.
    Server(Server),
    /// The store of outputs.
    Store,
    /// The operator.
    Operator(Operator),
    /// A client.
    Client(Client),
    /// A worker.
    Worker(Worker),
}

impl Machine for Node {
    type Message = Say;
    type Timer = Timer;
    type Report = (NodeId, Said);

    fn step(&mut self, now: Now, input: Input<Say, Timer>, out: &mut Out) {
        match (self, input) {
            (Node::Server(server), Input::Message { from, message, .. }) => server.hear(now, from, message, out),
            (Node::Store, Input::Message { from, message, .. }) => client::store(from, message, out),
            (Node::Operator(operator), Input::Start) => operator.start(out),
            (Node::Operator(operator), Input::Timer(timer)) => operator.wake(timer, out),
            (Node::Client(client), Input::Message { message, .. }) => client.hear(message, out),
            (Node::Client(client), Input::Timer(Timer::Again(op))) => client.ask(op, out),
            (Node::Worker(worker), Input::Start) => worker.start(out),
            (Node::Worker(worker), Input::Message { message, .. }) => worker.hear(message, out),
            (Node::Worker(worker), Input::Timer(timer)) => worker.wake(timer, out),
            _ => {}
        }
    }
}

impl Actor for Node {
    fn reborn(&self) -> Node {
        match self {
            Node::Worker(worker) => Node::Worker(worker.reborn()),
            other => other.clone(),
        }
    }

    fn asks(operation: &Operation) -> Say {
        Say::Begin(operation.clone())
    }
}
