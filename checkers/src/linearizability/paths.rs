//! The longest orders that a small history allows, and where each of them ends.

use super::model::Model;
use super::problem::{Op, Problem};
use rustc_hash::FxHashSet;

/// Enough to find the longest orders of small histories; larger ones get the longest that were found until then.
const STEPS_MAX: usize = 200_000;
/// So many orders are shown.
const WAYS_MAX: usize = 4;

/// An order that goes no further.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Way<S> {
    /// Where it began.
    pub(super) start: S,
    /// Operations by index, with the state after each.
    pub(super) steps: Vec<(usize, S)>,
    /// The operation that had to be next and is not possible.
    pub(super) stuck: usize,
}

struct Walker<'a, M: Model> {
    model: &'a M,
    problem: &'a Problem<M::Action>,
    seen: FxHashSet<(Vec<u64>, M::State)>,
    done: Vec<u64>,
    steps: Vec<(usize, M::State)>,
    best: Vec<Way<M::State>>,
    left: usize,
}

/// The longest orders, each with another end where possible.
pub(super) fn longest<M: Model>(model: &M, problem: &Problem<M::Action>, initial: &[M::State]) -> Vec<Way<M::State>> {
    let mut walker = Walker {
        model,
        problem,
        seen: FxHashSet::default(),
        done: vec![0; problem.ops.len().div_ceil(64)],
        steps: Vec::new(),
        best: Vec::new(),
        left: STEPS_MAX,
    };
    for start in initial {
        walker.walk(start, start);
    }
    walker.best
}

impl<M: Model> Walker<'_, M> {
    fn is_done(&self, index: usize) -> bool {
        self.done[index / 64] >> (index % 64) & 1 == 1
    }

    fn walk(&mut self, start: &M::State, state: &M::State) {
        // Recursion is as deep as the history is long, and only small ones come here.
        if self.left == 0 || !self.seen.insert((self.done.clone(), state.clone())) {
            return;
        }
        self.left -= 1;
        let open = |walker: &Self, (index, op): &(usize, &Op)| !walker.is_done(*index) && !op.unknown();
        let first = self.problem.ops.iter().enumerate().filter(|op| open(self, op)).min_by_key(|(_, op)| op.ret);
        let Some((due, due_op)) = first else { return };
        let mut stuck = true;
        for (index, op) in self.problem.ops.iter().enumerate() {
            if self.is_done(index) || op.invoke > due_op.ret {
                continue;
            }
            let Some(after) = self.model.step(state, self.problem.action(op)) else { continue };
            if op.unknown() && after == *state {
                continue;
            }
            stuck &= op.unknown() && index != due;
            self.done[index / 64] |= 1 << (index % 64);
            self.steps.push((index, after.clone()));
            self.walk(start, &after);
            self.steps.pop();
            self.done[index / 64] &= !(1 << (index % 64));
        }
        if stuck {
            self.keep(start, due);
        }
    }

    /// Longer ones first; of equal ones, those that use fewer operations of unknown outcome.
    fn keep(&mut self, start: &M::State, stuck: usize) {
        let known =
            |steps: &[(usize, M::State)]| steps.iter().filter(|(index, _)| !self.problem.ops[*index].unknown()).count();
        let rank = |steps: &[(usize, M::State)]| (known(steps), usize::MAX - steps.len());
        let mine = rank(&self.steps);
        let best = self.best.iter().map(|way| known(&way.steps)).max().unwrap_or(0);
        if mine.0 < best {
            return;
        }
        if mine.0 > best {
            self.best.clear();
        }
        let last = |way: &Way<M::State>| way.steps.last().map_or(way.start.clone(), |step| step.1.clone());
        let new = Way { start: start.clone(), steps: self.steps.clone(), stuck };
        match self.best.iter().position(|way| last(way) == last(&new) && way.stuck == stuck) {
            Some(same) if rank(&self.best[same].steps) < mine => self.best[same] = new,
            Some(_) => {}
            None if self.best.len() < WAYS_MAX => self.best.push(new),
            None => {}
        }
    }
}
