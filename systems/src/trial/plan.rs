//! The plan of a trial: operations and faults as data. Cutting a plan down is leaving out entries, and nothing else changes:
//! whatever is drawn during the run is a hash of what it is drawn for.

use history::{MILLI, Nanos, SECOND};
use serde::{Deserialize, Serialize};
use std::fmt;

/// Everything that happens to a trial from outside.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct TrialPlan {
    /// Of the draws during the run.
    pub seed: u64,
    /// What clients ask for, in order of time.
    pub operations: Vec<Operation>,
    /// What goes wrong, in order of time.
    pub faults: Vec<Mishap>,
}

/// Something that a client asks for. What the words mean is up to the system.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Operation {
    /// Its number in the whole plan; stays when others are left out.
    pub id: u32,
    /// When it is due, nanoseconds. A client that is busy begins later.
    pub at: Nanos,
    /// Number of the client.
    pub client: u32,
    /// What to do, in the system's own words: `read`, `write`, `lock` ...
    pub act: String,
    /// On what.
    pub key: u32,
    /// With what.
    pub value: i64,
}

/// Something that goes wrong. Nodes go by their names.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mishap {
    /// Its number in the whole plan; stays when others are left out.
    pub id: u32,
    /// When it begins, nanoseconds.
    pub at: Nanos,
    /// How long it lasts, nanoseconds; none: to the end.
    pub lasts: Option<Nanos>,
    /// What it is.
    pub what: Wrong,
}

/// Kinds of mishaps.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "kind")]
pub enum Wrong {
    /// The process dies, and is started again at the end with what it had on disk.
    Kill {
        /// Whose.
        node: String,
    },
    /// The process stands still.
    Pause {
        /// Whose.
        node: String,
    },
    /// Only the heartbeat thread of the process works.
    HalfDead {
        /// Whose.
        node: String,
    },
    /// Nothing passes in this direction.
    Cut {
        /// From this node.
        from: String,
        /// To this one.
        to: String,
    },
    /// Nothing passes between this node and all others.
    Isolate {
        /// Which.
        node: String,
    },
    /// What is sent in this direction arrives so much later.
    Delay {
        /// From this node.
        from: String,
        /// To this one.
        to: String,
        /// Nanoseconds.
        by: Nanos,
    },
    /// The node's wall clock jumps, and back at the end.
    Clock {
        /// Whose.
        node: String,
        /// Nanoseconds; negative: it is slow.
        by: i64,
    },
    /// The node's clocks run at another rate.
    Drift {
        /// Whose.
        node: String,
        /// Parts per million.
        ppm: i64,
        /// The node knows that nothing keeps its clock right.
        known: bool,
    },
    /// Nothing keeps the node's clock right, and it knows.
    Unsynchronised {
        /// Whose.
        node: String,
    },
}

impl Wrong {
    /// The node on whose line it is drawn.
    pub fn node(&self) -> &str {
        match self {
            Wrong::Kill { node }
            | Wrong::Pause { node }
            | Wrong::HalfDead { node }
            | Wrong::Isolate { node }
            | Wrong::Clock { node, .. }
            | Wrong::Drift { node, .. }
            | Wrong::Unsynchronised { node } => node,
            Wrong::Cut { from, .. } | Wrong::Delay { from, .. } => from,
        }
    }
}

impl fmt::Display for Wrong {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Wrong::Kill { node } => write!(f, "{node} dies"),
            Wrong::Pause { node } => write!(f, "{node} stands still"),
            Wrong::HalfDead { node } => write!(f, "the working threads of {node} are stuck"),
            Wrong::Cut { from, to } => write!(f, "nothing passes from {from} to {to}"),
            Wrong::Isolate { node } => write!(f, "{node} is cut off from everybody"),
            Wrong::Delay { from, to, by } => write!(f, "what {from} sends to {to} takes {} longer", span(*by)),
            Wrong::Clock { node, by } if *by < 0 => {
                write!(f, "the clock of {node} is {} slow", span(by.unsigned_abs()))
            }
            Wrong::Clock { node, by } => write!(f, "the clock of {node} is {} fast", span(by.unsigned_abs())),
            Wrong::Drift { node, ppm, known } => {
                let knows = if *known { ", and it knows that nothing keeps it right" } else { "" };
                write!(f, "the clock of {node} drifts by {ppm} ppm{knows}")
            }
            Wrong::Unsynchronised { node } => write!(f, "{node} knows that nothing keeps its clock right"),
        }
    }
}

impl fmt::Display for Mishap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.lasts {
            Some(lasts) => write!(f, "{} (for {})", self.what, span(lasts)),
            None => write!(f, "{}", self.what),
        }
    }
}

impl fmt::Display for Operation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "client-{} asks for {} {} {}", self.client, self.act, self.key, self.value)
    }
}

/// A stretch of time for people.
fn span(nanos: Nanos) -> String {
    if nanos >= SECOND && nanos.is_multiple_of(100 * MILLI) {
        format!("{}.{} s", nanos / SECOND, nanos % SECOND / (100 * MILLI))
    } else if nanos >= MILLI {
        format!("{} ms", nanos / MILLI)
    } else {
        format!("{} us", nanos / 1_000)
    }
}

impl TrialPlan {
    /// Number of entries: those of the faults come first.
    pub fn len(&self) -> usize {
        self.faults.len() + self.operations.len()
    }

    /// True if nothing happens.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The plan with only those entries for which `keep` is true; faults are counted first.
    pub fn only(&self, keep: impl Fn(usize) -> bool) -> TrialPlan {
        let faults = self.faults.iter().enumerate().filter(|(at, _)| keep(*at)).map(|(_, fault)| fault.clone());
        let first = self.faults.len();
        let operations = self.operations.iter().enumerate().filter(|(at, _)| keep(first + at));
        TrialPlan {
            seed: self.seed,
            faults: faults.collect(),
            operations: operations.map(|(_, operation)| operation.clone()).collect(),
        }
    }

    /// Sorts entries by time, and numbers them.
    pub fn number(&mut self) {
        self.operations.sort_by_key(|operation| (operation.at, operation.client));
        self.faults.sort_by_key(|fault| fault.at);
        (0..).zip(&mut self.operations).for_each(|(id, operation)| operation.id = id);
        (0..).zip(&mut self.faults).for_each(|(id, fault)| fault.id = id);
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_plan_can_be_saved_cut_and_told() {
        let operation =
            |at, client| Operation { id: 0, at, client, act: "write".to_owned(), key: 0, value: i64::from(client) };
        let what = Wrong::Delay { from: "a".to_owned(), to: "b".to_owned(), by: 1_500 * MILLI };
        let fault = Mishap { id: 0, at: 5, lasts: Some(20 * MILLI), what };
        let mut plan = TrialPlan { seed: 3, operations: vec![operation(9, 1), operation(2, 0)], faults: vec![fault] };
        plan.number();
        assert_eq!(plan.operations.iter().map(|o| (o.id, o.client)).collect::<Vec<_>>(), [(0, 0), (1, 1)]);
        let saved = serde_json::to_string(&plan).unwrap();
        assert_eq!(serde_json::from_str::<TrialPlan>(&saved).unwrap(), plan);
        let cut = plan.only(|at| at != 1);
        assert_eq!((cut.faults.len(), cut.operations.len(), cut.operations[0].id), (1, 1, 1));
        assert_eq!(plan.faults[0].to_string(), "what a sends to b takes 1.5 s longer (for 20 ms)");
    }
}
