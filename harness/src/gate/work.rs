//! Runs of a suite: virtual ones on all cores, real ones one after the other.

use super::suite::{Cell, Keep, Suite};
use crate::attempt::attempt;
use crate::error::Error;
use crate::fingerprint::{Fingerprint, first};
use crate::observer::Observers;
use crate::plan::Plan;
use crate::run::{Setting, run};
use checkers::{Figure, Options, Report, Verdict};
use reports::gate::{GateRun, Origin};
use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc;
use std::time::Instant;

/// One run that is due.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Due {
    /// Which cell of the suite.
    pub cell: usize,
    /// The seed.
    pub seed: u64,
    /// Why this one.
    pub origin: Origin,
}

/// What all runs have in common.
pub struct Work<'a> {
    /// The suite.
    pub suite: &'a Suite,
    /// Its cells.
    pub cells: &'a [Cell],
    /// Where runs are kept.
    pub store: &'a Path,
    /// Threads for virtual runs.
    pub jobs: usize,
    /// No run is begun after this.
    pub deadline: Instant,
    /// Set by Ctrl-C.
    pub stop: &'a AtomicBool,
}

impl Work<'_> {
    /// Makes the runs that are due, as far as time allows; in the order of `due`. `watch` is told each one that is done.
    pub fn all(&self, due: &[Due], watch: &mut dyn FnMut(&GateRun)) -> Vec<(usize, GateRun)> {
        let (virtually, really): (Vec<usize>, Vec<usize>) =
            (0..due.len()).partition(|at| self.cells[due[*at].cell].scenario.system_plan().is_virtual());
        let mut done: BTreeMap<usize, GateRun> = BTreeMap::new();
        let next = AtomicUsize::new(0);
        std::thread::scope(|scope| {
            let (sender, receiver) = mpsc::channel();
            for _ in 0..self.jobs.max(1) {
                let (sender, next, virtually) = (sender.clone(), &next, &virtually);
                scope.spawn(move || {
                    while let Some(at) = virtually.get(next.fetch_add(1, Ordering::Relaxed)).filter(|_| self.goes_on())
                    {
                        if sender.send((*at, self.one(due[*at]))).is_err() {
                            return;
                        }
                    }
                });
            }
            drop(sender);
            for (at, run) in receiver {
                watch(&run);
                done.insert(at, run);
            }
        });
        for at in really {
            if !self.goes_on() {
                break;
            }
            let run = self.one(due[at]);
            watch(&run);
            done.insert(at, run);
        }
        done.into_iter().map(|(at, run)| (due[at].cell, run)).collect()
    }

    fn goes_on(&self) -> bool {
        !self.stop.load(Ordering::Relaxed) && Instant::now() < self.deadline
    }

    /// One run; tried again where the harness failed, and only there.
    fn one(&self, due: Due) -> GateRun {
        let mut retries = 0;
        loop {
            let mut run = self.once(due);
            run.retries = retries;
            if run.verdict != Verdict::Error || retries >= self.suite.retries || !self.goes_on() {
                return run;
            }
            retries += 1;
        }
    }

    fn once(&self, due: Due) -> GateRun {
        let cell = &self.cells[due.cell];
        let began = Instant::now();
        let mut out = GateRun {
            scenario: cell.scenario.name.clone(),
            system: cell.system.clone(),
            bug: cell.entry.bug.clone(),
            seed: due.seed,
            origin: due.origin,
            verdict: Verdict::Error,
            fingerprint: None,
            says: String::new(),
            figures: BTreeMap::new(),
            replay: replay_line(cell, due.seed),
            folder: None,
            retries: 0,
            wall_ms: 0,
        };
        // Nothing gets out but a run: a panic is an error of the harness.
        match catch_unwind(AssertUnwindSafe(|| self.made(cell, due.seed, &mut out))) {
            Ok(Ok(())) => {}
            Ok(Err(error)) => (out.verdict, out.says) = (Verdict::Error, error.to_string()),
            Err(_) => (out.verdict, out.says) = (Verdict::Error, "internal error: a panic".to_owned()),
        }
        out.wall_ms = began.elapsed().as_millis() as u64;
        out.figures.insert("wall_ms".to_owned(), out.wall_ms as f64);
        if let Some(steps) = out.figures.get("steps").copied() {
            out.figures.insert("events_per_s".to_owned(), steps / began.elapsed().as_secs_f64().max(1e-6));
        }
        out
    }

    fn made(&self, cell: &Cell, seed: u64, out: &mut GateRun) -> Result<(), Error> {
        let plan = Plan::draw(&cell.scenario, seed, cell.entry.bug.clone());
        let options = options(cell);
        if plan.system.is_virtual() && self.suite.keep == Keep::Failed {
            let made = attempt(&plan, &options, false)?;
            out.figures.insert("steps".to_owned(), made.steps as f64);
            told(&made.report, out);
        } else {
            let (folder, report) = stored(&plan, cell, self.store, &options, self.stop)?;
            out.folder = Some(folder);
            told(&report, out);
        }
        Ok(())
    }
}

/// How the runs of a cell are checked. One thread each: there are as many runs at a time as there are cores.
pub fn options(cell: &Cell) -> Options {
    let steps_max = cell.entry.steps_max.unwrap_or(Options::default().steps_max);
    Options { threads: 1, steps_max, ..Options::default() }
}

/// Runs a plan into the store; its folder and what the checkers say.
pub fn stored(
    plan: &Plan,
    cell: &Cell,
    store: &Path,
    options: &Options,
    stop: &AtomicBool,
) -> Result<(String, Report), Error> {
    let setting = Setting {
        store,
        scenario: Some(&cell.text),
        observer: &mut Observers::default(),
        stop,
        options,
        measure: false,
        begun: &mut |_, _| {},
    };
    let (folder, judged) = run(plan, setting)?;
    Ok((folder.path.display().to_string(), judged.report))
}

fn told(report: &Report, out: &mut GateRun) {
    out.verdict = report.verdict;
    out.fingerprint = Fingerprint::of(report).map(|fingerprint| fingerprint.to_string());
    out.says = match report.verdict {
        Verdict::Violation => first(report).map(|violation| violation.sentence.clone()),
        Verdict::Pass => None,
        _ => report.reasons.first().cloned(),
    }
    .unwrap_or_default();
    for check in &report.checks {
        for (name, figure) in &check.figures {
            let value = match figure {
                Figure::Whole(whole) => *whole as f64,
                Figure::Real(real) => *real,
            };
            out.figures.insert(format!("{}.{name}", check.checker), value);
        }
    }
}

/// The line that makes a run again and stores it.
pub fn replay_line(cell: &Cell, seed: u64) -> String {
    let mut line = format!("upheaval run {} --seed {seed}", crate::cli::quoted(&cell.entry.scenario));
    if let Some(bug) = &cell.entry.bug {
        line.push_str(&format!(" --bug {bug}"));
    }
    for set in &cell.sets {
        line.push_str(&format!(" --set {}", crate::cli::quoted(set)));
    }
    line
}
