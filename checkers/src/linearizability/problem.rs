//! One object's history, ready to be judged: operations in the order of their invocations, equal actions numbered alike.

use history::calls::OPEN;
use rustc_hash::FxHashMap;
use std::hash::Hash;

/// One operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Op {
    /// Its action, an index into [`Problem::actions`].
    pub kind: u32,
    /// Place of its invocation.
    pub invoke: u32,
    /// Place of its completion; [`OPEN`] if nobody knows whether it took effect.
    pub ret: u32,
    /// Which call of the whole history it is.
    pub call: u32,
}

impl Op {
    /// True if nobody knows whether it took effect.
    pub fn unknown(&self) -> bool {
        self.ret == OPEN
    }
}

/// The history of one object.
#[derive(Clone, Debug)]
pub struct Problem<A> {
    /// Operations by place of invocation.
    pub ops: Vec<Op>,
    /// The distinct actions.
    pub actions: Vec<A>,
}

impl<A: Clone + Eq + Hash> Problem<A> {
    /// From (action, invocation, completion or [`OPEN`], number of the call), in any order. Places are unique.
    pub fn new(operations: impl IntoIterator<Item = (A, u32, u32, u32)>) -> Problem<A> {
        Problem::coded(operations, |_| None)
    }

    /// The same, with codes of actions (see [`Model::code`](super::model::Model::code)), which are found in an array where they
    /// are small: where each action is another one, hashing them all would take most of the time.
    pub(super) fn coded(
        operations: impl IntoIterator<Item = (A, u32, u32, u32)>,
        code: impl Fn(&A) -> Option<u32>,
    ) -> Problem<A> {
        let operations = operations.into_iter();
        let mut ops: Vec<Op> = Vec::with_capacity(operations.size_hint().0);
        let codes_max = 8 * ops.capacity() + 64;
        let mut coded: Vec<u32> = Vec::new();
        let mut others: FxHashMap<A, u32> = FxHashMap::default();
        let mut actions: Vec<A> = Vec::new();
        for (action, invoke, ret, call) in operations {
            let fresh = actions.len() as u32;
            let kind = match code(&action).map(|code| code as usize).filter(|code| *code < codes_max) {
                Some(code) => {
                    if coded.len() <= code {
                        coded.resize((code + 1).next_power_of_two(), u32::MAX);
                    }
                    let kind = &mut coded[code];
                    *kind = if *kind == u32::MAX { fresh } else { *kind };
                    *kind
                }
                None => match others.get(&action) {
                    Some(&kind) => kind,
                    None => *others.entry(action.clone()).or_insert(fresh),
                },
            };
            if kind == fresh {
                actions.push(action);
            }
            ops.push(Op { kind, invoke, ret, call });
        }
        if !ops.is_sorted_by_key(|op| op.invoke) {
            ops.sort_unstable_by_key(|op| op.invoke);
        }
        Problem { ops, actions }
    }

    /// The action of an operation.
    pub fn action(&self, op: &Op) -> &A {
        &self.actions[op.kind as usize]
    }

    /// The last completion, if there is one.
    pub fn last_return(&self) -> Option<u32> {
        self.ops.iter().filter(|op| !op.unknown()).map(|op| op.ret).max()
    }

    /// Some of the operations, by index.
    pub(super) fn some(&self, chosen: impl IntoIterator<Item = usize>) -> Problem<A> {
        Problem { ops: chosen.into_iter().map(|index| self.ops[index]).collect(), actions: self.actions.clone() }
    }
}
