//! Session guarantees across keys: what has been seen brings along what came before it.
//!
//! Whoever read a write also has what its writer wrote before (monotonic writes), and, where writes follow reads, what its writer
//! had seen before. A read that then shows an older version of another key breaks it. Each write carries a vector: how many
//! writes of each session it brings along.

use super::sessions::{Access, INITIAL, Log};
use super::tally::Tally;
use rustc_hash::FxHashMap;

/// Entries of all vectors together.
const ENTRIES_MAX: u64 = 100_000_000;

/// How many of the sure writes of each session are brought along.
type Vector = Vec<u32>;

/// Judges the reads of all keys that are not broken by themselves.
pub(super) fn check(log: &Log<'_>, broken: &[bool], tally: &mut Tally) {
    let writes = log.accesses.iter().filter(|access| access.write).count() as u64;
    if writes * u64::from(log.sessions) > ENTRIES_MAX {
        tally.reason = Some("too many sessions and writes to judge what holds across keys".to_owned());
        return;
    }
    let mut told = vec![false; log.calls.calls.len()];
    for (anomaly, follow) in [("monotonic-writes", false), ("writes-follow-reads", true)] {
        let mut walk = Walk::new(log, follow);
        for access in in_time(log) {
            if let Some(missed) = walk.take(&access)
                && !broken[access.key as usize]
                && !std::mem::replace(&mut told[access.call as usize], true)
            {
                tally.found(anomaly, || {
                    let newer = log.show(access.key, missed);
                    format!(
                        "{}{}, though it had seen what came after {newer}",
                        log.of_key(access.key),
                        log.tell(&access)
                    )
                });
            }
        }
    }
}

/// Writes at their invocation, reads at their completion: nobody sees a write that has not begun.
fn in_time(log: &Log<'_>) -> Vec<Access> {
    let mut order: Vec<(u32, usize)> = Vec::with_capacity(log.accesses.len());
    for (index, access) in log.accesses.iter().enumerate() {
        let call = &log.calls.calls[access.call as usize];
        order.push((if access.write { call.invoke } else { call.complete }, index));
    }
    order.sort_unstable();
    order.into_iter().map(|(_, index)| log.accesses[index]).collect()
}

/// A write that began.
struct Written {
    session: u32,
    /// Its number among the sure writes of its session; none if it is not sure.
    number: Option<u32>,
    /// What it brings along, without itself.
    brings: Vector,
}

struct Walk {
    /// A write carries what its session had read, not only what it had written.
    follow: bool,
    /// What each session has seen, and how much it wrote for sure.
    seen: Vec<Vector>,
    own: Vec<u32>,
    written: FxHashMap<(u32, u32), Written>,
    /// By key and session: the sure writes as (number, version).
    by_key: Vec<FxHashMap<u32, Vec<(u32, u32)>>>,
}

impl Walk {
    fn new(log: &Log<'_>, follow: bool) -> Walk {
        let sessions = log.sessions as usize;
        Walk {
            follow,
            seen: vec![vec![0; sessions]; sessions],
            own: vec![0; sessions],
            written: FxHashMap::default(),
            by_key: vec![FxHashMap::default(); log.keys.len()],
        }
    }

    /// Takes the next access; a newer version that a read should have seen.
    fn take(&mut self, access: &Access) -> Option<u32> {
        let session = access.session as usize;
        if access.write {
            let mut brings = if self.follow { self.seen[session].clone() } else { vec![0; self.own.len()] };
            brings[session] = self.own[session];
            let number = access.sure.then_some(self.own[session]);
            if let Some(number) = number {
                self.by_key[access.key as usize].entry(access.session).or_default().push((number, access.version));
                self.own[session] += 1;
                self.seen[session][session] = self.own[session];
            }
            self.written.insert((access.key, access.version), Written { session: access.session, number, brings });
            return None;
        }
        let from = self.written.get(&(access.key, access.version));
        if from.is_none() && access.version != INITIAL {
            // It saw a write that had not begun: that is told elsewhere, and says nothing here.
            return None;
        }
        if let Some(from) = from {
            let seen = &mut self.seen[session];
            seen.iter_mut().zip(&from.brings).for_each(|(mine, theirs)| *mine = (*mine).max(*theirs));
            if let Some(number) = from.number {
                let mine = &mut seen[from.session as usize];
                *mine = (*mine).max(number + 1);
            }
        }
        let newest = self.by_key[access.key as usize].iter().filter_map(|(writer, writes)| {
            let until = writes.partition_point(|(number, _)| *number < self.seen[session][*writer as usize]);
            writes[..until].last().map(|(_, version)| *version)
        });
        newest.filter(|version| self.is_older(access.key, access.version, *version)).min()
    }

    /// True if the first version is surely older than the second.
    fn is_older(&self, key: u32, first: u32, second: u32) -> bool {
        if first == second {
            return false;
        }
        if first == INITIAL {
            return true;
        }
        let (Some(old), Some(new)) = (self.written.get(&(key, first)), self.written.get(&(key, second))) else {
            return false;
        };
        old.number.is_some_and(|number| new.brings[old.session as usize] > number)
    }
}
