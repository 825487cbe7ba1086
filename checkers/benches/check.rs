//! How long a check takes: of a minute of churn over 50 dataIds, and of one hot dataId.
#![allow(missing_docs, reason = "criterion's macros make public functions")]

mod crowd;
#[path = "../tests/support/mod.rs"]
mod support;

use checkers::{Options, Verdict, check};
use criterion::{Criterion, SamplingMode, Throughput, criterion_group, criterion_main};
use crowd::Crowd;
use history::{Contract, Event, Header};
use std::time::Duration;
use support::{contract, header};

/// 200 clients, half of them publishers; a change every 10 ms for 60 s, every tenth a leaving. Nobody pings, so leases
/// are longer than the run: every publisher is judged all the time.
fn churn() -> (Header, Vec<Event>) {
    let crowd =
        Crowd { data_ids: 50, publishers: 100, subscribers: 100, changes: 6_000, change_ms: 10, leave_every: 10 };
    let events = crowd.events();
    let contract = Contract { lease_ms_min: 60_000, lease_ms_max: 90_000, ..contract() };
    let data_ids = (0..50).map(|data| format!("d{data}")).collect();
    (Header { data_ids, clients: 200, ..header(contract) }, events)
}

/// 7,000 publishers and 2,000 subscribers on one dataId, 150 changes.
fn hot() -> (Header, Vec<Event>) {
    let crowd =
        Crowd { data_ids: 1, publishers: 7_000, subscribers: 2_000, changes: 150, change_ms: 5, leave_every: 0 };
    (Header { clients: 9_000, ..header(contract()) }, crowd.events())
}

fn bench(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("check");
    group.sample_size(10).warm_up_time(Duration::from_secs(1)).measurement_time(Duration::from_secs(4));
    group.sampling_mode(SamplingMode::Flat);
    for (name, (header, events)) in [("churn", churn()), ("hot", hot())] {
        // A check that gave up early, or judged nothing, would be fast.
        let report = check(&header, &events, &Options::default());
        assert_eq!(report.verdict, Verdict::Pass, "{name}: {:?}", report.reasons);
        let samples = report.convergence.map_or(0, |convergence| convergence.samples);
        assert!(samples > 10_000, "{name}: {samples} samples");
        println!("check/{name}: {} events, {samples} convergence times", events.len());
        group.throughput(Throughput::Elements(events.len() as u64));
        group.bench_function(name, |bencher| bencher.iter(|| check(&header, &events, &Options::default())));
    }
    group.finish();
}

criterion_group!(benches, bench);
criterion_main!(benches);
