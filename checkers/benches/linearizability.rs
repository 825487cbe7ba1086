//! How long linearizability takes: the closed-loop histories of which the peers' figures are known. Parsing is not measured.
//!
//! `cargo bench -p upheaval-checkers --bench linearizability` measures the small ones with criterion;
//! `cargo bench -p upheaval-checkers --bench linearizability -- --table [TEXT]` runs each history of the table once;
//! `-- --peers FOLDER` writes those that peers can judge too (`cargo xtask bench checkers` runs both);
//! `-- --curves` prints how the cost grows (`cargo xtask bench curves` draws it).
#![allow(missing_docs, reason = "criterion's macros make public functions")]
#![allow(clippy::disallowed_methods, reason = "a benchmark reads a clock")]

mod closed_loop;
mod meter;

use checkers::Verdict;
use checkers::linearizability::{FailedCas, Judgement, Limits, ModelName, Options, check};
use closed_loop::{ClosedLoop, Load};
use criterion::{Criterion, Throughput, criterion_group};
use history::calls::Calls;
use meter::{peak_bytes, processor_seconds};
use std::time::{Duration, Instant};

const BASE: ClosedLoop = ClosedLoop {
    load: Load::Unique,
    operations: 100_000,
    flight: 10,
    keys: 1,
    impossible_permille: None,
    unknown_permille: 0,
    seed: 1,
};
const CAS5: ClosedLoop = ClosedLoop { load: Load::Cas5, ..BASE };
const BAD: Option<u32> = Some(900);

fn judge(load: &ClosedLoop, calls: &Calls, seconds: u64) -> Judgement {
    let end = Instant::now() + Duration::from_secs(seconds);
    let over = || Instant::now() >= end;
    let limits = Limits::new(u64::MAX, 4 << 30, &over);
    let options = Options { failed_cas: FailedCas::Observed, initial: None, threads: 1, explained_max: 0 };
    let model = if load.load == Load::Cas5 { ModelName::CasRegister } else { ModelName::Register };
    check(calls, model, &options, &limits).expect("a history of the model")
}

fn expected(load: &ClosedLoop) -> Verdict {
    if load.impossible_permille.is_some() { Verdict::Violation } else { Verdict::Pass }
}

fn bench(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("linearizability");
    group.sample_size(10).warm_up_time(Duration::from_millis(500)).measurement_time(Duration::from_secs(3));
    let cases = [
        ("uniq 100k c10", BASE),
        ("cas5 10k c10", ClosedLoop { operations: 10_000, ..CAS5 }),
        ("cas5 100k c10", CAS5),
        ("cas5 100k c10 over 1,000 keys", ClosedLoop { keys: 1_000, ..CAS5 }),
    ];
    for (name, load) in cases {
        let calls = load.calls();
        // A check that gave up early would be fast.
        assert_eq!(judge(&load, &calls, 60).verdict, expected(&load), "{name}");
        group.throughput(Throughput::Elements(calls.calls.len() as u64));
        group.bench_function(name, |bencher| bencher.iter(|| judge(&load, &calls, 60)));
    }
    group.finish();
}

/// Each history of the peers' table once, with what came out; those alone whose name has a text in it.
fn table(wanted: &str) {
    let million = ClosedLoop { operations: 1_000_000, ..BASE };
    let cas_million = ClosedLoop { operations: 1_000_000, ..CAS5 };
    let small = |operations, flight| ClosedLoop { operations, flight, ..CAS5 };
    let bad = |load| ClosedLoop { impossible_permille: BAD, ..load };
    let unknown = |load| ClosedLoop { unknown_permille: 10, ..load };
    let cases = [
        ("uniq 100k c10", BASE),
        ("uniq 1M c10", million),
        ("uniq 1M c50", ClosedLoop { flight: 50, ..million }),
        ("uniq 1M c10, one bad read", bad(million)),
        ("uniq 1M c50, one bad read", bad(ClosedLoop { flight: 50, ..million })),
        ("cas5 1M c10 over 1,000 keys", ClosedLoop { keys: 1_000, ..cas_million }),
        ("cas5 10k c10", small(10_000, 10)),
        ("cas5 100k c10", CAS5),
        ("cas5 100k c10, one bad read", bad(CAS5)),
        ("cas5 1M c10", cas_million),
        ("cas5 1M c10, one bad read", bad(cas_million)),
        ("cas5 10k c20", small(10_000, 20)),
        ("cas5 10k c20, one bad read", bad(small(10_000, 20))),
        ("cas5 1k c50", small(1_000, 50)),
        ("cas5 1k c50, one bad read", bad(small(1_000, 50))),
        ("cas5 10k c10, 1 % unknown", unknown(small(10_000, 10))),
        ("cas5 100k c10, 1 % unknown", unknown(CAS5)),
    ];
    for (name, load) in cases.into_iter().filter(|(name, _)| name.contains(wanted)) {
        let calls = load.calls();
        peak_bytes();
        let (begin, processor) = (Instant::now(), processor_seconds());
        let judgement = judge(&load, &calls, 60);
        let took = begin.elapsed().as_secs_f64();
        let processor = processor_seconds() - processor;
        println!(
            "{name:32} {took:8.3} s, processor {processor:8.3} s, {:4} MB with the history  {:?} ({})",
            peak_bytes() / 1_000_000,
            judgement.verdict,
            judgement.algorithm
        );
    }
}

