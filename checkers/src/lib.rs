//! What must hold: pure functions from a history to a verdict with evidence. No I/O, no clock, no random numbers.
//!
//! [`check()`] reads a whole history twice and judges every view of every subscriber at every instant:
//!
//! 1. a [`Joiner`] joins operations, sessions and contents, also while a history is still recorded; faults become windows, with how
//!    old a view may be in each;
//! 2. hearing: when each session is surely alive, possibly alive, surely gone; presence: what may be at the source of
//!    truth for each publisher at each instant (must, may, absent, and with which values);
//! 3. for each dataId: the judge walks all contents by their differences, says when each is in order, and judges reads;
//! 4. views: pushes pass by once more. What a subscriber has before its eyes is in order as long as its content is, and is forgotten
//!    then; changes follow what each view made of each operation, for order and convergence times. Memory depends on operations,
//!    contents and subscriptions, not on pushes;
//! 5. the judge says what is wrong about the few views that were not found in order;
//! 6. sufficiency: too little seen is inconclusive, never a pass; evidence: the first violations are dressed for people.
//!
//! Unknown outcomes, leases and faults make the true content uncertain: wherever two readings are possible the one that
//! explains more is taken, so that a violation is a violation.
//!
//! Two rules are narrower than they could be. A torn push is reported only where nothing else is wrong with the push. An
//! open end (an operation without a completion, a fault that never serves again) lasts for ever.

mod calibration;
mod changes;
mod check;
mod content;
mod distribution;
mod evidence;
pub mod facts;
mod finding;
mod ground;
mod guess;
mod hearing;
mod incarnation;
mod judge;
pub mod linearizability;
pub mod menu;
pub mod mutation;
mod nearest;
pub mod options;
mod presence;
mod record;
mod span;
mod subscription;
mod sufficiency;
pub mod suspect;
mod threads;
pub mod transactions;
mod tree;
mod trouble;
pub mod verdict;
mod views;
mod walk;

pub use calibration::calibrate;
pub use check::{check, check_joined, check_source};
pub use facts::Finding;
pub use guess::guess;
pub use options::{Checker, CheckersError, Options};
pub use record::{Joined, Joiner};
pub use verdict::{CheckResult, Convergence, Figure, Kind, Report, Sample, TrailEntry, Verdict, Violation};
