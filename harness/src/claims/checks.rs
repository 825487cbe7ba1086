//! The checks that a claim's file can ask for. Each is a pure function from what a trial let out to findings; the checkers
//! themselves are in `checkers/`.

use ::systems::trial::{Outcome, node_of};
use checkers::facts::barrier::barrier;
use checkers::facts::exclusion::{exclusion, fencing, steadiness};
use checkers::facts::order::{in_order, total_order};
use checkers::facts::promises::{agreement, prompt, returned, served};
use checkers::linearizability::{self, FailedCas, Limits, ModelName, Options};
use checkers::{Finding, Verdict, facts};
use history::calls::Value;
use history::{MILLI, Nanos, SECOND};

/// A check of a trial's outcome.
pub type Check = fn(&Outcome) -> Vec<Finding>;

/// All of them by name. A new check needs one line here.
const CHECKS: &[(&str, Check)] = &[
    ("register", |outcome| linearizable(outcome, ModelName::Register, None)),
    ("preloaded-register", |outcome| {
        linearizable(outcome, ModelName::Register, Some(Value::Int(::systems::routed::PRELOADED)))
    }),
    ("counter", |outcome| linearizable(outcome, ModelName::Counter, None)),
    ("sight", |outcome| checkers::facts::sight(&outcome.facts)),
    ("blast-radius", |outcome| facts::blast_radius(&outcome.facts)),
    ("availability", |outcome| facts::availability(&outcome.facts)),
    ("committed-once", |outcome| facts::committed_once(&outcome.facts)),
    ("doubled", |outcome| facts::doubled(&outcome.facts)),
    ("forgotten", |outcome| facts::forgotten(&outcome.facts)),
    ("skipped", |outcome| facts::skipped(&outcome.facts)),
    ("launches", |outcome| facts::peak_load(&outcome.facts, "launched", 20 * MILLI)),
    ("herd", |outcome| facts::peak_load(&outcome.facts, "sends", 5 * MILLI)),
    ("reliable-broadcast", |outcome| facts::reliable_broadcast(&outcome.facts)),
    ("one-cluster", |outcome| facts::one_cluster(&outcome.facts)),
    ("multi-register", |outcome| linearizable(outcome, ModelName::MultiRegister, Some(Value::Nil))),
    ("one-leader", |outcome| exclusion(&outcome.facts, "acts", &outcome.nodes)),
    ("fencing", |outcome| fencing(&outcome.facts, &outcome.nodes)),
    ("steady-leader", |outcome| steadiness(&outcome.facts, &outcome.nodes)),
    ("in-order", |outcome| in_order(&outcome.facts)),
    ("total-order", |outcome| total_order(&outcome.facts, &named(outcome, "server-"), &outcome.nodes)),
    ("barrier", |outcome| barrier(&outcome.facts, named(outcome, "client-").len())),
    ("agreement", |outcome| agreement(&outcome.calls)),
    ("served", |outcome| served(&outcome.calls, SERVED)),
    ("prompt", |outcome| prompt(&outcome.calls, PROMPT)),
    ("returned", |outcome| {
        let original = outcome.nodes.iter().position(|name| name == "db-a").unwrap_or(0) as u32;
        returned(&outcome.facts, original, RETURNED, &outcome.nodes)
    }),
];

/// Within so long whoever calls is served, whatever fails.
const SERVED: Nanos = SECOND;
/// Within so long whoever calls hears, be it an error.
const PROMPT: Nanos = 200 * MILLI;
/// Within so long an original that is back serves again.
const RETURNED: Nanos = SECOND / 4;

/// The nodes whose names begin so.
fn named(outcome: &Outcome, prefix: &str) -> Vec<u32> {
    (0..).zip(&outcome.nodes).filter(|(_, name)| name.starts_with(prefix)).map(|(at, _)| at).collect()
}

/// The check of this name.
pub fn find(name: &str) -> Option<Check> {
    CHECKS.iter().find(|(known, _)| *known == name).map(|(_, check)| *check)
}

/// Steps after which a search gives up; histories of claims are small.
const STEPS_MAX: u64 = 20_000_000;
/// Memory after which it does.
const BYTES_MAX: u64 = 512 << 20;

/// Is the history of operations linearizable, each key for itself?
fn linearizable(outcome: &Outcome, model: ModelName, initial: Option<Value>) -> Vec<Finding> {
    let options = Options { failed_cas: FailedCas::DidNotHappen, initial, threads: 1, explained_max: 0 };
    let never = || false;
    let limits = Limits::new(STEPS_MAX, BYTES_MAX, &never);
    if outcome.calls.calls.is_empty() {
        return Vec::new();
    }
    let judgement = match linearizability::check(&outcome.calls, model, &options, &limits) {
        Ok(judgement) => judgement,
        Err(error) => return vec![undecided(error.to_string())],
    };
    if judgement.verdict == Verdict::Inconclusive {
        return vec![undecided(judgement.reason.unwrap_or_default())];
    }
    let finding = |failure: &linearizability::Failure| {
        let call = &outcome.calls.calls[failure.call];
        let key = failure.key.as_ref().map_or(String::new(), |key| format!("k{key}: "));
        Finding {
            kind: "not linearizable".to_owned(),
            at: u64::try_from(call.end_ns).ok(),
            node: Some(node_of(call.process)),
            sentence: format!("{key}{}", failure.sentence),
        }
    };
    judgement.failures.iter().map(finding).collect()
}

fn undecided(why: String) -> Finding {
    Finding { kind: Finding::UNDECIDED.to_owned(), at: None, node: None, sentence: why }
}
