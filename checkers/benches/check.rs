//! How long a check takes: of a minute of churn over 50 dataIds, and of one hot dataId.
//!
//! `cargo bench -p upheaval-checkers --bench check -- --table` checks histories of 20 elements a content and 50 to 400 pushes of
//! each, and prints pushes a second and the memory that checking takes beside the history.
#![allow(missing_docs, reason = "criterion's macros make public functions")]
#![allow(clippy::disallowed_methods, reason = "a benchmark reads a clock")]

mod crowd;
mod meter;
#[path = "../tests/support/mod.rs"]
mod support;

use checkers::{Options, Verdict, check};
use criterion::{Criterion, SamplingMode, Throughput, criterion_group};
use crowd::Crowd;
use history::{Contract, Event, Header};
use meter::{memory_bytes, peak_bytes, processor_seconds};
use std::time::{Duration, Instant};
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

/// 20 elements a content, on one thread: subscribers and changes of each row. Twice the changes are twice the contents; twice the
/// subscribers are twice the pushes of each, and need no more memory.
const ROWS: [(u32, u32); 4] = [(2_500, 10_000), (2_500, 20_000), (5_000, 10_000), (20_000, 10_000)];

fn row(subscribers: u32, changes: u32) {
    let crowd = Crowd { data_ids: 50, publishers: 1_000, subscribers, changes, change_ms: 5, leave_every: 0 };
    let events = crowd.events();
    let contract = Contract { lease_ms_min: 600_000, lease_ms_max: 900_000, ..contract() };
    let data_ids = (0..50).map(|data| format!("d{data}")).collect();
    let header = Header { data_ids, clients: 1_000 + subscribers, ..header(contract) };
    let pushes = events.iter().filter(|event| matches!(event, Event::Push(_))).count();
    let contents = events.iter().filter(|event| matches!(event, Event::Snapshot(_))).count();
    peak_bytes();
    let (held, begin, processor) = (memory_bytes("VmRSS:"), Instant::now(), processor_seconds());
    let report = check(&header, &events, &Options { threads: 1, ..Options::default() });
    let (wall, processor) = (begin.elapsed().as_secs_f64(), processor_seconds() - processor);
    println!(
        "{pushes} pushes of {contents} contents: {wall:.2} s, processor {processor:.2} s, {:.2} M pushes/s, {} MB beside the history's {} MB, {:?}",
        pushes as f64 / processor / 1e6,
        peak_bytes().saturating_sub(held) / 1_000_000,
        events.len() * size_of::<Event>() / 1_000_000,
        report.verdict
    );
}

/// Each row in a process of its own: memory that another one gave back would not be counted again.
fn table() {
    let me = std::env::current_exe().expect("a benchmark has a file");
    for (subscribers, changes) in ROWS {
        let numbers = [subscribers.to_string(), changes.to_string()];
        let ended = std::process::Command::new(&me).arg("--row").args(numbers).status();
        assert!(ended.expect("a benchmark can be run again").success());
    }
}

criterion_group!(benches, bench);

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        ["--row", subscribers, changes] => {
            let number = |text: &str| text.parse().expect("a number");
            return row(number(subscribers), number(changes));
        }
        all if all.contains(&"--table") => return table(),
        _ => {}
    }
    benches();
    Criterion::default().configure_from_args().final_summary();
}
