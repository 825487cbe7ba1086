//! What an exploration of many seeds found: the facts, as `--json` prints them, and the summary in the terminal.

use crate::terminal::paint::Paint;
use crate::{format, names};
use checkers::Verdict;
use serde::Serialize;
use std::collections::BTreeMap;
use std::fmt::Write;

/// Version of the schema of the JSON object.
pub const SCHEMA: u32 = 1;
/// How many failures the terminal tells.
const FAILURES_MAX: usize = 10;
/// How many reasons.
const REASONS_MAX: usize = 5;

/// What was found.
#[derive(Clone, Debug, Serialize)]
pub struct Exploration {
    /// [`SCHEMA`].
    pub schema: u32,
    /// Violation if a seed has one, then error, then inconclusive (no seed, or more than one in a hundred), then pass.
    pub verdict: Verdict,
    /// That of the verdict.
    pub exit_code: u8,
    /// The scenario's name.
    pub scenario: String,
    /// The program.
    pub program: String,
    /// The planted bug.
    pub bug: Option<String>,
    /// Seeds asked for, from the first up to but without the last.
    pub seeds: (u64, u64),
    /// Seeds that count.
    pub seeds_run: u64,
    /// Of these, how many were taken over from an earlier call.
    pub seeds_resumed: u64,
    /// Seeds with a violation.
    pub violations: u64,
    /// Seeds whose runs saw too little.
    pub inconclusive: u64,
    /// Seeds at which the harness failed.
    pub errors: u64,
    /// Seeds that were run twice, to see that both runs give the same history.
    pub twice: u64,
    /// Kinds of failures, the most frequent first.
    pub failures: Vec<Failure>,
    /// Why seeds are inconclusive or errors.
    pub reasons: Vec<Reason>,
    /// Interesting states, and how often each was reached.
    pub coverage: BTreeMap<String, u64>,
    /// The same, in how many seeds.
    pub coverage_seeds: BTreeMap<String, u64>,
    /// Faults by kind.
    pub faults: BTreeMap<String, FaultCount>,
    /// Planned operations.
    pub operations: u64,
    /// Pushes that clients received.
    pub pushes: u64,
    /// Calls of a node's `step`.
    pub steps: u64,
    /// Virtual time of all runs.
    pub virtual_ms: u64,
    /// Of this call.
    pub seeds_per_s: f64,
    /// Calls of `step` a second, of this call, checking included.
    pub events_per_s: f64,
    /// Of this call.
    pub wall_ms: u64,
    /// Threads of this call.
    pub jobs: usize,
    /// It was stopped before its end.
    pub interrupted: bool,
    /// Where results and page are.
    pub store: String,
}

/// One kind of failure.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Failure {
    /// What kind.
    pub fingerprint: String,
    /// In how many seeds.
    pub count: u64,
    /// The lowest of them.
    pub first_seed: u64,
    /// The one with the fewest operations and faults; of equals the shortest, then the lowest.
    pub cheapest_seed: u64,
    /// Planned operations of the cheapest.
    pub operations: u64,
    /// Planned faults of the cheapest.
    pub faults: u64,
    /// The first violation of the cheapest, in words.
    pub says: String,
    /// The line that runs the cheapest again.
    pub replay: String,
}

/// Why seeds are inconclusive or errors.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Reason {
    /// An error, not inconclusive.
    pub error: bool,
    /// In words.
    pub says: String,
    /// How many seeds say so.
    pub count: u64,
    /// The lowest of them.
    pub seed: u64,
}

/// Faults of one kind.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct FaultCount {
    /// How many were due.
    pub due: u64,
    /// Of these, how many bit.
    pub bit: u64,
}

