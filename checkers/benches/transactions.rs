//! How long the isolation of transactions takes, on histories of a small store with a known isolation level.
//!
//! `cargo bench -p upheaval-checkers --bench transactions` measures small ones with criterion;
//! `cargo bench -p upheaval-checkers --bench transactions -- --table FOLDER [TEXT]` writes each history of the table into files of the
//! folder, once, as EDN and in our own format, reads them back and checks them; those alone whose file's name has a text in it;
//! `-- --peers FOLDER` does the same with those that peers can judge too, for `cargo xtask bench checkers`.
#![allow(missing_docs, reason = "criterion's macros make public functions")]
#![allow(clippy::disallowed_methods, reason = "a benchmark reads a clock")]

mod meter;
mod store;

use checkers::Verdict;
use checkers::linearizability::Limits;
use checkers::transactions::{Judgement, KeyOrder, Options, Workload, check};
use criterion::{Criterion, Throughput, criterion_group};
use history::calls::Calls;
use meter::{peak_bytes, processor_seconds};
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

/// Each history of the peers' table, from its files.
fn table(folder: &Path, wanted: &str) {
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
        for ending in ["edn", "calls"] {
            let path = folder.join(format!("{name}.{ending}"));
            if path.to_string_lossy().contains(wanted) {
                write(&path, &load);
                row(&path, &load, keys);
            }
        }
    }
}

/// Histories for peers: name, workload by the peer's name, load, what is taken for granted.
fn peers() -> [(&'static str, &'static str, Load, Option<KeyOrder>); 5] {
    let million = Load { transactions: 1_000_000, ..LISTS };
    [
        ("list-append si 100k", "list-append", LISTS, None),
        ("list-append si 1M", "list-append", million, None),
        ("rw-register 100k", "rw-register", REGISTERS, None),
        ("rw-register 100k, sequential keys", "rw-register-sequential", REGISTERS, Some(KeyOrder::Sequential)),
        ("rw-register 100k, linearizable keys", "rw-register-linearizable", REGISTERS, Some(KeyOrder::Linearizable)),
    ]
}

/// Writes each history for peers into a folder, and prints what it took us: name, file, workload, model, seconds of a processor
/// for reading and for checking, verdict, bytes, by tabs.
fn for_peers(folder: &Path) {
    for (name, workload, load, keys) in peers() {
        let path = folder.join(format!("{}.edn", name.replace([' ', ','], "-")));
        write(&path, &load);
        peak_bytes();
        let begin = processor_seconds();
        let calls = history::calls::read(&path, None).expect("what was just written");
        let read = processor_seconds();
        let judgement = judge(&load, keys, &calls);
        let end = processor_seconds();
        let (path, verdict) = (path.display(), format!("{:?}", judgement.verdict).to_lowercase());
        let (model, bytes) = (judgement.model.name(), peak_bytes());
        println!("{name}\t{path}\t{workload}\t{model}\t{:.3}\t{:.3}\t{verdict}\t{bytes}", read - begin, end - read);
    }
}

/// Writes a history, unless it is there.
fn write(path: &Path, load: &Load) {
    if path.is_file() {
        return;
    }
    let file = std::fs::File::create(path).expect("a folder that can be written");
    let mut out = BufWriter::new(file);
    if path.extension().is_some_and(|ending| ending == "edn") {
        history::calls::write_edn(&load.calls(), &mut out).expect("room on the disk");
    } else {
        history::calls::write_own(&load.calls(), &mut out, path, "a benchmark").expect("room on the disk");
    }
    out.flush().expect("room on the disk");
}

/// Reads a history and checks it.
fn row(path: &Path, load: &Load, keys: Option<KeyOrder>) {
    let megabytes = std::fs::metadata(path).map_or(0, |file| file.len() / 1_000_000);
    peak_bytes();
    let (wall, processor) = (Instant::now(), processor_seconds());
    let calls = history::calls::read(path, None).expect("what was just written");
    let (read, parsed) = (wall.elapsed().as_secs_f64(), processor_seconds());
    let judgement = judge(load, keys, &calls);
    let (all, end) = (wall.elapsed().as_secs_f64(), processor_seconds());
    println!(
        "{:36} {megabytes:4} MB  parse {:6.2} s ({read:6.2} wall)  check {:6.2} s ({:6.2} wall)  {:5} MB  {:?} {:?} {:?}",
        path.file_name().unwrap_or_default().to_string_lossy(),
        parsed - processor,
        end - parsed,
        all - read,
        peak_bytes() / 1_000_000,
        judgement.verdict,
        judgement.reason,
        judgement.anomalies
    );
}

criterion_group!(benches, bench);

fn main() {
    if let Some(folder) = std::env::args().skip_while(|argument| argument != "--peers").nth(1) {
        for_peers(Path::new(&folder));
        return;
    }
    let mut arguments = std::env::args().skip_while(|argument| argument != "--table");
    if arguments.next().is_some() {
        let folder = arguments.next().unwrap_or_else(|| ".".to_owned());
        table(Path::new(&folder), &arguments.next().filter(|text| !text.starts_with('-')).unwrap_or_default());
        return;
    }
    benches();
    Criterion::default().configure_from_args().final_summary();
}
