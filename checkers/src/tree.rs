//! A segment tree: add to a range, ask for the smallest or largest value in a range.
//!
//! Its leaves are a power of two, so that a node's place tells its range and adding climbs from both ends of the range
//! without recursion. The leaves behind the last position hold more than the others, so that no run of zeros goes on there.

/// Counts over positions `0..len`.
pub(crate) struct Tree {
    /// How many leaves: position `p` is node `leaves + p`.
    leaves: usize,
    nodes: Vec<Node>,
}

/// A range of positions, and what is in it.
#[derive(Clone, Copy, Default)]
struct Node {
    least: i32,
    most: i32,
    /// Added to the whole subtree, not yet part of the children.
    added: i32,
}

impl Tree {
    pub fn new(len: usize) -> Tree {
        let leaves = len.max(1).next_power_of_two();
        let mut tree = Tree { leaves, nodes: vec![Node::default(); 2 * leaves] };
        for leaf in leaves + len.max(1)..2 * leaves {
            tree.whole(leaf, 1);
        }
        (1..leaves).rev().for_each(|node| tree.gather(node));
        tree
    }

    /// Adds to positions `from..=to`.
    pub fn add(&mut self, from: usize, to: usize, by: i32) {
        debug_assert!(from <= to && to < self.leaves);
        let (mut left, mut right) = (from + self.leaves, to + self.leaves);
        // The nodes between the paths of both ends are whole; those on the paths gather what is below them.
        self.whole(left, by);
        if left == right {
            return self.climb(left / 2);
        }
        self.whole(right, by);
        while left / 2 != right / 2 {
            if left % 2 == 0 {
                self.whole(left + 1, by);
            }
            if right % 2 == 1 {
                self.whole(right - 1, by);
            }
            (left, right) = (left / 2, right / 2);
            self.gather(left);
            self.gather(right);
        }
        self.climb(left / 2);
    }

    /// Adds to all positions.
    pub fn add_all(&mut self, by: i32) {
        self.whole(1, by);
    }

    fn whole(&mut self, node: usize, by: i32) {
        let node = &mut self.nodes[node];
        (node.least, node.most, node.added) = (node.least + by, node.most + by, node.added + by);
    }

    fn gather(&mut self, node: usize) {
        let (a, b) = (self.nodes[2 * node], self.nodes[2 * node + 1]);
        let node = &mut self.nodes[node];
        node.least = a.least.min(b.least) + node.added;
        node.most = a.most.max(b.most) + node.added;
    }

    fn climb(&mut self, mut node: usize) {
        while node > 0 {
            self.gather(node);
            node /= 2;
        }
    }

    /// The smallest value in `from..=to`.
    pub fn least(&self, from: usize, to: usize) -> i32 {
        self.ask(1, 0, self.leaves - 1, (from, to)).0
    }

    /// The largest value in `from..=to`.
    pub fn most(&self, from: usize, to: usize) -> i32 {
        self.ask(1, 0, self.leaves - 1, (from, to)).1
    }

    /// The runs of positions with nothing added, in order; none if they are more than `runs_max`. Values are never below 0.
    pub fn zeros(&self, runs_max: usize) -> Option<Vec<(usize, usize)>> {
        let mut out = Vec::new();
        self.zeros_in(1, 0, self.leaves - 1, 0, runs_max, &mut out).then_some(out)
    }

    fn zeros_in(
        &self,
        node: usize,
        left: usize,
        right: usize,
        above: i32,
        runs_max: usize,
        out: &mut Vec<(usize, usize)>,
    ) -> bool {
        if self.nodes[node].least + above > 0 {
            return true;
        }
        if self.nodes[node].most + above == 0 {
            match out.last_mut() {
                Some(last) if last.1 + 1 == left => last.1 = right,
                _ => out.push((left, right)),
            }
            return out.len() <= runs_max;
        }
        let (middle, above) = (usize::midpoint(left, right), above + self.nodes[node].added);
        self.zeros_in(2 * node, left, middle, above, runs_max, out)
            && self.zeros_in(2 * node + 1, middle + 1, right, above, runs_max, out)
    }

    fn ask(&self, node: usize, left: usize, right: usize, range: (usize, usize)) -> (i32, i32) {
        let (from, to) = range;
        if from <= left && right <= to {
            return (self.nodes[node].least, self.nodes[node].most);
        }
        let middle = usize::midpoint(left, right);
        let mut out = (i32::MAX, i32::MIN);
        if from <= middle {
            out = self.ask(2 * node, left, middle, range);
        }
        if to > middle {
            let other = self.ask(2 * node + 1, middle + 1, right, range);
            out = (out.0.min(other.0), out.1.max(other.1));
        }
        (out.0 + self.nodes[node].added, out.1 + self.nodes[node].added)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn agrees_with_an_array() {
        let mut state = 7_u64;
        let mut draw = |below: usize| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (state >> 33) as usize % below
        };
        for len in [1, 2, 3, 7, 16, 33] {
            let mut tree = Tree::new(len);
            let mut plain = vec![0_i32; len];
            for _ in 0..200 {
                let (a, b) = (draw(len), draw(len));
                let (from, to) = (a.min(b), a.max(b));
                let by = draw(5) as i32 - 2;
                tree.add(from, to, by);
                plain[from..=to].iter_mut().for_each(|x| *x += by);
                let (a, b) = (draw(len), draw(len));
                let (from, to) = (a.min(b), a.max(b));
                assert_eq!(tree.least(from, to), *plain[from..=to].iter().min().expect("not empty"));
                assert_eq!(tree.most(from, to), *plain[from..=to].iter().max().expect("not empty"));
            }
        }
    }

    #[test]
    fn runs_of_zeros_are_whole_and_disjoint() {
        let mut state = 3_u64;
        let mut draw = |below: usize| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (state >> 33) as usize % below
        };
        for len in [1, 2, 5, 16, 33] {
            let (mut tree, mut plain) = (Tree::new(len), vec![0_i32; len]);
            let mut added: Vec<(usize, usize)> = Vec::new();
            for _ in 0..300 {
                // Never below zero: what is taken away was added before.
                let back = added.len() > 3 || (!added.is_empty() && draw(2) == 0);
                let (a, b) = (draw(len), draw(len));
                let (from, to) = if back { added.swap_remove(draw(added.len())) } else { (a.min(b), a.max(b)) };
                let by = if back { -1 } else { 1 };
                if !back {
                    added.push((from, to));
                }
                if (from + to) % 2 == 0 {
                    tree.add(from, to, by);
                } else {
                    // The same by its complement.
                    tree.add_all(by);
                    [(0, from), (to + 1, len)].iter().filter(|r| r.0 < r.1).for_each(|r| tree.add(r.0, r.1 - 1, -by));
                }
                plain[from..=to].iter_mut().for_each(|x| *x += by);
                let zeros = tree.zeros(len).expect("fewer runs than positions");
                assert!(zeros.windows(2).all(|pair| pair[0].1 + 1 < pair[1].0), "{zeros:?}");
                let among = |at| zeros.iter().any(|run| run.0 <= at && at <= run.1);
                assert!(plain.iter().enumerate().all(|(at, x)| among(at) == (*x == 0)), "{plain:?} {zeros:?}");
                assert_eq!(tree.zeros(0).is_some(), zeros.is_empty());
            }
        }
    }
}
