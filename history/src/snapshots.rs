//! From contents to snapshots: each content is written once, as a difference to the one before it.
//!
//! A hot dataId is pushed to tens of thousands of subscribers, mostly the same content, often the very same allocation, and
//! otherwise one that differs little from the last. So there are five ways, from cheap to dear: an allocation seen a moment
//! ago; one seen not long ago; a content that is much like the last new one, element by element; a content with a known fingerprint; and a new
//! content, which is sorted and compared with the last one.

use crate::{DataIx, Snapshot, SnapshotId};
use rustc_hash::FxHashMap;
use std::collections::VecDeque;
use std::hash::{DefaultHasher, Hasher};
use std::sync::Arc;

/// How many allocations are remembered for each dataId: nodes that lag push older contents at the same time.
const ALLOCATIONS: usize = 4;
/// How many allocations are remembered over all dataIds: the pushes of so many contents may come mixed.
const NEAR: usize = 1024;
/// Contents that differ in more elements are sorted and compared as a whole.
const CHANGES_MAX: usize = 64;

/// Gives numbers to contents.
#[derive(Default)]
pub struct Interner {
    known: FxHashMap<(DataIx, Fingerprint), SnapshotId>,
    recent: FxHashMap<DataIx, Recent>,
    /// Allocations seen a moment ago, each where its address puts it; empty before the first.
    near: Vec<Option<Near>>,
    next: SnapshotId,
}

/// An allocation seen a moment ago. Holding it keeps its address from being used again.
struct Near {
    content: Arc<[Arc<str>]>,
    data: DataIx,
    id: SnapshotId,
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
    last: Option<Last>,
    /// Allocations seen lately. Holding them keeps their addresses from being used again.
    allocations: VecDeque<(Arc<[Arc<str>]>, SnapshotId)>,
}

/// The last new content.
struct Last {
    id: SnapshotId,
    fingerprint: Fingerprint,
    given: Arc<[Arc<str>]>,
    sorted: Vec<Arc<str>>,
}

/// What a content has more and less than another; both sorted, nothing in both.
#[derive(Default)]
struct Change {
    add: Vec<Arc<str>>,
    remove: Vec<Arc<str>>,
}

impl Interner {
    /// An interner that knows nothing.
    pub fn new() -> Self {
        Self::default()
    }

    /// As [`Interner::intern`], and all but free for an allocation that was seen a moment ago.
    pub fn intern_shared(&mut self, data: DataIx, content: &Arc<[Arc<str>]>) -> Interned {
        let place = Arc::as_ptr(content).cast::<u8>().addr() / 64 % NEAR;
        if let Some(Some(near)) = self.near.get(place)
            && Arc::ptr_eq(&near.content, content)
            && near.data == data
        {
            return Interned { id: near.id, new: None };
        }
        let interned = self.intern_recent(data, content);
        if self.near.is_empty() {
            self.near.resize_with(NEAR, || None);
        }
        self.near[place] = Some(Near { content: Arc::clone(content), data, id: interned.id });
        interned
    }

    /// All but free for an allocation that was among the last of its dataId.
    fn intern_recent(&mut self, data: DataIx, content: &Arc<[Arc<str>]>) -> Interned {
        if let Some(recent) = self.recent.get(&data)
            && let Some((_, id)) = recent.allocations.iter().find(|(seen, _)| Arc::ptr_eq(seen, content))
        {
            return Interned { id: *id, new: None };
        }
        let interned = self.find(data, content, || Arc::clone(content));
        let allocations = &mut self.recent.entry(data).or_default().allocations;
        allocations.truncate(ALLOCATIONS - 1);
        allocations.push_front((Arc::clone(content), interned.id));
        interned
    }

    /// The number of this content of this dataId: a multiset, in any order.
    pub fn intern(&mut self, data: DataIx, content: &[Arc<str>]) -> Interned {
        self.find(data, content, || content.into())
    }

    fn find(&mut self, data: DataIx, content: &[Arc<str>], give: impl FnOnce() -> Arc<[Arc<str>]>) -> Interned {
        let recent = self.recent.entry(data).or_default();
        let near = recent.last.as_ref().and_then(|last| Some((last, near(&last.given, content)?)));
        let fingerprint = match &near {
            Some((last, change)) => last.fingerprint.changed(change),
            None => Fingerprint::of(content),
        };
        if let Some(id) = self.known.get(&(data, fingerprint)) {
            return Interned { id: *id, new: None };
        }
        let id = self.next;
        self.next += 1;
        self.known.insert((data, fingerprint), id);
        let change = near.map(|(_, change)| change);
        let last = recent.last.take();
        let base = last.as_ref().map(|last| last.id);
        let old = last.map(|last| last.sorted).unwrap_or_default();
        let (change, sorted) = match change {
            Some(change) => {
                let sorted = change.apply(old);
                (change, sorted)
            }
            None => {
                let mut sorted = content.to_vec();
                sorted.sort();
                (Change::between(&old, &sorted), sorted)
            }
        };
        let new = define(id, data, base, &change, &sorted);
        recent.last = Some(Last { id, fingerprint, given: give(), sorted });
        Interned { id, new: Some(new) }
    }
}

