//! Strongly connected components (Tarjan 1972), without recursion: a history can be one path of a million transactions.

use super::graph::{Steps, View};
use crate::linearizability::{GaveUp, Limits};

/// No component, or one of a single node.
pub(super) const NONE: u32 = u32::MAX;
/// Nodes between two looks at the limits.
const STRIDE: u32 = 1 << 16;

/// Components with more than one node.
#[derive(Debug, Default)]
pub(super) struct Components {
    /// The component of each node of the view, [`NONE`] for those that are on no cycle.
    pub(super) of: Vec<u32>,
    /// The nodes of each, ascending.
    pub(super) members: Vec<Vec<u32>>,
}

impl Components {
    /// Forgets those that are not wanted, by their numbers; these keep their place, without members.
    pub(super) fn keep(&mut self, wanted: &[bool]) {
        for (members, _) in self.members.iter_mut().zip(wanted).filter(|(_, wanted)| !**wanted) {
            members.drain(..).for_each(|node| self.of[node as usize] = NONE);
        }
    }
}

/// The lowest number of a node that was not visited yet.
const UNSEEN: u32 = NONE - 1;

struct Tarjan {
    /// The lowest number that each node reaches; [`UNSEEN`], or [`NONE`] for those whose component is closed.
    low: Vec<u32>,
    stack: Vec<u32>,
    /// Open nodes: the node, which successor comes next, and its number.
    path: Vec<(u32, u32, u32)>,
    next: u32,
}

/// The components that can be reached from some nodes of a view.
pub(super) fn components(
    view: &View<'_>,
    roots: impl Iterator<Item = u32>,
    limits: &Limits<'_>,
) -> Result<Components, GaveUp> {
    let nodes = view.nodes();
    let bytes = nodes as u64 * 12;
    limits.book(0, 0, bytes)?;
    let mut t = Tarjan { low: vec![UNSEEN; nodes], stack: Vec::new(), path: Vec::new(), next: 0 };
    let mut found = Components { of: vec![NONE; nodes], members: Vec::new() };
    for root in roots {
        if t.low[root as usize] == UNSEEN {
            t.enter(root);
            match view.steps {
                Steps::Any => t.walk::<1>(view, &mut found, limits)?,
                Steps::Apart | Steps::AfterReads => t.walk::<2>(view, &mut found, limits)?,
            }
        }
    }
    limits.release(bytes);
    Ok(found)
}

impl Tarjan {
    fn enter(&mut self, node: u32) {
        self.low[node as usize] = self.next;
        self.stack.push(node);
        self.path.push((node, 0, self.next));
        self.next += 1;
    }

    /// Walks from the node that was entered last. `STATES` are those of a transaction in the view.
    fn walk<const STATES: u32>(
        &mut self,
        view: &View<'_>,
        found: &mut Components,
        limits: &Limits<'_>,
    ) -> Result<(), GaveUp> {
        while let Some((node, mut at, number)) = self.path.pop() {
            let mut low = self.low[node as usize];
            let fresh = loop {
                let Some(to) = view.next_of::<STATES>(node, &mut at) else { break None };
                match self.low[to as usize] {
                    UNSEEN => break Some(to),
                    // A node whose component is closed has the lowest number no more.
                    reached => low = low.min(reached),
                }
            };
            self.low[node as usize] = low;
            if let Some(to) = fresh {
                self.path.push((node, at, number));
                self.enter(to);
                if self.next.is_multiple_of(STRIDE) {
                    limits.book(u64::from(STRIDE), 0, 0)?;
                }
                continue;
            }
            if let Some((parent, ..)) = self.path.last() {
                let parent = *parent as usize;
                self.low[parent] = self.low[parent].min(low);
            }
            if low == number {
                self.close(node, found);
            }
        }
        Ok(())
    }

    fn close(&mut self, node: u32, found: &mut Components) {
        let from = self.stack.iter().rposition(|one| *one == node).unwrap_or(0);
        let many = self.stack.len() - from > 1;
        let number = found.members.len() as u32;
        for one in &self.stack[from..] {
            self.low[*one as usize] = NONE;
            if many {
                found.of[*one as usize] = number;
            }
        }
        if many {
            let mut members = self.stack[from..].to_vec();
            members.sort_unstable();
            found.members.push(members);
        }
        self.stack.truncate(from);
    }
}
