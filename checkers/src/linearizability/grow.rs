//! Sets that only grow and are read as a whole, decided in the time that reading the reads takes.
//!
//! Each element is added once. Reads must be a chain by inclusion; that order, with every element added just before the first read
//! that has it, is the only one possible, up to what happens between two reads. So the history is linearizable exactly if no
//! operation of a later block returned before one of an earlier block was invoked.

use super::models::set::Action;
use super::problem::Problem;
use super::quick::Quick;
use rustc_hash::FxHashMap;

const ALGORITHM: &str = "chain of reads";

/// Decides a history of adds of distinct elements and of whole reads; none for any other.
pub(super) fn decide(problem: &Problem<Action>) -> Option<Quick> {
    let mut adds: FxHashMap<u32, usize> = FxHashMap::default();
    let mut reads: Vec<usize> = Vec::new();
    for (number, op) in problem.ops.iter().enumerate() {
        match problem.action(op) {
            Action::Add(element, None) if !adds.contains_key(element) => drop(adds.insert(*element, number)),
            Action::Read(_) => reads.push(number),
            _ => return None,
        }
    }
    let seen = |number: usize| match problem.action(&problem.ops[number]) {
        Action::Read(seen) => &**seen,
        _ => &[],
    };
    // Equal reads next to each other: by length, then by content.
    reads.sort_by(|&a, &b| (seen(a).len(), seen(a)).cmp(&(seen(b).len(), seen(b))));
    let mut blocks: Vec<Vec<usize>> = Vec::new();
    let mut have: &[u32] = &[];
    let mut last: Option<usize> = None;
    for &read in &reads {
        let now = seen(read);
        if last.is_none() || now != have {
            let mut news = Vec::new();
            let mut old = have.iter().peekable();
            for element in now {
                if old.peek() == Some(&element) {
                    old.next();
                    continue;
                }
                match adds.remove(element) {
                    Some(add) => news.push(add),
                    None => {
                        let why = "it saw an element that nobody added, or that an equal or larger read had not seen";
                        return Some(Quick::wrong(ALGORITHM, last.into_iter().chain([read]).collect(), read, why));
                    }
                }
            }
            if old.peek().is_some() {
                let why = "two reads each saw an element that the other did not";
                let both: Vec<usize> = last.into_iter().chain([read]).collect();
                return Some(Quick::wrong(ALGORITHM, both, read, why));
            }
            blocks.push(news);
            blocks.push(Vec::new());
            have = now;
        }
        blocks.last_mut()?.push(read);
        last = Some(read);
    }
    // What nobody saw comes after all reads, unless it may not have happened at all.
    blocks.push(adds.into_values().filter(|add| !problem.ops[*add].unknown()).collect());
    Some(in_order(problem, &blocks))
}

fn in_order(problem: &Problem<Action>, blocks: &[Vec<usize>]) -> Quick {
    // The operation invoked last so far, and the number of its block.
    let mut latest: Option<(usize, usize)> = None;
    for (number, block) in blocks.iter().enumerate() {
        if let Some((before, of)) = latest {
            let invoke = problem.ops[before].invoke;
            let first = block.iter().copied().filter(|op| problem.ops[*op].ret < invoke).min();
            if let Some(late) = first {
                let why =
                    "what was seen says that one came after the other, but it had returned before the other began";
                // A read in between shows that the one came after the other; reads are in odd blocks.
                let between = blocks.get(of | 1).and_then(|reads| reads.first()).copied();
                let mut ops: Vec<usize> = [late, before].into_iter().chain(between).collect();
                ops.sort_unstable();
                ops.dedup();
                return Quick::wrong(ALGORITHM, ops, before, why);
            }
        }
        let mine = block.iter().map(|op| (*op, number));
        latest = mine.chain(latest).max_by_key(|(op, _)| problem.ops[*op].invoke);
    }
    Quick::fine(ALGORITHM)
}
