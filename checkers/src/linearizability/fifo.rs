//! Queues where every value goes in once, decided in log-linear time.
//!
//! There is an order exactly if every value that came out went in, once, and not later; no value overtook another (went in after
//! the other was in, and came out before the other began to come out); and whoever found the queue empty did so around
//! an instant at which every value could be out. (The patterns of Henzinger, Sezgin and Vafeiadis, "Aspect-oriented linearizability
//! proofs", 2013, and of Bouajjani, Emmi, Enea and Hamza, 2015.)

use super::models::container::Action;
use super::problem::Problem;
use super::quick::Quick;
use history::calls::OPEN;
use rustc_hash::FxHashMap;

const ALGORITHM: &str = "queue of distinct values";

/// A value's way through the queue; operations by index.
#[derive(Clone, Copy, Debug)]
struct Way {
    put: usize,
    take: Option<usize>,
    put_from: u32,
    put_until: u32,
    take_from: u32,
    take_until: u32,
}

/// Decides a history of distinct values without takes of unknown outcome; none for any other.
pub(super) fn decide(problem: &Problem<Action>) -> Option<Quick> {
    let mut ways: FxHashMap<u32, (Option<usize>, Option<usize>)> = FxHashMap::default();
    let mut empties = Vec::new();
    let mut twice = None;
    for (number, op) in problem.ops.iter().enumerate() {
        match *problem.action(op) {
            Action::TakeUnknown => return None,
            Action::Empty => empties.push(number),
            Action::Put(value) => {
                if ways.entry(value).or_default().0.replace(number).is_some() {
                    return None;
                }
            }
            Action::Take(value) => {
                if let Some(first) = ways.entry(value).or_default().1.replace(number) {
                    twice = twice.or(Some((first, number)));
                }
            }
        }
    }
    if let Some((first, second)) = twice {
        return Some(Quick::wrong(ALGORITHM, vec![first, second], second, "one value came out twice"));
    }
    let mut list = Vec::with_capacity(ways.len());
    for (put, take) in ways.into_values() {
        let taken = take.map(|take| problem.ops[take]);
        let Some(put) = put else {
            let take = take?;
            return Some(Quick::wrong(ALGORITHM, vec![take], take, "a value came out that never went in"));
        };
        let op = problem.ops[put];
        if op.unknown() && take.is_none() {
            continue;
        }
        let (take_from, take_until) = taken.map_or((OPEN, OPEN), |op| (op.invoke, op.ret));
        list.push(Way { put, take, put_from: op.invoke, put_until: op.ret, take_from, take_until });
    }
    list.sort_unstable_by_key(|way| way.put_from);
    if let Some(way) = list.iter().find(|way| way.take_until < way.put_from) {
        let ops: Vec<usize> = way.take.into_iter().chain([way.put]).collect();
        return Some(Quick::wrong(ALGORITHM, ops, way.take?, "a value came out before it went in"));
    }
    Some(overtaken(&list).or_else(|| never_empty(problem, list, &empties)).unwrap_or_else(|| Quick::fine(ALGORITHM)))
}

/// A value that overtook another; `ways` by the place where they went in.
fn overtaken(ways: &[Way]) -> Option<Quick> {
    let mut by_end: Vec<&Way> = ways.iter().filter(|way| way.put_until < OPEN).collect();
    by_end.sort_unstable_by_key(|way| way.put_until);
    let mut earlier = by_end.into_iter().peekable();
    let mut slowest: Option<&Way> = None;
    for way in ways {
        while let Some(before) = earlier.next_if(|before| before.put_until < way.put_from) {
            if slowest.is_none_or(|slowest| before.take_from > slowest.take_from) {
                slowest = Some(before);
            }
        }
        if let Some(slow) = slowest
            && way.take_until < slow.take_from
        {
            let ops = [Some(slow.put), slow.take, Some(way.put), way.take].into_iter().flatten().collect();
            return Some(Quick::wrong(
                ALGORITHM,
                ops,
                way.take?,
                "a value overtook one that was in the queue before it",
            ));
        }
    }
    None
}

/// Somebody who found the queue empty although at each instant some value was in it.
fn never_empty(problem: &Problem<Action>, mut ways: Vec<Way>, empties: &[usize]) -> Option<Quick> {
    if empties.is_empty() {
        return None;
    }
    ways.retain(|way| way.put_until < way.take_from);
    ways.sort_unstable_by_key(|way| way.put_until);
    // Stretches during which the queue holds something in any order: (from, until, indices into ways).
    let mut stretches: Vec<(u32, u32, usize, usize)> = Vec::new();
    for (number, way) in ways.iter().enumerate() {
        match stretches.last_mut() {
            Some((_, until, _, last)) if way.put_until < *until => {
                *until = way.take_from.max(*until);
                *last = number;
            }
            _ => stretches.push((way.put_until, way.take_from, number, number)),
        }
    }
    for &empty in empties {
        let op = problem.ops[empty];
        let next = stretches.partition_point(|stretch| stretch.0 < op.invoke);
        let Some(&(_, until, first, last)) = next.checked_sub(1).and_then(|at| stretches.get(at)) else { continue };
        if op.ret < until {
            let held = ways[first..=last].iter().filter(|way| way.put_until < op.ret && way.take_from > op.invoke);
            let ops = held.flat_map(|way| [Some(way.put), way.take]).flatten().chain([empty]).collect();
            return Some(Quick::wrong(
                ALGORITHM,
                ops,
                empty,
                "the queue was found empty while there was always something in it",
            ));
        }
    }
    None
}
