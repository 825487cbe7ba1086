//! Shortest ways within a strongly connected part of a dependency graph, by breadth.

use super::components::Components;
use super::graph::{Steps, View};
use crate::linearizability::{GaveUp, Limits};

/// The kind of a step in real time.
pub(super) const REALTIME: u8 = 32;
/// Nodes between two looks at the limits.
const STRIDE: u64 = 1 << 14;

/// A closed walk: each transaction, and the kind of its edge to the next one; the last edge leads to the first.
pub(super) type Walk = Vec<(u32, u8)>;

/// Memory of the searches, used again and again.
pub(super) struct Paths {
    /// The search that visited each node (transaction and state) last.
    visited: Vec<u32>,
    parent: Vec<(u32, u8)>,
    search: u32,
    /// The transactions of the part, ascending.
    txns: Vec<u32>,
    /// Nodes visited in all.
    pub(super) steps: u64,
}

impl Paths {
    pub(super) fn new(txns: usize) -> Paths {
        Paths { visited: vec![0; 2 * txns], parent: vec![(0, 0); 2 * txns], search: 0, txns: Vec::new(), steps: 0 }
    }

    /// From now on searches are in this part.
    pub(super) fn enter(&mut self, view: &View<'_>, parts: &Components, part: u32) {
        self.txns.clear();
        self.txns.extend(parts.members[part as usize].iter().filter_map(|node| view.txn(*node)));
        self.txns.dedup();
    }

    /// The shortest walk that goes through an edge and comes back.
    pub(super) fn closing(
        &mut self,
        view: &View<'_>,
        parts: &Components,
        part: u32,
        edge: (u32, u32, u8),
        limits: &Limits<'_>,
    ) -> Result<Option<Walk>, GaveUp> {
        let (from, to, kind) = edge;
        let states = if view.steps == Steps::Any { 1 } else { 2 };
        let mut best: Option<Walk> = None;
        for state in 0..states {
            let Some(next) = view.step(state, kind) else { continue };
            let inside = |node: u32| parts.of[node as usize] == part;
            if inside(view.node(from) + state) && inside(view.node(to) + next) {
                let way = self.way(view, &inside, (to, next), (from, state), limits)?;
                if let Some(mut walk) = way
                    && best.as_ref().is_none_or(|best| walk.len() + 1 < best.len())
                {
                    walk.insert(0, (from, kind));
                    best = Some(walk);
                }
            }
        }
        Ok(best)
    }

    /// The shortest walk that goes through an anti-dependency and comes back without another one.
    pub(super) fn straight(
        &mut self,
        straight: &View<'_>,
        view: &View<'_>,
        parts: &Components,
        part: u32,
        edge: (u32, u32, u8),
        limits: &Limits<'_>,
    ) -> Result<Option<Walk>, GaveUp> {
        let of = |txn: u32, state: u32| parts.of[(view.node(txn) + state) as usize] == part;
        let inside = |txn: u32| of(txn, 0) || of(txn, 1);
        let way = self.way(straight, &inside, (edge.1, 0), (edge.0, 0), limits)?;
        Ok(way.map(|mut walk| {
            walk.insert(0, (edge.0, edge.2));
            walk
        }))
    }

    /// The shortest way between two nodes, each a transaction and a state; the last transaction is left out.
    fn way(
        &mut self,
        view: &View<'_>,
        inside: &dyn Fn(u32) -> bool,
        from: (u32, u32),
        to: (u32, u32),
        limits: &Limits<'_>,
    ) -> Result<Option<Walk>, GaveUp> {
        self.search += 1;
        let (start, goal) = (view.node(from.0) + from.1, view.node(to.0) + to.1);
        self.visited[start as usize] = self.search;
        let mut queue = vec![start];
        // All transactions of the part from this place on were visited in time order.
        let mut unvisited = self.txns.len();
        let mut at = 0;
        while let Some(node) = queue.get(at).copied() {
            at += 1;
            if node == goal {
                self.steps += at as u64;
                return Ok(Some(self.walk(view, start, goal)));
            }
            if (at as u64).is_multiple_of(STRIDE) {
                limits.book(STRIDE, 0, 0)?;
            }
            let Some(txn) = view.txn(node) else { continue };
            let state = node - view.node(txn);
            for (next, kind) in view.graph.out(txn) {
                if let Some(state) = view.step(state, kind) {
                    self.visit(view.node(next) + state, node, kind, inside, &mut queue);
                }
            }
            if view.realtime {
                let later = view.graph.later[txn as usize];
                let first = self.txns.partition_point(|txn| *txn < later);
                for place in first..unvisited {
                    let next = view.node(self.txns[place]) + view.step_in_time();
                    self.visit(next, node, REALTIME, inside, &mut queue);
                }
                unvisited = unvisited.min(first);
            }
        }
        self.steps += at as u64;
        Ok(None)
    }

    fn visit(&mut self, node: u32, parent: u32, kind: u8, inside: &dyn Fn(u32) -> bool, queue: &mut Vec<u32>) {
        if self.visited[node as usize] != self.search && inside(node) {
            self.visited[node as usize] = self.search;
            self.parent[node as usize] = (parent, kind);
            queue.push(node);
        }
    }

    fn walk(&self, view: &View<'_>, start: u32, goal: u32) -> Walk {
        let mut walk = Vec::new();
        let mut node = goal;
        while node != start {
            let (parent, kind) = self.parent[node as usize];
            walk.extend(view.txn(parent).map(|txn| (txn, kind)));
            node = parent;
        }
        walk.reverse();
        walk
    }
}
