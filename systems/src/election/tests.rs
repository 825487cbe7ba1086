//! Whoever decides: when faults end somebody leads, and what is written was asked for.
#![allow(clippy::unwrap_used)]

use super::{Decider, Election, ElectionConfig, ElectionFaults};
use crate::trial::Trial;

#[test]
fn when_faults_end_somebody_leads() {
    for by in [Decider::Ping, Decider::Heartbeats, Decider::Gossip, Decider::Sessions, Decider::Lease] {
        let faults = ElectionFaults {
            cuts: 1,
            isolated: 1,
            pauses: 1,
            crashes: 1,
            server_crashes: 1,
            lasts_ms: (300, 1_000),
            ..ElectionFaults::default()
        };
        let election = Election::new(ElectionConfig { by, members: 3, faults, ..ElectionConfig::default() }).unwrap();
        let mut completed = 0;
        for seed in 0..60 {
            let plan = election.draw(seed);
            let outcome = election.run(&plan, false);
            assert!(outcome.finished, "{by:?}, seed {seed}: {:#?}", plan.faults);
            completed += outcome.completed;
        }
        assert!(completed > 60 * 30, "{by:?}: {completed} of {}", 60 * 40);
    }
}

#[test]
fn an_early_renewal_keeps_the_leader() {
    let changes = |early| {
        let config = ElectionConfig { by: Decider::Lease, members: 3, early, ..ElectionConfig::default() };
        let election = Election::new(config).unwrap();
        (0..10).map(|seed| election.run(&election.draw(seed), false).figures["leader_changes"]).sum::<i64>()
    };
    assert_eq!(changes(true), 0);
    assert!(changes(false) > 50);
}

#[test]
fn options_out_of_bounds_are_named() {
    let wrong = Election::new(ElectionConfig { lease_ms: 10, ..ElectionConfig::default() }).unwrap_err();
    assert_eq!(wrong, "lease_ms: more than twice epsilon_ms");
}
