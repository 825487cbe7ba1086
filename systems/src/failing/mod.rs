//! A front with two databases and a monitor log behind it, and four ways of bearing their failures, each with and without:
//! fail-over, fail-back, fail-fast and fail-safe (claim S5).

mod front;
mod trial;

pub use trial::{Failing, FailingConfig, FailingFaults, Node};

use simulation::{Message, NodeId, hash_draw};

/// What a timer reminds of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Timer {
    /// Front: this call of a database has had its time.
    TimedOut(u32, u32),
    /// Front: the monitor log has had its time.
    LogTimedOut(u32),
    /// Front: the request has had its time.
    GiveUp(u32),
    /// Front: is the original back?
    Probe,
}

/// A message. Numbers are those of operations and attempts.
#[derive(Clone, Debug)]
pub enum Say {
    /// From outside: begin this operation.
    Begin(crate::trial::Operation),
    /// Client to front: an order.
    Order(u32),
    /// Front to client: it is done, or it is not.
    Answer(u32, bool),
    /// Front to database.
    Store(u32, u32),
    /// Database to front.
    Stored(u32, u32),
    /// Database to the other one, which keeps the same.
    Copy(u32),
    /// Front to log.
    Log(u32),
    /// Log to front.
    Logged(u32),
    /// Front to the original database: are you back?
    Probe(u64),
    /// It is.
    Here(u64),
}

impl Message for Say {
    fn identity(&self) -> u64 {
        let draw = |kind: u64, op: u32, rest: u64| hash_draw(kind, &[u64::from(op), rest]);
        match self {
            Say::Begin(operation) => u64::from(operation.id),
            Say::Order(op) => draw(1, *op, 0),
            Say::Answer(op, ok) => draw(2, *op, u64::from(*ok)),
            Say::Store(op, attempt) => draw(3, *op, u64::from(*attempt)),
            Say::Stored(op, attempt) => draw(4, *op, u64::from(*attempt)),
            Say::Copy(op) => draw(5, *op, 0),
            Say::Log(op) => draw(6, *op, 0),
            Say::Logged(op) => draw(7, *op, 0),
            Say::Probe(number) => hash_draw(8, &[*number]),
            Say::Here(number) => hash_draw(9, &[*number]),
        }
    }

    fn says(&self) -> String {
        match self {
            Say::Begin(_) | Say::Probe(_) | Say::Copy(_) => String::new(),
            Say::Order(op) => format!("order {op}"),
            Say::Answer(op, true) => format!("order {op} is done"),
            Say::Answer(op, false) => format!("order {op} failed"),
            Say::Store(op, _) => format!("store {op}"),
            Say::Stored(op, _) => format!("stored {op}"),
            Say::Log(op) => format!("log {op}"),
            Say::Logged(op) => format!("logged {op}"),
            Say::Here(_) => "I am back".to_owned(),
        }
    }
}

const FRONT: NodeId = 0;
/// The original.
const DB_A: NodeId = 1;
/// The stand-by.
const DB_B: NodeId = 2;
const LOG: NodeId = 3;
