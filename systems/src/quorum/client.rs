//! A client: asks a quorum what stands there, then has a quorum keep the new value, or the one that it read.

use super::config::QuorumConfig;
use super::message::{Ask, Header, Reply, Say, Tag, Timer};
use super::{Node, Out};
use crate::trial::{Given, Operation, Said};
use history::MILLI;
use history::calls::Ended;
use simulation::NodeId;
use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

/// The open operation.
#[derive(Clone, Debug)]
struct Open {
    operation: Operation,
    round: u32,
    attempt: u32,
    ask: Ask,
    replies: BTreeMap<NodeId, Reply>,
}

/// A client.
#[derive(Clone, Debug)]
pub struct Client {
    id: NodeId,
    config: Arc<QuorumConfig>,
    waiting: VecDeque<Operation>,
    open: Option<Open>,
}

impl Client {
    /// A client with nothing to do.
    pub fn new(id: NodeId, config: Arc<QuorumConfig>) -> Client {
        Client { id, config, waiting: VecDeque::new(), open: None }
    }

    /// An operation is due.
    pub fn begin(&mut self, operation: Operation, out: &mut Out) {
        self.waiting.push_back(operation);
        self.next(out);
    }

    fn next(&mut self, out: &mut Out) {
        if self.open.is_some() {
            return;
        }
        let Some(operation) = self.waiting.pop_front() else { return };
        let writes = operation.act == "write";
        let (f, input) = if writes { ("write", Given::Int(operation.value)) } else { ("read", Given::Nil) };
        out.report((self.id, Said::Begins { op: operation.id, f, key: Some(operation.key), input }));
        out.timer(self.config.give_up_ms * MILLI, Timer::GiveUp(operation.id));
        self.open = Some(Open { operation, round: 0, attempt: 0, ask: Ask::Query, replies: BTreeMap::new() });
        self.ask(out);
    }

    /// Asks everybody who has not answered yet.
    fn ask(&mut self, out: &mut Out) {
        let Some(open) = &self.open else { return };
        let (op, round, key) = (open.operation.id, open.round, open.operation.key);
        for at in 0..self.config.replicas {
            let replica = Node::replica(&self.config, at);
            if !open.replies.contains_key(&replica) {
                let header = Header { client: self.id, replica, op, round, key };
                out.send(Node::rack(&self.config, at), Say::Ask(header, open.ask, open.attempt));
            }
        }
        out.timer(self.config.retry_ms * MILLI, Timer::Again(op, round));
    }

    /// A timer has run down.
    pub fn wake(&mut self, timer: Timer, out: &mut Out) {
        let Some(open) = &mut self.open else { return };
        match timer {
            Timer::Again(op, round) if (op, round) == (open.operation.id, open.round) => {
                open.attempt += 1;
                if matches!(open.ask, Ask::Query) {
                    // What was seen may be old by now.
                    open.replies.clear();
                    open.round += 2;
                }
                self.ask(out);
            }
            Timer::GiveUp(op) if op == open.operation.id => {
                let ended = if open.operation.act == "write" { Ended::Info } else { Ended::Fail };
                out.report((self.id, Said::Fact { what: "gave up", value: self.config.give_up_ms as i64 }));
                self.end(ended, Given::Nil, out);
            }
            _ => {}
        }
    }

    /// A replica answers.
    pub fn hear(&mut self, header: Header, reply: Reply, out: &mut Out) {
        let Some(open) = &mut self.open else { return };
        if (header.op, header.round) != (open.operation.id, open.round) {
            return;
        }
        open.replies.insert(header.replica, reply);
        if open.replies.len() < self.config.needed() {
            return;
        }
        let Ask::Store(_, kept) = open.ask else {
            return self.queried(out);
        };
        let writes = open.operation.act == "write";
        let value = if writes { Some(open.operation.value) } else { kept };
        self.end(Ended::Ok, value.map_or(Given::Nil, Given::Int), out);
    }

    /// Enough have said what stands there.
    fn queried(&mut self, out: &mut Out) {
        let Some(open) = &mut self.open else { return };
        let stands = open.replies.values().filter_map(|reply| match reply {
            Reply::Stands(tag, value) => Some((*tag, *value)),
            Reply::Kept => None,
        });
        // No choice yet: it asks again when its timer runs down, or hears one more.
        let Some((tag, value)) = choose(stands.collect(), self.config.signed) else { return };
        open.round += 1;
        open.attempt = 0;
        open.replies.clear();
        open.ask = if open.operation.act == "write" {
            Ask::Store((tag.0 + 1, self.id), Some(open.operation.value))
        } else {
            Ask::Store(tag, value)
        };
        self.ask(out);
    }

    fn end(&mut self, ended: Ended, output: Given, out: &mut Out) {
        if let Some(open) = self.open.take() {
            out.report((self.id, Said::Ends { op: open.operation.id, ended, output }));
        }
        self.next(out);
    }
}

/// What stands there, by what replicas say, of which one may lie. Signed values are believed. Others need two votes, and at most
/// one replica that says something newer: two would be one that tells the truth.
fn choose(mut stands: Vec<(Tag, Option<i64>)>, signed: bool) -> Option<(Tag, Option<i64>)> {
    stands.sort_unstable();
    stands.reverse();
    if signed {
        return stands.first().copied();
    }
    let voted = |at: usize| stands.iter().filter(|other| **other == stands[at]).count() >= 2;
    let newer = |at: usize| stands.iter().filter(|(tag, _)| *tag > stands[at].0).count();
    (0..stands.len()).find(|at| voted(*at) && newer(*at) <= 1).map(|at| stands[at])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn votes_outweigh_one_liar_and_two_newer_ones_forbid_what_is_old() {
        let of = |tags: &[u64]| tags.iter().map(|tag| ((*tag, 0), Some(*tag as i64))).collect::<Vec<_>>();
        let chosen = |tags: &[u64], signed| choose(of(tags), signed).map(|(tag, _)| tag.0);
        assert_eq!(chosen(&[1, 3, 3, 2], true), Some(3));
        assert_eq!(chosen(&[9, 3, 3, 3], false), Some(3), "nobody else has seen 9");
        assert_eq!(chosen(&[5, 6, 2, 2], false), None, "two know something newer than 2");
        assert_eq!(chosen(&[5, 2, 2], false), Some(2), "one may lie, or be the only one who knows: four are too few");
        assert_eq!(chosen(&[], true), None);
    }
}
