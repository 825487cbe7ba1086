//! Shrinking: small, the same failure, and the same result whatever the number of threads.
#![allow(clippy::unwrap_used, clippy::disallowed_methods)]

mod common;

use checkers::{Options, Verdict};
use common::{Scratch, refused, run, run_json};
use harness::attempt::attempt;
use harness::fingerprint::Fingerprint;
use harness::plan::Plan;
use harness::scenario::Scenario;
use harness::shrink::{Effort, Shrunk, shrink};
use std::path::Path;
use std::time::Duration;
use systems::registry::Bug;

/// Plans of the acceptance: at most so much is left of every planted bug.
const OPERATIONS_MAX: usize = 12;
const FAULTS_MAX: usize = 3;

/// The plans of a bug's scenario that fail, of 1,000 seeds.
fn all_failing(bug: Bug) -> impl Iterator<Item = Plan> {
    let (scenario, _) = Scenario::load(harness::bugs::hunt(bug).scenario, &[]).unwrap();
    let plans = (0..1_000).map(move |seed| Plan::draw(&scenario, seed, Some(bug.name().to_owned())));
    plans.filter(|plan| verdict(plan) == Verdict::Violation)
}

/// The first of them.
fn failing(bug: Bug) -> Plan {
    all_failing(bug).next().unwrap_or_else(|| panic!("{}: not found in 1,000 seeds", bug.name()))
}

/// What is left of a failing plan; where that is more than it may be, of one of the next that fail. Some seeds fail in a
/// roundabout way.
fn smallest(bug: Bug) -> (Shrunk, Duration) {
    const PLANS_MAX: usize = 10;
    let mut tried = all_failing(bug).take(PLANS_MAX).map(|plan| {
        // Without a limit of time: how fast this is depends on what else the host does.
        let began = std::time::Instant::now();
        let small = shrunk(&plan, 10 * MINUTE, 2);
        let (seed, took) = (plan.seed, began.elapsed());
        let (name, print, before, after) = (bug.name(), &small.fingerprint, small.before, small.after);
        println!("{name:26} {print:16} seed {seed}: {before} -> {after}  {} plans in {took:.1?}", small.attempts);
        (small, took)
    });
    let small = tried.find(|(small, _)| small.after.operations <= OPERATIONS_MAX && small.after.faults <= FAULTS_MAX);
    small.unwrap_or_else(|| panic!("{}: more is left of each of {PLANS_MAX} plans", bug.name()))
}

fn verdict(plan: &Plan) -> Verdict {
    attempt(plan, &Options::default(), false).unwrap().report.verdict
}

fn shrunk(plan: &Plan, time: Duration, threads: usize) -> Shrunk {
    shrink(plan, &Options::default(), Effort { time, threads }, &mut |_, _| {}).unwrap()
}

const MINUTE: Duration = Duration::from_secs(60);

/// Three bugs that differ in what they need; all of them with `UPHEAVAL_BUGS=all`, some by their names and commas.
fn bugs() -> Vec<Bug> {
    match std::env::var("UPHEAVAL_BUGS").as_deref() {
        Ok("all") => Bug::ALL.to_vec(),
        Ok(names) => names.split(',').map(|name| *Bug::ALL.iter().find(|bug| bug.name() == name).unwrap()).collect(),
        Err(_) => vec![Bug::GhostIndexOverwritten, Bug::VersionBeforePush, Bug::RepublishAppends],
    }
}

#[test]
fn every_planted_bug_shrinks_to_a_few_operations_and_passes_without_it() {
    let (mut sizes, mut slowest) = (Vec::new(), Duration::ZERO);
    for bug in bugs() {
        let (small, took) = smallest(bug);
        slowest = slowest.max(took);
        assert!(small.complete);
        let again = attempt(&small.plan, &Options::default(), false).unwrap();
        assert_eq!(Fingerprint::of(&again.report), Some(small.fingerprint), "{}", bug.name());
        assert!(small.fingerprint.reduces(small.origin));
        let right = Plan { bug: None, ..small.plan.clone() };
        assert_ne!(verdict(&right), Verdict::Violation, "{} fails without it", bug.name());
        update(bug, &small.plan);
        sizes.push((small.after.operations, small.after.faults));
    }
    let median = |mut all: Vec<usize>| {
        all.sort_unstable();
        all[all.len() / 2]
    };
    let operations = median(sizes.iter().map(|size| size.0).collect());
    let faults = median(sizes.iter().map(|size| size.1).collect());
    println!("medians of {}: {operations} operations, {faults} faults; the slowest took {slowest:.1?}", sizes.len());
    // A median says something of all, not of some.
    assert!(sizes.len() < Bug::ALL.len() || (operations <= 6 && faults <= 1), "{sizes:?}");
}

