//! Why an object is not linearizable, for people: a small part of its history, the longest orders of it, and what ends each.

use super::limits::Limits;
use super::paths;
use super::problem::Problem;
use super::quick::Wrong;
use super::shrink::shrink;
use super::vocabulary::Vocabulary;
use super::words::Words;
use history::calls::{Calls, NO_PROCESS};
use serde::Serialize;

/// Larger parts are not searched for their longest orders.
const PATHS_OPS_MAX: usize = 600;

/// A contradiction.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Explanation {
    /// The operations of a part that is itself not linearizable, by invocation.
    pub operations: Vec<Shown>,
    /// What the object may hold at the beginning of the part.
    pub starts: Vec<String>,
    /// True if the part begins where the history does; else `starts` are all states possible there.
    pub from_beginning: bool,
    /// The operation that no order reaches, an index into `operations`.
    pub stuck: usize,
    /// The longest orders.
    pub paths: Vec<Path>,
    /// True if it was proved that the part is as small as it can be made by leaving out operations: without any one of them, and what
    /// leans on it (the reads of a write), there is an order.
    pub minimal: bool,
}

/// An operation of an explanation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Shown {
    /// Index of the call in the history.
    pub call: usize,
    /// Who; none if the history names no processes.
    pub process: Option<i64>,
    /// What, with its result.
    pub text: String,
    /// Place of the invocation, counted from 0 over all invocations and completions of the history.
    pub invoke: u32,
    /// Place of the completion; none if it never came, or where the part is cut.
    pub complete: Option<u32>,
    /// When it was invoked, nanoseconds, if the history has times.
    pub start_ns: Option<i64>,
    /// When it was completed.
    pub end_ns: Option<i64>,
}

/// An order that goes no further.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Path {
    /// What the object held first.
    pub start: String,
    /// Indices into the operations.
    pub order: Vec<usize>,
    /// The state after each.
    pub states: Vec<String>,
    /// The operation that had to come next and cannot.
    pub stuck: usize,
}

/// Explains; if the bounds do not allow it, the explanation holds the one operation only.
pub(super) fn explain<M: Vocabulary>(
    model: &M,
    problem: &Problem<M::Action>,
    at: usize,
    wrong: Option<&Wrong>,
    calls: &Calls,
    words: &Words<'_>,
    limits: &Limits<'_>,
) -> Explanation {
    let part = shrink(model, problem, at, wrong, limits);
    let show = |problem: &Problem<M::Action>| -> Vec<Shown> {
        let one = |op| shown(calls, op, words.spell(&model.show_action(problem.action(op))));
        problem.ops.iter().map(one).collect()
    };
    let Some(part) = part else {
        let alone = problem.some([at]);
        let operations = show(&alone);
        return Explanation {
            operations,
            starts: Vec::new(),
            from_beginning: false,
            stuck: 0,
            paths: Vec::new(),
            minimal: false,
        };
    };
    let small = part.problem.ops.len() <= PATHS_OPS_MAX;
    let ways = if small { paths::longest(model, &part.problem, &part.initial) } else { Vec::new() };
    let state = |state: &M::State| words.spell(&model.show_state(state));
    let paths = ways.iter().map(|way| Path {
        start: state(&way.start),
        order: way.steps.iter().map(|step| step.0).collect(),
        states: way.steps.iter().map(|step| state(&step.1)).collect(),
        stuck: way.stuck,
    });
    Explanation {
        operations: show(&part.problem),
        starts: part.initial.iter().map(state).collect(),
        from_beginning: part.whole,
        stuck: part.at,
        paths: paths.collect(),
        minimal: part.minimal,
    }
}

fn shown(calls: &Calls, op: &super::problem::Op, text: String) -> Shown {
    let call = &calls.calls[op.call as usize];
    let some = |ns: i64| (ns >= 0).then_some(ns);
    Shown {
        call: op.call as usize,
        process: (call.process != NO_PROCESS).then_some(call.process),
        text,
        invoke: op.invoke,
        complete: (!op.unknown()).then_some(op.ret),
        start_ns: some(call.start_ns),
        end_ns: some(call.end_ns).filter(|_| !op.unknown()),
    }
}
