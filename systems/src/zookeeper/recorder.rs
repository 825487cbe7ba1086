//! The run's clock and the way of observations to the master.

use crate::world::{Happening, Observation};
use history::Nanos;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::Sender;
use std::sync::{Arc, Mutex};
use std::time::Instant;

/// Stamps observations and hands them over, in order of time.
#[derive(Debug)]
pub struct Recorder {
    epoch: Instant,
    sender: Mutex<Sender<Observation>>,
    bytes: Arc<AtomicU64>,
}

impl Recorder {
    /// A clock that starts now.
    #[allow(clippy::disallowed_methods, reason = "real time is what this adapter runs in")]
    pub fn new(sender: Sender<Observation>) -> Self {
        Recorder { epoch: Instant::now(), sender: Mutex::new(sender), bytes: Arc::default() }
    }

    /// Nanoseconds since the start of the run.
    pub fn now(&self) -> Nanos {
        u64::try_from(self.epoch.elapsed().as_nanos()).expect("a run is shorter than five hundred years")
    }

    /// Something happened now. The clock is read under the lock, so that the order of times is the order of arrival.
    pub fn tell(&self, what: Happening) {
        let sender = self.sender.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let time = self.now();
        let what = match what {
            Happening::Fault(mut fault) => {
                fault.time = time;
                Happening::Fault(fault)
            }
            other => other,
        };
        // The master has left: nobody is interested any more.
        let _gone = sender.send(Observation { time, what });
    }

    /// Where connections of clients count the bytes that they receive.
    pub fn counter(&self) -> Arc<AtomicU64> {
        self.bytes.clone()
    }

    /// Bytes received by clients so far.
    pub fn bytes(&self) -> u64 {
        self.bytes.load(Ordering::Relaxed)
    }
}
