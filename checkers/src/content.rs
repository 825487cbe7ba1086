//! Contents as a forest: each is its base with a few elements added and removed.
//!
//! Walking the forest depth first visits every content at the cost of the differences alone, and the difference between any
//! two contents is found along the path between them.

use history::{DataIx, Snapshot, SnapshotId};
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
    /// Its place among the contents of its dataId.
    pub place: u32,
    depth: u32,
}

/// All contents of a history.
#[derive(Debug, Default)]
pub(crate) struct Contents {
    pub all: Vec<Content>,
    by_id: FxHashMap<SnapshotId, usize>,
    pub children: Vec<Vec<usize>>,
    pub roots: BTreeMap<DataIx, Vec<usize>>,
    /// How many contents each dataId has.
    pub counts: FxHashMap<DataIx, u32>,
    /// Contents that cannot be known: their base is missing or of another dataId, or lacks what they remove.
    pub damaged: Vec<SnapshotId>,
}

impl Contents {
    /// One more content, after all those that it may be based on; `number` numbers texts.
    pub fn add(&mut self, snapshot: &Snapshot, mut number: impl FnMut(&str) -> u32) {
        let base = match snapshot.base.map(|id| self.find(id)) {
            None => None,
            Some(Some(base)) if self.all[base].data == snapshot.data => Some(base),
            Some(_) => {
                self.damaged.push(snapshot.id);
                return;
            }
        };
        if self.by_id.contains_key(&snapshot.id) {
            self.damaged.push(snapshot.id);
            return;
        }
        let at = self.all.len();
        let add: Vec<u32> = snapshot.add.iter().map(|v| number(v)).collect();
        let remove: Vec<u32> = snapshot.remove.iter().map(|v| number(v)).collect();
        let (len, depth) = base.map_or((0, 0), |b| (self.all[b].len, self.all[b].depth + 1));
        let len = len + add.len() as i64 - remove.len() as i64;
        let count = self.counts.entry(snapshot.data).or_default();
        let place = *count;
        *count += 1;
        self.all.push(Content { id: snapshot.id, data: snapshot.data, base, add, remove, len, place, depth });
        self.children.push(Vec::new());
        self.by_id.insert(snapshot.id, at);
        match base {
            Some(base) => self.children[base].push(at),
            None => self.roots.entry(snapshot.data).or_default().push(at),
        }
    }

    /// Where the content of this number is. Recorders number them one after the other, so that it is mostly found at once.
    pub fn find(&self, id: SnapshotId) -> Option<usize> {
        match self.all.get(id as usize) {
            Some(content) if content.id == id => Some(id as usize),
            _ => self.by_id.get(&id).copied(),
        }
    }

    /// The contents on the way from one to another: those to be undone, then those to be made, both from the ends towards what
    /// they have in common.
    pub fn path(&self, from: usize, to: usize) -> (Vec<usize>, Vec<usize>) {
        let depth = |x: Option<usize>| x.map_or(-1, |x| i64::from(self.all[x].depth));
        let (mut a, mut b) = (Some(from), Some(to));
        let (mut down, mut up) = (Vec::new(), Vec::new());
        while a != b {
            let (side, list) = if depth(a) >= depth(b) { (&mut a, &mut down) } else { (&mut b, &mut up) };
            let Some(at) = *side else { break };
            list.push(at);
            *side = self.all[at].base;
        }
        (down, up)
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
