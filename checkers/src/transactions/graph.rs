//! Dependencies between transactions, and the parts of them that searches look at.
//!
//! Edges lie one after the other by their source, so that the graph costs five bytes an edge and four a transaction. Real time
//! costs nothing: transactions are numbered by their invocation, so what follows a transaction in real time is a suffix of all
//! numbers. It becomes a chain of *gates*, gate `i` standing for every transaction from `i` on.

/// The second wrote what came after what the first wrote.
pub(super) const WW: u8 = 1;
/// The second read what the first wrote.
pub(super) const WR: u8 = 2;
/// The second wrote what came after what the first read.
pub(super) const RW: u8 = 4;
/// Both are of one process, in this order.
pub(super) const PROCESS: u8 = 8;
/// As [`WW`], if the second was committed, which is not known: it is part of cycles that are wrong either way.
pub(super) const WW_PERHAPS: u8 = 16;

/// The second's version of a key was read by one that had to see the first's, were it the later one.
pub(super) const SEEN: u8 = 64;

/// One dependency.
pub(super) type Edge = (u32, u32, u8);

/// The whole graph.
#[derive(Debug)]
pub(super) struct Graph {
    starts: Vec<u32>,
    to: Vec<u32>,
    kinds: Vec<u8>,
    /// For each transaction the first one that was invoked after its completion; the number of transactions if there is none.
    pub(super) later: Vec<u32>,
}

impl Graph {
    /// Sorts the edges by their source. Edges to oneself are left out.
    pub(super) fn new(edges: &[Edge], later: Vec<u32>) -> Graph {
        let n = later.len();
        let mut starts = vec![0u32; n + 1];
        for (from, to, _) in edges {
            starts[*from as usize + 1] += u32::from(from != to);
        }
        for i in 0..n {
            starts[i + 1] += starts[i];
        }
        let total = starts[n] as usize;
        let (mut to, mut kinds) = (vec![0u32; total], vec![0u8; total]);
        let mut at = starts.clone();
        for (from, target, kind) in edges.iter().filter(|(from, to, _)| from != to) {
            let place = at[*from as usize] as usize;
            (to[place], kinds[place]) = (*target, *kind);
            at[*from as usize] += 1;
        }
        Graph { starts, to, kinds, later }
    }

    /// The same with more edges.
    pub(super) fn with(&self, more: &[Edge]) -> Graph {
        let mut more: Vec<Edge> = more.iter().copied().filter(|(from, to, _)| from != to).collect();
        more.sort_unstable();
        let total = self.to.len() + more.len();
        let (mut to, mut kinds) = (Vec::with_capacity(total), Vec::with_capacity(total));
        let mut starts = Vec::with_capacity(self.starts.len());
        let mut next = more.iter().peekable();
        for from in 0..self.len() as u32 {
            starts.push(to.len() as u32);
            let range = self.starts[from as usize] as usize..self.starts[from as usize + 1] as usize;
            to.extend_from_slice(&self.to[range.clone()]);
            kinds.extend_from_slice(&self.kinds[range]);
            while let Some((_, target, kind)) = next.next_if(|edge| edge.0 == from) {
                to.push(*target);
                kinds.push(*kind);
            }
        }
        starts.push(to.len() as u32);
        Graph { starts, to, kinds, later: self.later.clone() }
    }

    /// How many transactions.
    pub(super) fn len(&self) -> usize {
        self.later.len()
    }

    /// What follows one, with the kind of dependency; real time is not among them.
    pub(super) fn out(&self, from: u32) -> impl Iterator<Item = (u32, u8)> {
        let range = self.starts[from as usize] as usize..self.starts[from as usize + 1] as usize;
        self.to[range.clone()].iter().copied().zip(self.kinds[range].iter().copied())
    }
}

