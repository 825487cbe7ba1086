//! States by number, each kept once, and what each action makes of them. The search knows only numbers, so that it is compiled
//! once and not for each model.

use super::model::{Model, Role};
use super::problem::{Op, Problem};
use rustc_hash::FxHashMap;
use std::mem::size_of;

/// No state: the action is not possible.
pub(super) const NO_STATE: u32 = u32::MAX;
/// Not known yet.
const UNKNOWN: u32 = u32::MAX - 1;
/// Tables of results are kept for so many states, if there are at most so many actions.
const TABLE_STATES: u32 = 128;
const TABLE_KINDS: usize = 2048;

/// What actions make of states, all by number.
pub(super) trait Steps {
    /// The state after an action; [`NO_STATE`] if it is not possible.
    fn compute(&mut self, state: u32, kind: u32) -> u32;
    /// Memory, bytes.
    fn bytes(&self) -> u64;
}

/// The states of a model that were seen so far.
pub(super) struct Known<'a, M: Model> {
    model: &'a M,
    actions: &'a [M::Action],
    states: Vec<M::State>,
    // Looked up only.
    numbers: FxHashMap<M::State, u32>,
    heap_bytes: u64,
}

impl<'a, M: Model> Known<'a, M> {
    pub(super) fn new(model: &'a M, actions: &'a [M::Action]) -> Known<'a, M> {
        Known { model, actions, states: Vec::new(), numbers: FxHashMap::default(), heap_bytes: 0 }
    }

    /// The number of a state.
    fn number(&mut self, state: M::State) -> u32 {
        if let Some(&number) = self.numbers.get(&state) {
            return number;
        }
        let number = self.states.len() as u32;
        self.heap_bytes += self.model.heap_bytes(&state) as u64;
        self.states.push(state.clone());
        self.numbers.insert(state, number);
        number
    }

    pub(super) fn state(&self, number: u32) -> &M::State {
        &self.states[number as usize]
    }
}

impl<M: Model> Steps for Known<'_, M> {
    fn compute(&mut self, state: u32, kind: u32) -> u32 {
        let before = &self.states[state as usize];
        match self.model.step(before, &self.actions[kind as usize]) {
            Some(after) if after == *before => state,
            Some(after) => self.number(after),
            None => NO_STATE,
        }
    }

    fn bytes(&self) -> u64 {
        (self.states.len() * (2 * size_of::<M::State>() + 16)) as u64 + 2 * self.heap_bytes
    }
}

/// A history without its model: what the search needs to know of both.
pub(super) struct Outline<'a> {
    pub(super) ops: &'a [Op],
    /// States at the beginning.
    pub(super) initial: Vec<u32>,
    /// What each kind of action can do.
    pub(super) roles: Vec<Role>,
    /// See [`Model::overwrites`].
    pub(super) overwrites: Vec<bool>,
    /// For operations of unknown outcome, until when they matter; empty where there are none.
    pub(super) last_uses: Vec<Option<u32>>,
    /// See [`Model::has_few_states`].
    pub(super) few_states: bool,
    pub(super) states: States<'a>,
}

impl<'a> Outline<'a> {
    pub(super) fn new<M: Model>(
        model: &'a M,
        problem: &'a Problem<M::Action>,
        initial: &[M::State],
        known: &'a mut Known<'_, M>,
    ) -> Outline<'a> {
        let unknown = problem.ops.iter().any(|op| op.unknown());
        Outline {
            ops: &problem.ops,
            initial: initial.iter().map(|state| known.number(state.clone())).collect(),
            roles: problem.actions.iter().map(|action| model.role(action)).collect(),
            overwrites: problem.actions.iter().map(|action| model.overwrites(action)).collect(),
            last_uses: if unknown { model.last_uses(problem) } else { Vec::new() },
            few_states: model.has_few_states(),
            states: States { steps: known, kinds: problem.actions.len(), table: Vec::new() },
        }
    }
}

/// What actions make of states, the commonest ones in a table.
pub(super) struct States<'a> {
    steps: &'a mut dyn Steps,
    kinds: usize,
    /// By state and kind.
    table: Vec<u32>,
}

impl States<'_> {
    /// What an action makes of a state; [`NO_STATE`] if it is not possible.
    #[inline]
    pub(super) fn step(&mut self, state: u32, kind: u32) -> u32 {
        match self.table.get(state as usize * self.kinds + kind as usize) {
            Some(&known) if known != UNKNOWN => known,
            _ => self.compute(state, kind),
        }
    }

    fn compute(&mut self, state: u32, kind: u32) -> u32 {
        let after = self.steps.compute(state, kind);
        if state < TABLE_STATES && self.kinds <= TABLE_KINDS {
            let rows = (state as usize + 1) * self.kinds;
            if self.table.len() < rows {
                self.table.resize(rows, UNKNOWN);
            }
            self.table[state as usize * self.kinds + kind as usize] = after;
        }
        after
    }

    pub(super) fn bytes(&self) -> u64 {
        self.steps.bytes() + self.table.len() as u64 * 4
    }
}
