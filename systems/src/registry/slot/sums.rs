//! The digests of what is live in a slot, added up with each change: each round of the digest sync asks for them, for each session.

use crate::registry::bugs::Bug;
use crate::registry::entry::Entry;
use simulation::NodeId;

/// Sums by session and its incarnation: few, in any order.
#[derive(Clone, Debug, Default)]
pub(super) struct Sums(Vec<(NodeId, u64, u64)>);

impl Sums {
    /// This entry is kept now. Only live ones count.
    pub fn add(&mut self, entry: &Entry, bug: Option<Bug>) {
        if entry.is_live() {
            let digest = entry.digest(bug);
            match self.find(entry.session, entry.incarnation) {
                Some(sum) => *sum = sum.wrapping_add(digest),
                None => self.0.push((entry.session, entry.incarnation, digest)),
            }
        }
    }

    fn find(&mut self, session: NodeId, incarnation: u64) -> Option<&mut u64> {
        self.0.iter_mut().find(|sum| (sum.0, sum.1) == (session, incarnation)).map(|sum| &mut sum.2)
    }

    /// This entry was kept, and is not any more.
    pub fn subtract(&mut self, entry: &Entry, bug: Option<Bug>) {
        if entry.is_live()
            && let Some(sum) = self.find(entry.session, entry.incarnation)
        {
            *sum = sum.wrapping_sub(entry.digest(bug));
        }
    }

    /// Of this incarnation of this session.
    pub fn of(&self, session: NodeId, incarnation: u64) -> u64 {
        self.0.iter().find(|sum| (sum.0, sum.1) == (session, incarnation)).map_or(0, |sum| sum.2)
    }

    /// Of everything.
    pub fn all(&self) -> u64 {
        self.0.iter().map(|sum| sum.2).fold(0, u64::wrapping_add)
    }

    /// Nothing is kept any more.
    pub fn clear(&mut self) {
        self.0.clear();
    }
}
