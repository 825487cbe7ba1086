//! Long histories are checked as they are read: the same result, and memory that does not grow with their pushes.
#![allow(clippy::unwrap_used)]

mod common;

use checkers::{Options, Report, Verdict};
use common::{Scratch, run, run_json};
use harness::verdict::{Judged, judge, judge_stored};
use history::line::{LineHash, put_closing, put_event, put_header};
use history::{Closing, Event, Loaded, Stored};
use reports::RunFacts;
use std::path::{Path, PathBuf};

/// A stored run of the embedded registry.
fn a_run(scratch: &Scratch, bug: &[&str]) -> PathBuf {
    let line = [&["run", "registry-churn", "--seed", "3"], bug].concat();
    assert!(matches!(run(&scratch.0, &line).status.code(), Some(0 | 1)));
    scratch.0.join("runs/latest/history.jsonl.zst").canonicalize().unwrap()
}

fn in_memory(path: &Path, options: &Options) -> Judged {
    judge(path, options, RunFacts::default(), false).unwrap()
}

fn streamed(path: &Path, options: &Options) -> Judged {
    judge_stored(Stored::open(path).unwrap(), options, RunFacts::default()).unwrap()
}

/// A report without the suspect, which takes the whole history to name.
fn bare(judged: &Judged) -> serde_json::Value {
    serde_json::to_value(Report { suspect: None, ..judged.report.clone() }).unwrap()
}

#[test]
fn a_history_that_is_read_in_passes_is_judged_like_one_in_memory() {
    for bug in [&[][..], &["--bug", "version-reset"], &["--bug", "snapshots-overwrite"]] {
        let scratch = Scratch::new("streamed");
        let path = a_run(&scratch, bug);
        for (divisor, threads) in [(1, 1), (1, 2), (6, 2)] {
            let options = Options { divisor, threads, ..Options::default() };
            let (memory, file) = (in_memory(&path, &options), streamed(&path, &options));
            assert_eq!(bare(&memory), bare(&file), "{bug:?}, bounds divided by {divisor}");
            assert!(file.stored.is_some() && file.history.events.is_empty());
            assert_eq!(memory.facts.history_hash, file.facts.history_hash);
            // What people see has the same numbers, too.
            let shown = |judged: &Judged| {
                let Judged { history, stored, report, .. } = judged;
                let events: &dyn history::Source = match stored {
                    Some(stored) => stored,
                    None => &history.events,
                };
                let (report, facts) = (Report { suspect: None, ..report.clone() }, RunFacts::default());
                let run = reports::Run { header: &history.header, events, report: &report, facts: &facts };
                (
                    reports::terminal::summary(&run, false),
                    reports::json::summary(&run).to_json(),
                    reports::html::page(&run),
                )
            };
            assert_eq!(shown(&memory), shown(&file));
        }
    }
}

#[test]
fn a_history_that_is_not_whole_is_inconclusive_in_passes_as_well() {
    let scratch = Scratch::new("streamed-cut");
    let path = a_run(&scratch, &[]);
    let bytes = std::fs::read(&path).unwrap();
    let cut = scratch.0.join("cut.jsonl.zst");
    std::fs::write(&cut, &bytes[..bytes.len() * 2 / 3]).unwrap();
    let (memory, file) = (in_memory(&cut, &Options::default()), streamed(&cut, &Options::default()));
    assert_eq!((file.report.verdict, bare(&file)), (Verdict::Inconclusive, bare(&memory)));
    assert!(file.report.reasons.iter().any(|reason| reason.contains("damaged at byte")), "{:?}", file.report.reasons);
}

/// The same history as plain text, with so many more copies of its last push.
fn lengthened(path: &Path, copies: usize, to: &Path) {
    let Loaded { header, events, .. } = history::read(path).unwrap();
    let last = events.iter().rposition(|event| matches!(event, Event::Push(_))).unwrap();
    let (mut text, mut count) = (Vec::new(), 0);
    put_header(&mut text, &header).unwrap();
    for (at, event) in events.iter().enumerate() {
        for _ in 0..if at == last { copies + 1 } else { 1 } {
            put_event(&mut text, event).unwrap();
            count += 1;
        }
    }
    let mut hash = LineHash::default();
    hash.add(&text);
    put_closing(&mut text, &Closing { events: count, hash: hash.hex() }).unwrap();
    std::fs::write(to, text).unwrap();
}

#[test]
fn memory_does_not_grow_with_the_pushes_of_a_long_history() {
    let scratch = Scratch::new("streamed-long");
    let path = a_run(&scratch, &[]);
    let (short, long) = (scratch.0.join("short.jsonl"), scratch.0.join("long.jsonl"));
    lengthened(&path, 0, &short);
    lengthened(&path, 700_000, &long);
    assert!(std::fs::metadata(&long).unwrap().len() > 64 << 20);
    let checked = |path: &Path| {
        let (code, report) = run_json(&scratch.0, &["check", path.to_str().unwrap()]);
        (code, report["verdict"].clone(), report["peak_bytes"].as_u64().unwrap())
    };
    let (short, long) = (checked(&short), checked(&long));
    assert_eq!((short.0, &short.1), (long.0, &long.1));
    // In memory they would take 700,000 × 64 bytes more.
    assert!(long.2 < short.2 + (16 << 20), "{} bytes instead of {}", long.2, short.2);
}

#[test]
fn a_file_that_changes_between_two_passes_is_no_history() {
    let scratch = Scratch::new("streamed-changed");
    let (one, other) = (a_run(&scratch, &[]), Scratch::new("streamed-other"));
    let stored = Stored::open(&one).unwrap();
    let mut pushes = 0;
    history::Source::each(&stored, &mut |event| pushes += u64::from(matches!(event, Event::Push(_))));
    assert!(pushes > 100 && stored.end().1.is_none());
    std::fs::copy(a_run(&other, &["--bug", "version-reset"]), &one).unwrap();
    let refused = judge_stored(stored, &Options::default(), RunFacts::default());
    assert!(refused.is_err_and(|error| error.to_string().contains("changed while it was read")));
}
