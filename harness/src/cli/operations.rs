//! `upheaval check FILE... [--model NAME]`: operation histories, Jepsen's or the operations of ours.

use super::{CheckArgs, check, print};
use crate::error::Error;
use crate::verdict::peak_bytes;
use checkers::Verdict;
use checkers::linearizability::{self, FailedCas, Judgement, Limits, ModelName, Options};
use checkers::menu::MenuName;
use checkers::transactions::{self, KeyOrder, Workload};
use history::calls::{self, Calls, Format, Value};
use reports::operations::{CheckSummary, FileSummary};
use std::io::Read;
use std::path::Path;
use std::time::{Duration, Instant};

/// Contradictions that are explained, for each file.
const EXPLAINED_MAX: usize = 3;
/// Why nothing is known after a panic.
const BROKEN: &str = "the checker broke off: a bug of upheaval, see standard error";
/// How long explanations may take, at least and as a share of the time limit.
const EXPLAIN_MIN: Duration = Duration::from_secs(2);

/// A time of the command line.
pub fn duration(text: &str) -> Result<Duration, String> {
    let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let number: f64 = digits.parse().map_err(|_| "a number with a unit is expected: 500ms, 60s, 5m, 1h".to_owned())?;
    let unit = match &text[digits.len()..] {
        "ms" => 0.001,
        "s" | "" => 1.0,
        "m" | "min" => 60.0,
        "h" => 3600.0,
        unit => return Err(format!("there is no unit `{unit}`; there are ms, s, m and h")),
    };
    Duration::try_from_secs_f64(number * unit).map_err(|_| "this time is out of range".to_owned())
}

/// An amount of memory of the command line.
pub fn bytes(text: &str) -> Result<u64, String> {
    let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let number: u64 = digits.parse().map_err(|_| "a whole number with a unit is expected: 500MiB, 4GiB".to_owned())?;
    let unit = match &text[digits.len()..] {
        "B" | "" => 1,
        "KiB" | "K" => 1 << 10,
        "MiB" | "M" => 1 << 20,
        "GiB" | "G" => 1 << 30,
        "TiB" | "T" => 1 << 40,
        unit => return Err(format!("there is no unit `{unit}`; there are KiB, MiB, GiB and TiB")),
    };
    number.checked_mul(unit).ok_or_else(|| "more memory than there can be".to_owned())
}

/// True for a file that exists and is no recorded run of ours, but perhaps operations in our format.
pub fn is_foreign(path: &Path) -> bool {
    let mut prefix = Vec::new();
    let read = std::fs::File::open(path).and_then(|file| file.take(1 << 16).read_to_end(&mut prefix));
    read.is_ok() && !prefix.is_empty() && (calls::detect(&prefix) != Format::Own || calls::is_own(path))
}

/// Checks each file; the exit code is that of the most severe verdict.
pub fn check(arguments: &CheckArgs) -> Result<u8, Error> {
    let judge = arguments.operations.model.as_deref().map(judge_named).transpose()?;
    let format = arguments.operations.format.as_deref().map(str::parse).transpose();
    let format: Option<Format> = format.map_err(|e: String| Error::usage(format!("--format: {e}")))?;
    let mut files = Vec::with_capacity(arguments.histories.len());
    for path in &arguments.histories {
        files.push(file(path, judge, format, arguments)?);
    }
    let summary = CheckSummary::of(files);
    if let Some(path) = &arguments.operations.explain {
        let page = reports::operations::page(&summary);
        std::fs::write(path, page)
            .map_err(|e| Error::harness(format!("{}: cannot be written: {e}", path.display())))?;
    }
    if arguments.json {
        super::print_json(&summary)?;
    } else {
        print(&reports::operations::text(&summary))?;
    }
    Ok(summary.exit_code)
}

/// What a history is judged by.
#[derive(Clone, Copy)]
enum Judge {
    Linearizability(ModelName),
    Menu(MenuName),
    Transactions(Workload),
}

fn judge_named(name: &str) -> Result<Judge, Error> {
    let menu = || name.parse().map(Judge::Menu);
    let transactions = || name.parse().map(Judge::Transactions);
    let found = name.parse().map(Judge::Linearizability).or_else(|_| menu()).or_else(|_| transactions());
    found.map_err(|e: checkers::CheckersError| Error::usage(format!("--model: {e}")))
}

/// Without a model, by the one that the operations leave.
fn file(
    path: &Path,
    judge: Option<Judge>,
    format: Option<Format>,
    arguments: &CheckArgs,
) -> Result<FileSummary, Error> {
    let begin = Instant::now();
    let (history, _) = check::locate(path);
    let mut calls = calls::read(&history, format).map_err(|e| Error::usage(e.to_string()))?;
    let parse_ms = millis(begin.elapsed());
    let guessed = || {
        let name = checkers::guess(&calls).map_err(|why| Error::usage(format!("{}: {why}", path.display())))?;
        judge_named(name)
    };
    let judge = judge.map_or_else(guessed, Ok)?;
    let (mut summary, wall_ms) = match judge {
        Judge::Linearizability(name) => linearizable(path, &mut calls, name, arguments)?,
        Judge::Menu(name) => {
            let begin = Instant::now();
            let tally = checkers::menu::check(&calls, name);
            let wall_ms = millis(begin.elapsed());
            (FileSummary::menu(path.display().to_string(), name, tally), wall_ms)
        }
        Judge::Transactions(workload) => isolated(path, &calls, workload, arguments)?,
    };
    (summary.parse_ms, summary.wall_ms, summary.peak_bytes) = (parse_ms, wall_ms, peak_bytes());
    Ok(summary)
}

