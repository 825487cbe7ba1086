//! What clients, servers, workers, the store of outputs and the operator say to each other.

use crate::trial::Operation;
use simulation::{Message, NodeId, hash_draw};

/// A unit that was handed out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Task {
    /// Its number in the pipeline.
    pub unit: u32,
    /// How often the unit has been handed out.
    pub lease: u32,
    /// The configuration to work by.
    pub configuration: u32,
    /// The server that handed it out.
    pub token: u32,
}

/// A finished piece of work.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Work {
    /// Of this task.
    pub task: Task,
    /// Number of the attempt: no other has it.
    pub attempt: u32,
    /// Name of the output.
    pub name: u32,
}

/// A message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Say {
    /// From outside: begin this operation.
    Begin(Operation),
    /// Client to server: number of the operation, unit.
    Put(u32, u32),
    /// Server to client: this unit is committed.
    Committed(u32),
    /// Worker to server: work, please. The number tells requests apart.
    Take(u32),
    /// Server to worker.
    Given(u32, Option<Task>),
    /// Worker to store.
    Write(Work),
    /// Store to worker.
    Written(Work),
    /// Worker to server: commit this.
    Commit(Work),
    /// Operator to server: the new configuration.
    Configure(u32),
    /// Operator to worker: the server with this number is to be had at the other's address from now on.
    Moved,
}

/// What a timer reminds of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Timer {
    /// Client: ask again about this operation.
    Again(u32),
    /// Worker: ask for work.
    Poll,
    /// Worker: this request has had its time.
    TimedOut(u32),
    /// Worker: this task is done.
    Worked(Task),
    /// Operator: change the configuration.
    Configure,
    /// Operator: the addresses change places.
    Move,
}

impl Message for Say {
    fn identity(&self) -> u64 {
        let of = |a: u32, b: u32| [u64::from(a), u64::from(b)];
        let (kind, parts) = match self {
            Say::Begin(operation) => (0, of(operation.id, 0)),
            Say::Put(op, unit) => (1, of(*op, *unit)),
            Say::Committed(op) => (2, of(*op, 0)),
            Say::Take(number) => (3, of(*number, 0)),
            Say::Given(number, _) => (4, of(*number, 0)),
            Say::Write(work) => (5, of(work.attempt, 0)),
            Say::Written(work) => (6, of(work.attempt, 0)),
            Say::Commit(work) => (7, of(work.attempt, 0)),
            Say::Configure(version) => (8, of(*version, 0)),
            Say::Moved => (9, of(0, 0)),
        };
        hash_draw(kind, &parts)
    }

    fn says(&self) -> String {
        match self {
            Say::Begin(_) | Say::Take(_) | Say::Given(_, None) => String::new(),
            Say::Put(_, unit) => format!("put unit {unit}"),
            Say::Committed(_) => "committed".to_owned(),
            Say::Given(_, Some(task)) => format!("unit {}, lease {}", task.unit, task.lease),
            Say::Write(work) => format!("write output {}", work.name),
            Say::Written(_) => "written".to_owned(),
            Say::Commit(work) => format!("commit unit {}, lease {}", work.task.unit, work.task.lease),
            Say::Configure(version) => format!("configuration {version} holds"),
            Say::Moved => "the addresses change places".to_owned(),
        }
    }
}

/// The unit as it is told outside: pipelines have the same numbers.
pub fn shown(pipeline: NodeId, unit: u32) -> i64 {
    i64::from(pipeline * 1_000 + unit)
}
