//! Contents as a forest: each is its base with a few elements added and removed.
//!
//! Walking the forest depth first visits every content at the cost of the differences alone, and the difference between any
//! two contents is found along the path between them.

use crate::record::Record;
use history::{DataIx, Event, SnapshotId};
use rustc_hash::FxHashMap;
use std::collections::BTreeMap;

/// One content. Elements are numbers of values.
#[derive(Clone, Debug)]
pub(crate) struct Content {
    pub id: SnapshotId,
    pub data: DataIx,
    pub base: Option<usize>,
    pub add: Vec<u32>,
    pub remove: Vec<u32>,
    pub len: i64,
    depth: u32,
}

/// All contents of a history.
#[derive(Default)]
pub(crate) struct Contents {
    pub all: Vec<Content>,
    pub by_id: FxHashMap<SnapshotId, usize>,
    pub children: Vec<Vec<usize>>,
    pub roots: BTreeMap<DataIx, Vec<usize>>,
    /// Contents that cannot be known: their base is missing or of another dataId, or lacks what they remove.
    pub damaged: Vec<SnapshotId>,
}

impl Contents {
    pub fn new(record: &mut Record) -> Contents {
        let mut contents = Contents::default();
        for event in record.events {
            let Event::Snapshot(snapshot) = event else { continue };
            let base = match snapshot.base.map(|id| contents.by_id.get(&id).copied()) {
                None => None,
                Some(Some(base)) if contents.all[base].data == snapshot.data => Some(base),
                Some(_) => {
                    contents.damaged.push(snapshot.id);
                    continue;
                }
            };
            if contents.by_id.contains_key(&snapshot.id) {
                contents.damaged.push(snapshot.id);
                continue;
            }
            let at = contents.all.len();
            let add: Vec<u32> = snapshot.add.iter().map(|v| record.value_id(v)).collect();
            let remove: Vec<u32> = snapshot.remove.iter().map(|v| record.value_id(v)).collect();
            let (len, depth) = base.map_or((0, 0), |b| (contents.all[b].len, contents.all[b].depth + 1));
            let len = len + add.len() as i64 - remove.len() as i64;
            contents.all.push(Content { id: snapshot.id, data: snapshot.data, base, add, remove, len, depth });
            contents.children.push(Vec::new());
            contents.by_id.insert(snapshot.id, at);
            match base {
                Some(base) => contents.children[base].push(at),
                None => contents.roots.entry(snapshot.data).or_default().push(at),
            }
        }
        contents
    }

    /// How often each element is more (or less) often in `to` than in `from`, without zeros, sorted by element.
    pub fn difference(&self, from: usize, to: usize) -> Vec<(u32, i32)> {
        let mut net: BTreeMap<u32, i32> = BTreeMap::new();
        let mut apply = |at: usize, sign: i32| {
            let content = &self.all[at];
            content.add.iter().for_each(|v| *net.entry(*v).or_default() += sign);
            content.remove.iter().for_each(|v| *net.entry(*v).or_default() -= sign);
            content.base
        };
        let (mut a, mut b) = (Some(from), Some(to));
        while a != b {
            let depth = |x: Option<usize>| x.map_or(-1, |x| i64::from(self.all[x].depth));
            if depth(a) >= depth(b) {
                a = a.and_then(|x| apply(x, -1));
            } else {
                b = b.and_then(|x| apply(x, 1));
            }
        }
        net.retain(|_, n| *n != 0);
        net.into_iter().collect()
    }

    /// The whole content, sorted by element.
    pub fn whole(&self, at: usize) -> Vec<u32> {
        let mut net: BTreeMap<u32, i32> = BTreeMap::new();
        let mut next = Some(at);
        while let Some(at) = next {
            let content = &self.all[at];
            content.add.iter().for_each(|v| *net.entry(*v).or_default() += 1);
            content.remove.iter().for_each(|v| *net.entry(*v).or_default() -= 1);
            next = content.base;
        }
        net.into_iter().flat_map(|(v, n)| std::iter::repeat_n(v, n.max(0) as usize)).collect()
    }
}
