//! What comes out of a trial: the operations as clients saw them, facts and figures, and for people notes and messages.

use crate::world::TracedMessage;
use history::calls::{Builder, Calls, Ended, Value, write_edn};
use history::{Fact, Nanos};
use simulation::hash_draw;
use std::collections::{BTreeMap, VecDeque};

/// What a node of a trial tells the outside.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Said {
    /// A client begins an operation of the plan.
    Begins {
        /// Its number.
        op: u32,
        /// What it is called in the history: what the model of the checker understands.
        f: &'static str,
        /// On which object; none where there is only one.
        key: Option<u32>,
        /// With what.
        input: Given,
    },
    /// It ends.
    Ends {
        /// Its number.
        op: u32,
        /// How.
        ended: Ended,
        /// With what.
        output: Given,
    },
    /// Something is so, for checkers and figures.
    Fact {
        /// What.
        what: &'static str,
        /// With which figure.
        value: i64,
    },
    /// Something worth telling, for people.
    Note(String),
}

/// A value of an operation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Given {
    /// None.
    Nil,
    /// A number.
    Int(i64),
    /// Several, each a number or none.
    List(Vec<Option<i64>>),
    /// Micro-operations of a transaction: function, key, value.
    Steps(Vec<(&'static str, i64, Option<i64>)>),
}

impl Given {
    fn value(&self, builder: &mut Builder) -> Value {
        let number = |value: &Option<i64>| value.map_or(Value::Nil, Value::Int);
        match self {
            Given::Nil => Value::Nil,
            Given::Int(value) => Value::Int(*value),
            Given::List(values) => Value::List(values.iter().map(number).collect()),
            Given::Steps(steps) => {
                let step = |(f, key, value): &(&str, i64, Option<i64>)| {
                    let f = Value::Word(builder.symbols().intern(f));
                    Value::List(vec![f, Value::Int(*key), number(value)].into())
                };
                Value::List(steps.iter().map(step).collect())
            }
        }
    }
}

/// Something worth telling that happened on a node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Note {
    /// When.
    pub at: Nanos,
    /// Name of the node.
    pub node: String,
    /// What, without the name of the node: `stops`.
    pub says: String,
}

/// What came of a trial.
#[derive(Clone, Debug, Default)]
pub struct Outcome {
    /// The operations, as clients saw them.
    pub calls: Calls,
    /// What nodes said was so, in order of time.
    pub facts: Vec<Fact>,
    /// Names of the nodes, by [`Fact::node`].
    pub nodes: Vec<String>,
    /// True if what the trial is about (the cutover, the roll-out) came to its end.
    pub finished: bool,
    /// Operations that were asked for.
    pub asked: u64,
    /// Of these, that ended ok.
    pub completed: u64,
    /// What was measured, by name.
    pub figures: BTreeMap<&'static str, i64>,
    /// For people; empty unless traced.
    pub notes: Vec<Note>,
    /// Every message between nodes; empty unless traced.
    pub messages: Vec<TracedMessage>,
    /// Steps of all nodes.
    pub steps: u64,
}

impl Outcome {
    /// How often this was said.
    pub fn count(&self, what: &str) -> i64 {
        self.facts.iter().filter(|fact| fact.what == what).count() as i64
    }

    /// The facts of this kind.
    pub fn facts_of<'a>(&'a self, what: &'a str) -> impl Iterator<Item = &'a Fact> {
        self.facts.iter().filter(move |fact| fact.what == what)
    }

    /// Changes when anything that checkers see changes.
    pub fn hash(&self) -> u64 {
        let mut text = Vec::new();
        // Writing to memory does not fail.
        let _ = write_edn(&self.calls, &mut text);
        text.extend(format!("{:?}{:?}{}{}", self.facts, self.figures, self.finished, self.steps).into_bytes());
        let words = text.chunks(8).map(|chunk| chunk.iter().fold(0, |word, byte| word << 8 | u64::from(*byte)));
        words.fold(text.len() as u64, |hash, word| hash_draw(hash, &[word]))
    }
}

/// The most instants within any window of such a length, for figures; instants in order of time.
pub fn peak(instants: impl Iterator<Item = Nanos>, window: Nanos) -> i64 {
    let (mut recent, mut most) = (VecDeque::new(), 0);
    for at in instants {
        while recent.front().is_some_and(|first| at - first >= window) {
            recent.pop_front();
        }
        recent.push_back(at);
        most = most.max(recent.len());
    }
    most as i64
}

/// Builds the operation history from what clients say.
#[derive(Debug, Default)]
pub(super) struct Recorder {
    builder: Builder,
    /// Process of each operation that is open.
    open: BTreeMap<u32, i64>,
    lanes: BTreeMap<u32, Lanes>,
    pub completed: u64,
}

/// The processes of a node: one for all operations of a client that works serially, as long as each outcome is known.
#[derive(Debug, Default)]
struct Lanes {
    free: Vec<i64>,
    next: i64,
}

/// Processes of a node are its number plus a multiple of this.
const PROCESSES: i64 = 1000;

/// The node of a process of the history.
pub fn node_of(process: i64) -> u32 {
    (process % PROCESSES) as u32
}

impl Recorder {
    pub fn begins(&mut self, at: Nanos, node: u32, op: u32, f: &str, key: Option<u32>, input: &Given) {
        let lanes = self.lanes.entry(node).or_default();
        let process = lanes.free.pop().unwrap_or_else(|| {
            lanes.next += 1;
            i64::from(node) + PROCESSES * (lanes.next - 1)
        });
        let input = input.value(&mut self.builder);
        let key = key.map(|key| Value::Int(i64::from(key)));
        let begun = self.builder.invoke_on(process, f, key, input, at as i64);
        debug_assert!(begun.is_ok(), "{begun:?}");
        self.open.insert(op, process);
    }

    /// Only the first end of an operation counts.
    pub fn ends(&mut self, at: Nanos, node: u32, op: u32, ended: Ended, output: &Given) {
        let Some(process) = self.open.remove(&op) else { return };
        // A process whose operation ended nobody knows how may still be at it: it is retired.
        if ended != Ended::Info {
            self.lanes.entry(node).or_default().free.push(process);
        }
        self.completed += u64::from(ended == Ended::Ok);
        let output = output.value(&mut self.builder);
        let done = self.builder.complete(process, ended, output, at as i64);
        debug_assert!(done.is_ok(), "{done:?}");
    }

    pub fn finish(self) -> Calls {
        self.builder.finish()
    }
}
