//! Sets of operations in flight, as bits of one number.

use std::hash::Hash;

/// A set of small numbers.
pub(super) trait Mask: Copy + Eq + Ord + Hash + Send {
    /// How many numbers there are.
    const BITS: u32;
    /// Nothing.
    const NONE: Self;
    /// The set of one number.
    fn of(bit: u32) -> Self;
    /// Both together.
    fn or(self, other: Self) -> Self;
    /// What is in both.
    fn and(self, other: Self) -> Self;
    /// What is not in the other.
    fn without(self, other: Self) -> Self;
    /// True if empty.
    fn is_none(self) -> bool;
    /// The least number in it; it must not be empty.
    fn first(self) -> u32;
    /// How many are in it.
    fn count(self) -> u32;
    /// For hashing: all bits folded into 64.
    fn fold(self) -> u64;
}

macro_rules! mask {
    ($type:ty, $fold:expr) => {
        impl Mask for $type {
            const BITS: u32 = <$type>::BITS;
            const NONE: $type = 0;
            fn of(bit: u32) -> $type {
                1 << bit
            }
            fn or(self, other: $type) -> $type {
                self | other
            }
            fn and(self, other: $type) -> $type {
                self & other
            }
            fn without(self, other: $type) -> $type {
                self & !other
            }
            fn is_none(self) -> bool {
                self == 0
            }
            fn first(self) -> u32 {
                self.trailing_zeros()
            }
            fn count(self) -> u32 {
                self.count_ones()
            }
            fn fold(self) -> u64 {
                $fold(self)
            }
        }
    };
}

mask!(u64, |mask| mask);
mask!(u128, |mask: u128| (mask as u64) ^ ((mask >> 64) as u64).rotate_left(32));

/// A set of so many times 64 numbers, for histories with very many operations in flight.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Wide<const WORDS: usize>([u64; WORDS]);

impl<const WORDS: usize> Wide<WORDS> {
    fn each(self, other: Self, both: impl Fn(u64, u64) -> u64) -> Self {
        Wide(std::array::from_fn(|word| both(self.0[word], other.0[word])))
    }
}

impl<const WORDS: usize> Mask for Wide<WORDS> {
    const BITS: u32 = 64 * WORDS as u32;
    const NONE: Self = Wide([0; WORDS]);

    fn of(bit: u32) -> Self {
        let mut mask = Self::NONE;
        mask.0[bit as usize / 64] = 1 << (bit % 64);
        mask
    }

    fn or(self, other: Self) -> Self {
        self.each(other, |a, b| a | b)
    }

    fn and(self, other: Self) -> Self {
        self.each(other, |a, b| a & b)
    }

    fn without(self, other: Self) -> Self {
        self.each(other, |a, b| a & !b)
    }

    fn is_none(self) -> bool {
        self == Self::NONE
    }

    fn first(self) -> u32 {
        let word = self.0.iter().position(|word| *word != 0).unwrap_or(WORDS);
        word as u32 * 64 + self.0.get(word).map_or(0, |word| word.trailing_zeros())
    }

    fn count(self) -> u32 {
        self.0.iter().map(|word| word.count_ones()).sum()
    }

    fn fold(self) -> u64 {
        self.0.iter().fold(0, |folded: u64, word| folded.rotate_left(31).wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ word)
    }
}
