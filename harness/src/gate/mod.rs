//! The gate: a suite of scenarios, systems and seeds decides whether a build may go on.
//!
//! Fixed seeds, seeds drawn for this night, and every seed that ever failed; what fails is grouped by kind, and the
//! cheapest run of each kind is kept and shrunk while time is left. Harness errors are tried again, violations never.

pub mod hook;
pub mod memory;
pub mod objective;
pub mod suite;
pub mod work;

pub use suite::Suite;

use crate::error::Error;
use crate::plan::Plan;
use crate::shrink::{self, Effort};
use crate::store::RunFolder;
use checkers::{Options, Verdict};
use hook::Told;
use memory::Memory;
use objective::Baseline;
use reports::gate::{Decision, Gate, GateFailure, GatePlan, GateRun, Origin, PlannedEntry, SCHEMA};
use simulation::hash_draw;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};
use suite::Cell;
use work::{Due, Work};

/// What a gate needs beside its suite.
pub struct Setting<'a> {
    /// Where runs and the gate's own folder are kept.
    pub store: &'a Path,
    /// What random seeds are drawn from.
    pub night: u64,
    /// Threads for virtual runs.
    pub jobs: usize,
    /// Leave out the hooks.
    pub no_hooks: bool,
    /// Set by Ctrl-C.
    pub stop: &'a AtomicBool,
    /// Told how many runs are due, then each run that is done.
    pub watch: &'a mut dyn FnMut(usize, Option<&GateRun>),
}

/// The random seeds of a night.
pub fn random_seeds(suite: &Suite, night: u64) -> Vec<u64> {
    (0..u64::from(suite.random_seeds))
        .map(|n| hash_draw(0x6761_7465, &[night, n]) % (crate::cli::SEED_MAX + 1))
        .collect()
}

fn due(suite: &Suite, cells: &[Cell], memory: &Memory, random: &[u64]) -> Vec<Due> {
    let mut all = Vec::new();
    for (index, cell) in cells.iter().enumerate() {
        let mut known = BTreeSet::new();
        let mut add = |seed: u64, origin: Origin| {
            if known.insert(seed) {
                all.push(Due { cell: index, seed, origin });
            }
        };
        // What failed before comes first: if time runs out, it has been looked at.
        if suite.failed_seeds && cell.entry.bug.is_none() {
            let failed = memory.failed.get(&memory::label(cell)).into_iter().flatten();
            failed.for_each(|seed| add(*seed, Origin::FailedBefore));
        }
        cell.entry.seeds.clone().unwrap_or_else(|| suite.seeds.clone()).for_each(|seed| add(seed, Origin::Fixed));
        random.iter().for_each(|seed| add(*seed, Origin::Random));
    }
    all
}

/// What would run, and for how long.
pub fn plan(suite: &Suite, setting: &Setting<'_>) -> Result<GatePlan, Error> {
    let cells = suite.cells()?;
    let memory = Memory::load(&memory::path(setting.store, &suite.name))?;
    let due = due(suite, &cells, &memory, &random_seeds(suite, setting.night));
    let mut entries = Vec::new();
    for (index, cell) in cells.iter().enumerate() {
        let seeds: Vec<u64> = due.iter().filter(|due| due.cell == index).map(|due| due.seed).collect();
        let is_virtual = cell.scenario.system_plan().is_virtual();
        // Real time is at least what the phases take.
        let time = &cell.scenario.time;
        let phases = (!is_virtual).then_some(time.warmup_ms + time.chaos_ms + time.settle_ms);
        let run_ms = memory.run_ms.get(&memory::label(cell)).copied().or(phases);
        let at_once = if is_virtual { setting.jobs.max(1) as u64 } else { 1 };
        let expected_ms = run_ms.map(|ms| ms * seeds.len() as u64 / at_once);
        let (scenario, system, bug) = (cell.scenario.name.clone(), cell.system.clone(), cell.entry.bug.clone());
        entries.push(PlannedEntry { scenario, system, bug, seeds, expected_ms });
    }
    Ok(GatePlan {
        schema: SCHEMA,
        suite: suite.name.clone(),
        night: setting.night,
        runs: due.len() as u64,
        expected_ms: entries.iter().map(|entry| entry.expected_ms).sum(),
        entries,
        time_ms_max: suite.time_s_max * 1000,
    })
}

