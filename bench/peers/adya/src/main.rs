//! adya on one history that upheaval's benchmark wrote: prints seconds of a processor for reading, for checking, the verdict and
//! the peak memory in bytes, by tabs.
//!
//! Usage: peer-adya FILE.edn list-append|rw-register|rw-register-sequential|rw-register-linearizable MODEL

use adya::{History, Opts, Valid, Workload, check};
use std::process::ExitCode;

/// Processor time of this thread, where Linux counts it.
fn processor_seconds() -> f64 {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    text.split(' ').next().and_then(|ns| ns.parse::<f64>().ok()).map_or(0.0, |ns| ns / 1e9)
}

fn peak_bytes() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    peak.and_then(|text| text.split_whitespace().next()?.parse::<u64>().ok()).map_or(0, |kib| kib * 1024)
}

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().collect();
    let [_, file, workload, model] = arguments.as_slice() else {
        eprintln!("usage: peer-adya FILE WORKLOAD MODEL");
        return ExitCode::from(2);
    };
    let begin = processor_seconds();
    let text = match std::fs::read_to_string(file) {
        Ok(text) => text,
        Err(error) => {
            eprintln!("{file}: {error}");
            return ExitCode::from(2);
        }
    };
    let history = match History::parse(&text) {
        Ok(history) => history,
        Err(error) => {
            eprintln!("{file}: {error}");
            return ExitCode::from(2);
        }
    };
    drop(text);
    let read = processor_seconds();
    let options = Opts {
        models: vec![model.clone()],
        sequential_keys: workload == "rw-register-sequential",
        linearizable_keys: workload == "rw-register-linearizable",
        ..Opts::default()
    };
    let kind = if workload == "list-append" { Workload::ListAppend } else { Workload::RwRegister };
    let verdict = match check(&history, kind, &options).valid {
        Valid::True => "pass",
        Valid::False => "violation",
        Valid::Unknown => "inconclusive",
    };
    println!("{:.3}\t{:.3}\t{verdict}\t{}", read - begin, processor_seconds() - read, peak_bytes());
    ExitCode::SUCCESS
}
