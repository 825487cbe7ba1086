//! A store: keys, values, and what it takes to refuse requests that come late.

use super::config::RoutedConfig;
use super::message::{Act, Answer, Attempt, Proof, Say, Seen};
use super::{Out, TRACKER, note};
use simulation::NodeId;
use std::collections::{BTreeMap, BTreeSet};

/// What stands behind a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Entry {
    /// None: a tombstone.
    value: Option<i64>,
    cookie: u64,
}

/// A store. Everything is on disk.
#[derive(Clone, Debug)]
pub struct Store {
    id: NodeId,
    /// True for store B.
    new: bool,
    tombstones: bool,
    tracked: bool,
    entries: BTreeMap<u32, Entry>,
    /// The largest number that was applied, by client.
    last: BTreeMap<NodeId, u64>,
    /// It is read-only.
    sealed: bool,
    /// Keys that the copier has locked.
    locked: BTreeSet<u32>,
}

/// What preloaded keys hold.
pub const PRELOADED: i64 = 1_000_000;

impl Store {
    /// An empty store, or the old one with every key in it.
    pub fn new(id: NodeId, new: bool, config: &RoutedConfig) -> Store {
        let preloaded = if config.preloaded && !new { config.keys } else { 0 };
        Store {
            id,
            new,
            tombstones: config.tombstones,
            tracked: config.guard == super::config::Guard::Tracker,
            entries: (0..preloaded).map(|key| (key, Entry { value: Some(PRELOADED), cookie: 1 })).collect(),
            last: BTreeMap::new(),
            sealed: false,
            locked: BTreeSet::new(),
        }
    }

    /// Something is asked of it.
    pub fn hear(&mut self, from: NodeId, message: Say, out: &mut Out) {
        match message {
            Say::Ask(attempt) => {
                let answer = self.apply(&attempt);
                if answer == Answer::Done {
                    note(out, self.id, || format!("applies: {}", attempt.words()));
                }
                if self.tracked && !matches!(attempt.act, Act::Read | Act::ReadPair) && answer != Answer::Refused {
                    let tracker = TRACKER;
                    out.send(tracker, Say::Settle(attempt.op, attempt.attempt));
                }
                out.send(from, Say::Reply(attempt, answer));
            }
            Say::Seal => {
                self.sealed = true;
                note(out, self.id, || "is read-only from now on".to_owned());
                out.send(from, Say::Sealed);
            }
            Say::Fetch(key, lock) => {
                if lock {
                    self.locked.insert(key);
                }
                let value = self.entries.get(&key).and_then(|entry| entry.value);
                out.send(from, Say::Fetched(key, value));
            }
            Say::Put { key, value, absent } => {
                self.locked.remove(&key);
                if let Some(value) = value
                    && !(absent && self.entries.contains_key(&key))
                {
                    self.entries.insert(key, Entry { value: Some(value), cookie: 1 });
                    note(out, self.id, || format!("gets the copy of k{key} = {value}"));
                }
                out.send(from, Say::PutDone(key));
            }
            _ => {}
        }
    }

    fn seen(&self, key: u32) -> Seen {
        Seen { cookie: self.entries.get(&key).map_or(0, |entry| entry.cookie), new: self.new }
    }

    fn apply(&mut self, attempt: &Attempt) -> Answer {
        let Attempt { key, act, .. } = *attempt;
        let value = |key: u32| self.entries.get(&key).and_then(|entry| entry.value);
        if matches!(act, Act::Read | Act::ReadPair) {
            return Answer::Value { value: value(key), next: value(key + 1), seen: self.seen(key) };
        }
        if self.sealed || self.locked.contains(&key) {
            return Answer::Refused;
        }
        match attempt.proof {
            Proof::None => {}
            Proof::Id(id) => {
                let last = self.last.entry(attempt.client).or_insert(0);
                if id <= *last {
                    return Answer::Superseded;
                }
                *last = id;
            }
            Proof::Cookie(seen) => {
                // What was seen in the old store is to be absent in the new one.
                let expected = if self.new && !seen.new { 0 } else { seen.cookie };
                if self.seen(key).cookie != expected {
                    return Answer::Mismatch(self.seen(key));
                }
            }
        }
        let cookie = u64::from(attempt.op + 1) << 8 | u64::from(attempt.attempt);
        let now = match act {
            Act::Add => Some(value(key).unwrap_or(0) + attempt.value),
            Act::Delete => None,
            _ => Some(attempt.value),
        };
        if now.is_none() && self.new && !self.tombstones {
            self.entries.remove(&key);
        } else {
            self.entries.insert(key, Entry { value: now, cookie });
        }
        Answer::Done
    }

    /// True if the store knows nothing of the key, not even that it was deleted.
    pub fn knows_not(seen: Seen) -> bool {
        seen.cookie == 0
    }
}