/// Runs a suite and decides.
pub fn gate(suite: &Suite, setting: &mut Setting<'_>) -> Result<Gate, Error> {
    let began = Instant::now();
    let deadline = began + Duration::from_secs(suite.time_s_max.min(365 * 86_400));
    let cells = suite.cells()?;
    let baseline = suite.baseline.as_deref().map(Baseline::load).transpose()?.unwrap_or_default();
    let folder = RunFolder::create(setting.store, &format!("gate-{}", suite.name), setting.night)?;
    let memory_path = memory::path(setting.store, &suite.name);
    let mut memory = Memory::load(&memory_path)?;
    let random = random_seeds(suite, setting.night);
    let due = due(suite, &cells, &memory, &random);
    let mut gate = Gate {
        schema: SCHEMA,
        suite: suite.name.clone(),
        about: suite.about.clone(),
        build: suite.build.clone(),
        program: crate::PROGRAM.to_owned(),
        verdict: Decision::Pass,
        night: setting.night,
        random_seeds: random,
        store: folder.path.display().to_string(),
        ..Gate::default()
    };
    let deployed = call_hook(suite, "deploy", setting, &mut gate);
    if deployed {
        (setting.watch)(due.len(), None);
        let (store, jobs, stop) = (setting.store, setting.jobs, setting.stop);
        let work = Work { suite, cells: &cells, store, jobs, deadline, stop };
        let runs = work.all(&due, &mut |run| (setting.watch)(due.len(), Some(run)));
        memory.add(&cells, &runs);
        memory.save(&memory_path)?;
        gate.not_run = (due.len() - runs.len()) as u64;
        gate.failures = failures(&work, &runs)?;
        gate.runs = runs.into_iter().map(|(_, run)| run).collect();
    } else {
        gate.not_run = due.len() as u64;
    }
    gate.peak_bytes = crate::verdict::peak_bytes();
    let judged = suite.objectives.iter().map(|asked| objective::judge(asked, &gate.runs, &baseline, gate.peak_bytes));
    gate.objectives = if deployed { judged.collect() } else { Vec::new() };
    decide(&mut gate, setting.stop);
    let ending = if gate.verdict == Decision::Pass { "promote" } else { "reject" };
    // Before a hook: it may read what was decided.
    save(&folder, &gate)?;
    if deployed && !call_hook(suite, ending, setting, &mut gate) {
        gate.verdict = gate.verdict.merge(Decision::Error);
    }
    gate.exit_code = gate.verdict.exit_code();
    gate.wall_ms = began.elapsed().as_millis() as u64;
    save(&folder, &gate)?;
    Ok(gate)
}

/// True if there is none, or it ended well.
fn call_hook(suite: &Suite, name: &str, setting: &Setting<'_>, gate: &mut Gate) -> bool {
    let hook = match name {
        "deploy" => &suite.hooks.deploy,
        "promote" => &suite.hooks.promote,
        _ => &suite.hooks.reject,
    };
    let Some(hook) = hook.as_ref().filter(|_| !setting.no_hooks) else { return true };
    let decision = (name != "deploy").then_some(gate.verdict);
    let told = Told { build: suite.build.as_ref(), decision, suite: &suite.name, report: &gate.store };
    let called = hook::call(name, hook, &told);
    let ok = called.ok;
    if !ok {
        gate.reasons.push(format!("the hook {name} failed: {}", called.says));
        gate.verdict = gate.verdict.merge(Decision::Error);
    }
    gate.hooks.push(called);
    ok
}

