//! The embedded registry: the right one raises no alarm, each planted bug is found, and a pass is not luck.
#![allow(clippy::unwrap_used)]

mod common;

use checkers::{Options, Verdict};
use common::Scratch;
use common::inside::{judge, scenario};
use harness::attempt::attempt;
use harness::plan::Plan;

/// How many seeds the clean runs take: 500 where `UPHEAVAL_SEEDS` says nothing else.
fn seeds() -> u64 {
    std::env::var("UPHEAVAL_SEEDS").ok().and_then(|n| n.parse().ok()).unwrap_or(500)
}

#[test]
fn the_right_registry_raises_no_alarm() {
    let scenarios = [
        "quickstart",
        "registry-churn",
        "registry-database",
        "registry-failover",
        "registry-lost-answers",
        "registry-lost-pushes",
        "registry-moves",
        "registry-reads",
        "registry-session-loss",
        "registry-sparse",
        "registry-split",
        "r7-v6",
        "r8-v6",
    ]
    .map(|name| scenario(name, &[]));
    let (mut inconclusive, mut wrong) = (Vec::new(), Vec::new());
    for seed in 0..seeds() {
        let scenario = &scenarios[seed as usize % scenarios.len()];
        let attempt = attempt(&Plan::draw(scenario, seed, None), &Options::default(), false).unwrap();
        match attempt.report.verdict {
            Verdict::Pass => {}
            Verdict::Inconclusive => inconclusive.push((&scenario.name, seed, attempt.report.reasons)),
            _ => wrong.push((&scenario.name, seed, attempt.fingerprint())),
        }
    }
    assert!(wrong.is_empty(), "alarms: {wrong:#?}");
    assert!(inconclusive.len() as u64 * 100 <= seeds(), "more than 1 % inconclusive: {inconclusive:#?}");
}

#[test]
fn with_every_bound_divided_by_four_clean_runs_become_violations() {
    let scratch = Scratch::new("sensitivity");
    let quickstart = scenario("quickstart", &[]);
    for seed in 0..5 {
        assert_eq!(judge(&scratch.0, &quickstart, seed, None, 1).report.verdict, Verdict::Pass, "seed {seed}");
        assert_eq!(judge(&scratch.0, &quickstart, seed, None, 4).report.verdict, Verdict::Violation, "seed {seed}");
    }
}

#[test]
fn a_run_that_saw_too_little_is_inconclusive() {
    let scratch = Scratch::new("too-little");
    let short = scenario("quickstart", &["time.chaos_ms=200", "workload.clients=2", "workload.pinned=0"]);
    let judged = judge(&scratch.0, &short, 1, None, 1);
    assert_eq!(judged.report.verdict, Verdict::Inconclusive, "{:?}", judged.report.reasons);
    // A clock step of no size bites nobody.
    let toothless =
        scenario("quickstart", &["faults.kinds=[\"clock-step\"]", "faults.swarm=false", "faults.clock_step_ms=[0, 0]"]);
    let judged = judge(&scratch.0, &toothless, 1, None, 1);
    assert_eq!(judged.report.verdict, Verdict::Inconclusive, "{:?}", judged.report.reasons);
}
