//! What goes wrong: the faults of a plan, and the injectors that make them real.

pub mod fixed;
#[cfg(target_os = "linux")]
pub mod linux;
pub mod pattern;
pub mod planned;
pub mod schedule;
pub mod shape;

pub use fixed::FixedFault;
pub use pattern::Pattern;
pub use planned::{Pick, PlannedFault, Selector};
pub use schedule::{Drawn, Faults, Roles, Schedule};
pub use shape::Shape;
