//! The test before all others: the same scenario, seed and version give the same plan and, in virtual time, the same
//! history, whatever the folder and the number of threads.
#![allow(clippy::unwrap_used)]

mod common;

use common::{Scratch, run_json};
use harness::plan::Plan;
use harness::scenario::Scenario;

#[test]
fn the_same_seed_gives_the_same_plan_and_history_everywhere() {
    let one = Scratch::new("determinism-one");
    let other = Scratch::new("determinism-other");
    let (code, first) = run_json(&one.0, &["run", "quickstart", "--seed", "7", "--threads", "1"]);
    let (_, again) = run_json(&one.0, &["run", "quickstart", "--seed", "7", "--threads", "1"]);
    let (_, elsewhere) = run_json(&other.0, &["run", "quickstart", "--seed", "7", "--threads", "2"]);
    assert_eq!(code, 0, "{first:#}");
    for run in [&again, &elsewhere] {
        for key in ["plan_hash", "history_hash", "verdict", "counts", "checks", "faults"] {
            assert_eq!(first[key], run[key], "{key}");
        }
    }
    let (_, another) = run_json(&other.0, &["run", "quickstart", "--seed", "8"]);
    assert_ne!(first["plan_hash"], another["plan_hash"]);
    assert_ne!(first["history_hash"], another["history_hash"]);
}

#[test]
fn a_replay_gives_the_same_history() {
    let scratch = Scratch::new("determinism-replay");
    let (_, first) = run_json(&scratch.0, &["run", "registry-churn", "--seed", "11"]);
    let (_, replayed) = run_json(&scratch.0, &["replay", "runs/latest"]);
    assert_eq!(first["history_hash"], replayed["history_hash"]);
    assert_eq!(first["plan_hash"], replayed["plan_hash"]);
}

#[test]
fn many_seeds_run_twice_give_equal_histories() {
    let scratch = Scratch::new("determinism-many");
    for seed in 100..108 {
        let seed = seed.to_string();
        let hash = || run_json(&scratch.0, &["run", "registry-churn", "--seed", &seed]).1["history_hash"].clone();
        assert_eq!(hash(), hash(), "seed {seed}");
    }
}

/// Plans are kept as they are: a change of these values means that old seeds mean something else now, which belongs into
/// the changelog.
#[test]
fn plans_of_known_seeds_stay_what_they_are() {
    let operations = |name: &str, seed: u64| {
        let (scenario, _) = Scenario::load(name, &[]).unwrap();
        let plan = Plan::draw(&scenario, seed, None);
        let first = plan.operations.iter().find(|operation| operation.at > plan.time.warmup_ns).unwrap().clone();
        let faults: Vec<u64> = plan.faults.iter().map(|fault| fault.at).collect();
        format!("{} operations, first {} by c{}, faults at {faults:?}", plan.operations.len(), first.at, first.client)
    };
    insta::assert_snapshot!(operations("quickstart", 7));
}
