//! Shrunk plans that once failed: with their planted bug they fail again, without it they do not.
#![allow(clippy::unwrap_used)]

use checkers::{Options, Verdict};
use harness::attempt::attempt;
use harness::plan::Plan;
use std::path::Path;

#[test]
fn every_regression_fails_with_its_bug_and_not_without() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../scenarios/regressions");
    let mut plans: Vec<_> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    plans.retain(|path| path.extension().is_some_and(|extension| extension == "json"));
    plans.sort();
    assert!(plans.len() >= 13, "one for each planted bug of the first set");
    for path in plans {
        let plan: Plan = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
        let verdict = |plan: &Plan| attempt(plan, &Options::default(), false).unwrap().report.verdict;
        assert!(plan.bug.is_some(), "{}", path.display());
        assert_eq!(verdict(&plan), Verdict::Violation, "{} does not fail any more", path.display());
        let right = Plan { bug: None, ..plan };
        assert_ne!(verdict(&right), Verdict::Violation, "{} fails without its bug", path.display());
    }
}
