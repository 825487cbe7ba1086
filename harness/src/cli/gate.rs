//! `upheaval gate SUITE`.

use super::{GateArgs, print, print_json, session};
use crate::error::Error;
use crate::gate::objective::Baseline;
use crate::gate::{Setting, Suite, gate, plan};
use indicatif::{ProgressBar, ProgressStyle};
use reports::gate::{Gate, GateRun, github, junit, summary};
use std::io::Write;
use std::sync::atomic::AtomicBool;

/// Runs a suite, or says what would run.
pub fn run(arguments: &GateArgs) -> Result<u8, Error> {
    let suite = Suite::load(&arguments.suite)?;
    let night = arguments.night.unwrap_or_else(tonight);
    let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let jobs = arguments.jobs.map_or(cores, usize::from);
    let (store, no_hooks) = (arguments.store.as_path(), arguments.no_hooks);
    if arguments.dry_run {
        let (stop, watch) = (AtomicBool::new(false), &mut |_: usize, _: Option<&GateRun>| {});
        let would = plan(&suite, &Setting { store, night, jobs, no_hooks, stop: &stop, watch })?;
        if arguments.json {
            print_json(&would)?;
        } else {
            print(&reports::gate::plan(&would))?;
        }
        return Ok(0);
    }
    let stop = session::stop_flag()?;
    let bar = ProgressBar::new(0);
    let style = "{elapsed_precise} {bar:20.cyan/dim} {human_pos}/{human_len} runs  {msg}";
    if let Ok(style) = ProgressStyle::with_template(style) {
        bar.set_style(style.progress_chars("##-"));
    }
    let mut wrong = 0;
    let mut watch = |due: usize, run: Option<&GateRun>| {
        bar.set_length(due as u64);
        if let Some(run) = run {
            wrong += u64::from(run.verdict != checkers::Verdict::Pass);
            bar.inc(1);
            bar.set_message(format!("{wrong} not passed"));
        }
    };
    let decided = gate(&suite, &mut Setting { store, night, jobs, no_hooks, stop: &stop, watch: &mut watch });
    bar.finish_and_clear();
    let decided = decided?;
    if let Some(path) = &arguments.junit {
        std::fs::write(path, junit::document(&decided)).map_err(|e| Error::write(path, &e))?;
    }
    if let Some(path) = &arguments.write_baseline {
        let text = serde_json::to_vec_pretty(&Baseline::of(&decided.runs))
            .map_err(|e| Error::harness(format!("baseline: {e}")))?;
        std::fs::write(path, text).map_err(|e| Error::write(path, &e))?;
    }
    if arguments.github || std::env::var_os("GITHUB_ACTIONS").is_some_and(|value| value == "true") {
        tell_github(&decided)?;
    }
    if arguments.json {
        print_json(&decided)?;
    } else {
        print(&summary(&decided, session::coloured()))?;
    }
    Ok(decided.exit_code)
}

/// The date: 20261122. The same night draws the same seeds.
fn tonight() -> u64 {
    jiff::Zoned::now().strftime("%Y%m%d").to_string().parse().unwrap_or(0)
}

/// Annotations go to standard error, which the runner reads too: standard output may be JSON.
fn tell_github(gate: &Gate) -> Result<(), Error> {
    eprint!("{}", github::annotations(gate));
    let Some(path) = std::env::var_os("GITHUB_STEP_SUMMARY") else { return Ok(()) };
    let path = std::path::PathBuf::from(path);
    let mut file = std::fs::OpenOptions::new().create(true).append(true).open(&path);
    let written = file.as_mut().map_err(|e| std::io::Error::new(e.kind(), e.to_string()));
    written.and_then(|file| file.write_all(github::step_summary(gate).as_bytes())).map_err(|e| Error::write(&path, &e))
}