fn decide(gate: &mut Gate, stop: &AtomicBool) {
    for run in &gate.runs {
        gate.verdict = gate.verdict.merge(run.verdict.into());
        *gate.counts.entry(reports::story::verdict(run.verdict).to_owned()).or_insert(0) += 1;
    }
    for (verdict, says) in [(Verdict::Inconclusive, "inconclusive"), (Verdict::Error, "the harness failed")] {
        let such: Vec<&GateRun> = gate.runs.iter().filter(|run| run.verdict == verdict).collect();
        if let Some(first) = such.first() {
            let (count, at) = (such.len(), format!("{} seed {}", first.scenario, first.seed));
            gate.reasons.push(format!("{count} runs: {says}, the first ({at}): {}", first.says));
        }
    }
    let violations = gate.runs.iter().filter(|run| run.verdict == Verdict::Violation).count();
    if violations > 0 {
        let kinds = gate.failures.len();
        gate.reasons.insert(0, format!("{violations} of {} runs show a violation, of {kinds} kinds", gate.runs.len()));
    }
    if gate.not_run > 0 {
        let why = if stop.load(Ordering::Relaxed) { "it was interrupted" } else { "its time was over" };
        let why =
            if gate.runs.is_empty() && gate.verdict == Decision::Error { "the build was not deployed" } else { why };
        gate.reasons.push(format!("{} runs were not made: {why}", gate.not_run));
        gate.verdict = gate.verdict.merge(Decision::Inconclusive);
    }
    for objective in &gate.objectives {
        let decision = match objective.met {
            Some(true) => continue,
            Some(false) => Decision::Missed,
            None => Decision::Inconclusive,
        };
        gate.reasons.push(format!("objective {}: {}", objective.asks, objective.says));
        gate.verdict = gate.verdict.merge(decision);
    }
    gate.exit_code = gate.verdict.exit_code();
}

/// Failures by kind; the cheapest run of each is kept, and shrunk while time is left.
fn failures(work: &Work<'_>, runs: &[(usize, GateRun)]) -> Result<Vec<GateFailure>, Error> {
    let mut kinds: BTreeMap<(usize, &str), Vec<&GateRun>> = BTreeMap::new();
    for (cell, run) in runs.iter().filter(|(_, run)| run.verdict == Verdict::Violation) {
        kinds.entry((*cell, run.fingerprint.as_deref().unwrap_or("violation"))).or_default().push(run);
    }
    let mut out = Vec::new();
    for ((index, fingerprint), failing) in kinds {
        let cell = &work.cells[index];
        let drawn = |run: &&GateRun| Plan::draw(&cell.scenario, run.seed, cell.entry.bug.clone());
        let cost = |run: &&GateRun| (drawn(run).operations.len() + drawn(run).faults.len(), run.seed);
        let Some(cheapest) = failing.iter().copied().min_by_key(cost) else { continue };
        let plan = drawn(&cheapest);
        let folder = match &cheapest.folder {
            Some(folder) => folder.clone(),
            None => work::stored(&plan, cell, work.store, &work::options(cell), work.stop)?.0,
        };
        let mut failure = GateFailure {
            scenario: cheapest.scenario.clone(),
            system: cheapest.system.clone(),
            fingerprint: fingerprint.to_owned(),
            count: failing.len() as u64,
            cheapest_seed: cheapest.seed,
            says: cheapest.says.clone(),
            replay: cheapest.replay.clone(),
            folder: Some(folder),
            shrunk: None,
            story: None,
            tale: None,
            operations: None,
            faults: None,
        };
        if plan.system.is_virtual() {
            shrunk(work, &plan, &mut failure)?;
        }
        out.push(failure);
    }
    Ok(out)
}

fn shrunk(work: &Work<'_>, plan: &Plan, failure: &mut GateFailure) -> Result<(), Error> {
    let left = work.deadline.saturating_duration_since(Instant::now());
    let time = left.min(Duration::from_secs(work.suite.shrink_s_max));
    if time.is_zero() || work.stop.load(Ordering::Relaxed) {
        return Ok(());
    }
    let small = shrink::shrink(plan, &Options::default(), Effort { time, threads: work.jobs.max(1) }, &mut |_, _| {})?;
    let (folder, judged) = shrink::keep(&small, work.store)?;
    failure.shrunk = Some(folder.path.display().to_string());
    failure.operations = Some(small.after.operations as u64);
    failure.faults = Some(small.after.faults as u64);
    failure.story = judged.facts.tale.as_ref().map(reports::tale::text);
    failure.tale = judged.facts.tale;
    Ok(())
}

/// Page, JSON and JUnit, in the gate's folder.
fn save(folder: &RunFolder, gate: &Gate) -> Result<(), Error> {
    let json = serde_json::to_vec_pretty(gate).map_err(|e| Error::harness(format!("gate: {e}")))?;
    folder.write("gate.json", &json)?;
    folder.write("junit.xml", reports::gate::junit::document(gate).as_bytes())?;
    folder.write("index.html", reports::gate::page(gate).as_bytes())
}
