//! From snapshots back to contents, resolved when they are asked for.

use crate::{Snapshot, SnapshotId, error::Error};
use rustc_hash::{FxHashMap, FxHashSet};
use std::sync::Arc;

/// A content: a multiset, sorted.
pub type Content = Arc<[Arc<str>]>;

/// How many resolved contents are kept. Histories are mostly read forwards, so few are enough.
const RESOLVED_MAX: usize = 64;
/// On a long way back to a known content, every so many contents are kept for the next time.
const STRIDE: usize = 64;

/// Every snapshot of a history so far. An element is in memory once, however many snapshots have it.
#[derive(Default)]
pub struct Contents {
    steps: Vec<Step>,
    elements: FxHashSet<Arc<str>>,
    resolved: FxHashMap<SnapshotId, (u64, Content)>,
    clock: u64,
}

struct Step {
    base: Option<SnapshotId>,
    add: Vec<Arc<str>>,
    remove: Vec<Arc<str>>,
    count: u64,
}

impl Contents {
    /// Knows nothing yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds the next snapshot. They come in the order of their numbers, as in the history.
    pub fn add(&mut self, snapshot: &Snapshot) -> Result<(), Error> {
        let bad = |what: String| Error::BadSnapshot { id: snapshot.id, what };
        if snapshot.id as usize != self.steps.len() {
            return Err(bad(format!("#{} is due", self.steps.len())));
        }
        let below = match snapshot.base {
            Some(base) => self.count(base)?,
            None => 0,
        };
        if !snapshot.add.is_sorted() || !snapshot.remove.is_sorted() {
            return Err(bad("its elements are not sorted".into()));
        }
        let count = (below + snapshot.add.len() as u64).checked_sub(snapshot.remove.len() as u64);
        let count = count.ok_or_else(|| bad("it removes more than there is".into()))?;
        let add = snapshot.add.iter().map(|e| self.element(e)).collect();
        let remove = snapshot.remove.iter().map(|e| self.element(e)).collect();
        self.steps.push(Step { base: snapshot.base, add, remove, count });
        Ok(())
    }

    /// How many elements a content has, without resolving it.
    pub fn count(&self, id: SnapshotId) -> Result<u64, Error> {
        Ok(self.steps.get(id as usize).ok_or(Error::UnknownSnapshot(id))?.count)
    }

    /// How many snapshots there are.
    pub fn len(&self) -> usize {
        self.steps.len()
    }

    /// True if there are none.
    pub fn is_empty(&self) -> bool {
        self.steps.is_empty()
    }

    /// The whole content, sorted.
    pub fn resolve(&mut self, id: SnapshotId) -> Result<Content, Error> {
        self.count(id)?;
        let mut way = Vec::new();
        let mut at = Some(id);
        let mut content = Vec::new();
        while let Some(step) = at {
            if let Some((used, known)) = self.resolved.get_mut(&step) {
                self.clock += 1;
                *used = self.clock;
                if way.is_empty() {
                    return Ok(Arc::clone(known));
                }
                content = known.to_vec();
                break;
            }
            way.push(step);
            at = self.steps[step as usize].base;
        }
        while let Some(step) = way.pop() {
            let Step { add, remove, .. } = &self.steps[step as usize];
            content = apply(&content, add, remove).map_err(|what| Error::BadSnapshot { id: step, what })?;
            if way.len() % STRIDE == 0 && !way.is_empty() {
                self.keep(step, content.as_slice().into());
            }
        }
        let content: Content = content.into();
        self.keep(id, Arc::clone(&content));
        Ok(content)
    }

    fn keep(&mut self, id: SnapshotId, content: Content) {
        if self.resolved.len() >= RESOLVED_MAX {
            let oldest = self.resolved.iter().min_by_key(|(_, (used, _))| *used).map(|(id, _)| *id);
            oldest.and_then(|id| self.resolved.remove(&id));
        }
        self.clock += 1;
        self.resolved.insert(id, (self.clock, content));
    }

    fn element(&mut self, text: &str) -> Arc<str> {
        if let Some(known) = self.elements.get(text) {
            return Arc::clone(known);
        }
        let element: Arc<str> = text.into();
        self.elements.insert(Arc::clone(&element));
        element
    }
}

/// Base, plus, minus; all sorted. Elements are shared, so equal ones mostly have equal addresses.
fn apply(base: &[Arc<str>], add: &[Arc<str>], remove: &[Arc<str>]) -> Result<Vec<Arc<str>>, String> {
    let mut content = Vec::with_capacity((base.len() + add.len()).saturating_sub(remove.len()));
    let (mut add, mut remove) = (add.iter().peekable(), remove.iter().peekable());
    for element in base {
        while let Some(new) = add.next_if(|new| *new <= element) {
            content.push(Arc::clone(new));
        }
        if remove.next_if(|gone| Arc::ptr_eq(gone, element) || *gone == element).is_none() {
            content.push(Arc::clone(element));
        }
    }
    content.extend(add.cloned());
    match remove.next() {
        Some(left) => Err(format!("it removes {left}, which its base has not")),
        None => Ok(content),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::snapshots::Interner;

    fn snapshot(id: u32, base: Option<u32>, add: &[&str], remove: &[&str]) -> Snapshot {
        let owned = |all: &[&str]| all.iter().map(ToString::to_string).collect();
        Snapshot { id, data: 0, base, add: owned(add), remove: owned(remove) }
    }

    #[test]
    fn what_does_not_fit_is_named() {
        let mut contents = Contents::new();
        assert!(matches!(contents.resolve(0), Err(Error::UnknownSnapshot(0))));
        contents.add(&snapshot(0, None, &["a", "c"], &[])).unwrap();
        contents.add(&snapshot(1, Some(0), &[], &["b"])).unwrap();
        assert!(matches!(contents.resolve(1), Err(Error::BadSnapshot { id: 1, .. })));
        assert!(contents.add(&snapshot(2, Some(7), &[], &[])).is_err());
        assert!(contents.add(&snapshot(3, None, &[], &[])).is_err());
        assert!(contents.add(&snapshot(2, None, &["b", "a"], &[])).is_err());
        assert!(contents.add(&snapshot(2, None, &[], &["a"])).is_err());
    }

    #[test]
    fn long_ways_and_any_order_of_asking() {
        let mut interner = Interner::new();
        let mut contents = Contents::new();
        let mut all = Vec::new();
        for i in 0..1000_u32 {
            let content: Vec<Arc<str>> = (0..20).map(|k| Arc::from(format!("{}", (i + k * k) % 37))).collect();
            let interned = interner.intern(0, &content);
            if let Some(new) = &interned.new {
                contents.add(new).unwrap();
            }
            let mut sorted = content;
            sorted.sort();
            all.push((interned.id, sorted));
        }
        for (id, sorted) in all.iter().rev().chain(all.iter()) {
            assert_eq!(contents.resolve(*id).unwrap()[..], sorted[..]);
            assert_eq!(contents.count(*id).unwrap(), 20);
        }
        assert!(contents.resolved.len() <= RESOLVED_MAX);
    }
}
