//! The table of claims: every claim is as predicted, with few seeds; and the table can fail.
#![allow(clippy::unwrap_used)]

mod common;

use common::{Scratch, run, run_json};
use harness::claims::file::{ClaimFile, Predicted};
use harness::claims::sample::Lab;
use harness::claims::{Effort, judge, table};
use std::collections::BTreeSet;

/// Fewer seeds than `upheaval claims` takes; more with `UPHEAVAL_CLAIM_SEEDS`.
fn effort() -> Effort {
    let seeds = std::env::var("UPHEAVAL_CLAIM_SEEDS").ok().and_then(|seeds| seeds.parse().ok());
    Effort { search_seeds: 200, hold_seeds: seeds.unwrap_or(40), measure_seeds: 40 }
}

/// Every file of the table.
fn files() -> Vec<ClaimFile> {
    let all = table::all();
    let files = all.iter().flat_map(|claim| claim.files);
    files.map(|(name, text)| ClaimFile::parse(name, text).unwrap()).collect()
}

#[test]
fn every_claim_is_as_predicted() {
    let claims = table::all();
    let summary = harness::claims::run(&claims, &effort(), 2, &|| ()).unwrap();
    let text = reports::claims::table(&summary);
    assert_eq!(summary.as_predicted, summary.total, "{text}");
    assert_eq!(summary.total, claims.len() as u64);
    for row in summary.claims.iter().filter(|row| row.predicted == "violated") {
        let shrunk = row.shrunk.unwrap();
        assert!(shrunk.operations <= 8 && shrunk.faults <= 2, "{}: {shrunk:?}\n{text}", row.scenario);
        assert!(row.tale.is_some(), "{}", row.scenario);
    }
    let page = reports::html::claims_page(&summary);
    assert!(claims.iter().all(|claim| page.contains(&format!("<section id=\"{}\">", claim.id))));
}

#[test]
fn files_and_table_agree() {
    for claim in table::all() {
        for (name, text) in claim.files {
            assert_eq!(ClaimFile::parse(name, text).unwrap().head.id, claim.id, "{name}");
        }
    }
    let listed: BTreeSet<String> = files().into_iter().map(|file| file.name).collect();
    assert_eq!(listed.len(), files().len(), "each file once");
    for file in files() {
        let others = file.head.against.iter().chain(file.head.relations.iter().flat_map(|r| [&r.less, &r.more]));
        assert!(others.clone().all(|other| listed.contains(other)), "{}: {others:?}", file.name);
    }
}

#[test]
fn the_same_scenario_and_seed_give_the_same_plan_and_outcome() {
    for file in files() {
        let hash = |seed| {
            let lab = Lab::new(&file).unwrap();
            let plan = lab.draw(seed);
            (serde_json::to_string(&plan).unwrap(), lab.hash(&plan, false))
        };
        for seed in [0, 7] {
            assert_eq!(hash(seed), hash(seed), "{} seed {seed}", file.name);
        }
        assert_ne!(hash(0), hash(1), "{}: seeds differ", file.name);
        // Looking closer changes nothing.
        let lab = Lab::new(&file).unwrap();
        let plan = lab.draw(3);
        assert_eq!(lab.hash(&plan, false), lab.hash(&plan, true), "{}", file.name);
    }
}

#[test]
fn an_inverted_prediction_is_not_as_predicted() {
    let turned = |name: &str, predicted| {
        let mut file = table::file(name).unwrap();
        file.head.predicted = predicted;
        judge(&file, &effort()).unwrap()
    };
    let row = turned("u1-naive", Predicted::Holds);
    assert_eq!((row.observed.as_str(), row.as_predicted), ("violated", false));
    let row = turned("u7-tracker", Predicted::Violated);
    assert_eq!((row.observed.as_str(), row.as_predicted), ("holds", false));
}

#[test]
fn relations_bounds_and_remedies_can_fail() {
    // The relation the other way round.
    let mut file = table::file("u3-waiting").unwrap();
    let relation = &mut file.head.relations[0];
    std::mem::swap(&mut relation.less, &mut relation.more);
    assert_eq!(judge(&file, &effort()).unwrap().observed, "relation-fails");
    // Half of epsilon allows half of the error: the sweep of the whole is not what is observed.
    let mut file = table::file("u4-sweep").unwrap();
    file.options.insert("minus_epsilon".to_owned(), toml::Value::Boolean(true));
    let row = judge(&file, &effort()).unwrap();
    assert_eq!((row.observed.as_str(), row.as_predicted), ("violated", false));
    // Refusing everything is no remedy.
    let mut file = table::file("u3-remedied").unwrap();
    file.options.insert("give_up_ms".to_owned(), toml::Value::Integer(1));
    assert_eq!(judge(&file, &effort()).unwrap().observed, "refuses");
}

#[test]
fn the_command_says_it_and_exits_with_it() {
    let scratch = Scratch::new("claims");
    let (code, summary) = run_json(&scratch.0, &["claims", "--only", "u1", "--seeds", "20"]);
    assert_eq!((code, summary["total"].as_u64(), summary["as_predicted"].as_u64()), (0, Some(1), Some(1)));
    let naive = &summary["claims"][0];
    assert_eq!((naive["id"].as_str(), naive["observed"].as_str()), (Some("U1"), Some("violated")));
    assert!(naive["first_seed"].is_u64() && naive["shrunk"]["operations"].as_u64().unwrap() <= 8);
    let page = scratch.0.join("claims.html");
    let text = run(&scratch.0, &["claims", "--only", "U1", "--seeds", "20", "--page", page.to_str().unwrap()]);
    assert!(String::from_utf8(text.stdout).unwrap().contains("1 of 1 claims as predicted"));
    assert!(std::fs::read_to_string(page).unwrap().contains("begins to write"));
    assert_eq!(run(&scratch.0, &["claims", "--only", "Z9"]).status.code(), Some(2));
}
