//! What clients, agents, stores, the configuration centre, the tracker and the copier say to each other.

use simulation::{Message, NodeId, hash_draw};

/// What a client wants done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Act {
    /// Read a key.
    Read,
    /// Write a key.
    Write,
    /// Delete a key.
    Delete,
    /// Add to a key.
    Add,
    /// Read this key and the next at one instant.
    ReadPair,
}

/// One attempt at an operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Attempt {
    /// Number of the operation.
    pub op: u32,
    /// Which attempt at it, from 0.
    pub attempt: u32,
    /// Node of the client.
    pub client: NodeId,
    /// What to do.
    pub act: Act,
    /// On which key.
    pub key: u32,
    /// With which value.
    pub value: i64,
    /// Against late arrival.
    pub proof: Proof,
}

/// What a request carries so that a store can tell that it comes late.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Proof {
    /// Nothing.
    None,
    /// A number that grows with every attempt of the client.
    Id(u64),
    /// The cookie of what is to be replaced.
    Cookie(Seen),
}

/// What stands behind a key, as far as compare-and-set is concerned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Seen {
    /// Names the write that made it; 0 for none.
    pub cookie: u64,
    /// True if it stands in the new store.
    pub new: bool,
}

/// What an attempt came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    /// A read.
    Value {
        /// What was read; none if the key is absent.
        value: Option<i64>,
        /// The value of the next key, of a read of two.
        next: Option<i64>,
        /// What stands there.
        seen: Seen,
    },
    /// A change was applied.
    Done,
    /// It came after a later one and was not applied.
    Superseded,
    /// Something else stands there.
    Mismatch(Seen),
    /// Not now, and certainly not done.
    Refused,
    /// The agent goes down with the request in flight.
    Dropped,
}

/// What the tracker knows about an attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Track {
    /// It may still be applied.
    Running,
    /// It was applied, with this answer.
    Settled,
    /// It was never begun, and never will be.
    Barred,
}

/// A message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Say {
    /// From outside: begin this operation.
    Begin(crate::trial::Operation),
    /// Client to agent, agent to store.
    Ask(Attempt),
    /// Store to agent, agent to client.
    Reply(Attempt, Answer),
    /// Client to centre: who accepts?
    Discover,
    /// Centre to client.
    Accepting(Vec<NodeId>),
    /// Centre to agent: stop accepting.
    Stop,
    /// Agent to centre: it is down.
    Stopped,
    /// Centre to agent: update, then accept if told so.
    Update {
        /// Accept when done.
        accept: bool,
    },
    /// Agent to centre: it accepts with the new configuration.
    Updated,
    /// Centre to agent: the new configuration.
    News,
    /// Agent to centre: a lease, please.
    Renew,
    /// Centre to agent.
    Granted {
        /// Of the configuration.
        version: u32,
        /// Valid until then by anybody's wall clock, less the allowance.
        deadline: i64,
    },
    /// Centre to agent: give your lease back.
    Revoke,
    /// Agent to centre.
    Revoked,
    /// Agent to tracker: may this request go out?
    Register(Attempt),
    /// Tracker to agent.
    Go(Attempt, bool),
    /// Store to tracker.
    Settle(u32, u32),
    /// Client to tracker: what became of it?
    Inquire(u32, u32),
    /// Tracker to client.
    Tracked(u32, u32, Track),
    /// Centre to copier: begin.
    Copy,
    /// Copier to the old store: apply nothing from now on.
    Seal,
    /// Store to copier: nothing will be.
    Sealed,
    /// Copier to store: what stands there? In the new store also: lock it.
    Fetch(u32, bool),
    /// Store to copier.
    Fetched(u32, Option<i64>),
    /// Copier to store.
    Put {
        /// The key.
        key: u32,
        /// The value; none where there is nothing to copy (it only unlocks).
        value: Option<i64>,
        /// Only where the key is absent.
        absent: bool,
    },
    /// Store to copier.
    PutDone(u32),
    /// Copier to centre: all keys are moved.
    Copied,
}

