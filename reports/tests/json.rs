//! The object of `run --json`.
#![allow(clippy::unwrap_used)]

mod common;

#[test]
fn the_object_whole() {
    insta::assert_snapshot!(reports::json::summary(&common::violation().run()).to_json());
}

#[test]
fn every_key_is_there_although_nothing_is_known() {
    let mut sample = common::pass();
    sample.facts = reports::RunFacts::default();
    let value: serde_json::Value = serde_json::from_str(&reports::json::summary(&sample.run()).to_json()).unwrap();
    let keys = [
        "schema",
        "run",
        "scenario",
        "system",
        "seed",
        "verdict",
        "exit_code",
        "plan_hash",
        "history_hash",
        "counts",
        "faults",
        "checks",
        "suspect",
        "virtual_ms",
        "wall_ms",
        "peak_bytes",
        "replay",
    ];
    for key in keys {
        assert!(value.get(key).is_some(), "{key}");
    }
    assert_eq!(value["plan_hash"], "6c1f0942aa", "the header knows it");
    assert_eq!(value["exit_code"], 0);
    assert!(value["history_hash"].is_null());
}

#[test]
fn faults_are_grouped_and_measured() {
    let groups = reports::json::summary(&common::rich::pass(10).run()).faults;
    assert_eq!(groups.iter().map(|group| group.count).sum::<u64>(), 12);
    let kill = groups.iter().find(|group| group.target == "n1").unwrap();
    let effect = kill.effect.clone().unwrap();
    assert_eq!((kill.count, effect.bit, effect.amount, effect.amount_max), (2, 2, 1_240, 700));
    assert_eq!(effect.unit, "ms without service");
}
