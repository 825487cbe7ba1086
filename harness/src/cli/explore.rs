//! `upheaval explore SCENARIO --seeds A..B`.

use super::{ExploreArgs, SEED_MAX, print, print_json, session};
use crate::bugs;
use crate::error::Error;
use crate::explore::book::{PAGE, SCENARIO, SUMMARY};
use crate::explore::outcome::Trial;
use crate::explore::{Book, Limits, Outcome, Pool, tally};
use crate::scenario::Scenario;
use checkers::Verdict;
use indicatif::{ProgressBar, ProgressStyle};
use reports::exploration::Exploration;
use std::collections::BTreeSet;
use std::ops::Range;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

/// Explores. What is stored from an earlier call with the same scenario, bug and program is not run again.
pub fn explore(arguments: ExploreArgs) -> Result<u8, Error> {
    let (scenario, text) = Scenario::load(&arguments.scenario, &arguments.sets)?;
    if let Some(name) = &arguments.bug {
        bugs::find(name)?;
    }
    let system = scenario.system_plan();
    if !system.is_virtual() {
        return Err(Error::usage(format!(
            "scenario {} runs on {}, a real system: only simulations can be explored",
            scenario.name,
            system.name()
        )));
    }
    let options = checkers::Options { threads: 1, ..session::options(arguments.divide_bounds, Some(1)) };
    let bug = arguments.bug.as_deref();
    let trial = Trial { scenario: &scenario, bug, options: &options, twice_permille: arguments.twice };
    let stop = session::stop_flag()?;
    let mut book = Book::open(&arguments.store, &trial)?;
    book.folder().write(SCENARIO, text.as_bytes())?;
    let limits = Limits { stop: &stop, time: arguments.time, until_failure: arguments.until_failure };
    let jobs = arguments.jobs.map_or_else(cores, usize::from);
    let begun = Instant::now();
    let run = work(&mut book, &Pool { trial: &trial, jobs, limits }, &arguments.seeds)?;
    let wall = begun.elapsed();
    let replay = |seed: u64| replay_line(&arguments, seed);
    let mut found = tally(&book.outcomes, arguments.seeds.clone(), arguments.until_failure, &replay);
    let per_s = |amount: u64| amount as f64 / wall.as_secs_f64().max(1e-9);
    found.seeds_per_s = per_s(run.seeds);
    found.events_per_s = per_s(run.steps);
    found.seeds_resumed = found.seeds_run.saturating_sub(run.seeds);
    found.wall_ms = wall.as_millis() as u64;
    found.jobs = jobs;
    found.scenario = scenario.name.clone();
    found.program = crate::PROGRAM.to_owned();
    found.bug = arguments.bug.clone();
    found.store = book.folder().path.display().to_string();
    if stop.load(Ordering::Relaxed) {
        found.interrupted = true;
        found.verdict = found.verdict.merge(Verdict::Inconclusive);
        found.exit_code = found.verdict.exit_code();
    }
    save(&book, &found)?;
    if arguments.json {
        print_json(&found)?;
    } else {
        print(&reports::exploration::summary(&found, session::coloured()))?;
    }
    Ok(found.exit_code)
}

/// What this call did.
#[derive(Default)]
struct Done {
    seeds: u64,
    steps: u64,
}

fn work(book: &mut Book, pool: &Pool<'_>, seeds: &Range<u64>) -> Result<Done, Error> {
    let known: BTreeSet<u64> = book.outcomes.range(seeds.clone()).map(|(seed, _)| *seed).collect();
    let failing = book.outcomes.range(seeds.clone()).find(|(_, o)| crate::explore::pool::fails(o.verdict));
    let failing = failing.map(|(seed, _)| *seed);
    let bar = progress_bar(seeds.end - seeds.start, known.len() as u64);
    let mut done = Done::default();
    let mut points: BTreeSet<String> = BTreeSet::new();
    let mut wrong = 0u64;
    let result = pool.run(seeds.clone(), &known, failing, |outcome: Outcome| {
        done.seeds += 1;
        done.steps += outcome.steps;
        points.extend(outcome.coverage.keys().cloned());
        wrong += u64::from(outcome.verdict == Verdict::Violation);
        if !bar.is_hidden() {
            bar.inc(1);
            bar.set_message(format!("{wrong} violations, {} states reached", points.len()));
        }
        book.add(outcome)
    });
    bar.finish_and_clear();
    result.map(|()| done)
}

