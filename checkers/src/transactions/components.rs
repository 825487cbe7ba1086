//! Strongly connected components (Tarjan 1972), without recursion: a history can be one path of a million transactions.

use super::graph::View;
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

struct Tarjan {
    index: Vec<u32>,
    low: Vec<u32>,
    stack: Vec<u32>,
    /// Open nodes: the node, and which successor comes next.
    path: Vec<(u32, u32)>,
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
    let mut t = Tarjan { index: vec![NONE; nodes], low: vec![0; nodes], stack: Vec::new(), path: Vec::new(), next: 0 };
    let mut found = Components { of: vec![NONE; nodes], members: Vec::new() };
    for root in roots {
        if t.index[root as usize] == NONE {
            t.enter(root);
            t.walk(view, &mut found, limits)?;
        }
    }
    limits.release(bytes);
    Ok(found)
}

impl Tarjan {
    fn enter(&mut self, node: u32) {
        self.index[node as usize] = self.next;
        self.low[node as usize] = self.next;
        self.next += 1;
        self.stack.push(node);
        self.path.push((node, 0));
    }

    fn walk(&mut self, view: &View<'_>, found: &mut Components, limits: &Limits<'_>) -> Result<(), GaveUp> {
        while let Some((node, at)) = self.path.last_mut() {
            let node = *node;
            match view.next(node, at) {
                Some(to) if self.index[to as usize] == NONE => {
                    self.enter(to);
                    if self.next.is_multiple_of(STRIDE) {
                        limits.book(u64::from(STRIDE), 0, 0)?;
                    }
                }
                // A node whose component is closed has the lowest number no more.
                Some(to) => self.low[node as usize] = self.low[node as usize].min(self.low[to as usize]),
                None => {
                    self.path.pop();
                    if let Some((parent, _)) = self.path.last() {
                        let parent = *parent as usize;
                        self.low[parent] = self.low[parent].min(self.low[node as usize]);
                    }
                    if self.low[node as usize] == self.index[node as usize] {
                        self.close(node, found);
                    }
                }
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