impl Default for Exploration {
    fn default() -> Self {
        Exploration {
            schema: SCHEMA,
            verdict: Verdict::Inconclusive,
            exit_code: Verdict::Inconclusive.exit_code(),
            scenario: String::new(),
            program: String::new(),
            bug: None,
            seeds: (0, 0),
            seeds_run: 0,
            seeds_resumed: 0,
            violations: 0,
            inconclusive: 0,
            errors: 0,
            twice: 0,
            failures: Vec::new(),
            reasons: Vec::new(),
            coverage: BTreeMap::new(),
            coverage_seeds: BTreeMap::new(),
            faults: BTreeMap::new(),
            operations: 0,
            pushes: 0,
            steps: 0,
            virtual_ms: 0,
            seeds_per_s: 0.0,
            events_per_s: 0.0,
            wall_ms: 0,
            jobs: 0,
            interrupted: false,
            store: String::new(),
        }
    }
}

/// The summary for the terminal.
pub fn summary(exploration: &Exploration, coloured: bool) -> String {
    let paint = Paint::new(coloured);
    let mut out = String::new();
    let word = crate::story::verdict(exploration.verdict).to_uppercase();
    let _ = writeln!(out, "{}   {}", paint.verdict(exploration.verdict, &word), rates(exploration));
    let _ = writeln!(out, "  {}", counts(exploration));
    for reason in exploration.reasons.iter().take(REASONS_MAX) {
        let sort = if reason.error { "error" } else { "inconclusive" };
        let says = names::clean_long(&reason.says);
        let _ = writeln!(out, "  {sort:<12} {:>7}x  {says} (seed {})", format::count(reason.count), reason.seed);
    }
    for failure in exploration.failures.iter().take(FAILURES_MAX) {
        let title = paint.bold(&names::clean(&failure.fingerprint));
        let size = format!("{} operations, {} faults", failure.operations, failure.faults);
        let (count, seed) = (format::counted(failure.count, "seeds"), failure.cheapest_seed);
        let _ = writeln!(out, "\n  {title}  {count}, cheapest {seed} ({size})");
        let _ = writeln!(out, "    {}", names::clean_long(&failure.says));
        let _ = writeln!(out, "    replay  {}", names::clean_long(&failure.replay));
    }
    let _ = writeln!(out, "\nfaults that bit: {}", faults(exploration));
    if !exploration.coverage.is_empty() {
        let points = exploration.coverage.iter().map(|(point, count)| format!("{point} {}x", format::count(*count)));
        let _ = writeln!(out, "reached: {}", points.collect::<Vec<_>>().join(", "));
    }
    let _ = writeln!(out, "page  {}/index.html", names::clean_long(&exploration.store));
    out
}

/// `20,000 seeds in 14 min 12 s, 23.5 seeds/s, 5.8 M events/s, 2 jobs`.
pub(crate) fn rates(exploration: &Exploration) -> String {
    let mut parts = vec![format!(
        "{} in {}",
        format::counted(exploration.seeds_run, "seeds"),
        format::duration_ms(exploration.wall_ms)
    )];
    if exploration.seeds_per_s > 0.0 {
        parts.push(format!("{:.1} seeds/s", exploration.seeds_per_s));
        parts.push(format!("{:.2} M events/s", exploration.events_per_s / 1e6));
    }
    parts.push(format::counted(exploration.jobs as u64, "jobs"));
    if exploration.seeds_resumed > 0 {
        parts.push(format!("{} of them from earlier calls", format::count(exploration.seeds_resumed)));
    }
    if exploration.interrupted {
        parts.push("interrupted".to_owned());
    }
    parts.join(", ")
}

/// `0 violations, 3 inconclusive, 0 errors; 400 run twice`.
pub(crate) fn counts(exploration: &Exploration) -> String {
    format!(
        "{}, {} inconclusive, {}; {} run twice",
        format::counted(exploration.violations, "violations"),
        format::count(exploration.inconclusive),
        format::counted(exploration.errors, "errors"),
        format::count(exploration.twice)
    )
}

fn faults(exploration: &Exploration) -> String {
    let each = exploration.faults.iter();
    let each = each.map(|(kind, c)| format!("{kind} {}/{}", format::count(c.bit), format::count(c.due)));
    let all: Vec<String> = each.collect();
    if all.is_empty() { "none".to_owned() } else { all.join(", ") }
}
