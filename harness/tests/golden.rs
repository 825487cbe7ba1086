//! Histories of random scenarios: the same seed twice, on one thread and on two, gives the same.
#![allow(clippy::unwrap_used)]

use checkers::Options;
use harness::attempt::attempt;
use harness::plan::Plan;
use harness::scenario::Scenario;

fn hash(scenario: &Scenario, seed: u64) -> String {
    let options = Options { threads: 1, ..Options::default() };
    attempt(&Plan::draw(scenario, seed, None), &options, false).unwrap().history_hash().unwrap()
}

/// How many random scenarios: 60, or what `UPHEAVAL_SCENARIOS` says.
fn scenarios() -> u64 {
    std::env::var("UPHEAVAL_SCENARIOS").ok().and_then(|n| n.parse().ok()).unwrap_or(60)
}

/// The seed draws cluster, load and faults, so that each is a scenario of its own.
#[test]
fn random_scenarios_give_equal_histories_twice_and_on_one_and_two_threads() {
    let swarm = Scenario::load("swarm", &[]).unwrap().0;
    let seeds: Vec<u64> = (1_000_000..1_000_000 + scenarios()).collect();
    let one: Vec<String> = seeds.iter().map(|seed| hash(&swarm, *seed)).collect();
    let two: Vec<String> = std::thread::scope(|scope| {
        let half = seeds.len() / 2;
        let threads = [&seeds[..half], &seeds[half..]]
            .map(|part| scope.spawn(|| part.iter().map(|seed| hash(&swarm, *seed)).collect::<Vec<String>>()));
        threads.into_iter().flat_map(|thread| thread.join().unwrap()).collect()
    });
    assert_eq!(one, two);
    let distinct: std::collections::BTreeSet<&String> = one.iter().collect();
    assert_eq!(distinct.len(), one.len(), "other seeds, other histories");
}

/// Histories are kept as they are: a change of these hashes means that the simulation, the workload or the format does
/// something else now, which must be meant and belongs into the changelog. If it is meant:
/// `INSTA_UPDATE=always cargo test -p upheaval --test golden`, and commit the snapshot.
#[test]
fn histories_of_known_seeds_stay_what_they_are() {
    let mut lines = String::new();
    for name in ["quickstart", "swarm", "r8-v6"] {
        let scenario = Scenario::load(name, &[]).unwrap().0;
        for seed in 1..=3 {
            let plan = Plan::draw(&scenario, seed, None).hash();
            lines += &format!("{name} {seed}: plan {plan}, history {}\n", hash(&scenario, seed));
        }
    }
    insta::assert_snapshot!(lines);
}
