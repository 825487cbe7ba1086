//! Tries edits of a plan in a fixed order, on several threads. The first in that order that still fails the same way wins,
//! whichever finished first: the result does not depend on the number of threads.

use super::edit::Edit;
use crate::attempt::{Attempt, attempt};
use crate::fingerprint::{Fingerprint, first};
use crate::plan::Plan;
use checkers::{Options, Violation};
use history::{Event, FaultStage};
use reports::faults::aimed_at;
use simulation::Stream;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Instant;

/// Examples for each checker that are enough to know the earliest violation.
const EXAMPLES: usize = 3;

/// What was seen when a plan failed.
#[derive(Clone, Debug)]
pub struct Failure {
    /// What kind of failure.
    pub fingerprint: Fingerprint,
    /// Its earliest violation.
    pub violation: Violation,
    /// The node that each fault was found to be aimed at.
    pub targets: BTreeMap<u32, String>,
}

impl Failure {
    /// What a run shows; none where it shows no violation.
    pub fn of(attempt: &Attempt) -> Option<Failure> {
        let violation = first(&attempt.report)?.clone();
        let mut targets = BTreeMap::new();
        for event in &attempt.events {
            if let Event::Fault(fault) = event
                && fault.stage == FaultStage::Start
                && let Some(node) = aimed_at(fault)
            {
                targets.insert(fault.id, node);
            }
        }
        Some(Failure { fingerprint: Fingerprint::of_violation(&violation), violation, targets })
    }
}

/// The search as far as it went.
pub struct Search<'a> {
    threads: usize,
    deadline: Instant,
    options: Options,
    origin: Fingerprint,
    /// Hashes of plans that did not fail the same way.
    vain: BTreeSet<String>,
    /// The smallest plan so far.
    pub plan: Plan,
    /// How it fails.
    pub failure: Failure,
    /// Plans tried, as one thread would count them.
    pub attempts: u64,
    /// True if time ran out.
    pub out_of_time: bool,
    watch: &'a mut dyn FnMut(&Plan, u64),
}

/// What became of one edit.
enum Tried {
    /// It changes nothing, or is known not to fail.
    Known,
    /// The plan with this hash does not fail the same way.
    Vain(String),
    /// It still fails.
    Fails(Box<(Plan, Failure)>),
}

impl<'a> Search<'a> {
    /// A search that starts from this plan, which fails like this.
    pub fn new(
        plan: Plan,
        failure: Failure,
        options: &Options,
        threads: usize,
        deadline: Instant,
        watch: &'a mut dyn FnMut(&Plan, u64),
    ) -> Search<'a> {
        let options = Options { threads: 1, examples_max: EXAMPLES, ..options.clone() };
        Search {
            threads,
            deadline,
            options,
            origin: failure.fingerprint,
            vain: BTreeSet::new(),
            plan,
            failure,
            attempts: 0,
            out_of_time: false,
            watch,
        }
    }

    /// Draws of this name for the plan as it is now: whoever comes to the same plan draws the same.
    pub fn stream(&self, name: &str) -> Stream {
        Stream::new(self.plan.kernel_seed, name, self.attempts)
    }

    /// Adopts the first of these edits that still fails; returns its place.
    pub fn first(&mut self, edits: &[Edit]) -> Option<usize> {
        if self.out_of_time || edits.is_empty() {
            return None;
        }
        let results: Vec<Mutex<Option<Tried>>> = edits.iter().map(|_| Mutex::new(None)).collect();
        let (next, best, late) = (AtomicUsize::new(0), AtomicUsize::new(usize::MAX), AtomicBool::new(false));
        let work = || {
            loop {
                let at = next.fetch_add(1, Ordering::Relaxed);
                if at >= edits.len() || at > best.load(Ordering::Relaxed) {
                    return;
                }
                if Instant::now() >= self.deadline {
                    late.store(true, Ordering::Relaxed);
                    return;
                }
                let tried = attempted(&self.plan, &edits[at], &self.vain, &self.options, self.origin);
                if matches!(tried, Tried::Fails(_)) {
                    best.fetch_min(at, Ordering::Relaxed);
                }
                *results[at].lock().unwrap_or_else(PoisonError::into_inner) = Some(tried);
            }
        };
        std::thread::scope(|scope| {
            for _ in 1..self.threads.min(edits.len()) {
                scope.spawn(work);
            }
            work();
        });
        self.out_of_time |= late.load(Ordering::Relaxed);
        let adopted = self.adopt(results);
        (self.watch)(&self.plan, self.attempts);
        adopted
    }

    /// Takes results in order up to the first that fails: those behind it were tried ahead of their turn.
    fn adopt(&mut self, results: Vec<Mutex<Option<Tried>>>) -> Option<usize> {
        for (at, result) in results.into_iter().enumerate() {
            match result.into_inner().unwrap_or_else(PoisonError::into_inner) {
                None | Some(Tried::Known) => {}
                Some(Tried::Vain(hash)) => {
                    self.attempts += 1;
                    self.vain.insert(hash);
                }
                Some(Tried::Fails(found)) => {
                    self.attempts += 1;
                    (self.plan, self.failure) = *found;
                    return Some(at);
                }
            }
        }
        None
    }
}

fn attempted(base: &Plan, edit: &Edit, vain: &BTreeSet<String>, options: &Options, origin: Fingerprint) -> Tried {
    let plan = edit.apply(base);
    if plan == *base {
        return Tried::Known;
    }
    let hash = plan.hash();
    if vain.contains(&hash) {
        return Tried::Known;
    }
    // A plan that cannot be run is no failure of the system under test.
    let failure = attempt(&plan, options, false).ok().and_then(|attempt| Failure::of(&attempt));
    match failure.filter(|failure| failure.fingerprint.reduces(origin)) {
        Some(failure) => Tried::Fails(Box::new((plan, failure))),
        None => Tried::Vain(hash),
    }
}
