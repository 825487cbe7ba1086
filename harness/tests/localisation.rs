//! R9: the faulty node is named from what clients saw alone. 200 random faults of one node each, and 200 runs without a
//! fault; the truth is what was injected. Seeds 1 to 200 were never looked at while the method was made (1000 to 1119 were).
#![allow(clippy::unwrap_used)]

use checkers::Options;
use checkers::suspect::{Observations, locate};
use harness::attempt::attempt;
use harness::claims::locating::{Truth, drawn, seen, truth, without_table};
use harness::plan::Plan;
use harness::scenario::Scenario;
use history::word;
use std::collections::BTreeMap;

/// At least so many of 100 faults are located.
const RIGHT_PERCENT_MIN: usize = 90;
/// At most so many of 100 runs without a fault lead to an accusation.
const ACCUSED_PERCENT_MAX: usize = 5;

/// The locator under test, among deliberately bad ones.
const LOCATED: &str = "located";

/// A run as the locator sees it, and what really was the matter.
struct Case {
    seed: u64,
    seen: Observations,
    truth: Option<Truth>,
}

/// Runs of each sort: 200, or what `UPHEAVAL_SEEDS` says.
fn seeds() -> u64 {
    std::env::var("UPHEAVAL_SEEDS").ok().and_then(|n| n.parse().ok()).unwrap_or(200)
}

/// The first seed: 1, or what `UPHEAVAL_FROM` says.
fn from() -> u64 {
    std::env::var("UPHEAVAL_FROM").ok().and_then(|n| n.parse().ok()).unwrap_or(1)
}

fn case(scenario: &Scenario, seed: u64) -> Case {
    let options = Options { threads: 1, ..Options::default() };
    let run = attempt(&Plan::draw(scenario, seed, None), &options, false).unwrap();
    Case { seed, seen: seen(&run), truth: truth(&run.events) }
}

/// Two threads share the seeds.
fn cases(scenario: &Scenario) -> Vec<Case> {
    let (first, last) = (from(), from() + seeds());
    let mut cases: Vec<Case> = std::thread::scope(|scope| {
        let half = |odd: u64| (first..last).filter(move |seed| seed % 2 == odd);
        let threads =
            [0, 1].map(|odd| scope.spawn(move || half(odd).map(|seed| case(scenario, seed)).collect::<Vec<Case>>()));
        threads.into_iter().flat_map(|thread| thread.join().unwrap()).collect()
    });
    cases.sort_by_key(|case| case.seed);
    cases
}

/// Who is to blame, and how sure that is.
type Locator<'a> = dyn Fn(&Case) -> Option<(String, f64)> + 'a;

/// Located, accused wrongly, not accused.
#[derive(Clone, Copy, Default)]
struct Row {
    right: usize,
    wrong: usize,
    nobody: usize,
}

impl Row {
    fn add(&mut self, named: Option<bool>) {
        match named {
            Some(true) => self.right += 1,
            Some(false) => self.wrong += 1,
            None => self.nobody += 1,
        }
    }

    fn all(&self) -> usize {
        self.right + self.wrong + self.nobody
    }
}

/// Prints how a locator does, by kind of fault and role and by confidence, and says whether it is good enough.
fn score(name: &str, cases: &[Case], locator: &Locator<'_>) -> Result<(), String> {
    let mut rows: BTreeMap<String, Row> = BTreeMap::new();
    let mut sure: BTreeMap<u32, Row> = BTreeMap::new();
    let (mut faulty, mut clean) = (Row::default(), Row::default());
    for case in cases {
        let named = locator(case);
        let Some(truth) = &case.truth else {
            clean.add(named.map(|_| false));
            continue;
        };
        let right = named.as_ref().map(|(node, _)| *node == truth.node);
        let role = truth.node.split('-').next().unwrap_or_default();
        rows.entry(format!("{} {role}", word(&truth.kind))).or_default().add(right);
        faulty.add(right);
        if let (Some((_, confidence)), Some(right)) = (&named, right) {
            sure.entry((confidence * 10.0) as u32).or_default().add(Some(right));
        }
        if right != Some(true) && name == LOCATED {
            println!("{name}: seed {}: {} on {}, named {named:?}", case.seed, word(&truth.kind), truth.node);
        }
    }
    rows.insert("all faults".to_owned(), faulty);
    rows.insert("no fault".to_owned(), clean);
    println!("{name:<22}  runs  right  wrong  nobody");
    for (what, row) in &rows {
        println!("  {what:<20} {:>5} {:>6} {:>6} {:>7}", row.all(), row.right, row.wrong, row.nobody);
    }
    for (tenth, row) in &sure {
        println!("  confidence from 0.{tenth}: right {} of {}", row.right, row.all());
    }
    if faulty.right * 100 < faulty.all() * RIGHT_PERCENT_MIN {
        return Err(format!("{name}: only {} of {} located", faulty.right, faulty.all()));
    }
    if clean.wrong * 100 > clean.all() * ACCUSED_PERCENT_MAX {
        return Err(format!("{name}: {} of {} accused without a fault", clean.wrong, clean.all()));
    }
    // Who is very sure must be right.
    let certain = sure.get(&9).copied().unwrap_or_default();
    if certain.right * 100 < certain.all() * 95 {
        return Err(format!("{name}: sure of it, and right in {} of {}", certain.right, certain.all()));
    }
    Ok(())
}

fn scenario(sets: &[&str]) -> Scenario {
    let sets: Vec<String> = sets.iter().map(|set| (*set).to_owned()).collect();
    Scenario::load("r9", &sets).unwrap().0
}

#[test]
fn the_faulty_node_is_named_and_nobody_without_a_fault() {
    let mut cases = cases(&scenario(&[]));
    assert!(cases.iter().all(|case| case.truth.is_some()), "each run has its fault");
    cases.extend(self::cases(&scenario(&["faults.kinds=[]"])));
    let located = |case: &Case| locate(&case.seen).map(|suspect| (suspect.node, suspect.confidence));
    assert_eq!(score(LOCATED, &cases, &located), Ok(()));

    // The same measurement tells bad locators: one that guesses, one that accuses nobody, one that accuses somebody always, and
    // one that does not know the routing table.
    let drawn = |case: &Case, salt: u64| drawn(&case.seen, case.seed + (salt << 32)).unwrap();
    let guess = |case: &Case| Some((drawn(case, 7), 0.5));
    assert!(score("guess", &cases, &guess).is_err());
    let never = |_: &Case| None;
    assert!(score("never", &cases, &never).is_err());
    let always = |case: &Case| located(case).or(Some((drawn(case, 8), 0.1)));
    assert!(score("always somebody", &cases, &always).is_err());
    let blind = |case: &Case| locate(&without_table(&case.seen)).map(|suspect| (suspect.node, suspect.confidence));
    assert!(score("without slot table", &cases, &blind).is_err());
}

#[test]
fn the_order_of_observations_does_not_matter_and_few_of_them_accuse_nobody() {
    let case = case(&scenario(&[]), from());
    let expected = locate(&case.seen).unwrap();
    let mut turned = case.seen.clone();
    turned.all.reverse();
    assert_eq!(locate(&turned), Some(expected));
    turned.all.truncate(20);
    assert_eq!(locate(&turned), None);
    assert_eq!(locate(&Observations::default()), None);
}
