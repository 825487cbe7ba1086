//! What isolation means, by plain search: an order of all transactions, and what each of them sees of those before it. Shares
//! nothing with the checker.

use history::calls::Ended;

#[derive(Clone, Debug)]
pub enum Mop {
    Write(usize, i64),
    /// What was seen: a list, or the value of a register (none: nil).
    Read(usize, Vec<i64>),
}

#[derive(Clone, Debug)]
pub struct Txn {
    pub process: i64,
    pub invoke: usize,
    pub complete: usize,
    pub ended: Ended,
    pub mops: Vec<Mop>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Level {
    StrictSerializable,
    SessionSerializable,
    Serializable,
    StrongSnapshot,
    SessionSnapshot,
    Snapshot,
    Parallel,
    Prefix,
    Causal,
    ReadAtomic,
    MonotonicView,
    ReadCommitted,
}

/// True if some order of the transactions that took effect, and some of those that may have, explains everything.
pub fn holds(txns: &[Txn], level: Level, lists: bool) -> bool {
    let maybe: Vec<usize> = (0..txns.len()).filter(|i| txns[*i].ended == Ended::Info).collect();
    (0..1 << maybe.len()).any(|chosen: u32| {
        let took = |i: &usize| {
            let place = maybe.iter().position(|m| m == i);
            place.map_or(txns[*i].ended == Ended::Ok, |place| chosen >> place & 1 == 1)
        };
        let there: Vec<usize> = (0..txns.len()).filter(took).collect();
        orders(&mut Vec::new(), &there, &mut |order| explains(txns, order, level, lists))
    })
}

fn orders(order: &mut Vec<usize>, all: &[usize], good: &mut dyn FnMut(&[usize]) -> bool) -> bool {
    if order.len() == all.len() {
        return good(order);
    }
    all.iter().any(|next| {
        if order.contains(next) {
            return false;
        }
        order.push(*next);
        let found = orders(order, all, good);
        order.pop();
        found
    })
}

/// True if `a` has to be before `b` for clients that talk to each other, or for one process.
fn before(txns: &[Txn], a: usize, b: usize, level: Level) -> bool {
    use Level::{Causal, SessionSerializable, SessionSnapshot, StrictSerializable, StrongSnapshot};
    let ended = txns[a].ended == Ended::Ok && txns[a].complete < txns[b].invoke;
    match level {
        StrictSerializable | StrongSnapshot => ended,
        SessionSerializable | SessionSnapshot | Causal => ended && txns[a].process == txns[b].process,
        _ => false,
    }
}

fn writes(txn: &Txn, key: usize) -> Vec<i64> {
    let value = |mop: &Mop| match mop {
        Mop::Write(k, value) if *k == key => Some(*value),
        _ => None,
    };
    txn.mops.iter().filter_map(value).collect()
}

fn explains(txns: &[Txn], order: &[usize], level: Level, lists: bool) -> bool {
    for (i, b) in order.iter().enumerate() {
        if order[i + 1..].iter().any(|a| before(txns, *a, *b, level)) {
            return false;
        }
    }
    let mut sees: Vec<Vec<usize>> = Vec::new();
    for place in 0..order.len() {
        let Some(seen) = sight(txns, order, place, &sees, level, lists) else { return false };
        sees.push(seen);
    }
    true
}

/// The places that the transaction at a place sees; none if its reads cannot be.
fn sight(
    txns: &[Txn],
    order: &[usize],
    place: usize,
    sees: &[Vec<usize>],
    level: Level,
    lists: bool,
) -> Option<Vec<usize>> {
    let txn = &txns[order[place]];
    // The content of a key after some places, and the last of them that wrote it.
    let content = |key: usize, upto: usize| -> Vec<i64> {
        let all: Vec<i64> = order[..upto].iter().flat_map(|i| writes(&txns[*i], key)).collect();
        if lists { all } else { all.last().copied().into_iter().collect() }
    };
    let mut from: Vec<(usize, Option<usize>)> = Vec::new();
    let mut own: Vec<(usize, i64)> = Vec::new();
    if txn.ended == Ended::Ok {
        for mop in &txn.mops {
            match mop {
                Mop::Write(key, value) => own.push((*key, *value)),
                Mop::Read(key, seen) => {
                    let mine: Vec<i64> = own.iter().filter(|(k, _)| k == key).map(|(_, v)| *v).collect();
                    if mine.is_empty() {
                        let writers = (0..place).filter(|at| !writes(&txns[order[*at]], *key).is_empty());
                        let all: Vec<Option<usize>> = [None].into_iter().chain(writers.map(Some)).collect();
                        let same = |at: &&Option<usize>| content(*key, at.map_or(0, |at| at + 1)) == *seen;
                        from.push((*key, *all.iter().find(same)?));
                    } else {
                        // What it saw before its own writes stays.
                        let saw = txn.mops.iter().find_map(|mop| match mop {
                            Mop::Read(k, seen) if k == key => Some(Some(seen.clone())),
                            Mop::Write(k, _) if k == key => Some(None),
                            _ => None,
                        });
                        let mut now = if lists { content(*key, place) } else { Vec::new() };
                        if lists && saw.flatten().is_some_and(|saw| saw != now) {
                            return None;
                        }
                        now.extend(if lists { &mine[..] } else { &mine[mine.len() - 1..] });
                        if now != *seen {
                            return None;
                        }
                    }
                }
            }
        }
    }
    let last =
        |seen: &[usize], key: usize| seen.iter().copied().filter(|at| !writes(&txns[order[*at]], key).is_empty()).max();
    let fits = |seen: &[usize]| from.iter().all(|(key, at)| last(seen, *key) == *at);
    let conflicts = (0..place).filter(|at| {
        let keys = txn.mops.iter().filter_map(|mop| if let Mop::Write(key, _) = mop { Some(*key) } else { None });
        keys.into_iter().any(|key| !writes(&txns[order[*at]], key).is_empty())
    });
    let bound = (0..place).filter(|at| before(txns, order[*at], order[place], level));
    let mut need: Vec<usize> = from.iter().filter_map(|(_, at)| *at).collect();
    match level {
        Level::ReadCommitted => Some(need),
        Level::MonotonicView => {
            let upto = |i: usize| from[..=i].iter().filter_map(|(_, at)| *at).collect::<Vec<_>>();
            (0..from.len()).all(|i| last(&upto(i), from[i].0) == from[i].1).then_some(need)
        }
        Level::ReadAtomic => fits(&need).then_some(need),
        Level::Causal | Level::Parallel => {
            need.extend(bound);
            if level == Level::Parallel {
                need.extend(conflicts);
            }
            let more: Vec<usize> = need.iter().flat_map(|at| sees[*at].clone()).collect();
            need.extend(more);
            fits(&need).then_some(need)
        }
        Level::Prefix | Level::Snapshot | Level::SessionSnapshot | Level::StrongSnapshot => {
            need.extend(bound);
            if level != Level::Prefix {
                need.extend(conflicts);
            }
            let least = need.iter().max().map_or(0, |at| at + 1);
            (least..=place).map(|upto| (0..upto).collect::<Vec<_>>()).find(|seen| fits(seen))
        }
        Level::Serializable | Level::SessionSerializable | Level::StrictSerializable => {
            let all: Vec<usize> = (0..place).collect();
            fits(&all).then_some(all)
        }
    }
}
