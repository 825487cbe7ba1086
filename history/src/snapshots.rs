//! From contents to snapshots: each content is written once, as a difference to the one before it.
//!
//! A hot dataId is pushed to tens of thousands of subscribers, mostly the same content, often the very same allocation.
//! So there are three ways, from cheap to dear: the same allocation again; a content with a known fingerprint; a new
//! content, which is sorted and compared with the last one.

use crate::{DataIx, Snapshot, SnapshotId};
use rustc_hash::FxHashMap;
use std::collections::VecDeque;
use std::hash::{DefaultHasher, Hasher};
use std::sync::Arc;

/// How many allocations are remembered for each dataId: nodes that lag push older contents at the same time.
const ALLOCATIONS: usize = 4;

/// Gives numbers to contents.
#[derive(Default)]
pub struct Interner {
    known: FxHashMap<(DataIx, Fingerprint), SnapshotId>,
    recent: FxHashMap<DataIx, Recent>,
    next: SnapshotId,
}

/// The number of a content, and how to define it if it is new.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Interned {
    /// Its number.
    pub id: SnapshotId,
    /// To be written before the event that refers to it; none if it was written before.
    pub new: Option<Snapshot>,
}

#[derive(Default)]
struct Recent {
    /// The last new content, sorted.
    last: Option<(SnapshotId, Vec<Arc<str>>)>,
    /// Allocations seen lately. Holding them keeps their addresses from being used again.
    allocations: VecDeque<(Arc<[Arc<str>]>, SnapshotId)>,
}

impl Interner {
    /// An interner that knows nothing.
    pub fn new() -> Self {
        Self::default()
    }

    /// As [`Interner::intern`], and all but free for an allocation that was seen a moment ago.
    pub fn intern_shared(&mut self, data: DataIx, content: &Arc<[Arc<str>]>) -> Interned {
        if let Some(recent) = self.recent.get(&data)
            && let Some((_, id)) = recent.allocations.iter().find(|(seen, _)| Arc::ptr_eq(seen, content))
        {
            return Interned { id: *id, new: None };
        }
        let interned = self.intern(data, content);
        let allocations = &mut self.recent.entry(data).or_default().allocations;
        allocations.truncate(ALLOCATIONS - 1);
        allocations.push_front((Arc::clone(content), interned.id));
        interned
    }

    /// The number of this content of this dataId: a multiset, in any order.
    pub fn intern(&mut self, data: DataIx, content: &[Arc<str>]) -> Interned {
        let key = (data, Fingerprint::of(content));
        if let Some(id) = self.known.get(&key) {
            return Interned { id: *id, new: None };
        }
        let id = self.next;
        self.next += 1;
        self.known.insert(key, id);
        let mut sorted = content.to_vec();
        sorted.sort();
        let recent = self.recent.entry(data).or_default();
        let snapshot = define(id, data, recent.last.as_ref(), &sorted);
        recent.last = Some((id, sorted));
        Interned { id, new: Some(snapshot) }
    }
}

/// As a difference to the last content, or in full where that is shorter.
fn define(id: SnapshotId, data: DataIx, last: Option<&(SnapshotId, Vec<Arc<str>>)>, sorted: &[Arc<str>]) -> Snapshot {
    if let Some((base, old)) = last {
        let (add, remove) = difference(old, sorted);
        if bytes(&add) + bytes(&remove) <= bytes(sorted) {
            let owned = |elements: Vec<Arc<str>>| elements.iter().map(|e| e.to_string()).collect();
            return Snapshot { id, data, base: Some(*base), add: owned(add), remove: owned(remove) };
        }
    }
    Snapshot { id, data, base: None, add: sorted.iter().map(|e| e.to_string()).collect(), remove: Vec::new() }
}

fn bytes(elements: &[Arc<str>]) -> usize {
    // Quotes and comma cost three bytes each.
    elements.iter().map(|e| e.len() + 3).sum()
}

/// What the new one has more, and what it has less. Both are sorted; an element that occurs twice counts twice.
fn difference(old: &[Arc<str>], new: &[Arc<str>]) -> (Vec<Arc<str>>, Vec<Arc<str>>) {
    let (mut add, mut remove) = (Vec::new(), Vec::new());
    let (mut i, mut j) = (0, 0);
    while i < old.len() && j < new.len() {
        if Arc::ptr_eq(&old[i], &new[j]) || old[i] == new[j] {
            i += 1;
            j += 1;
        } else if old[i] < new[j] {
            remove.push(Arc::clone(&old[i]));
            i += 1;
        } else {
            add.push(Arc::clone(&new[j]));
            j += 1;
        }
    }
    remove.extend(old[i..].iter().cloned());
    add.extend(new[j..].iter().cloned());
    (add, remove)
}

/// Names a multiset without sorting it: the sums of two 64-bit hashes of its elements, and their number. A false match
/// would need a collision in 128 bits; contents are not chosen by an adversary of the recorder.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
struct Fingerprint {
    low: u64,
    high: u64,
    count: u64,
}

impl Fingerprint {
    fn of(content: &[Arc<str>]) -> Self {
        let mut all = Fingerprint::default();
        for element in content {
            // SipHash with fixed keys: the same in every process, though nothing that is written depends on it.
            let mut hasher = DefaultHasher::new();
            hasher.write(element.as_bytes());
            let low = hasher.finish();
            hasher.write_u64(low);
            all.low = all.low.wrapping_add(low);
            all.high = all.high.wrapping_add(hasher.finish());
            all.count += 1;
        }
        all
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn content(elements: &[&str]) -> Arc<[Arc<str>]> {
        elements.iter().map(|e| Arc::from(*e)).collect()
    }

    #[test]
    fn order_does_not_matter_but_number_does() {
        let mut interner = Interner::new();
        let first = interner.intern(0, &content(&["b", "a", "a"]));
        assert_eq!(first.new.unwrap().add, ["a", "a", "b"]);
        assert_eq!(interner.intern(0, &content(&["a", "b", "a"])), Interned { id: 0, new: None });
        let fewer = interner.intern(0, &content(&["a", "b"])).new.unwrap();
        assert_eq!((fewer.base, fewer.add.len(), fewer.remove), (Some(0), 0, vec!["a".to_string()]));
    }

    #[test]
    fn dataids_do_not_share() {
        let mut interner = Interner::new();
        interner.intern(0, &content(&["a"]));
        let other = interner.intern(1, &content(&["a"]));
        assert_eq!((other.id, other.new.unwrap().base), (1, None));
    }

    #[test]
    fn full_where_the_difference_is_larger() {
        let mut interner = Interner::new();
        interner.intern(0, &content(&["a", "b", "c"]));
        let unlike = interner.intern(0, &content(&["x"])).new.unwrap();
        assert_eq!((unlike.base, unlike.add), (None, vec!["x".to_string()]));
        assert_eq!(interner.intern(0, &content(&[])).new.unwrap().base, None);
    }

    #[test]
    fn the_same_allocation_is_recognised_among_newer_ones() {
        let mut interner = Interner::new();
        let all: Vec<_> = (0..6).map(|i| content(&["a", &i.to_string()])).collect();
        for (i, one) in all.iter().enumerate() {
            assert_eq!(interner.intern_shared(0, one).id as usize, i);
        }
        for (i, one) in all.iter().enumerate() {
            assert_eq!(interner.intern_shared(0, one), Interned { id: i as u32, new: None });
        }
    }
}
