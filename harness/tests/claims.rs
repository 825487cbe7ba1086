//! Claims of the background as experiments: the verdict that is predicted, over several seeds.
#![allow(clippy::unwrap_used)]

mod common;

use checkers::Verdict;
use common::Scratch;
use common::inside::{judge, kinds, scenario};

const SEEDS: u64 = 12;

/// Every seed of the scenario ends with this verdict, and with `kind` among the violations.
fn predicts(name: &str, verdict: Verdict, kind: Option<&str>) {
    let scratch = Scratch::new(name);
    let scenario = scenario(name, &[]);
    for seed in 0..SEEDS {
        let judged = judge(&scratch.0, &scenario, seed, None, 1);
        let told = || reports::terminal::summary(&judged.run(), false);
        assert_eq!(judged.report.verdict, verdict, "{name} seed {seed}: {:?} {}", judged.report.reasons, told());
        let kinds = kinds(&judged);
        assert!(kind.is_none_or(|kind| kinds.iter().any(|k| k == kind)), "{name} seed {seed}: {kinds:?}");
    }
}

#[test]
fn r7_a_v5_session_that_is_cut_off_from_meta_splits_the_data() {
    predicts("r7-v5", Verdict::Violation, Some("stale"));
}

#[test]
fn r7_v6_keeps_the_data_right_while_tables_differ() {
    predicts("r7-v6", Verdict::Pass, None);
}

#[test]
fn r8_v5_pushes_incomplete_data_when_several_data_nodes_are_lost() {
    predicts("r8-v5", Verdict::Violation, Some("incomplete"));
}

#[test]
fn r8_v5_is_right_while_one_replica_of_each_slot_lives() {
    predicts("r8-v5-one", Verdict::Pass, None);
}

#[test]
fn r8_v6_only_delays() {
    predicts("r8-v6", Verdict::Pass, None);
}