/// As a difference to the last content, or in full where that is shorter.
fn define(id: SnapshotId, data: DataIx, base: Option<SnapshotId>, change: &Change, sorted: &[Arc<str>]) -> Snapshot {
    let owned = |elements: &[Arc<str>]| elements.iter().map(|e| e.to_string()).collect();
    if base.is_some() && bytes(&change.add) + bytes(&change.remove) <= bytes(sorted) {
        return Snapshot { id, data, base, add: owned(&change.add), remove: owned(&change.remove) };
    }
    Snapshot { id, data, base: None, add: owned(sorted), remove: Vec::new() }
}

fn bytes(elements: &[Arc<str>]) -> usize {
    // Quotes and comma cost three bytes each.
    elements.iter().map(|e| e.len() + 3).sum()
}

/// Compares contents in the order in which they were given, and gives up where they are not much alike.
fn near(old: &[Arc<str>], new: &[Arc<str>]) -> Option<Change> {
    let same = |a: Option<&Arc<str>>, b: Option<&Arc<str>>| match (a, b) {
        (Some(a), Some(b)) => Arc::ptr_eq(a, b) || a == b,
        _ => false,
    };
    let mut change = Change::default();
    let (mut i, mut j) = (0, 0);
    while i < old.len() || j < new.len() {
        if same(old.get(i), new.get(j)) {
            (i, j) = (i + 1, j + 1);
            continue;
        }
        // One was taken away, one was put in, or else one was replaced. Any guess is right: what turns out to be in both
        // is struck out below.
        let (gone, came) = (same(old.get(i + 1), new.get(j)), same(old.get(i), new.get(j + 1)));
        if i < old.len() && (gone || !came) {
            change.remove.push(Arc::clone(&old[i]));
            i += 1;
        }
        if j < new.len() && !gone {
            change.add.push(Arc::clone(&new[j]));
            j += 1;
        }
        if change.add.len() + change.remove.len() > CHANGES_MAX {
            return None;
        }
    }
    change.add.sort();
    change.remove.sort();
    Some(Change::between(&change.remove, &change.add))
}

impl Change {
    /// What the new one has more, and what it has less. Both are sorted; an element that occurs twice counts twice.
    fn between(old: &[Arc<str>], new: &[Arc<str>]) -> Change {
        let mut change = Change::default();
        let (mut i, mut j) = (0, 0);
        while i < old.len() && j < new.len() {
            if Arc::ptr_eq(&old[i], &new[j]) || old[i] == new[j] {
                i += 1;
                j += 1;
            } else if old[i] < new[j] {
                change.remove.push(Arc::clone(&old[i]));
                i += 1;
            } else {
                change.add.push(Arc::clone(&new[j]));
                j += 1;
            }
        }
        change.remove.extend(old[i..].iter().cloned());
        change.add.extend(new[j..].iter().cloned());
        change
    }

    /// The sorted content after this change, which is small.
    fn apply(&self, mut sorted: Vec<Arc<str>>) -> Vec<Arc<str>> {
        for gone in &self.remove {
            let at = sorted.binary_search(gone).expect("what was compared is there");
            sorted.remove(at);
        }
        for new in &self.add {
            let at = sorted.partition_point(|element| element < new);
            sorted.insert(at, Arc::clone(new));
        }
        sorted
    }
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

    /// The fingerprint after a change of the content.
    fn changed(self, change: &Change) -> Self {
        let (more, less) = (Fingerprint::of(&change.add), Fingerprint::of(&change.remove));
        Fingerprint {
            low: self.low.wrapping_add(more.low).wrapping_sub(less.low),
            high: self.high.wrapping_add(more.high).wrapping_sub(less.high),
            count: self.count + more.count - less.count,
        }
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

    /// Small changes take the short way, shuffles and large changes the long one; both must agree.
    #[test]
    fn near_and_far_ways_agree() {
        let mut draw = 12_345_u64;
        let mut next = |below: usize| {
            draw = draw.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (draw >> 33) as usize % below
        };
        let mut now: Vec<Arc<str>> = (0..200).map(|i| Arc::from(format!("e{}", i % 150))).collect();
        let (mut near_ones, mut old) = (0, now.clone());
        for _ in 0..3_000 {
            match next(6) {
                0 => now.insert(next(now.len() + 1), Arc::from(format!("e{}", next(150)))),
                1 if now.len() > 100 => drop(now.remove(next(now.len()))),
                2 => {
                    let (a, b) = (next(now.len()), next(now.len()));
                    now.swap(a, b);
                }
                3 if next(50) == 0 => now.reverse(),
                _ => {
                    let at = next(now.len());
                    now[at] = Arc::from(format!("e{}", next(150)));
                }
            }
            let (mut a, mut b) = (old.clone(), now.clone());
            a.sort();
            b.sort();
            if let Some(change) = near(&old, &now) {
                let whole = Change::between(&a, &b);
                assert_eq!((&change.add, &change.remove), (&whole.add, &whole.remove));
                assert_eq!(change.apply(a), b);
                assert_eq!(Fingerprint::of(&old).changed(&change), Fingerprint::of(&now));
                near_ones += 1;
            }
            old.clone_from(&now);
        }
        assert!((2_500..3_000).contains(&near_ones), "{near_ones}");
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
