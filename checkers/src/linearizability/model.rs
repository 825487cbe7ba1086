//! What an object promises: a state, and how each call, with what it returned, changes it.

use super::problem::Problem;
use super::quick::Quick;
use std::fmt::Debug;
use std::hash::Hash;

/// What an action can do to the state; it decides how cheaply the search goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// Never changes the state: it is taken as soon as it fits, which loses nothing.
    Observation,
    /// May change the state, and is not possible in every state.
    Change,
    /// May change the state, and is possible in every state.
    Always,
}

/// A sequential object. An action is a call together with what it returned; `step` is all that a model must have, the other
/// functions make the search faster or its findings clearer.
pub trait Model: Sync {
    /// A call with its result.
    type Action: Clone + Eq + Hash + Debug + Send + Sync;
    /// What the object holds.
    type State: Clone + Eq + Hash + Debug + Send;

    /// What it holds at first.
    fn initial(&self) -> Self::State;

    /// The state after an action; none if the action is not possible in this state.
    fn step(&self, state: &Self::State, action: &Self::Action) -> Option<Self::State>;

    /// What the action can do. [`Role::Change`] is always right.
    fn role(&self, _action: &Self::Action) -> Role {
        Role::Change
    }

    /// A number that no other action has, where there is a small one: it only makes things faster.
    fn code(&self, _action: &Self::Action) -> Option<u32> {
        None
    }

    /// True if the state after the action is always possible and does not depend on the state before: what took effect right before
    /// it cannot be seen.
    fn overwrites(&self, _action: &Self::Action) -> bool {
        false
    }

    /// True if the actions of one history lead to few states, however often each of them is done. The search then first tries
    /// whether operations of unknown outcome could explain a history if they took effect any number of times.
    fn has_few_states(&self) -> bool {
        false
    }

    /// If every action of a history names a part, and parts do not touch each other, each part is judged alone.
    fn part(&self, _action: &Self::Action) -> Option<u32> {
        None
    }

    /// For the operation `unknown`, whose outcome nobody knows: the last place at which anything could depend on it having
    /// taken effect; none if nothing could. The search leaves it alone afterwards. By default the last completion of all.
    fn last_uses(&self, problem: &Problem<Self::Action>) -> Vec<Option<u32>> {
        vec![problem.last_return(); problem.ops.len()]
    }

    /// True if `action` might be impossible merely because `other` was left out of a history: then an explanation that
    /// shows `action` shows `other` too. By default only observations can be left out.
    fn leans_on(&self, _action: &Self::Action, other: &Self::Action) -> bool {
        self.role(other) != Role::Observation
    }

    /// Decides special histories without search; none where it cannot.
    fn decide(&self, _problem: &Problem<Self::Action>) -> Option<Quick> {
        None
    }

    /// About how much memory a state takes besides its own size, bytes.
    fn heap_bytes(&self, _state: &Self::State) -> usize {
        0
    }

    /// An action for people.
    fn show_action(&self, action: &Self::Action) -> String {
        format!("{action:?}").to_lowercase()
    }

    /// A state for people.
    fn show_state(&self, state: &Self::State) -> String {
        format!("{state:?}").to_lowercase()
    }
}
