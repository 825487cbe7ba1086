//! A small store with a known isolation level, and the history of a load on it: some processes, each with one transaction at a time
//! of one to four parts, half reads, half writes, over some keys at a time; a key that was written often enough makes room for a
//! new one. One step of one process after the other, drawn from a seed.
#![allow(dead_code, reason = "each user takes a part of it")]

use history::calls::{Builder, Calls, Ended, Value};
use std::collections::BTreeMap;

/// What the store keeps apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Isolation {
    /// Transactions take effect at once.
    StrictSerializable,
    /// Reads see the beginning of their transaction; of two that write the same key at the same time one fails.
    Snapshot,
    /// Reads see what is committed; writes lock.
    ReadCommitted,
    /// Reads see everything, also what fails later; writes lock.
    ReadUncommitted,
}

/// A load.
#[derive(Clone, Copy, Debug)]
pub struct Load {
    pub isolation: Isolation,
    /// Lists, or registers.
    pub lists: bool,
    pub transactions: usize,
    pub processes: usize,
    /// Keys in use at a time.
    pub keys: usize,
    /// Writes of a key.
    pub writes_max: usize,
    /// Outcomes in 1,000 that nobody knows; half of these transactions take effect.
    pub unknown_permille: u64,
    pub seed: u64,
}

struct Open {
    process: i64,
    parts: Vec<(i64, Option<i64>)>,
    /// What reads saw so far.
    seen: Vec<Value>,
    snapshot: u64,
    own: Vec<(i64, i64)>,
}

#[derive(Default)]
struct Key {
    /// Value and time of its commit; a write that is not committed has none.
    versions: Vec<(i64, Option<u64>)>,
    locked: Option<i64>,
}

struct Store {
    load: Load,
    keys: BTreeMap<i64, Key>,
    /// Keys in use, and how often each was written.
    active: Vec<(i64, usize)>,
    next_key: i64,
    time: u64,
    state: u64,
    builder: Builder,
}

impl Load {
    /// The history.
    pub fn calls(self) -> Calls {
        let active = (0..self.keys as i64).map(|key| (key, 0)).collect();
        let state = self.seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
        let builder = Builder::default();
        let (keys, next_key) = (BTreeMap::new(), self.keys as i64);
        let mut store = Store { load: self, keys, active, next_key, time: 1, state, builder };
        store.run();
        store.builder.finish()
    }
}

impl Store {
    fn below(&mut self, n: u64) -> u64 {
        self.state ^= self.state << 13;
        self.state ^= self.state >> 7;
        self.state ^= self.state << 17;
        (self.state >> 11) % n
    }

    fn run(&mut self) {
        let mut open: Vec<Option<Open>> = (0..self.load.processes).map(|_| None).collect();
        let mut names: Vec<i64> = (0..self.load.processes as i64).collect();
        let (mut begun, mut ended) = (0, 0);
        while ended < self.load.transactions {
            let at = self.below(open.len() as u64) as usize;
            self.time += 1;
            match open[at].take() {
                None if begun < self.load.transactions => {
                    begun += 1;
                    open[at] = Some(self.begin(names[at]));
                }
                None => {}
                Some(mut txn) => {
                    let atomic = self.load.isolation == Isolation::StrictSerializable;
                    let mut lost = false;
                    while txn.seen.len() < txn.parts.len() && !lost {
                        lost = !self.step(&mut txn);
                        if !atomic {
                            break;
                        }
                    }
                    if !lost && txn.seen.len() < txn.parts.len() {
                        open[at] = Some(txn);
                        continue;
                    }
                    ended += 1;
                    if self.end(txn, lost) == Ended::Info {
                        names[at] += self.load.processes as i64;
                    }
                }
            }
        }
    }

