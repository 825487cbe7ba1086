//! What goes wrong: the faults of a plan, and the injectors that make them real.

pub mod planned;

pub use planned::{Pick, PlannedFault, Selector, Shape};
