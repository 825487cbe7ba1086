//! The system under a walk: it passes everything on, and lets time stand still at the stops.

use super::{Goal, Moment, Trail};
use crate::error::Error;
use history::Nanos;
use nemesis::PlannedFault;
use std::cell::RefCell;
use std::rc::Rc;
use std::sync::atomic::{AtomicBool, Ordering};
use systems::{Call, Observation, SystemInfo, World, WorldError};

/// Who is asked at each stop.
type Guide<'a> = &'a mut dyn FnMut(&Moment<'_>) -> Result<Goal, Error>;

/// See the module.
pub(super) struct Walked<'a, 'h> {
    inner: &'a mut dyn World,
    trail: Rc<RefCell<Trail<'h>>>,
    goal: Goal,
    guide: Guide<'a>,
    /// Set when the walk is over: the master ends the run.
    stop: &'a AtomicBool,
    failed: Option<Error>,
}

impl<'a, 'h> Walked<'a, 'h> {
    /// A walk that has not begun.
    pub fn new(
        inner: &'a mut dyn World,
        trail: Rc<RefCell<Trail<'h>>>,
        first: Goal,
        guide: Guide<'a>,
        stop: &'a AtomicBool,
    ) -> Walked<'a, 'h> {
        Walked { inner, trail, goal: first, guide, stop, failed: None }
    }

    /// The run is over: the last stop, unless the walk was left before.
    pub fn end(mut self) -> Result<(), Error> {
        if self.goal != Goal::Leave {
            self.stand(true);
        }
        self.failed.map_or(Ok(()), Err)
    }

    /// Asks where to go on to, as long as the goal is here.
    fn look(&mut self) {
        loop {
            let here = match self.goal {
                Goal::At(time) => self.inner.now() >= time,
                Goal::Seen => {
                    let mut trail = self.trail.borrow_mut();
                    trail.follow(self.inner);
                    trail.has_news()
                }
                Goal::Leave => false,
            };
            if !here {
                return;
            }
            self.stand(false);
        }
    }

    fn stand(&mut self, over: bool) {
        let mut trail = self.trail.borrow_mut();
        trail.follow(self.inner);
        let (passed, under_way) = (trail.take(), trail.under_way());
        drop(trail);
        let inner = &*self.inner;
        let moment = Moment { now: inner.now(), over, passed, under_way, states: &|| inner.states() };
        self.goal = (self.guide)(&moment).unwrap_or_else(|error| {
            self.failed = Some(error);
            Goal::Leave
        });
        if self.goal == Goal::Leave {
            self.stop.store(true, Ordering::Relaxed);
        }
    }

    /// The end of the next stretch without a stop.
    fn stretch(&mut self, until: Nanos) -> Nanos {
        let now = self.inner.now();
        match self.goal {
            Goal::At(time) => until.min(time),
            Goal::Seen => until.min(self.inner.next_time().unwrap_or(until)).max(now),
            Goal::Leave => until,
        }
    }
}

impl World for Walked<'_, '_> {
    fn info(&self) -> &SystemInfo {
        self.inner.info()
    }

    fn now(&self) -> Nanos {
        self.inner.now()
    }

    fn submit(&mut self, call: Call) {
        self.inner.submit(call);
    }

    fn start_fault(&mut self, fault: &PlannedFault) {
        self.inner.start_fault(fault);
    }

    fn end_fault(&mut self, id: u32) {
        self.inner.end_fault(id);
    }

    fn wait(&mut self, until: Nanos, out: &mut Vec<Observation>) -> Result<(), WorldError> {
        let before = out.len();
        loop {
            self.look();
            let stretch = self.stretch(until);
            self.inner.wait(stretch, out)?;
            if out.len() > before || self.inner.now() >= until {
                return Ok(());
            }
        }
    }

    fn shutdown(&mut self) {
        self.inner.shutdown();
    }
}
