//! From a history that is not linearizable to a small part of it that still is not.
//!
//! Only what cannot make a good history bad is done: the end after the contradiction is cut off; the beginning is replaced
//! by all states that are possible there, and what was in flight then may have happened or not; and operations are left out
//! together with all that lean on them (a write goes only with the reads of its value, an observation can always go).

use super::decide::{Decision, search};
use super::limits::{GaveUp, Limits};
use super::mask::Mask;
use super::model::{Model, Role};
use super::problem::{Op, Problem};
use super::quick::Wrong;
use super::search::{Advance, Search, events};
use super::states::{Known, Outline};
use history::calls::OPEN;
use std::collections::VecDeque;

/// Longer parts are not made smaller one by one.
const SHRINK_MAX: usize = 3_000;
/// Longer histories are first cut off at their beginning.
const WHOLE_MAX: usize = 800;
/// People can look at so many operations.
const READABLE_MAX: usize = 30;
/// How many smaller parts are tried.
const TRIES_MAX: usize = 3_000;
/// So many events before the contradiction the beginning may be cut off.
const WINDOW_EVENTS: usize = 1_024;
/// More possible states at a cut than people can look at.
const STATES_MAX: usize = 16;
/// Steps of one try.
const STEPS_PER_TRY: u64 = 3_000_000;

/// A part of a history that is not linearizable.
#[derive(Clone, Debug)]
pub(super) struct Part<M: Model> {
    pub(super) problem: Problem<M::Action>,
    /// What the object may hold at its beginning.
    pub(super) initial: Vec<M::State>,
    /// True if the part begins where the history does.
    pub(super) whole: bool,
    /// The operation that no order reaches, an index into the part.
    pub(super) at: usize,
    /// True if it was proved that nothing more can be left out: without any one operation, and all that lean on it, there is
    /// an order.
    pub(super) minimal: bool,
}

/// The smallest part that is found within bounds; none if not even the whole was confirmed within them.
pub(super) fn shrink<M: Model>(
    model: &M,
    problem: &Problem<M::Action>,
    at: usize,
    wrong: Option<&Wrong>,
    limits: &Limits<'_>,
) -> Option<Part<M>> {
    let initial = vec![model.initial()];
    let whole = |problem| {
        confirm(model, problem, initial.clone(), true, limits).bad().map(|part| thin_out(model, part, limits))
    };
    if let Some(wrong) = wrong
        && let Some(part) = whole(problem.some(closure(model, problem, &wrong.ops)))
    {
        return Some(part);
    }
    // A part that begins with the history needs no explanation of its own beginning.
    let prefix = prefix(model, problem, at);
    let from_beginning = if prefix.ops.len() <= WHOLE_MAX { whole(prefix.clone()) } else { None };
    if let Some(part) = &from_beginning
        && part.problem.ops.len() <= READABLE_MAX
    {
        return from_beginning;
    }
    window(model, problem, at, limits)
        .map(|part| thin_out(model, part, limits))
        .or(from_beginning)
        .or_else(|| whole(prefix))
        .or_else(|| whole(problem.clone()))
}

/// What became of a part that was tried.
enum Tried<M: Model> {
    /// It is surely not linearizable.
    Bad(Part<M>),
    Good,
    Unknown,
}

impl<M: Model> Tried<M> {
    fn bad(self) -> Option<Part<M>> {
        match self {
            Tried::Bad(part) => Some(part),
            Tried::Good | Tried::Unknown => None,
        }
    }
}

/// Whether a part is linearizable.
fn confirm<M: Model>(
    model: &M,
    problem: Problem<M::Action>,
    initial: Vec<M::State>,
    whole: bool,
    limits: &Limits<'_>,
) -> Tried<M> {
    let bounded = Limits::new(STEPS_PER_TRY, limits.bytes_max, limits.over);
    match search(model, &problem, &initial, &bounded) {
        Decision::Not { at, .. } => Tried::Bad(Part { problem, initial, whole, at, minimal: false }),
        Decision::Linearizable { .. } => Tried::Good,
        Decision::Unknown { .. } => Tried::Unknown,
    }
}

/// Operations with all on which they lean, sorted.
fn closure<M: Model>(model: &M, problem: &Problem<M::Action>, ops: &[usize]) -> Vec<usize> {
    let mut inside = vec![false; problem.ops.len()];
    let mut kinds_done = vec![false; problem.actions.len()];
    let mut todo = ops.to_vec();
    while let Some(op) = todo.pop() {
        inside[op] = true;
        let kind = problem.ops[op].kind as usize;
        if std::mem::replace(&mut kinds_done[kind], true) {
            continue;
        }
        let leans: Vec<bool> =
            problem.actions.iter().map(|other| model.leans_on(&problem.actions[kind], other)).collect();
        let news = problem.ops.iter().enumerate().filter(|(index, op)| leans[op.kind as usize] && !inside[*index]);
        todo.extend(news.map(|(index, _)| index));
    }
    (0..inside.len()).filter(|index| inside[*index]).collect()
}

