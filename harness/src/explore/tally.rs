//! From outcomes in order of seed to what people read. Pure, but for the rates that the caller adds.

use super::outcome::Outcome;
use super::pool::fails;
use checkers::Verdict;
use reports::exploration::{Exploration, Failure, FaultCount, Reason};
use std::collections::BTreeMap;
use std::ops::Range;

/// Share of seeds that may be inconclusive before the whole is.
const INCONCLUSIVE_PERMILLE_MAX: u64 = 10;

/// Sums up the outcomes of these seeds. With `until_failure` what lies above the lowest seed that fails does not count, so
/// that the number of threads does not show. `replay` makes the line that runs a seed again.
pub fn tally(
    outcomes: &BTreeMap<u64, Outcome>,
    seeds: Range<u64>,
    until_failure: bool,
    replay: &dyn Fn(u64) -> String,
) -> Exploration {
    let mut sum = Exploration { seeds: (seeds.start, seeds.end), ..Exploration::default() };
    let mut groups: BTreeMap<&str, Vec<&Outcome>> = BTreeMap::new();
    let mut reasons: BTreeMap<(bool, &str), (u64, u64)> = BTreeMap::new();
    for outcome in outcomes.range(seeds).map(|(_, outcome)| outcome) {
        add(&mut sum, outcome);
        match outcome.verdict {
            Verdict::Pass => {}
            Verdict::Violation => {
                groups.entry(outcome.fingerprint.as_deref().unwrap_or("?")).or_default().push(outcome)
            }
            verdict => {
                let error = verdict == Verdict::Error;
                reasons.entry((error, outcome.says.as_str())).or_insert((0, outcome.seed)).0 += 1;
            }
        }
        if until_failure && fails(outcome.verdict) {
            break;
        }
    }
    sum.failures = groups.into_iter().map(|(fingerprint, all)| failure(fingerprint, &all, replay)).collect();
    sum.failures.sort_by_key(|failure| (std::cmp::Reverse(failure.count), failure.fingerprint.clone()));
    sum.reasons = reasons
        .into_iter()
        .map(|((error, says), (count, seed))| Reason { error, says: says.to_owned(), count, seed })
        .collect();
    sum.reasons.sort_by_key(|reason| (!reason.error, std::cmp::Reverse(reason.count), reason.seed));
    sum.verdict = verdict(&sum);
    sum.exit_code = sum.verdict.exit_code();
    sum
}

fn add(sum: &mut Exploration, outcome: &Outcome) {
    sum.seeds_run += 1;
    sum.steps += outcome.steps;
    sum.operations += outcome.operations;
    sum.pushes += outcome.pushes;
    sum.virtual_ms += outcome.virtual_ms;
    sum.twice += u64::from(outcome.hash.is_some());
    match outcome.verdict {
        Verdict::Pass => {}
        Verdict::Violation => sum.violations += 1,
        Verdict::Inconclusive => sum.inconclusive += 1,
        Verdict::Error => sum.errors += 1,
    }
    for (point, count) in &outcome.coverage {
        *sum.coverage.entry(point.clone()).or_insert(0) += count;
        *sum.coverage_seeds.entry(point.clone()).or_insert(0) += 1;
    }
    for (kind, due) in &outcome.due {
        let count: &mut FaultCount = sum.faults.entry(kind.clone()).or_default();
        count.due += due;
        count.bit += outcome.bit.get(kind).copied().unwrap_or(0);
    }
}

fn failure(fingerprint: &str, all: &[&Outcome], replay: &dyn Fn(u64) -> String) -> Failure {
    let cheapest = all.iter().min_by_key(|outcome| outcome.cost()).expect("a group has a member");
    Failure {
        fingerprint: fingerprint.to_owned(),
        count: all.len() as u64,
        first_seed: all.iter().map(|outcome| outcome.seed).min().unwrap_or_default(),
        cheapest_seed: cheapest.seed,
        operations: cheapest.operations,
        faults: cheapest.faults,
        says: cheapest.says.clone(),
        replay: replay(cheapest.seed),
    }
}