/// Histories that are short enough for peers.
fn peers() -> Vec<(&'static str, ClosedLoop)> {
    let uniq = |operations, flight| ClosedLoop { operations, flight, ..BASE };
    let cas = |operations, flight| ClosedLoop { operations, flight, ..CAS5 };
    vec![
        ("uniq 10k c5", uniq(10_000, 5)),
        ("uniq 10k c10", uniq(10_000, 10)),
        ("uniq 10k c10, one bad read", ClosedLoop { impossible_permille: BAD, ..uniq(10_000, 10) }),
        ("uniq 100k c5", uniq(100_000, 5)),
        ("uniq 100k c10", BASE),
        ("cas5 10k c10", cas(10_000, 10)),
        ("cas5 10k c10, 1 % unknown", ClosedLoop { unknown_permille: 10, ..cas(10_000, 10) }),
        ("cas5 100k c10", CAS5),
        ("cas5 1k c20", cas(1_000, 20)),
        ("cas5 10k c20", cas(10_000, 20)),
        ("cas5 1M c10 over 1,000 keys", ClosedLoop { operations: 1_000_000, keys: 1_000, ..CAS5 }),
    ]
}

/// Writes each history for peers into a folder, and prints what it took us: name, file, seconds on the wall and of a processor,
/// verdict, by tabs.
fn for_peers(folder: &str) -> std::io::Result<()> {
    for (number, (name, load)) in peers().into_iter().enumerate() {
        let calls = load.calls();
        let path = std::path::Path::new(folder).join(format!("{number}.tsv"));
        closed_loop::write_tsv(&calls, &mut std::io::BufWriter::new(std::fs::File::create(&path)?))?;
        // The system books time in pieces of milliseconds, so short ones are repeated.
        let (begin, processor) = (Instant::now(), processor_seconds());
        let (mut verdict, mut times) = (judge(&load, &calls, 60).verdict, 1.0);
        while processor_seconds() - processor < 0.1 && times < 1_000.0 {
            verdict = judge(&load, &calls, 60).verdict;
            times += 1.0;
        }
        let (wall, processor) = (begin.elapsed().as_secs_f64() / times, (processor_seconds() - processor) / times);
        println!("{name}\t{}\t{wall:.4}\t{processor:.4}\t{}", path.display(), format!("{verdict:?}").to_lowercase());
    }
    Ok(())
}

/// How long a history of the curves may take, seconds.
const CURVE_SECONDS: u64 = 10;

/// How the cost grows with operations, concurrency and keys: part, load, place on the axis, seconds of a processor, verdict, by tabs.
fn curves() {
    for (name, base) in [("uniq", BASE), ("cas5", CAS5)] {
        for operations in [10_000, 30_000, 100_000, 300_000, 1_000_000, 3_000_000, 10_000_000] {
            point("operations", name, operations, &ClosedLoop { operations, ..base });
        }
        for flight in [2, 5, 10, 20, 50, 100] {
            point("in flight", name, flight, &ClosedLoop { operations: 10_000, flight, ..base });
        }
        for keys in [1, 10, 100, 1_000, 10_000, 100_000] {
            point("keys", name, keys, &ClosedLoop { operations: 1_000_000, keys, flight: 5, ..base });
        }
    }
}

fn point(part: &str, name: &str, at: u32, load: &ClosedLoop) {
    let calls = load.calls();
    let processor = processor_seconds();
    let judgement = judge(load, &calls, CURVE_SECONDS);
    let processor = processor_seconds() - processor;
    println!("{part}\t{name}\t{at}\t{processor:.5}\t{}", format!("{:?}", judgement.verdict).to_lowercase());
}

criterion_group!(benches, bench);

fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    if let Some(at) = arguments.iter().position(|argument| argument == "--table") {
        table(arguments.get(at + 1).filter(|text| !text.starts_with('-')).map_or("", String::as_str));
        return;
    }
    if let Some(at) = arguments.iter().position(|argument| argument == "--peers") {
        let folder = arguments.get(at + 1).map_or(".", String::as_str);
        for_peers(folder).expect("histories cannot be written");
        return;
    }
    if arguments.iter().any(|argument| argument == "--curves") {
        curves();
        return;
    }
    benches();
    Criterion::default().configure_from_args().final_summary();
}
