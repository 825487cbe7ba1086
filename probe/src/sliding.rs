//! A quantile over a sliding window, in constant memory: a ring of small histograms.

use history::Nanos;

/// Buckets are a quarter wider, each than the one before: from 0.1 ms to some hours.
const BUCKETS: usize = 90;
const FIRST: Nanos = 100_000;
const SLICES: usize = 30;
/// Fewer samples than this have no 99th percentile.
const SAMPLES_MIN: u64 = 200;

/// The window.
#[derive(Debug)]
pub struct Sliding {
    slice: Nanos,
    slices: [[u32; BUCKETS]; SLICES],
    /// Which slice of time each holds.
    held: [u64; SLICES],
}

impl Sliding {
    /// A window of this length.
    pub fn new(window: Nanos) -> Sliding {
        let slice = (window / SLICES as u64).max(1);
        Sliding { slice, slices: [[0; BUCKETS]; SLICES], held: [u64::MAX; SLICES] }
    }

    /// Something took this long; none: it never came.
    pub fn add(&mut self, now: Nanos, took: Option<Nanos>) {
        let which = now / self.slice;
        let at = (which % SLICES as u64) as usize;
        if self.held[at] != which {
            (self.slices[at], self.held[at]) = ([0; BUCKETS], which);
        }
        let bucket = took.map_or(BUCKETS - 1, bucket);
        self.slices[at][bucket] = self.slices[at][bucket].saturating_add(1);
    }

    /// An upper bound of the 99th percentile; none if too little was seen. `Nanos::MAX` where it never came.
    pub fn p99(&self, now: Nanos) -> Option<Nanos> {
        let which = now / self.slice;
        let fresh = |held: &u64| *held <= which && held + (SLICES as u64) > which;
        let mut sum = [0u64; BUCKETS];
        for (slice, _) in self.slices.iter().zip(&self.held).filter(|(_, held)| **held != u64::MAX && fresh(held)) {
            sum.iter_mut().zip(slice).for_each(|(sum, n)| *sum += u64::from(*n));
        }
        let all: u64 = sum.iter().sum();
        if all < SAMPLES_MIN {
            return None;
        }
        let mut seen = 0;
        for (at, n) in sum.iter().enumerate() {
            seen += n;
            if seen * 100 >= all * 99 {
                return Some(if at == BUCKETS - 1 { Nanos::MAX } else { limit(at) });
            }
        }
        None
    }
}

fn limit(bucket: usize) -> Nanos {
    (0..bucket).fold(FIRST, |limit, _| limit + limit / 4)
}

fn bucket(took: Nanos) -> usize {
    let mut limit = FIRST;
    let mut at = 0;
    while took > limit && at < BUCKETS - 2 {
        limit += limit / 4;
        at += 1;
    }
    at
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: Nanos = 1_000_000;

    #[test]
    fn the_window_forgets() {
        let mut sliding = Sliding::new(300_000 * MS);
        assert_eq!(sliding.p99(0), None);
        (0..1_000).for_each(|at| sliding.add(at * MS, Some(10 * MS)));
        let p99 = sliding.p99(1_000 * MS).unwrap_or_default();
        assert!((10 * MS..13 * MS).contains(&p99), "{p99}");
        (0..20).for_each(|at| sliding.add(1_000 * MS + at, None));
        assert_eq!(sliding.p99(2_000 * MS), Some(Nanos::MAX), "2 % never came");
        assert_eq!(sliding.p99(400_000 * MS), None, "all that is over");
    }
}
