//! What servers say to each other, and what those who use them say to them.

use super::stable::{Entry, Index};
use super::{Request, StateMachine};
use history::Nanos;
use simulation::{Message, NodeId, hash_draw};

/// Between servers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Rpc<C> {
    /// Candidate: vote for me.
    Stand {
        /// Of the election.
        term: u64,
        /// Only asked whether it would be elected.
        pre: bool,
        /// Its last entry.
        last: (u64, Index),
    },
    /// The answer.
    Vote {
        /// The term that was asked for, or that of the voter where it refuses.
        term: u64,
        /// As asked.
        pre: bool,
        /// Yes.
        granted: bool,
    },
    /// Leader: append these entries; without any a heartbeat.
    Append {
        /// Of the leader.
        term: u64,
        /// The entry before them: term and place.
        prev: (u64, Index),
        /// To be appended.
        entries: Vec<Entry<C>>,
        /// Everything up to here is committed.
        commit: Index,
        /// Number of the leader's round of messages.
        round: u64,
    },
    /// The answer.
    Appended {
        /// Of the follower.
        term: u64,
        /// False: the entry before them is missing.
        fits: bool,
        /// The logs agree up to here; where it does not fit, they may.
        index: Index,
        /// As asked.
        round: u64,
        /// Who may hold a lease of the follower.
        holders: Vec<NodeId>,
    },
    /// Let me have a lease.
    Plea {
        /// The asker's monotonic clock.
        at: Nanos,
    },
    /// It is granted.
    Grant {
        /// As asked.
        at: Nanos,
        /// The grantor's last entry.
        tail: (u64, Index),
    },
}

/// Everything that is said to and by servers.
#[derive(Clone, Debug)]
pub enum Say<S: StateMachine> {
    /// Between servers.
    Rpc(Rpc<Request<S::Command>>),
    /// To a server: do this.
    Ask(Request<S::Command>, u32),
    /// It is done.
    Answer(u64, S::Answer),
    /// The server does not lead; perhaps that one does.
    NotLeader(u64, Option<NodeId>),
}

impl<C> Rpc<C> {
    fn parts(&self) -> [u64; 5] {
        match self {
            Rpc::Stand { term, pre, last } => [1, *term, u64::from(*pre), last.0, last.1],
            Rpc::Vote { term, pre, granted } => [2, *term, u64::from(*pre), u64::from(*granted), 0],
            Rpc::Append { term, prev, entries, round, .. } => [3, *term, prev.1, entries.len() as u64, *round],
            Rpc::Plea { at } => [5, *at, 0, 0, 0],
            Rpc::Grant { at, .. } => [6, *at, 0, 0, 0],
            Rpc::Appended { term, fits, index, round, .. } => [4, *term, u64::from(*fits), *index, *round],
        }
    }
}

impl<S: StateMachine> Message for Say<S> {
    fn identity(&self) -> u64 {
        match self {
            Say::Rpc(rpc) => hash_draw(0, &rpc.parts()),
            Say::Ask(request, attempt) => {
                hash_draw(5, &[u64::from(request.client), request.number, u64::from(*attempt)])
            }
            Say::Answer(number, _) => hash_draw(6, &[*number]),
            Say::NotLeader(number, _) => hash_draw(7, &[*number]),
        }
    }

    /// Heartbeats and their answers are not worth telling.
    fn says(&self) -> String {
        match self {
            Say::Rpc(Rpc::Stand { pre: false, term, .. }) => format!("vote for me in term {term}"),
            Say::Rpc(Rpc::Vote { pre: false, granted: true, .. }) => "yes".to_owned(),
            Say::Rpc(Rpc::Vote { pre: false, granted: false, .. }) => "no".to_owned(),
            Say::Rpc(Rpc::Append { entries, .. }) => {
                let commands = entries.iter().filter_map(|entry| entry.command.as_ref());
                let words: Vec<String> = commands.map(|request| S::words(&request.command)).collect();
                if words.is_empty() { String::new() } else { format!("append {}", words.join("; ")) }
            }
            Say::Rpc(_) => String::new(),
            Say::Ask(request, attempt) => {
                let again = if *attempt == 0 { String::new() } else { format!(" (try {})", attempt + 1) };
                format!("{}{again}", S::words(&request.command))
            }
            Say::Answer(_, answer) => S::answer_words(answer),
            Say::NotLeader(..) => "I do not lead".to_owned(),
        }
    }
}
