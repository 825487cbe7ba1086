//! What must hold: pure functions from a history to a verdict with evidence. No I/O, no clock, no random numbers.

pub mod verdict;

pub use verdict::{CheckResult, Convergence, Figure, Kind, Report, Sample, TrailEntry, Verdict, Violation};
