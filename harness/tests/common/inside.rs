//! Runs in the process of the test: many of them take seconds.

use checkers::Options;
use harness::observer::Observers;
use harness::plan::Plan;
use harness::run::{Setting, run};
use harness::scenario::Scenario;
use harness::verdict::Judged;
use std::path::Path;
use std::sync::atomic::AtomicBool;
use systems::registry::Bug;

/// One run in the process of the test: a few milliseconds.
pub fn judge(store: &Path, scenario: &Scenario, seed: u64, bug: Option<Bug>, divisor: u64) -> Judged {
    let plan = Plan::draw(scenario, seed, bug.map(|bug| bug.name().to_owned()));
    let setting = Setting {
        store,
        scenario: None,
        observer: &mut Observers::default(),
        stop: &AtomicBool::new(false),
        options: &Options { divisor, ..Options::default() },
        measure: false,
        begun: &mut |_, _| {},
    };
    let (folder, judged) = run(&plan, setting).unwrap();
    std::fs::remove_dir_all(folder.path).unwrap();
    judged
}

pub fn scenario(name: &str, sets: &[&str]) -> Scenario {
    let sets: Vec<String> = sets.iter().map(|set| (*set).to_owned()).collect();
    Scenario::load(name, &sets).unwrap().0
}

/// The kinds of violation among the examples.
pub fn kinds(judged: &Judged) -> Vec<String> {
    let all = judged.report.checks.iter().flat_map(|check| &check.examples);
    all.map(|v| serde_json::to_value(v.kind).unwrap().as_str().unwrap().to_owned()).collect()
}
