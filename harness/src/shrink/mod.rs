//! Shrinking: a smaller plan that still fails the same way.
//!
//! Delta debugging over the plan: faults, clients, operations, dataIds, the shape of the cluster, times. A candidate
//! counts only if its run, in memory and in virtual time, shows a failure with the fingerprint of the first one. Candidates
//! come in a fixed order and the first success in that order wins, so that the same plan shrinks to the same plan whatever
//! the number of threads; only running out of time cuts it short, and the result says so.
//!
//! Where nothing can be left out by itself, parts of the plan are drawn and run with other draws inside the simulation, and
//! faults are moved, lengthened or made plainer to cover for one that goes; where much is left, the whole is tried again with
//! other draws. They are drawn from the plan's own seed, so that they too are always the same.

mod edit;
mod keep;
mod luck;
mod passes;
mod search;
mod size;

pub use keep::{keep, message};
pub use size::Size;

use crate::attempt::attempt;
use crate::error::Error;
use crate::fingerprint::Fingerprint;
use crate::plan::Plan;
use checkers::Options;
use search::{Failure, Search};
use std::time::{Duration, Instant};

/// How much effort may be spent.
#[derive(Clone, Copy, Debug)]
pub struct Effort {
    /// No candidate is started after so long.
    pub time: Duration,
    /// Threads; the result does not depend on it.
    pub threads: usize,
}

/// A smaller plan that fails the same way.
#[derive(Clone, Debug)]
pub struct Shrunk {
    /// The plan.
    pub plan: Plan,
    /// Its fingerprint.
    pub fingerprint: Fingerprint,
    /// That of the plan that it was made from.
    pub origin: Fingerprint,
    /// How large the first plan was.
    pub before: Size,
    /// How large this one is.
    pub after: Size,
    /// How many plans were tried, as one thread counts them: those that others tried ahead of their turn do not count.
    pub attempts: u64,
    /// False if time ran out: with more of it the plan could be smaller.
    pub complete: bool,
}

/// Shrinks a plan that fails by what `options` ask for. Refused where its run shows no violation, or cannot be made in virtual time.
/// `watch` is told the plan that it works on, which is large again where another way down is tried, and how many were tried.
pub fn shrink(
    plan: &Plan,
    options: &Options,
    effort: Effort,
    watch: &mut dyn FnMut(&Plan, u64),
) -> Result<Shrunk, Error> {
    let deadline = Instant::now() + effort.time;
    if !plan.system.is_virtual() {
        let system = plan.system.name();
        return Err(Error::usage(format!(
            "{system} is a real system: each candidate would be a run in real time, and no two of them alike. Only runs in \
             virtual time can be shrunk; `upheaval replay` runs this one again"
        )));
    }
    let whole = attempt(plan, &Options { threads: effort.threads, ..options.clone() }, false)?;
    let Some(failure) = Failure::of(&whole) else {
        let verdict = reports::story::verdict(whole.report.verdict);
        return Err(Error::usage(format!(
            "the run shows no violation (its verdict is {verdict}): there is nothing to shrink"
        )));
    };
    let origin = failure.fingerprint;
    let mut search = Search::new(plan.clone(), failure, options, effort.threads, deadline, watch);
    passes::all(&mut search);
    let (before, after) = (Size::of(plan), Size::of(&search.plan));
    let mut small = search.plan;
    // What the seed drew is not what this plan holds.
    small.scenario = shrunk_name(&small.scenario);
    small.drawn = vec![("shrunk from".to_owned(), format!("seed {}: {before}", plan.seed))];
    Ok(Shrunk {
        plan: small,
        fingerprint: search.failure.fingerprint,
        origin,
        before,
        after,
        attempts: search.attempts,
        complete: !search.out_of_time,
    })
}

/// Its folder in the store and its history say that this is not what the scenario draws.
fn shrunk_name(scenario: &str) -> String {
    const SUFFIX: &str = "-shrunk";
    if scenario.ends_with(SUFFIX) { scenario.to_owned() } else { format!("{scenario}{SUFFIX}") }
}
