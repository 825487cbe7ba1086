//! Shrunk plans that once failed: with their planted bug they fail again, without it they do not.
#![allow(clippy::unwrap_used)]

use checkers::{Options, Verdict};
use harness::attempt::attempt;
use harness::plan::Plan;
use harness::shrink::Size;
use std::path::Path;
use systems::registry::Bug;

#[test]
fn every_regression_fails_with_its_bug_and_not_without() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../scenarios/regressions");
    let mut plans: Vec<_> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    plans.retain(|path| path.extension().is_some_and(|extension| extension == "json"));
    plans.sort();
    for path in plans {
        let plan: Plan = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
        let verdict = |plan: &Plan| attempt(plan, &Options::default(), false).unwrap().report.verdict;
        assert!(plan.bug.is_some(), "{}", path.display());
        assert_eq!(verdict(&plan), Verdict::Violation, "{} does not fail any more", path.display());
        let right = Plan { bug: None, ..plan };
        assert_ne!(verdict(&right), Verdict::Violation, "{} fails without its bug", path.display());
    }
}

#[test]
fn every_planted_bug_has_a_small_one() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../scenarios/regressions");
    let (mut operations, mut faults) = (Vec::new(), Vec::new());
    for bug in Bug::ALL {
        let path = folder.join(format!("{}.json", bug.name()));
        let text = std::fs::read(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
        let plan: Plan = serde_json::from_slice(&text).unwrap();
        assert_eq!(plan.bug.as_deref(), Some(bug.name()));
        let size = Size::of(&plan);
        assert!(size.operations <= 12 && size.faults <= 3, "{}: {size}", bug.name());
        operations.push(size.operations);
        faults.push(size.faults);
    }
    operations.sort_unstable();
    faults.sort_unstable();
    let middle = Bug::ALL.len() / 2;
    assert!(operations[middle] <= 6 && faults[middle] <= 1, "{operations:?} {faults:?}");
}
