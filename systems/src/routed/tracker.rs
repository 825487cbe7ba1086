//! The central request tracker, and the copier that moves keys from the old store to the new one.

use super::config::{Copying, RoutedConfig};
use super::message::{Say, Track};
use super::{CENTRE, Out, STORE_A, STORE_B, Timer, note};
use history::{MILLI, Nanos};
use simulation::{NodeId, Now};
use std::collections::BTreeMap;

/// Knows which requests may still be under way. On disk.
#[derive(Clone, Debug)]
pub struct Tracker {
    forgets: Nanos,
    /// Since when each is known, and what is known.
    requests: BTreeMap<(u32, u32), (Nanos, Track)>,
}

impl Tracker {
    /// One that knows nothing yet.
    pub fn new(config: &RoutedConfig) -> Tracker {
        Tracker { forgets: config.tracker_forgets_ms * MILLI, requests: BTreeMap::new() }
    }

    /// Something is asked of it.
    pub fn hear(&mut self, now: Now, from: NodeId, message: Say, out: &mut Out) {
        match message {
            Say::Register(attempt) => {
                let known = self.requests.entry((attempt.op, attempt.attempt)).or_insert((now.mono, Track::Running));
                out.send(from, Say::Go(attempt, known.1 == Track::Running));
            }
            Say::Settle(op, attempt) => {
                self.requests.insert((op, attempt), (now.mono, Track::Settled));
            }
            Say::Inquire(op, attempt) => {
                let known = self.requests.entry((op, attempt)).or_insert((now.mono, Track::Barred));
                let old = known.1 == Track::Running && self.forgets > 0 && now.mono - known.0 >= self.forgets;
                let track = if old { Track::Barred } else { known.1 };
                out.send(from, Say::Tracked(op, attempt, track));
            }
            _ => {}
        }
    }
}

/// Moves keys, one after the other.
#[derive(Clone, Debug)]
pub struct Copier {
    copying: Copying,
    keys: u32,
    next: Option<u32>,
}

/// Between two keys.
const PAUSE_MS: u64 = 20;

impl Copier {
    /// One that waits to be told.
    pub fn new(config: &RoutedConfig) -> Copier {
        Copier { copying: config.copy, keys: config.keys, next: None }
    }

    /// A message arrives.
    pub fn hear(&mut self, id: NodeId, from: NodeId, message: Say, out: &mut Out) {
        match message {
            Say::Copy => {
                self.next = Some(0);
                note(out, id, || "begins to move the keys".to_owned());
                out.send(STORE_A, Say::Seal);
            }
            Say::Sealed => self.fetch(out),
            // The lock is held: now the old store is read.
            Say::Fetched(key, _) if from == STORE_B => out.send(STORE_A, Say::Fetch(key, false)),
            Say::Fetched(key, value) => {
                // Under the lock nothing can come in between, so that what was seen there is still true.
                let absent = matches!(self.copying, Copying::CompareAndSet | Copying::Locked);
                out.send(STORE_B, Say::Put { key, value, absent });
            }
            Say::PutDone(key) if self.next == Some(key) => {
                self.next = Some(key + 1);
                out.timer(PAUSE_MS * MILLI, Timer::NextKey);
            }
            _ => {}
        }
    }

    /// It is time for the next key.
    pub fn fetch(&mut self, out: &mut Out) {
        match self.next {
            Some(key) if key < self.keys && self.copying == Copying::Locked => out.send(STORE_B, Say::Fetch(key, true)),
            Some(key) if key < self.keys => out.send(STORE_A, Say::Fetch(key, false)),
            Some(_) => out.send(CENTRE, Say::Copied),
            None => {}
        }
    }
}