fn verdict(sum: &Exploration) -> Verdict {
    if sum.violations > 0 {
        Verdict::Violation
    } else if sum.errors > 0 {
        Verdict::Error
    } else if sum.seeds_run == 0 || sum.inconclusive * 1000 > sum.seeds_run * INCONCLUSIVE_PERMILLE_MAX {
        Verdict::Inconclusive
    } else {
        Verdict::Pass
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn outcome(seed: u64, verdict: Verdict, fingerprint: Option<&str>, operations: u64) -> Outcome {
        Outcome {
            seed,
            verdict,
            fingerprint: fingerprint.map(str::to_owned),
            says: format!("{verdict:?}"),
            operations,
            faults: 1,
            virtual_ms: 10,
            steps: 100,
            pushes: 3,
            coverage: BTreeMap::from([("moved".to_owned(), 2)]),
            due: BTreeMap::from([("kill".to_owned(), 1)]),
            bit: BTreeMap::from([("kill".to_owned(), 1)]),
            hash: None,
        }
    }

    fn all(outcomes: &[Outcome]) -> BTreeMap<u64, Outcome> {
        outcomes.iter().map(|outcome| (outcome.seed, outcome.clone())).collect()
    }

    #[test]
    fn failures_are_grouped_and_the_cheapest_of_each_is_named() {
        let outcomes = all(&[
            outcome(1, Verdict::Pass, None, 5),
            outcome(2, Verdict::Violation, Some("ghost/calm"), 9),
            outcome(3, Verdict::Violation, Some("missing/fault"), 4),
            outcome(4, Verdict::Violation, Some("ghost/calm"), 7),
            outcome(9, Verdict::Violation, Some("ghost/calm"), 1),
        ]);
        let sum = tally(&outcomes, 0..9, false, &|seed| format!("again {seed}"));
        assert_eq!((sum.seeds_run, sum.violations, sum.verdict), (4, 3, Verdict::Violation));
        assert_eq!(sum.failures.len(), 2);
        let ghost = &sum.failures[0];
        assert_eq!((ghost.count, ghost.first_seed, ghost.cheapest_seed), (2, 2, 4));
        assert_eq!(ghost.replay, "again 4");
        assert_eq!((sum.coverage["moved"], sum.coverage_seeds["moved"]), (8, 4));
        assert_eq!((sum.faults["kill"].due, sum.faults["kill"].bit), (4, 4));
    }

    #[test]
    fn what_lies_above_the_first_failure_does_not_count_when_that_was_looked_for() {
        let outcomes = all(&[
            outcome(1, Verdict::Pass, None, 5),
            outcome(2, Verdict::Violation, Some("ghost/calm"), 9),
            outcome(3, Verdict::Violation, Some("ghost/calm"), 4),
        ]);
        let sum = tally(&outcomes, 0..9, true, &|_| String::new());
        assert_eq!((sum.seeds_run, sum.violations, sum.failures[0].cheapest_seed), (2, 1, 2));
    }

    #[test]
    fn precedence_is_violation_error_inconclusive_pass() {
        let verdict = |outcomes: &[Outcome]| tally(&all(outcomes), 0..1000, false, &|_| String::new()).verdict;
        let passes: Vec<Outcome> = (10..110).map(|seed| outcome(seed, Verdict::Pass, None, 1)).collect();
        let with = |more: &[Outcome]| verdict(&[passes.as_slice(), more].concat());
        assert_eq!(verdict(&[]), Verdict::Inconclusive);
        assert_eq!(with(&[outcome(1, Verdict::Inconclusive, None, 1)]), Verdict::Pass, "one in a hundred may be");
        let two = [outcome(1, Verdict::Inconclusive, None, 1), outcome(2, Verdict::Inconclusive, None, 1)];
        assert_eq!(with(&two), Verdict::Inconclusive);
        assert_eq!(with(&[two[0].clone(), outcome(3, Verdict::Error, None, 1)]), Verdict::Error);
        let worst = [outcome(3, Verdict::Error, None, 1), outcome(4, Verdict::Violation, None, 1)];
        assert_eq!(with(&worst), Verdict::Violation);
    }
}
