//! What a subscriber was shown over time, in relation to one violation.

use crate::facts::Run;
use checkers::Violation;
use history::{ConnectionState, Event, Function, Nanos, Outcome, Snapshot, SnapshotId};
use std::collections::{BTreeMap, BTreeSet};

/// One content in view.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Piece {
    /// From the push on.
    pub(super) from: Nanos,
    /// Until the next push, or until the view was undefined.
    pub(super) until: Nanos,
    /// What it holds.
    pub(super) content: Content,
}

/// A content in relation to a violation.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Content {
    /// How many elements it has.
    pub(super) elements: i64,
    /// How many of what the violation misses it has.
    pub(super) of_missing: i64,
    /// How many of what the violation has too much it has.
    pub(super) of_extra: i64,
}

impl Content {
    /// True if it is wrong in the way of the violation.
    pub(super) fn is_off(&self, violation: &Violation) -> bool {
        self.of_extra > 0 || (self.of_missing as usize) < violation.missing.len()
    }
}

/// Contents of one dataId by number; only counts are kept, so that a long history costs its differences.
struct Contents<'a> {
    known: BTreeMap<SnapshotId, Content>,
    missing: BTreeSet<&'a str>,
    extra: BTreeSet<&'a str>,
}

impl<'a> Contents<'a> {
    fn new(violation: &'a Violation) -> Contents<'a> {
        let set = |list: &'a [String]| list.iter().map(String::as_str).collect();
        Contents { known: BTreeMap::new(), missing: set(&violation.missing), extra: set(&violation.extra) }
    }

    fn learn(&mut self, snapshot: &Snapshot) {
        let mut content = snapshot.base.and_then(|base| self.known.get(&base).copied()).unwrap_or_default();
        for (list, sign) in [(&snapshot.add, 1), (&snapshot.remove, -1)] {
            for value in list {
                content.elements += sign;
                content.of_missing += if self.missing.contains(value.as_str()) { sign } else { 0 };
                content.of_extra += if self.extra.contains(value.as_str()) { sign } else { 0 };
            }
        }
        self.known.insert(snapshot.id, content);
    }
}

/// The view that a violation is about, piece by piece; empty for a fresh read.
pub(super) fn pieces(run: &Run<'_>, violation: &Violation, end: Nanos) -> Vec<Piece> {
    let (Some(client), Some(subscription)) = (violation.client, violation.subscription) else { return Vec::new() };
    let mut contents = Contents::new(violation);
    let mut pieces: Vec<Piece> = Vec::new();
    let mut open = false;
    run.events.each(&mut |event| {
        let undefined_at = match event {
            Event::Snapshot(snapshot) if snapshot.data == violation.data => {
                contents.learn(snapshot);
                None
            }
            Event::Push(push)
                if push.client == client && push.subscription == subscription && push.data == violation.data =>
            {
                close(&mut pieces, open, push.time);
                let content = contents.known.get(&push.snapshot).copied().unwrap_or_default();
                pieces.push(Piece { from: push.time, until: end.max(push.time), content });
                open = true;
                None
            }
            Event::Connection(connection) if connection.client == client => {
                (connection.state != ConnectionState::Connected).then_some(connection.time)
            }
            Event::Op(op) if op.client == client && op.subscription == Some(subscription) => {
                let ends = matches!(op.f, Function::Subscribe | Function::Unsubscribe) && op.outcome == Outcome::Invoke;
                ends.then_some(op.time)
            }
            _ => None,
        };
        if let Some(time) = undefined_at {
            close(&mut pieces, open, time);
            open = false;
        }
    });
    pieces
}

fn close(pieces: &mut [Piece], open: bool, time: Nanos) {
    if open && let Some(last) = pieces.last_mut() {
        last.until = time;
    }
}