    fn begin(&mut self, process: i64) -> Open {
        let mut parts = Vec::new();
        for _ in 0..=self.below(4) {
            let place = self.below(self.active.len() as u64) as usize;
            if self.below(2) == 0 {
                parts.push((self.active[place].0, None));
                continue;
            }
            if self.active[place].1 == self.load.writes_max {
                self.active[place] = (self.next_key, 0);
                self.next_key += 1;
            }
            let (key, count) = &mut self.active[place];
            *count += 1;
            parts.push((*key, Some(*count as i64)));
        }
        let unseen = vec![Value::Nil; parts.len()];
        let value = self.value(&parts, &unseen);
        self.builder.invoke(process, "txn", value, -1).expect("a process with one transaction at a time");
        Open { process, parts, seen: Vec::new(), snapshot: self.time, own: Vec::new() }
    }

    /// The next part of a transaction; false if it cannot go on.
    fn step(&mut self, txn: &mut Open) -> bool {
        let (key, write) = txn.parts[txn.seen.len()];
        let isolation = self.load.isolation;
        let content = self.keys.entry(key).or_default();
        if let Some(value) = write {
            if matches!(isolation, Isolation::ReadCommitted | Isolation::ReadUncommitted) {
                if content.locked.is_some_and(|process| process != txn.process) {
                    return false;
                }
                content.locked = Some(txn.process);
            }
            if isolation == Isolation::ReadUncommitted {
                content.versions.push((value, None));
            }
            txn.own.push((key, value));
            txn.seen.push(Value::Nil);
            return true;
        }
        let visible = |(_, committed): &&(i64, Option<u64>)| match isolation {
            Isolation::ReadUncommitted => true,
            Isolation::Snapshot => committed.is_some_and(|time| time <= txn.snapshot),
            _ => committed.is_some(),
        };
        let own = txn.own.iter().filter(|(k, _)| *k == key && isolation != Isolation::ReadUncommitted);
        let all = content.versions.iter().filter(visible).map(|(value, _)| *value).chain(own.map(|(_, value)| *value));
        txn.seen.push(if self.load.lists {
            Value::List(all.map(Value::Int).collect())
        } else {
            all.last().map_or(Value::Nil, Value::Int)
        });
        true
    }

    fn end(&mut self, txn: Open, lost: bool) -> Ended {
        let conflict = |store: &Store, key: &i64| {
            let last = store.keys.get(key).and_then(|key| key.versions.last());
            last.is_some_and(|(_, committed)| committed.is_some_and(|time| time > txn.snapshot))
        };
        let snapshot = self.load.isolation == Isolation::Snapshot;
        let lost = lost
            || snapshot && txn.own.iter().any(|(key, _)| conflict(self, key))
            || self.load.isolation == Isolation::ReadUncommitted && self.below(20) == 0;
        let unknown = self.below(1_000) < self.load.unknown_permille;
        let kept = !(lost || unknown && self.below(2) == 0);
        for (key, value) in &txn.own {
            let content = self.keys.entry(*key).or_default();
            content.locked = content.locked.filter(|process| *process != txn.process);
            content.versions.retain(|(one, committed)| one != value || committed.is_some());
            if kept {
                content.versions.push((*value, Some(self.time)));
            }
        }
        let ended = match (unknown, lost) {
            (true, _) => Ended::Info,
            (false, true) => Ended::Fail,
            (false, false) => Ended::Ok,
        };
        let value = match ended {
            Ended::Ok => self.value(&txn.parts, &txn.seen),
            _ => self.value(&txn.parts, &vec![Value::Nil; txn.parts.len()]),
        };
        self.builder.complete(txn.process, ended, value, -1).expect("an open transaction");
        ended
    }

    fn value(&mut self, parts: &[(i64, Option<i64>)], seen: &[Value]) -> Value {
        let symbols = self.builder.symbols();
        let (read, write) = (symbols.intern("r"), symbols.intern(if self.load.lists { "append" } else { "w" }));
        let part = |((key, write_value), seen): (&(i64, Option<i64>), &Value)| {
            let (f, value) = match write_value {
                Some(value) => (write, Value::Int(*value)),
                None => (read, seen.clone()),
            };
            Value::List(vec![Value::Word(f), Value::Int(*key), value].into())
        };
        Value::List(parts.iter().zip(seen).map(part).collect())
    }
}
