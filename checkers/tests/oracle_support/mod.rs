//! What the brute-force oracle is made of.
#![allow(dead_code, clippy::unwrap_used)]

pub mod brute;
pub mod random;
pub mod real;
pub mod tale;
pub mod truth;
