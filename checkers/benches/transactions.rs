//! How long the isolation of transactions takes, on histories of a small store with a known isolation level.
//!
//! `cargo bench -p upheaval-checkers --bench transactions` measures small ones with criterion;
//! `cargo bench -p upheaval-checkers --bench transactions -- --table FOLDER` writes each history of the table into a file of the
//! folder, once, reads it back and checks it.
#![allow(missing_docs, reason = "criterion's macros make public functions")]
#![allow(clippy::disallowed_methods, reason = "a benchmark reads a clock")]

mod store;

use checkers::Verdict;
use checkers::linearizability::Limits;
use checkers::transactions::{Judgement, KeyOrder, Options, Workload, check};
use criterion::{Criterion, Throughput, criterion_group};
use history::calls::Calls;
use std::io::{BufWriter, Write};
use std::path::Path;
use std::time::Instant;
use store::{Isolation, Load};

const LISTS: Load = Load {
    isolation: Isolation::Snapshot,
    lists: true,
    transactions: 100_000,
    processes: 10,
    keys: 20,
    writes_max: 32,
    unknown_permille: 0,
    seed: 1,
};
const REGISTERS: Load = Load { isolation: Isolation::StrictSerializable, lists: false, ..LISTS };

/// By the model that the store keeps.
fn judge(load: &Load, keys: Option<KeyOrder>, calls: &Calls) -> Judgement {
    let workload = if load.lists { Workload::ListAppend } else { Workload::RwRegister };
    let model = match load.isolation {
        Isolation::StrictSerializable => "strict-serializable",
        Isolation::Snapshot => "strong-snapshot-isolation",
        Isolation::ReadCommitted => "read-committed",
        Isolation::ReadUncommitted => "read-uncommitted",
    };
    let model = model.parse().expect("a model");
    let over = || false;
    let options = Options { keys, model, ..Options::new(workload) };
    check(calls, &options, &Limits::none(&over)).expect("a history of the model")
}

fn bench(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("transactions");
    group.sample_size(10);
    let small = 20_000;
    let cases = [
        ("list-append, snapshot isolation, 20k", Load { transactions: small, ..LISTS }, None),
        ("rw-register, sequential keys, 20k", Load { transactions: small, ..REGISTERS }, Some(KeyOrder::Sequential)),
    ];
    for (name, load, keys) in cases {
        let calls = load.calls();
        // A check that gave up early would be fast.
        assert_eq!(judge(&load, keys, &calls).verdict, Verdict::Pass, "{name}");
        group.throughput(Throughput::Elements(calls.calls.len() as u64));
        group.bench_function(name, |bencher| bencher.iter(|| judge(&load, keys, &calls)));
    }
    group.finish();
}

/// Processor time of this thread, on Linux: on a busy machine the time on the wall says little.
fn processor_seconds() -> f64 {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    text.split(' ').next().and_then(|ns| ns.parse::<f64>().ok()).map_or(0.0, |ns| ns / 1e9)
}

/// Each history of the peers' table, from its file.
fn table(folder: &Path) {
    let million = Load { transactions: 1_000_000, ..LISTS };
    let sequential = Some(KeyOrder::Sequential);
    let cases = [
        ("list-append-si-100k", LISTS, None),
        ("list-append-si-1m", million, None),
        ("list-append-si-1m-unknown", Load { unknown_permille: 10, ..million }, None),
        ("list-append-rc-100k", Load { isolation: Isolation::ReadCommitted, ..LISTS }, None),
        ("rw-register-100k-sequential", REGISTERS, sequential),
        ("rw-register-100k-linearizable", REGISTERS, Some(KeyOrder::Linearizable)),
        ("rw-register-100k", REGISTERS, None),
    ];
    for (name, load, keys) in cases {
        let path = folder.join(format!("{name}.edn"));
        if !path.is_file() {
            let file = std::fs::File::create(&path).expect("a folder that can be written");
            let mut out = BufWriter::new(file);
            history::calls::write_edn(&load.calls(), &mut out).and_then(|()| out.flush()).expect("room on the disk");
        }
        let megabytes = std::fs::metadata(&path).map_or(0, |file| file.len() / 1_000_000);
        let (wall, processor) = (Instant::now(), processor_seconds());
        let calls = history::calls::read(&path, None).expect("what was just written");
        let (read, parsed) = (wall.elapsed().as_secs_f64(), processor_seconds());
        let judgement = judge(&load, keys, &calls);
        let (all, end) = (wall.elapsed().as_secs_f64(), processor_seconds());
        println!(
            "{name:30} {megabytes:4} MB  parse {:6.2} s ({read:6.2} wall)  check {:6.2} s ({:6.2} wall)  {:?} {:?}",
            parsed - processor,
            end - parsed,
            all - read,
            judgement.verdict,
            judgement.anomalies
        );
    }
}

criterion_group!(benches, bench);

fn main() {
    let mut arguments = std::env::args().skip_while(|argument| argument != "--table");
    if arguments.next().is_some() {
        table(Path::new(&arguments.next().unwrap_or_else(|| ".".to_owned())));
        return;
    }
    benches();
    Criterion::default().configure_from_args().final_summary();
}
