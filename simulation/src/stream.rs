//! Named random streams: one seed, and for every purpose a stream of its own that nothing else disturbs.
//!
//! A stream is ChaCha12 keyed with SHA-256 over the seed, a name and an index, so that a client's stream does not change
//! when clients are added or the drawing of faults changes. Only integers are drawn: no platform can differ.
//! `StdRng` is documented as not portable; the golden vectors in the tests keep this one as it is.

use rand::Rng;
use rand::SeedableRng;
use rand_chacha::ChaCha12Rng;
use sha2::{Digest, Sha256};

/// One named stream of random integers.
#[derive(Clone, Debug)]
pub struct Stream {
    generator: ChaCha12Rng,
}

impl Stream {
    /// The stream of this name and index under this seed.
    pub fn new(seed: u64, name: &str, index: u64) -> Stream {
        let mut key = Sha256::new();
        key.update(b"upheaval stream 1\0");
        key.update(seed.to_le_bytes());
        key.update((name.len() as u64).to_le_bytes());
        key.update(name.as_bytes());
        key.update(index.to_le_bytes());
        Stream { generator: ChaCha12Rng::from_seed(key.finalize().into()) }
    }

    /// The next 64 bits.
    pub fn bits(&mut self) -> u64 {
        self.generator.next_u64()
    }

    /// Uniform in `0..bound`; `bound` must not be 0 (0 is answered with 0). Lemire 2019, without bias.
    pub fn below(&mut self, bound: u64) -> u64 {
        if bound == 0 {
            return 0;
        }
        loop {
            let wide = u128::from(self.bits()) * u128::from(bound);
            let low = wide as u64;
            if low >= bound || low >= bound.wrapping_neg() % bound {
                return (wide >> 64) as u64;
            }
        }
    }

    /// Uniform in `low..=high`; `low` if the range is empty.
    pub fn between(&mut self, low: u64, high: u64) -> u64 {
        if high <= low {
            return low;
        }
        match (high - low).checked_add(1) {
            Some(width) => low + self.below(width),
            None => self.bits(),
        }
    }

    /// True with a chance of `permille` in 1,000.
    pub fn chance(&mut self, permille: u32) -> bool {
        self.below(1000) < u64::from(permille)
    }

    /// Index into `weights`, each as likely as its weight; none if all are 0.
    pub fn weighted(&mut self, weights: &[u64]) -> Option<usize> {
        let total: u64 = weights.iter().sum();
        if total == 0 {
            return None;
        }
        let mut left = self.below(total);
        for (index, weight) in weights.iter().enumerate() {
            if left < *weight {
                return Some(index);
            }
            left -= weight;
        }
        None
    }

    /// A waiting time of the given mean, about exponentially distributed, from an integer table (no `ln`, which differs
    /// between platforms). Bounded by seven times the mean.
    pub fn waiting(&mut self, mean: u64) -> u64 {
        // -ln(1 - (i + 0.5) / 64) in 1/1024.
        const TABLE: [u64; 64] = [
            8, 24, 41, 58, 75, 92, 110, 128, 146, 165, 184, 203, 223, 243, 263, 284, 305, 327, 349, 372, 395, 419, 444,
            469, 494, 520, 547, 575, 603, 633, 663, 694, 726, 759, 793, 828, 865, 903, 942, 983, 1026, 1070, 1117,
            1166, 1217, 1271, 1328, 1388, 1452, 1520, 1594, 1672, 1758, 1851, 1953, 2067, 2195, 2342, 2513, 2719, 2976,
            3320, 3844, 5322,
        ];
        let row = TABLE[self.below(64) as usize];
        let jitter = self.between(896, 1152);
        ((u128::from(mean) * u128::from(row) * u128::from(jitter)) >> 20) as u64
    }

    /// Fisher-Yates.
    pub fn shuffle<T>(&mut self, items: &mut [T]) {
        for last in (1..items.len()).rev() {
            items.swap(last, self.below(last as u64 + 1) as usize);
        }
    }
}

/// A draw inside a simulation: a hash of the kernel's seed and of what is drawn for (link, operation, hop, attempt ...),
/// so that leaving out one operation does not reshuffle all others. SplitMix64's finaliser over each part in turn.
#[inline]
pub fn hash_draw(seed: u64, parts: &[u64]) -> u64 {
    parts.iter().fold(hash_begin(seed), |state, part| hash_on(state, *part))
}

/// The state of a draw before its first part: whoever draws often for the same first parts keeps the state after them.
#[inline]
pub const fn hash_begin(seed: u64) -> u64 {
    seed ^ 0x9e37_79b9_7f4a_7c15
}

/// The state of a draw after one more part; after the last one, what is drawn.
#[inline]
pub const fn hash_on(state: u64, part: u64) -> u64 {
    let mut state = state.wrapping_add(part).wrapping_add(0x9e37_79b9_7f4a_7c15);
    state = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    state = (state ^ (state >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    state ^ (state >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn streams_are_named_and_independent() {
        let mut a = Stream::new(7, "client", 3);
        let mut b = Stream::new(7, "client", 4);
        let mut c = Stream::new(7, "faults", 3);
        let first = a.bits();
        assert_ne!(first, b.bits());
        assert_ne!(first, c.bits());
        assert_eq!(first, Stream::new(7, "client", 3).bits());
    }

    /// Golden vectors: plans of old seeds mean something else if one of these ever changes.
    #[test]
    fn streams_stay_what_they_are() {
        let first = |seed, name, index| {
            let mut stream = Stream::new(seed, name, index);
            [stream.bits(), stream.below(1_000_000), stream.between(10, 99), stream.waiting(1_000_000)]
        };
        assert_eq!(first(7, "pubsub client", 3), [12_563_028_653_876_398_626, 19_737, 86, 600_039]);
        assert_eq!(first(0, "faults", 0), [3_976_193_302_665_921_260, 166_593, 94, 2_886_383]);
        assert_eq!(first(u64::MAX, "kernel", u64::MAX), [10_097_386_345_248_919_102, 869_308, 68, 1_399_150]);
        assert_eq!(hash_draw(7, &[1, 2, 3]), 14_912_087_191_637_805_146);
    }

    #[test]
    fn waiting_has_about_the_mean_asked_for() {
        let mut stream = Stream::new(1, "mean", 0);
        let sum: u64 = (0..100_000).map(|_| stream.waiting(1_000_000)).sum();
        let mean = sum / 100_000;
        assert!((950_000..1_050_000).contains(&mean), "{mean}");
    }
}