/// Linearizability of one history, and how many milliseconds that took without explanations.
fn linearizable(
    path: &Path,
    calls: &mut Calls,
    name: ModelName,
    arguments: &CheckArgs,
) -> Result<(FileSummary, u64), Error> {
    let options = options(calls, arguments)?;
    let failed_cas = match options.failed_cas {
        FailedCas::Observed => "observed",
        FailedCas::DidNotHappen => "did-not-happen",
    };
    let begin = Instant::now();
    let decided = decide(calls, name, &options, arguments);
    let wall_ms = millis(begin.elapsed());
    let mut judgement = match decided {
        Some(judgement) => judgement.map_err(|e| Error::usage(format!("{}: {e}", path.display())))?,
        None => broken(calls),
    };
    if judgement.verdict == Verdict::Violation {
        // Once more with explanations: they are no part of the time that checking takes.
        let explained = Options { explained_max: EXPLAINED_MAX, ..options };
        if let Some(Ok(again)) = decide(calls, name, &explained, arguments)
            && again.verdict == Verdict::Violation
        {
            judgement = again;
        }
    }
    let mut summary = FileSummary::linearizable(path.display().to_string(), name.name(), judgement);
    summary.failed_cas = (name == ModelName::CasRegister).then_some(failed_cas);
    Ok((summary, wall_ms))
}

/// Isolation of one history of transactions, and how many milliseconds that took.
fn isolated(
    path: &Path,
    calls: &Calls,
    workload: Workload,
    arguments: &CheckArgs,
) -> Result<(FileSummary, u64), Error> {
    let operations = &arguments.operations;
    let model = operations.consistency_model.parse();
    let model = model.map_err(|e: checkers::CheckersError| Error::usage(format!("--consistency-model: {e}")))?;
    let keys = operations.keys.as_deref().map(|keys| match keys {
        "sequential" => KeyOrder::Sequential,
        _ => KeyOrder::Linearizable,
    });
    let options = transactions::Options { workload, model, keys, writes_follow_reads: operations.writes_follow_reads };
    let begin = Instant::now();
    let over = || begin.elapsed() >= operations.time_limit;
    let held = resident_bytes().unwrap_or(0);
    let limits = Limits::new(u64::MAX, operations.memory_limit.saturating_sub(held), &over);
    let check = || transactions::check(calls, &options, &limits);
    let judgement = match std::panic::catch_unwind(std::panic::AssertUnwindSafe(check)) {
        Ok(judgement) => judgement.map_err(|e| Error::usage(format!("{}: {e}", path.display())))?,
        Err(_) => transactions::Judgement::unknown(&options, calls, BROKEN.to_owned()),
    };
    let wall_ms = millis(begin.elapsed());
    Ok((FileSummary::transactions(path.display().to_string(), workload, judgement), wall_ms))
}

fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

fn options(calls: &mut Calls, arguments: &CheckArgs) -> Result<Options, Error> {
    let initial = arguments.operations.initial.as_deref().map(|text| initial(text, calls)).transpose();
    let initial = initial.map_err(|e| Error::usage(format!("--initial: {e}")))?;
    let failed_cas = match arguments.operations.failed_cas.as_str() {
        "observed" => FailedCas::Observed,
        _ => FailedCas::DidNotHappen,
    };
    let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    Ok(Options { failed_cas, initial, threads: arguments.threads.map_or(cores, usize::from), explained_max: 0 })
}

/// EDN, or `x=0,y=1` for registers by name.
fn initial(text: &str, calls: &mut Calls) -> Result<Value, String> {
    if !text.contains('=') || text.starts_with(['"', '{', '[']) {
        return calls::parse_value(text, &mut calls.symbols);
    }
    let mut entries = Vec::new();
    for entry in text.split(',') {
        let (name, value) = entry.split_once('=').ok_or_else(|| format!("`{entry}` is not of the form NAME=VALUE"))?;
        let name = calls::parse_value(name.trim(), &mut calls.symbols)?;
        entries.push((name, calls::parse_value(value.trim(), &mut calls.symbols)?));
    }
    Ok(Value::Map(Box::new(entries)))
}

/// The judgement within the limits; none if the checker panicked.
fn decide(
    calls: &Calls,
    name: ModelName,
    options: &Options,
    arguments: &CheckArgs,
) -> Option<Result<Judgement, checkers::CheckersError>> {
    let limit = arguments.operations.time_limit;
    let limit = if options.explained_max > 0 { (2 * limit).max(limit + EXPLAIN_MIN) } else { limit };
    let begin = Instant::now();
    let over = || begin.elapsed() >= limit;
    let held = resident_bytes().unwrap_or(0);
    let limits = Limits::new(u64::MAX, arguments.operations.memory_limit.saturating_sub(held), &over);
    let check = || linearizability::check(calls, name, options, &limits);
    std::panic::catch_unwind(std::panic::AssertUnwindSafe(check)).ok()
}

/// The memory that the program holds now: the history itself counts, too.
fn resident_bytes() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find(|line| line.starts_with("VmRSS:"))?;
    let kib: u64 = line.split_whitespace().nth(1)?.parse().ok()?;
    Some(kib * 1024)
}

/// A checker that panics knows nothing.
fn broken(calls: &Calls) -> Judgement {
    Judgement {
        verdict: Verdict::Inconclusive,
        algorithm: String::new(),
        operations: calls.calls.len() as u64,
        objects: 0,
        violations: 0,
        failures: Vec::new(),
        undecided: 0,
        reached: 0,
        reason: Some(BROKEN.to_owned()),
    }
}