/// Everything that began before the operation returned; what returned later may have happened or not.
fn prefix<M: Model>(model: &M, problem: &Problem<M::Action>, at: usize) -> Problem<M::Action> {
    cut(model, problem, 0, problem.ops[at].ret)
}

/// What lies between two places; what crosses them may have happened or not.
fn cut<M: Model>(model: &M, problem: &Problem<M::Action>, from: u32, until: u32) -> Problem<M::Action> {
    let within = |op: &Op| {
        let crosses = op.invoke < from || op.ret > until;
        let op = if crosses { Op { ret: OPEN, ..*op } } else { *op };
        let useless = op.unknown() && model.role(problem.action(&op)) == Role::Observation;
        (!useless).then_some(op)
    };
    let ops = problem.ops.iter().filter(|op| op.ret >= from && op.invoke <= until).filter_map(within).collect();
    Problem { ops, actions: problem.actions.clone() }
}

/// The shortest stretch before the contradiction that contradicts itself from every state possible at its beginning.
fn window<M: Model>(model: &M, problem: &Problem<M::Action>, at: usize, limits: &Limits<'_>) -> Option<Part<M>> {
    let mut known = Known::new(model, &problem.actions);
    let (events, flight) = events(&problem.ops);
    let end = problem.ops[at].ret;
    let initial = [model.initial()];
    let outline = Outline::new(model, problem, &initial, &mut known);
    let places = match flight {
        ..=64 => places::<u64>(outline, &events, end, limits),
        65..=128 => places::<u128>(outline, &events, end, limits),
        _ => return None,
    };
    let places = places.ok()?;
    let mut length = 4;
    while length < places.len() {
        let (from, states) = &places[places.len() - 1 - length];
        if let Some(states) = states {
            let problem = cut(model, problem, *from, end);
            let states = states.iter().map(|number| known.state(*number).clone()).collect();
            if let Some(part) = confirm(model, problem, states, false, limits).bad() {
                return Some(part);
            }
        }
        length *= 2;
    }
    None
}

/// A place of a history, and the numbers of the states possible there, unless there are very many.
type Cut = (u32, Option<Vec<u32>>);

/// The last places before the end. States are those of all orders, and more where outcomes are unknown.
fn places<B: Mask>(
    outline: Outline<'_>,
    events: &[u32],
    end: u32,
    limits: &Limits<'_>,
) -> Result<VecDeque<Cut>, GaveUp> {
    let mut search = Search::<B>::new(outline, events, limits);
    search.relaxed = search.can_relax();
    let mut places = VecDeque::new();
    for event in 0..search.len() {
        let place = search.place(event);
        if place > end {
            break;
        }
        let mut numbers: Vec<u32> = search.frontier.iter().map(|config| config.state).collect();
        numbers.sort_unstable();
        numbers.dedup();
        places.push_back((place, (numbers.len() <= STATES_MAX).then_some(numbers)));
        if places.len() > WINDOW_EVENTS {
            places.pop_front();
        }
        if search.advance(event, usize::MAX)? == Advance::Dead {
            break;
        }
    }
    Ok(places)
}

/// Leaves out what can be left out, large pieces first.
fn thin_out<M: Model>(model: &M, mut part: Part<M>, limits: &Limits<'_>) -> Part<M> {
    if part.problem.ops.len() > SHRINK_MAX {
        return part;
    }
    let mut tries = 0;
    let mut piece = part.problem.ops.len().div_ceil(2).max(1);
    loop {
        let (mut from, mut proved, before) = (0, true, part.problem.ops.len());
        while from < part.problem.ops.len() {
            if tries >= TRIES_MAX || (limits.over)() {
                return part;
            }
            tries += 1;
            match without(model, &part, from..from + piece, limits) {
                Tried::Bad(smaller) => part = smaller,
                tried => {
                    proved &= matches!(tried, Tried::Good);
                    from += piece;
                }
            }
        }
        // One at a time until nothing goes any more: what has to stay for the sake of another can go with it.
        if piece > 1 {
            piece = piece.div_ceil(2);
        } else if part.problem.ops.len() == before {
            part.minimal = proved;
            return part;
        }
    }
}

/// The part without some operations and all that lean on them, if it is still not linearizable.
fn without<M: Model>(model: &M, part: &Part<M>, gone: std::ops::Range<usize>, limits: &Limits<'_>) -> Tried<M> {
    let ops = &part.problem.ops;
    let mut out = vec![false; ops.len()];
    let mut todo: Vec<usize> = gone.filter(|index| *index < ops.len()).collect();
    todo.iter().for_each(|index| out[*index] = true);
    while let Some(index) = todo.pop() {
        let other = part.problem.action(&ops[index]);
        for (leaning, op) in ops.iter().enumerate() {
            if !out[leaning] && model.leans_on(part.problem.action(op), other) {
                out[leaning] = true;
                todo.push(leaning);
            }
        }
    }
    if out.iter().all(|out| *out) {
        return Tried::Good;
    }
    let left = part.problem.some((0..ops.len()).filter(|index| !out[*index]));
    confirm(model, left, part.initial.clone(), part.whole, limits)
}
