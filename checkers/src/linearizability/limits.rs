//! Bounds on time and memory. This crate reads no clock: whoever calls it says when the time is over.

use std::sync::atomic::{AtomicU64, Ordering};

/// How much a check may take. Shared by all threads of one check.
pub struct Limits<'a> {
    /// Steps of the search, over all objects.
    pub steps_max: u64,
    /// Memory of the search, bytes, over all threads.
    pub bytes_max: u64,
    /// True once the time is over; asked every few thousand steps.
    pub over: &'a (dyn Fn() -> bool + Sync),
    steps: AtomicU64,
    bytes: AtomicU64,
}

/// The most operations of one object, of known outcome, that can be in flight at once.
pub(super) const FLIGHT_MAX: u32 = 4096;

/// Why a search gave up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GaveUp {
    /// The time is over.
    Time,
    /// It would take more memory than allowed.
    Memory,
    /// It took as many steps as allowed.
    Steps,
    /// More operations of one object are in flight at once than it can handle.
    Width,
}

impl GaveUp {
    /// For people.
    pub fn words(self) -> &'static str {
        match self {
            GaveUp::Time => "the time limit was reached",
            GaveUp::Memory => "the memory limit was reached",
            GaveUp::Steps => "the limit of steps was reached",
            GaveUp::Width => "more than 4,096 operations of one object were in flight at once",
        }
    }
}

impl<'a> Limits<'a> {
    /// New ones, nothing used yet.
    pub fn new(steps_max: u64, bytes_max: u64, over: &'a (dyn Fn() -> bool + Sync)) -> Limits<'a> {
        Limits { steps_max, bytes_max, over, steps: AtomicU64::new(0), bytes: AtomicU64::new(0) }
    }

    /// None but the clock's.
    pub fn none(over: &'a (dyn Fn() -> bool + Sync)) -> Limits<'a> {
        Limits::new(u64::MAX, u64::MAX, over)
    }

    /// Books steps and a change of memory; says if anything is over.
    pub(crate) fn book(&self, steps: u64, bytes_before: u64, bytes_now: u64) -> Result<(), GaveUp> {
        let all = self.steps.fetch_add(steps, Ordering::Relaxed).saturating_add(steps);
        if bytes_now >= bytes_before {
            self.bytes.fetch_add(bytes_now - bytes_before, Ordering::Relaxed);
        } else {
            self.bytes.fetch_sub(bytes_before - bytes_now, Ordering::Relaxed);
        }
        if self.bytes.load(Ordering::Relaxed) > self.bytes_max {
            Err(GaveUp::Memory)
        } else if all > self.steps_max {
            Err(GaveUp::Steps)
        } else if (self.over)() {
            Err(GaveUp::Time)
        } else {
            Ok(())
        }
    }

    /// Gives memory back.
    pub(crate) fn release(&self, bytes: u64) {
        self.bytes.fetch_sub(bytes, Ordering::Relaxed);
    }
}
