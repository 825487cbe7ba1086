//! Caps on what the probe does to the registry: so many a second, with bursts of no more than one second's worth.

use history::{Nanos, SECOND};

/// A bucket of tokens.
#[derive(Clone, Copy, Debug)]
pub struct Budget {
    per_s: u64,
    /// Tokens times a second, in nanoseconds.
    filled: u64,
    at: Nanos,
}

impl Budget {
    /// So many a second.
    pub fn new(per_s: u32, now: Nanos) -> Budget {
        Budget { per_s: u64::from(per_s), filled: u64::from(per_s) * SECOND, at: now }
    }

    /// Takes one, if there is one.
    pub fn take(&mut self, now: Nanos) -> bool {
        let passed = now.saturating_sub(self.at).min(SECOND);
        self.at = self.at.max(now);
        self.filled = (self.filled + passed * self.per_s).min(self.per_s * SECOND);
        let enough = self.filled >= SECOND;
        if enough {
            self.filled -= SECOND;
        }
        enough
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_more_than_allowed_over_any_time() {
        let mut budget = Budget::new(10, 0);
        let taken = (0..100_000u64).filter(|step| budget.take(step * SECOND / 1_000)).count();
        assert!((1_000..=1_011).contains(&taken), "{taken} in 100 s at 10 a second");
        assert_eq!((0..50).filter(|_| budget.take(1_000 * SECOND)).count(), 10, "a long rest saves up one second");
    }
}