fn progress_bar(seeds: u64, known: u64) -> ProgressBar {
    let bar = ProgressBar::new(seeds).with_position(known);
    let style = "{elapsed_precise} {bar:20.cyan/dim} {human_pos}/{human_len} seeds  {per_sec}  {msg}";
    if let Ok(style) = ProgressStyle::with_template(style) {
        bar.set_style(style.progress_chars("##-"));
    }
    bar.reset_eta();
    bar
}

fn save(book: &Book, found: &Exploration) -> Result<(), Error> {
    let json = serde_json::to_vec_pretty(found).map_err(|e| Error::harness(format!("summary: {e}")))?;
    book.folder().write(SUMMARY, &json)?;
    book.folder().write(PAGE, reports::html::exploration_page(found).as_bytes())
}

fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, std::num::NonZero::get)
}

/// The line that runs one seed again and stores it.
fn replay_line(arguments: &ExploreArgs, seed: u64) -> String {
    let mut line = format!("upheaval run {} --seed {seed}", quoted(&arguments.scenario));
    if let Some(bug) = &arguments.bug {
        line.push_str(&format!(" --bug {bug}"));
    }
    for set in &arguments.sets {
        line.push_str(&format!(" --set {}", quoted(set)));
    }
    if arguments.divide_bounds != 1 {
        line.push_str(&format!(" --divide-bounds {}", arguments.divide_bounds));
    }
    line
}

/// A word for a shell.
pub fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./=,:".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        word.to_owned()
    } else {
        format!("'{}'", word.replace('\'', r"'\''"))
    }
}

/// `A..B`: A and everything above it below B.
pub fn seeds(text: &str) -> Result<Range<u64>, String> {
    let wrong = || format!("{text}: expected A..B with A < B <= {SEED_MAX}, for example 0..1000");
    let (from, to) = text.split_once("..").ok_or_else(wrong)?;
    let (from, to) = (from.trim().parse().map_err(|_| wrong())?, to.trim().parse().map_err(|_| wrong())?);
    if from < to && to <= SEED_MAX + 1 { Ok(from..to) } else { Err(wrong()) }
}

/// `90s`, `10m`, `2h`; a bare number is seconds.
pub fn duration(text: &str) -> Result<Duration, String> {
    let wrong = || format!("{text}: expected a number with s, m or h, for example 10m");
    let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let number: u64 = digits.parse().map_err(|_| wrong())?;
    let unit = match &text[digits.len()..] {
        "" | "s" => 1,
        "m" => 60,
        "h" => 3600,
        _ => return Err(wrong()),
    };
    Ok(Duration::from_secs(number.saturating_mul(unit).min(100 * 365 * 86_400)))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn ranges_of_seeds_and_lengths_of_time_are_read() {
        assert_eq!(seeds("0..1000").unwrap(), 0..1000);
        for wrong in ["5", "5..5", "7..3", "-1..4", "a..b", "0..99999999999999999999", "1...5"] {
            assert!(seeds(wrong).unwrap_err().contains("A..B"), "{wrong}");
        }
        assert_eq!(duration("90").unwrap(), Duration::from_secs(90));
        assert_eq!(duration("10m").unwrap(), Duration::from_secs(600));
        for wrong in ["", "m", "10d", "-5s", "1.5h"] {
            assert!(duration(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn words_are_quoted_for_a_shell() {
        assert_eq!(quoted("workload.clients=5"), "workload.clients=5");
        assert_eq!(quoted("it's [1, 2]"), r"'it'\''s [1, 2]'");
    }
}
