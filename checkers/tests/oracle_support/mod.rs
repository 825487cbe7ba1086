//! What the brute-force oracle is made of.
#![allow(dead_code, clippy::unwrap_used)]

pub mod brute;
#[path = "../dice/mod.rs"]
pub mod dice;
pub mod random;
pub mod real;
pub mod tale;
pub mod truth;
