//! Many seeds of one scenario: on all cores, resumable, and with the same result whatever the number of threads and the
//! order in which seeds come to their end.
//!
//! A seed's outcome is a pure function of scenario, seed, planted bug and program; a summary is a pure function of the
//! outcomes in order of seed. Only rates depend on the host.

pub mod book;
pub mod outcome;
pub mod pool;
pub mod tally;

pub use book::Book;
pub use outcome::Outcome;
pub use pool::{Limits, Pool};
pub use tally::tally;
