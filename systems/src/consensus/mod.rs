//! A small real consensus core (Raft: Ongaro and Ousterhout 2014), sans-IO, for every system here that is built on consensus:
//! a log of commands that servers agree on, applied in its order to a deterministic [`StateMachine`] on each of them.
//!
//! # How another system uses it
//!
//! 1. Say what is replicated: `impl StateMachine for Queue` with its commands and answers. `apply` gets the time from the
//!    log (the proposing leader's wall clock, never falling), so that leases can run out in it: it must look at no other clock.
//!    What it tells becomes a [`Said::Fact`](crate::trial::Said::Fact) of each server that applies it, once a server.
//! 2. Wrap [`Say<Queue>`](Say) and [`Timer`] into the system's own message and timer: `impl From<Say<Queue>> for Message`,
//!    `impl From<Timer> for Reminder`.
//! 3. Put [`Server`]s into the cast as `server-1` .. `server-n` ([`ids`] gives their numbers) and hand them their inputs:
//!
//!    ```ignore
//!    (Node::Server(server), Input::Start) => server.start(now, out),
//!    (Node::Server(server), Input::Timer(Reminder::Consensus(timer))) => server.wake(now, timer, out),
//!    (Node::Server(server), Input::Message { from, message: Message::Consensus(say), .. }) => server.hear(now, from, say, out),
//!    ```
//!
//!    and `reborn` of the actor is [`Server::reborn`]: what was synced to disk is left, the state machine is made anew from it.
//! 4. Give each client an [`Asker`]: `ask(command, out)` returns a number, `hear(say, out)` returns `(number, answer)` once,
//!    `wake(timer, out)` tries again. Requests carry (asker, number); the state machine sees each at most once, whatever is
//!    lost, retried or led by whom. `forget(number)` gives up: whether it happened nobody knows.
//!
//!    A server that acts when it leads (a scheduler, say) holds an `Asker` of its own beside its `Server`: the node sends to
//!    itself, and answers come back as to any client. [`Server::is_leader`], [`Server::term`] and [`Server::machine`] say where
//!    it stands; what it believes may be out of date, only answers are not.
//!
//! Servers say the facts `leads` and `follows` with the term, as they begin and cease to lead. No snapshots and no changes of
//! membership: runs are short.

mod asker;
mod config;
mod grants;
mod message;
mod raft;
mod replication;
mod server;
mod stable;
#[cfg(test)]
mod tests;

pub use asker::Asker;
pub use config::ConsensusConfig;
pub use message::{Rpc, Say};
pub use raft::Timer;
pub use server::{Read, Server};
pub use stable::{Entry, Index};

use simulation::NodeId;
use std::fmt::Debug;

/// What is replicated: deterministic, and the same on every server after the same commands.
pub trait StateMachine: Clone + Debug {
    /// What can be done.
    type Command: Clone + Debug;
    /// What comes of it.
    type Answer: Clone + Debug;

    /// Does it. `stamp` is the time of the log, nanoseconds: the wall clock of the leader that proposed the command, and never
    /// less than that of the command before. What is pushed to `told` becomes facts of the server.
    fn apply(
        &mut self,
        stamp: i64,
        request: &Request<Self::Command>,
        told: &mut Vec<(&'static str, i64)>,
    ) -> Self::Answer;

    /// A command in a few words, for people.
    fn words(command: &Self::Command) -> String {
        format!("{command:?}").to_lowercase()
    }

    /// An answer in a few words, for people.
    fn answer_words(answer: &Self::Answer) -> String {
        format!("{answer:?}").to_lowercase()
    }
}

/// A command and who asks for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request<C> {
    /// Node of the asker.
    pub client: NodeId,
    /// Its number, by asker.
    pub number: u64,
    /// What to do.
    pub command: C,
}

/// The numbers of the servers in a cast whose number `first` is the first of them.
pub fn ids(first: NodeId, config: &ConsensusConfig) -> Vec<NodeId> {
    (first..first + config.servers).collect()
}

/// The name of a server: `server-1` is the first.
pub fn name(at: usize) -> String {
    format!("server-{}", at + 1)
}
