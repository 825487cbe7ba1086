//! Any node of the cron, as the kernel sees it.

use super::Out;
use super::executor::{Clock, Executor};
use super::message::{Say, Timer};
use super::scheduler::Scheduler;
use crate::trial::{Actor, Operation, Said};
use simulation::{Input, Machine, NodeId, Now};

/// A node.
#[derive(Clone, Debug)]
pub enum Node {
    /// A server.
    Server(Box<Scheduler>),
    /// The clock.
    Clock(Clock),
    /// The executor.
    Executor(Executor),
}

impl Machine for Node {
    type Message = Say;
    type Timer = Timer;
    type Report = (NodeId, Said);

    fn step(&mut self, now: Now, input: Input<Say, Timer>, out: &mut Out) {
        match (self, input) {
            (Node::Server(server), Input::Start) => server.start(now, out),
            (Node::Server(server), Input::Timer(timer)) => server.wake(now, timer, out),
            (Node::Server(server), Input::Message { from, message, .. }) => server.hear(now, from, message, out),
            (Node::Clock(clock), Input::Message { message: Say::Begin(operation), .. }) => clock.begin(&operation, out),
            (Node::Clock(clock), Input::Message { message: Say::Runs(job), .. }) => clock.runs(job, out),
            (Node::Clock(clock), Input::Timer(Timer::Due(job))) => clock.due(job, out),
            (Node::Executor(executor), Input::Start) => executor.start(out),
            (Node::Executor(executor), Input::Message { from, message, .. }) => executor.hear(from, message, out),
            (Node::Executor(_), Input::Timer(Timer::Launched(job, server))) => out.send(server, Say::Launched(job)),
            _ => {}
        }
    }
}

impl Actor for Node {
    fn reborn(&self) -> Node {
        match self {
            Node::Server(server) => Node::Server(Box::new(server.reborn())),
            other => other.clone(),
        }
    }

    fn asks(operation: &Operation) -> Say {
        Say::Begin(operation.clone())
    }
}
