//! Seeds on threads: handed out in order, taken back in any.

use super::outcome::{Outcome, Trial};
use crate::error::Error;
use checkers::Verdict;
use std::collections::BTreeSet;
use std::ops::Range;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc;
use std::time::{Duration, Instant};

/// When to stop early.
#[derive(Clone, Copy, Debug)]
pub struct Limits<'a> {
    /// Set by Ctrl-C: what has begun is finished, nothing else is begun.
    pub stop: &'a AtomicBool,
    /// No seed is begun after so long.
    pub time: Option<Duration>,
    /// No seed above the lowest one that fails is begun. All below it are run, so that it is the same whatever the number
    /// of threads.
    pub until_failure: bool,
}

/// Threads that run seeds.
#[derive(Clone, Copy, Debug)]
pub struct Pool<'a> {
    /// What is tried with each seed.
    pub trial: &'a Trial<'a>,
    /// How many threads; at least one.
    pub jobs: usize,
    /// When to stop early.
    pub limits: Limits<'a>,
}

/// What the threads share.
struct Shared<'a> {
    next: AtomicU64,
    end: u64,
    /// The lowest seed that fails, as far as is known.
    failing: AtomicU64,
    deadline: Option<Instant>,
    done: &'a BTreeSet<u64>,
}

/// True for what `--until-failure` looks for.
pub fn fails(verdict: Verdict) -> bool {
    matches!(verdict, Verdict::Violation | Verdict::Error)
}

impl Pool<'_> {
    /// Runs the seeds of the range that are not done already and hands each outcome to `take`, in the order in which they
    /// come to their end. `failing` is the lowest seed known to fail from an earlier call. Errors are those of `take`.
    pub fn run(
        &self,
        seeds: Range<u64>,
        done: &BTreeSet<u64>,
        failing: Option<u64>,
        mut take: impl FnMut(Outcome) -> Result<(), Error>,
    ) -> Result<(), Error> {
        let shared = Shared {
            next: AtomicU64::new(seeds.start),
            end: seeds.end,
            failing: AtomicU64::new(failing.unwrap_or(u64::MAX)),
            deadline: self.limits.time.and_then(|time| Instant::now().checked_add(time)),
            done,
        };
        std::thread::scope(|scope| {
            let (sender, receiver) = mpsc::sync_channel(1024);
            for _ in 0..self.jobs.max(1) {
                let (sender, shared) = (sender.clone(), &shared);
                scope.spawn(move || self.work(shared, &sender));
            }
            drop(sender);
            let mut result = Ok(());
            for outcome in receiver {
                result = result.and_then(|()| take(outcome));
                if result.is_err() {
                    shared.next.store(shared.end, Ordering::Relaxed);
                }
            }
            result
        })
    }

    fn work(&self, shared: &Shared<'_>, sender: &mpsc::SyncSender<Outcome>) {
        while let Some(seed) = self.next(shared) {
            let outcome = Outcome::of(self.trial, seed);
            if fails(outcome.verdict) {
                shared.failing.fetch_min(seed, Ordering::Relaxed);
            }
            if sender.send(outcome).is_err() {
                return;
            }
        }
    }

    fn next(&self, shared: &Shared<'_>) -> Option<u64> {
        loop {
            let late = shared.deadline.is_some_and(|deadline| Instant::now() >= deadline);
            if late || self.limits.stop.load(Ordering::Relaxed) {
                return None;
            }
            let seed = shared.next.fetch_add(1, Ordering::Relaxed);
            let enough = self.limits.until_failure && seed > shared.failing.load(Ordering::Relaxed);
            if seed >= shared.end || enough {
                return None;
            }
            if !shared.done.contains(&seed) {
                return Some(seed);
            }
        }
    }
}
