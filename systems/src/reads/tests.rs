//! Every path gets on, and what a replica reads by itself under leases is what a majority has.
#![allow(clippy::unwrap_used)]

use super::{Path, Reads, ReadsConfig};
use crate::consensus::ConsensusConfig;
use crate::trial::Trial;

fn reads(path: Path, outages: u32) -> Reads {
    let read_lease_ms = if path == Path::QuorumLease { 400 } else { 0 };
    let consensus = ConsensusConfig { announce: true, read_lease_ms, ..ConsensusConfig::default() };
    Reads::new(ReadsConfig { path, outages, consensus, ..ReadsConfig::default() }).unwrap()
}

fn sums(path: Path, outages: u32) -> (u64, i64, i64) {
    let trial = reads(path, outages);
    let outcomes: Vec<_> = (0..20).map(|seed| trial.run(&trial.draw(seed), false)).collect();
    assert!(outcomes.iter().all(|outcome| outcome.finished), "{path:?}");
    let sum = |figure: &str| outcomes.iter().map(|outcome| outcome.figures[figure]).sum();
    (outcomes.iter().map(|outcome| outcome.completed).sum(), sum("read_us"), sum("write_us"))
}

#[test]
fn every_path_answers_and_leases_answer_fastest() {
    let [log, fresh, lease, any] = [Path::Log, Path::UpToDate, Path::QuorumLease, Path::Any].map(|path| sums(path, 0));
    for (completed, ..) in [log, fresh, lease, any] {
        assert_eq!(completed, 20 * 80);
    }
    assert!(lease.1 < fresh.1 && lease.1 < log.1 && any.1 <= lease.1, "{any:?} {lease:?} {fresh:?} {log:?}");
}

#[test]
fn writes_wait_for_a_holder_that_is_gone() {
    let (log, lease) = (sums(Path::Log, 1), sums(Path::QuorumLease, 1));
    assert!(log.0 > 20 * 70 && lease.0 > 20 * 70, "{log:?} {lease:?}");
    assert!(lease.2 > log.2, "{log:?} {lease:?}");
}

#[test]
fn leases_are_for_their_path_only() {
    let config = ReadsConfig { path: Path::QuorumLease, ..ReadsConfig::default() };
    assert!(Reads::new(config).unwrap_err().contains("read_lease_ms"));
}
