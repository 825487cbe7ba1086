//! What clients, the gateway, workers, masters, agents and the deployer say to each other.

use crate::trial::Operation;
use simulation::{Message, NodeId, hash_draw};

/// A request on its way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Request {
    /// Number of the operation.
    pub op: u32,
    /// Which part of the data it is about.
    pub shard: u32,
    /// Which worker of the shard is asked first.
    pub first: u32,
    /// Which attempt, from 0.
    pub attempt: u32,
}

/// The form of an order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// As ever.
    Old,
    /// With the new field.
    New,
}

/// What the gateway has seen since it was told to look.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Requests.
    pub requests: u64,
    /// That failed, after all attempts.
    pub errors: u64,
    /// That had to be tried again.
    pub retries: u64,
}

/// A message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Say {
    /// From outside: begin this operation.
    Begin(Operation),
    /// Client to gateway, gateway to worker.
    Ask(Request),
    /// Worker to gateway, gateway to client: did it go well?
    Answer(Request, bool),
    /// Deployer to anybody: run the new version from now on.
    Install,
    /// Deployer to a master: lead, and speak the new form to so many of your workers.
    Lead {
        /// From the first one on.
        reach: u32,
    },
    /// Deployer to a master: lead no more.
    Follow,
    /// Deployer to a leader: speak the new form to so many of your workers.
    Reach(u32),
    /// Leader to worker or agent, agent to worker.
    Order(Form),
    /// Worker to leader: what am I to do?
    Fetch,
    /// Deployer to gateway: count from here on.
    Watch,
    /// Deployer to gateway: what did you count? Of requests to these workers first; none: all.
    Count(Vec<NodeId>),
    /// Gateway to deployer.
    Counted(Tally),
}

impl Say {
    /// Number of the kind, and what tells it from others of its kind.
    fn parts(&self) -> [u64; 3] {
        match self {
            Say::Begin(operation) => [0, u64::from(operation.id), 0],
            Say::Ask(request) => [1, u64::from(request.op), u64::from(request.attempt)],
            Say::Answer(request, _) => [2, u64::from(request.op), u64::from(request.attempt)],
            Say::Install => [3, 0, 0],
            Say::Lead { reach } => [4, u64::from(*reach), 0],
            Say::Follow => [5, 0, 0],
            Say::Reach(reach) => [6, u64::from(*reach), 0],
            Say::Order(form) => [7, u64::from(*form == Form::New), 0],
            Say::Fetch => [8, 0, 0],
            Say::Watch => [9, 0, 0],
            Say::Count(_) => [10, 0, 0],
            Say::Counted(_) => [11, 0, 0],
        }
    }
}

impl Message for Say {
    fn identity(&self) -> u64 {
        hash_draw(0, &self.parts())
    }

    /// What comes round every so often is not worth telling.
    fn says(&self) -> String {
        match self {
            Say::Begin(_) | Say::Order(Form::Old) | Say::Fetch | Say::Watch | Say::Count(_) => String::new(),
            Say::Ask(request) if request.attempt == 0 => format!("ask k{}", request.shard),
            Say::Ask(request) => format!("ask k{} (try {})", request.shard, request.attempt + 1),
            Say::Answer(_, true) => "fine".to_owned(),
            Say::Answer(_, false) => "error".to_owned(),
            Say::Install => "run the new version".to_owned(),
            Say::Lead { .. } => "lead".to_owned(),
            Say::Follow => "lead no more".to_owned(),
            Say::Reach(reach) => format!("speak the new form to {reach}"),
            Say::Order(Form::New) => "order with the new field".to_owned(),
            Say::Counted(tally) => {
                format!("{} requests, {} failed, {} tried again", tally.requests, tally.errors, tally.retries)
            }
        }
    }
}
