//! Any node of the roll-out, as the kernel sees it.

use super::deployer::Deployer;
use super::gateway::{Client, Gateway};
use super::master::Master;
use super::message::Say;
use super::worker::{Agent, Worker};
use super::{Out, Timer};
use crate::trial::{Actor, Operation, Said};
use simulation::{Input, Machine, NodeId, Now};

/// A node.
#[derive(Clone, Debug)]
pub enum Node {
    /// The deployer.
    Deployer(Deployer),
    /// The gateway.
    Gateway(Gateway),
    /// A client.
    Client(Client),
    /// A master.
    Master(Master),
    /// A worker.
    Worker(Worker),
    /// An agent.
    Agent(Agent),
}

impl Machine for Node {
    type Message = Say;
    type Timer = Timer;
    type Report = (NodeId, Said);

    fn step(&mut self, _: Now, input: Input<Say, Timer>, out: &mut Out) {
        match (self, input) {
            (Node::Deployer(deployer), Input::Start) => deployer.start(out),
            (Node::Deployer(deployer), Input::Timer(timer)) => deployer.wake(timer, out),
            (Node::Deployer(deployer), Input::Message { message: Say::Counted(tally), .. }) => {
                deployer.counted(tally, out);
            }
            (Node::Gateway(gateway), Input::Message { from, message, .. }) => gateway.hear(from, message, out),
            (Node::Client(client), Input::Message { message, .. }) => client.hear(message, out),
            (Node::Master(master), Input::Start) => master.start(out),
            (Node::Master(master), Input::Timer(_)) => master.round(out),
            (Node::Master(master), Input::Message { from, message, .. }) => master.hear(from, message, out),
            (Node::Worker(worker), Input::Start | Input::Timer(_)) => worker.round(out),
            (Node::Worker(worker), Input::Message { message, .. }) => worker.hear(message, out),
            (Node::Agent(agent), Input::Message { message, .. }) => agent.hear(message, out),
            _ => {}
        }
    }
}

impl Actor for Node {
    fn asks(operation: &Operation) -> Say {
        Say::Begin(operation.clone())
    }
}
