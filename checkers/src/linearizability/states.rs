//! States by number, each kept once, and what each action makes of them.

use super::model::Model;
use rustc_hash::FxHashMap;
use std::mem::size_of;

/// No state: the action is not possible.
pub(super) const NO_STATE: u32 = u32::MAX;
/// Not known yet.
const UNKNOWN: u32 = u32::MAX - 1;
/// Tables of results are kept for so many states, if there are at most so many actions.
const TABLE_STATES: usize = 128;
const TABLE_KINDS: usize = 2048;

/// All states seen so far.
pub(super) struct States<'a, M: Model> {
    model: &'a M,
    actions: &'a [M::Action],
    states: Vec<M::State>,
    // Looked up only.
    numbers: FxHashMap<M::State, u32>,
    tables: Vec<Box<[u32]>>,
    heap_bytes: u64,
}

impl<'a, M: Model> States<'a, M> {
    pub(super) fn new(model: &'a M, actions: &'a [M::Action]) -> States<'a, M> {
        let (states, numbers, tables) = (Vec::new(), FxHashMap::default(), Vec::new());
        States { model, actions, states, numbers, tables, heap_bytes: 0 }
    }

    /// The number of a state.
    pub(super) fn number(&mut self, state: M::State) -> u32 {
        if let Some(&number) = self.numbers.get(&state) {
            return number;
        }
        let number = self.states.len() as u32;
        self.heap_bytes += self.model.heap_bytes(&state) as u64;
        self.states.push(state.clone());
        self.numbers.insert(state, number);
        if self.states.len() <= TABLE_STATES && self.actions.len() <= TABLE_KINDS {
            self.tables.push(vec![UNKNOWN; self.actions.len()].into_boxed_slice());
        }
        number
    }

    pub(super) fn state(&self, number: u32) -> &M::State {
        &self.states[number as usize]
    }

    /// What an action makes of a state; [`NO_STATE`] if it is not possible.
    #[inline]
    pub(super) fn step(&mut self, state: u32, kind: u32) -> u32 {
        if let Some(table) = self.tables.get(state as usize) {
            let known = table[kind as usize];
            if known != UNKNOWN {
                return known;
            }
        }
        self.compute(state, kind)
    }

    fn compute(&mut self, state: u32, kind: u32) -> u32 {
        let before = &self.states[state as usize];
        let after = match self.model.step(before, &self.actions[kind as usize]) {
            Some(after) if after == *before => state,
            Some(after) => self.number(after),
            None => NO_STATE,
        };
        if let Some(table) = self.tables.get_mut(state as usize) {
            table[kind as usize] = after;
        }
        after
    }

    pub(super) fn bytes(&self) -> u64 {
        let each = 2 * size_of::<M::State>() + 16;
        (self.states.len() * each + self.tables.len() * self.actions.len() * 4) as u64 + 2 * self.heap_bytes
    }
}