impl Say {
    /// Number of the kind, and what tells it from others of its kind.
    fn parts(&self) -> [u64; 4] {
        let of = |a: &Attempt| [u64::from(a.op), u64::from(a.attempt), u64::from(a.key)];
        let ([a, b, c], kind) = match self {
            Say::Begin(operation) => ([u64::from(operation.id), 0, 0], 0),
            Say::Ask(attempt) => (of(attempt), 1),
            Say::Reply(attempt, _) => (of(attempt), 2),
            Say::Discover => ([0; 3], 3),
            Say::Accepting(list) => ([list.len() as u64, 0, 0], 4),
            Say::Stop => ([0; 3], 5),
            Say::Stopped => ([0; 3], 6),
            Say::Update { accept } => ([u64::from(*accept), 0, 0], 7),
            Say::Updated => ([0; 3], 8),
            Say::News => ([0; 3], 9),
            Say::Renew => ([0; 3], 10),
            // Deadlines hang on when they are granted, which may differ a little after a cut: only the version counts.
            Say::Granted { version, .. } => ([u64::from(*version), 0, 0], 11),
            Say::Revoke => ([0; 3], 12),
            Say::Revoked => ([0; 3], 13),
            Say::Register(attempt) => (of(attempt), 14),
            Say::Go(attempt, yes) => ([u64::from(attempt.op), u64::from(attempt.attempt), u64::from(*yes)], 15),
            Say::Settle(op, attempt) => ([u64::from(*op), u64::from(*attempt), 0], 16),
            Say::Inquire(op, attempt) => ([u64::from(*op), u64::from(*attempt), 0], 17),
            Say::Tracked(op, attempt, _) => ([u64::from(*op), u64::from(*attempt), 0], 18),
            Say::Copy => ([0; 3], 19),
            Say::Fetch(key, _) => ([u64::from(*key), 0, 0], 20),
            Say::Fetched(key, _) => ([u64::from(*key), 0, 0], 21),
            Say::Put { key, .. } => ([u64::from(*key), 0, 0], 22),
            Say::PutDone(key) => ([u64::from(*key), 0, 0], 23),
            Say::Copied => ([0; 3], 24),
            Say::Seal => ([0; 3], 25),
            Say::Sealed => ([0; 3], 26),
        };
        [kind, a, b, c]
    }
}

impl Message for Say {
    fn identity(&self) -> u64 {
        hash_draw(0, &self.parts())
    }

    /// What comes round every so often is not worth telling.
    fn says(&self) -> String {
        match self {
            Say::Begin(_) | Say::Discover | Say::Accepting(_) | Say::Renew | Say::Granted { .. } => String::new(),
            Say::Ask(attempt) => format!("{}{}", attempt.words(), again(attempt.attempt)),
            Say::Reply(attempt, answer) => answer.words(attempt),
            Say::Stop => "stop".to_owned(),
            Say::Stopped => "stopped".to_owned(),
            Say::Update { accept: true } => "update and accept".to_owned(),
            Say::Update { accept: false } => "update".to_owned(),
            Say::Updated => "updated".to_owned(),
            Say::News => "use store-B".to_owned(),
            Say::Revoke => "give your lease back".to_owned(),
            Say::Revoked => "given back".to_owned(),
            Say::Register(attempt) => format!("register {}", attempt.words()),
            Say::Go(_, true) => "go".to_owned(),
            Say::Go(_, false) => "barred".to_owned(),
            Say::Settle(..) => "settled".to_owned(),
            Say::Inquire(..) => "what became of it?".to_owned(),
            Say::Tracked(_, _, track) => format!("{track:?}").to_lowercase(),
            Say::Copy => "move the keys".to_owned(),
            Say::Seal => "be read-only".to_owned(),
            Say::Sealed => "read-only".to_owned(),
            Say::Fetch(key, lock) => format!("copy: read k{key}{}", if *lock { " and lock it" } else { "" }),
            Say::Fetched(key, value) => format!("k{key} is {}", shown(*value)),
            Say::Put { key, value, absent } => {
                format!("copy: put k{key} = {}{}", shown(*value), if *absent { " if absent" } else { "" })
            }
            Say::PutDone(_) => "put".to_owned(),
            Say::Copied => "all keys are moved".to_owned(),
        }
    }
}

fn again(attempt: u32) -> String {
    if attempt == 0 { String::new() } else { format!(" (try {})", attempt + 1) }
}

/// A value for people.
pub fn shown(value: Option<i64>) -> String {
    value.map_or_else(|| "nothing".to_owned(), |value| value.to_string())
}

impl Attempt {
    /// In a few words.
    pub fn words(&self) -> String {
        let Attempt { key, value, .. } = self;
        match self.act {
            Act::Read => format!("read k{key}"),
            Act::Write => format!("write k{key} = {value}"),
            Act::Delete => format!("delete k{key}"),
            Act::Add => format!("add {value} to k{key}"),
            Act::ReadPair => format!("read k{key} and k{}", key + 1),
        }
    }
}

impl Answer {
    fn words(&self, attempt: &Attempt) -> String {
        match self {
            Answer::Value { value, next, .. } if attempt.act == Act::ReadPair => {
                format!("{} and {}", shown(*value), shown(*next))
            }
            Answer::Value { value, .. } => format!("k{} is {}", attempt.key, shown(*value)),
            Answer::Done => format!("done: {}", attempt.words()),
            Answer::Superseded => format!("too late: {}", attempt.words()),
            Answer::Mismatch(_) => format!("something else is there: {}", attempt.words()),
            Answer::Refused => "not now".to_owned(),
            Answer::Dropped => "connection closed".to_owned(),
        }
    }
}