/// Which walks through the graph count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Steps {
    /// All.
    Any,
    /// No two anti-dependencies (rw) in a row: what snapshot isolation forbids to close.
    Apart,
    /// An anti-dependency only right after a read or an order of processes or time: what prefix consistency forbids to close.
    AfterReads,
}

/// A part of the graph. Nodes are transactions in one or two states, then gates.
#[derive(Clone, Copy)]
pub(super) struct View<'g> {
    pub(super) graph: &'g Graph,
    /// Kinds of edges.
    pub(super) mask: u8,
    pub(super) realtime: bool,
    pub(super) steps: Steps,
    /// Components by transaction, then by gate: edges between two of them are left out.
    pub(super) within: Option<&'g [u32]>,
}

impl View<'_> {
    fn states(&self) -> u32 {
        if self.steps == Steps::Any { 1 } else { 2 }
    }

    /// The node of a transaction that was just begun with.
    pub(super) fn node(&self, txn: u32) -> u32 {
        txn * self.states()
    }

    /// The transaction of a node; none for a gate.
    pub(super) fn txn(&self, node: u32) -> Option<u32> {
        let txn = node / self.states();
        (txn < self.graph.len() as u32).then_some(txn)
    }

    /// How many nodes.
    pub(super) fn nodes(&self) -> usize {
        self.graph.len() * (self.states() as usize + usize::from(self.realtime))
    }

    fn apart(&self, a: u32, b: u32) -> bool {
        self.within.is_some_and(|within| within[a as usize] != within[b as usize])
    }

    /// The state that an edge leads to; none where it may not be taken.
    #[inline]
    pub(super) fn step(&self, state: u32, kind: u8) -> Option<u32> {
        if kind & self.mask == 0 {
            return None;
        }
        match (self.steps, kind) {
            (Steps::Any, _) => Some(0),
            (Steps::Apart, RW) => (state == 0).then_some(1),
            (Steps::Apart, _) => Some(0),
            (Steps::AfterReads, RW) => (state == 1).then_some(0),
            (Steps::AfterReads, WR | PROCESS) => Some(1),
            (Steps::AfterReads, _) => Some(0),
        }
    }

    /// The state that real time leads to.
    pub(super) fn step_in_time(&self) -> u32 {
        u32::from(self.steps == Steps::AfterReads)
    }

    /// The next successor of a node; `at` begins with 0 and is moved on.
    pub(super) fn next(&self, node: u32, at: &mut u32) -> Option<u32> {
        match self.steps {
            Steps::Any => self.next_of::<1>(node, at),
            Steps::Apart | Steps::AfterReads => self.next_of::<2>(node, at),
        }
    }

    /// The same where it is known how many states a transaction has.
    #[inline]
    pub(super) fn next_of<const STATES: u32>(&self, node: u32, at: &mut u32) -> Option<u32> {
        let n = self.graph.len() as u32;
        if node >= n * STATES {
            let number = node - n * STATES;
            loop {
                *at += 1;
                match *at {
                    1 if !self.apart(n + number, number) => return Some(number * STATES + self.step_in_time()),
                    1 => {}
                    2 if number + 1 < n && !self.apart(n + number, n + number + 1) => return Some(node + 1),
                    _ => return None,
                }
            }
        }
        let (txn, state) = (node / STATES, node % STATES);
        let begin = self.graph.starts[txn as usize];
        let end = self.graph.starts[txn as usize + 1];
        while begin + *at < end {
            let place = (begin + *at) as usize;
            *at += 1;
            let (to, kind) = (self.graph.to[place], self.graph.kinds[place]);
            let state = if STATES == 1 { (kind & self.mask != 0).then_some(0) } else { self.step(state, kind) };
            if let Some(state) = state
                && !self.apart(txn, to)
            {
                return Some(to * STATES + state);
            }
        }
        if self.realtime && begin + *at == end {
            *at += 1;
            let later = self.graph.later[txn as usize];
            if later < n && !self.apart(txn, n + later) {
                return Some(n * STATES + later);
            }
        }
        None
    }
}
