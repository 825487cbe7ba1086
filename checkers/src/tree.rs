//! A segment tree: add to a range, ask for the smallest or largest value in a range.

/// Counts over positions `0..len`.
pub(crate) struct Tree {
    len: usize,
    least: Vec<i32>,
    most: Vec<i32>,
    /// Added to the whole subtree, not yet part of the children.
    added: Vec<i32>,
}

impl Tree {
    pub fn new(len: usize) -> Tree {
        let size = 4 * len.max(1);
        Tree { len: len.max(1), least: vec![0; size], most: vec![0; size], added: vec![0; size] }
    }

    /// Adds to positions `from..=to`.
    pub fn add(&mut self, from: usize, to: usize, by: i32) {
        debug_assert!(from <= to && to < self.len);
        self.add_in(1, 0, self.len - 1, (from, to, by));
    }

    fn add_in(&mut self, node: usize, left: usize, right: usize, job: (usize, usize, i32)) {
        let (from, to, by) = job;
        if from <= left && right <= to {
            self.least[node] += by;
            self.most[node] += by;
            self.added[node] += by;
            return;
        }
        let middle = usize::midpoint(left, right);
        if from <= middle {
            self.add_in(2 * node, left, middle, job);
        }
        if to > middle {
            self.add_in(2 * node + 1, middle + 1, right, job);
        }
        self.least[node] = self.least[2 * node].min(self.least[2 * node + 1]) + self.added[node];
        self.most[node] = self.most[2 * node].max(self.most[2 * node + 1]) + self.added[node];
    }

    /// The smallest value in `from..=to`.
    pub fn least(&self, from: usize, to: usize) -> i32 {
        self.ask(1, 0, self.len - 1, (from, to)).0
    }

    /// The largest value in `from..=to`.
    pub fn most(&self, from: usize, to: usize) -> i32 {
        self.ask(1, 0, self.len - 1, (from, to)).1
    }

    fn ask(&self, node: usize, left: usize, right: usize, range: (usize, usize)) -> (i32, i32) {
        let (from, to) = range;
        if from <= left && right <= to {
            return (self.least[node], self.most[node]);
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
        (out.0 + self.added[node], out.1 + self.added[node])
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
}
