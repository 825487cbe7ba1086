//! Time in a history.

/// Nanoseconds since the start of the run: true time in simulation, the master's monotonic clock in real runs.
pub type Nanos = u64;
/// Nanoseconds in a millisecond.
pub const MILLI: Nanos = 1_000_000;
/// Nanoseconds in a second.
pub const SECOND: Nanos = 1_000_000_000;
