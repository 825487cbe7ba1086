//! The digests of what is live in a slot, added up with each change: each round of the digest sync asks for them, for each session.

use crate::registry::bugs::Bug;
use crate::registry::entry::Entry;
use simulation::NodeId;
use std::collections::BTreeMap;

/// Sums by session and its incarnation.
#[derive(Clone, Debug, Default)]
pub(super) struct Sums(BTreeMap<(NodeId, u64), u64>);

impl Sums {
    /// This entry is kept now. Only live ones count.
    pub fn add(&mut self, entry: &Entry, bug: Option<Bug>) {
        if entry.is_live() {
            let sum = self.0.entry((entry.session, entry.incarnation)).or_default();
            *sum = sum.wrapping_add(entry.digest(bug));
        }
    }

    /// This entry was kept, and is not any more.
    pub fn subtract(&mut self, entry: &Entry, bug: Option<Bug>) {
        if entry.is_live()
            && let Some(sum) = self.0.get_mut(&(entry.session, entry.incarnation))
        {
            *sum = sum.wrapping_sub(entry.digest(bug));
        }
    }

    /// Of this incarnation of this session.
    pub fn of(&self, session: NodeId, incarnation: u64) -> u64 {
        self.0.get(&(session, incarnation)).copied().unwrap_or(0)
    }

    /// Of everything.
    pub fn all(&self) -> u64 {
        self.0.values().copied().fold(0, u64::wrapping_add)
    }

    /// Nothing is kept any more.
    pub fn clear(&mut self) {
        self.0.clear();
    }
}
