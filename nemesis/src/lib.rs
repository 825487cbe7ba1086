//! What goes wrong: the faults of a plan, and the injectors that make them real.

#[cfg(target_os = "linux")]
pub mod linux;
pub mod planned;
pub mod schedule;

pub use planned::{Pick, PlannedFault, Selector, Shape};
pub use schedule::{Drawn, Schedule};