/// With `UPHEAVAL_UPDATE=1` the regression of the bug is made anew.
fn update(bug: Bug, plan: &Plan) {
    if std::env::var_os("UPHEAVAL_UPDATE").is_some() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../scenarios/regressions");
        let path = folder.join(format!("{}.json", bug.name()));
        std::fs::write(path, serde_json::to_vec_pretty(plan).unwrap()).unwrap();
    }
}

#[test]
fn the_number_of_threads_changes_nothing() {
    let plan = failing(Bug::VersionBeforePush);
    let (one, three) = (shrunk(&plan, 10 * MINUTE, 1), shrunk(&plan, 10 * MINUTE, 3));
    assert_eq!(one.plan, three.plan);
    assert_eq!(one.attempts, three.attempts);
}

#[test]
fn without_time_the_result_says_that_it_was_cut_short() {
    let plan = failing(Bug::RepublishAppends);
    let small = shrunk(&plan, Duration::ZERO, 2);
    assert!(!small.complete);
    assert_eq!(small.before, small.after);
    assert_eq!(small.attempts, 0);
}

#[test]
fn a_shrunk_run_is_told_drawn_and_replayed() {
    let scratch = Scratch::new("shrink");
    let (code, _) =
        run_json(&scratch.0, &["run", "registry-lost-pushes", "--seed", "3", "--bug", "version-before-push"]);
    assert_eq!(code, 1);
    let (code, summary) = run_json(&scratch.0, &["shrink", "runs/latest", "--store", "small"]);
    assert_eq!(code, 0, "{summary:#}");
    assert_eq!((&summary["schema"], &summary["complete"]), (&1.into(), &true.into()));
    assert!(summary["after"]["operations"].as_u64().unwrap() <= 12);
    assert!(summary["before"]["operations"].as_u64().unwrap() > 300);
    for file in ["plan", "story", "diagram", "report"] {
        assert!(scratch.0.join(summary[file].as_str().unwrap()).is_file(), "{file}");
    }
    let read = |key: &str| std::fs::read_to_string(scratch.0.join(summary[key].as_str().unwrap())).unwrap();
    assert!(read("report").contains("id=\"story\""));
    assert!(read("diagram").contains("prefers-color-scheme: dark"));
    insta::assert_snapshot!(read("story"));
    // Its plan replays to the same violation, and the report can be made again without the messages.
    let (code, replayed) = run_json(&scratch.0, &["replay", summary["plan"].as_str().unwrap()]);
    assert_eq!((code, &replayed["verdict"]), (1, &"violation".into()));
    assert_eq!(run(&scratch.0, &["report", summary["shrunk"].as_str().unwrap()]).status.code(), Some(1));
    assert!(read("report").contains("class=\"spacetime\""));
    // People get the story at once.
    let output = run(&scratch.0, &["shrink", "runs/latest", "--store", "small", "--jobs", "1"]);
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(text.contains("<- violation") && text.contains("replay   upheaval replay small/"), "{text}");
}

#[test]
fn what_cannot_be_shrunk_is_refused_with_a_reason() {
    let scratch = Scratch::new("shrink-refused");
    run_json(&scratch.0, &["run", "quickstart", "--seed", "3"]);
    std::fs::rename(scratch.0.join("runs/latest").canonicalize().unwrap(), scratch.0.join("passes")).unwrap();
    run(&scratch.0, &["run", "zookeeper-smoke", "--seed", "3", "--plan-only", "real.json"]);
    scratch.file("broken.json", "{\"schema\": 1, ");
    std::fs::create_dir(scratch.0.join("empty")).unwrap();
    let mut all = String::new();
    for what in ["passes", "real.json", "broken.json", "empty", "missing"] {
        let (message, code) = refused(&scratch.0, &["shrink", what]);
        all.push_str(&format!("$ upheaval shrink {what}\n{message}exit code {code}\n\n"));
        assert_eq!(code, 2, "{what}: {message}");
    }
    insta::assert_snapshot!(all);
}
