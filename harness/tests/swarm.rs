//! Swarm testing of the embedded registry: no alarm where nothing is wrong, planted bugs found by nothing but seeds, and an
//! idle swarm fails. `cargo xtask acceptance` runs the same with the numbers of the claims:
//!
//! - `UPHEAVAL_SWARM_SEEDS`: seeds of the right registry (500).
//! - `UPHEAVAL_SWARM_HUNT`: seeds within which the swarm looks for each bug unaided (0: not at all).
#![allow(clippy::unwrap_used)]

use checkers::{Options, Verdict};
use harness::explore::outcome::Trial;
use harness::explore::{Limits, Outcome, Pool, tally};
use harness::scenario::Scenario;
use history::{FaultKind, word};
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::sync::atomic::AtomicBool;
use systems::registry::Bug;

fn wished(name: &str, otherwise: u64) -> u64 {
    std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(otherwise)
}

fn run(scenario: &Scenario, bug: Option<Bug>, seeds: Range<u64>, until_failure: bool) -> BTreeMap<u64, Outcome> {
    let options = Options { threads: 1, ..Options::default() };
    let trial = Trial { scenario, bug: bug.map(Bug::name), options: &options, twice_permille: 20 };
    let limits = Limits { stop: &AtomicBool::new(false), time: None, until_failure };
    let jobs = std::thread::available_parallelism().map_or(1, usize::from);
    let mut outcomes = BTreeMap::new();
    let take = |outcome: Outcome| {
        outcomes.insert(outcome.seed, outcome);
        Ok(())
    };
    Pool { trial: &trial, jobs, limits }.run(seeds, &BTreeSet::new(), None, take).unwrap();
    outcomes
}

fn scenario(name: &str) -> Scenario {
    Scenario::load(name, &[]).unwrap().0
}

/// Kinds of faults that the swarm has, and in how many of 1,000 seeds at least one of it must bite.
const FAULT_FLOOR_PERMILLE: u64 = 30;
/// States, and how often 1,000 seeds must reach each at least. Each seed begins with one new meta leader.
const STATE_FLOORS: [(&str, u64); 12] = [
    ("fault-begins-during-migration", 15),
    ("follower-promoted", 200),
    ("leader-lost-while-migrating", 4),
    ("meta-leader-elected", 1_050),
    ("meta-leader-killed", 20),
    ("migration-during-outage", 60),
    ("no-data-node-left", 50),
    ("push-retried", 300),
    ("session-fenced", 20),
    ("session-lease-lapsed", 4),
    ("two-faults-on-one-node", 200),
    ("write-retried", 300),
];

#[test]
fn the_right_registry_passes_and_the_swarm_is_not_idle() {
    let seeds = wished("UPHEAVAL_SWARM_SEEDS", 500);
    let swarm = scenario("swarm");
    let outcomes = run(&swarm, None, 0..seeds, false);
    let sum = tally(&outcomes, 0..seeds, false, &|seed| format!("upheaval run swarm --seed {seed}"));
    println!("{}", reports::exploration::summary(&sum, false));
    assert_eq!((sum.seeds_run, sum.violations, sum.errors), (seeds, 0, 0), "{:#?}{:#?}", sum.failures, sum.reasons);
    assert!(sum.inconclusive * 100 <= seeds, "more than 1 %: {:#?}", sum.reasons);
    assert!(sum.twice > 0, "a share runs twice");
    for kind in &swarm.faults.kinds {
        let bit = outcomes.values().filter(|outcome| outcome.bit.contains_key(&word(kind))).count() as u64;
        assert!(bit * 1000 >= seeds * FAULT_FLOOR_PERMILLE, "{}: bit in {bit} of {seeds} seeds", word(kind));
    }
    // Connections do neither of the first two; tables and who leads what are moved by the other faults already.
    let left_out = [FaultKind::Duplicate, FaultKind::Reorder, FaultKind::StaleTable, FaultKind::Rebalance];
    assert!(FaultKind::PLANNED.iter().all(|kind| swarm.faults.kinds.contains(kind) != left_out.contains(kind)));
    for (state, floor) in STATE_FLOORS {
        let times = sum.coverage.get(state).copied().unwrap_or(0);
        assert!(times * 1000 >= seeds * floor, "{state}: reached {times} times in {seeds} seeds");
    }
}

fn first_found(scenario: &Scenario, bug: Bug, seeds: Range<u64>) -> Option<u64> {
    let outcomes = run(scenario, Some(bug), seeds, true);
    let found = outcomes.values().find(|outcome| outcome.verdict == Verdict::Violation);
    found.map(|outcome| outcome.seed)
}

#[test]
fn the_swarm_finds_most_planted_bugs_unaided() {
    let seeds = wished("UPHEAVAL_SWARM_HUNT", 0);
    if seeds == 0 {
        return println!("skipped: part of cargo xtask acceptance");
    }
    let mut found = 0;
    for bug in Bug::ALL {
        let first = first_found(&scenario("swarm"), bug, 0..seeds);
        println!("{:26} found by the swarm after {first:?}", bug.name());
        found += usize::from(first.is_some());
    }
    assert!(found * 4 >= Bug::ALL.len() * 3, "{found} of {}", Bug::ALL.len());
}
