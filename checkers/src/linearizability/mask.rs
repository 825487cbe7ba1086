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
