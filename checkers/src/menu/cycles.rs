//! Cycles of a directed graph: its strongly connected components (Tarjan 1972), without recursion.

/// Edges between nodes, which are numbers.
#[derive(Clone, Debug, Default)]
pub(super) struct Graph {
    nodes: u32,
    edges: Vec<(u32, u32)>,
}

impl Graph {
    /// With nodes, but no edges.
    pub(super) fn new(nodes: u32) -> Graph {
        Graph { nodes, edges: Vec::new() }
    }

    /// A new node.
    pub(super) fn node(&mut self) -> u32 {
        self.nodes += 1;
        self.nodes - 1
    }

    /// An edge.
    pub(super) fn edge(&mut self, from: u32, to: u32) {
        self.edges.push((from, to));
    }

    /// The sets of two and more nodes that can all be reached from each other; nodes ascending.
    pub(super) fn knots(mut self) -> Vec<Vec<u32>> {
        self.edges.sort_unstable();
        let mut starts = vec![0usize; self.nodes as usize + 1];
        for &(from, _) in &self.edges {
            starts[from as usize + 1] += 1;
        }
        for node in 1..starts.len() {
            starts[node] += starts[node - 1];
        }
        let mut walk = Walk {
            edges: &self.edges,
            starts: &starts,
            number: vec![0; self.nodes as usize],
            low: vec![0; self.nodes as usize],
            on: vec![false; self.nodes as usize],
            stack: Vec::new(),
            next: 1,
            knots: Vec::new(),
        };
        for node in 0..self.nodes {
            if walk.number[node as usize] == 0 {
                walk.from(node);
            }
        }
        walk.knots
    }
}

struct Walk<'a> {
    edges: &'a [(u32, u32)],
    /// Where the edges of each node begin.
    starts: &'a [usize],
    /// Order of discovery, 0 if not yet.
    number: Vec<u32>,
    low: Vec<u32>,
    on: Vec<bool>,
    stack: Vec<u32>,
    next: u32,
    knots: Vec<Vec<u32>>,
}

impl Walk<'_> {
    fn enter(&mut self, node: u32, path: &mut Vec<(u32, usize)>) {
        let at = node as usize;
        (self.number[at], self.low[at], self.on[at]) = (self.next, self.next, true);
        self.next += 1;
        self.stack.push(node);
        path.push((node, self.starts[at]));
    }

    fn from(&mut self, root: u32) {
        let mut path = Vec::new();
        self.enter(root, &mut path);
        while let Some((node, edge)) = path.last_mut() {
            let (node, at) = (*node, *node as usize);
            if *edge < self.starts[at + 1] {
                let to = self.edges[*edge].1;
                *edge += 1;
                if self.number[to as usize] == 0 {
                    self.enter(to, &mut path);
                } else if self.on[to as usize] {
                    self.low[at] = self.low[at].min(self.number[to as usize]);
                }
                continue;
            }
            path.pop();
            if let Some((parent, _)) = path.last() {
                let parent = *parent as usize;
                self.low[parent] = self.low[parent].min(self.low[at]);
            }
            if self.low[at] == self.number[at] {
                self.leave(node);
            }
        }
    }

    fn leave(&mut self, root: u32) {
        let from = self.stack.iter().rposition(|node| *node == root).unwrap_or(0);
        let mut knot = self.stack.split_off(from);
        knot.iter().for_each(|node| self.on[*node as usize] = false);
        if knot.len() > 1 {
            knot.sort_unstable();
            self.knots.push(knot);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn knots_are_found() {
        let mut graph = Graph::new(6);
        for (from, to) in [(0, 1), (1, 2), (2, 1), (2, 3), (4, 5), (5, 4), (3, 3)] {
            graph.edge(from, to);
        }
        assert_eq!(graph.knots(), [vec![1, 2], vec![4, 5]]);
    }
}
