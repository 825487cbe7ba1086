//! A whole operation history against a model by name: keys apart, in parallel, all put together again.

use super::catalogue::ModelName;
use super::decide::{Decision, decide};
use super::explain::{Explanation, explain};
use super::limits::{GaveUp, Limits};
use super::model::Role;
use super::models::container::{Container, Order};
use super::models::{counter, lease, lock, mutex, register, registers, set, text};
use super::problem::Problem;
use super::vocabulary::{FailedCas, Vocabulary};
use super::words::Words;
use crate::options::CheckersError;
use crate::threads::on_threads;
use crate::verdict::Verdict;
use history::calls::{Call, Calls, Ended, Value, render};
use rustc_hash::FxHashMap;
use std::collections::BTreeSet;

/// How to check.
#[derive(Clone, Debug)]
pub struct Options {
    /// What a failed compare-and-set means.
    pub failed_cas: FailedCas,
    /// What objects hold at first, in the values of the history; none for the model's own.
    pub initial: Option<Value>,
    /// Threads to use; the result does not depend on it.
    pub threads: usize,
    /// How many violations are explained.
    pub explained_max: usize,
}

/// What came out.
#[derive(Clone, Debug)]
pub struct Judgement {
    /// The answer.
    pub verdict: Verdict,
    /// How it was found out; several where objects were decided differently.
    pub algorithm: String,
    /// Operations that were judged.
    pub operations: u64,
    /// Objects (keys, or parts that do not touch each other).
    pub objects: u64,
    /// Objects that are not linearizable.
    pub violations: u64,
    /// The first of them, in the order of the history.
    pub failures: Vec<Failure>,
    /// Objects that were given up.
    pub undecided: u64,
    /// Operations of undecided objects up to which there was still an order.
    pub reached: u64,
    /// Why it is inconclusive.
    pub reason: Option<String>,
}

/// One object that is not linearizable.
#[derive(Clone, Debug)]
pub struct Failure {
    /// Its key, for people; none if the history has no keys.
    pub key: Option<String>,
    /// The call that no order reaches, an index into [`Calls::calls`].
    pub call: usize,
    /// What is wrong, for people.
    pub sentence: String,
    /// Why; none if more were found than are explained.
    pub explanation: Option<Explanation>,
}

/// Checks a history.
pub fn check(
    calls: &Calls,
    model: ModelName,
    options: &Options,
    limits: &Limits<'_>,
) -> Result<Judgement, CheckersError> {
    let initial = options.initial.clone();
    let failed_cas = options.failed_cas;
    let nil = || Words::new(&calls.symbols, initial.clone().unwrap_or_default());
    match model {
        ModelName::Register => run(&register::Register { cas: false, failed_cas }, calls, nil(), options, limits),
        ModelName::CasRegister => run(&register::Register { cas: true, failed_cas }, calls, nil(), options, limits),
        ModelName::MultiRegister => {
            // All begin with the same value, 0 unless said; or each with its own, in a map.
            let (base, own) = match initial {
                Some(Value::Map(own)) => (Value::Nil, *own),
                other => (other.unwrap_or(Value::Int(0)), Vec::new()),
            };
            let mut words = Words::new(&calls.symbols, base);
            let own =
                own.iter().map(|(register, value)| (words.number(&registers::named(register)), words.number(value)));
            let mut initial: Vec<(u32, u32)> = own.collect();
            initial.sort_unstable();
            run(&registers::Registers { initial }, calls, words, options, limits)
        }
        ModelName::Kv => {
            let words = Words::new(&calls.symbols, Value::Nil);
            let initial = words.text(initial.as_ref().unwrap_or(&Value::Nil));
            let initial = initial.ok_or(CheckersError::BadInitial { model: "kv", expected: "a string" })?;
            run(&text::Text { initial }, calls, words, options, limits)
        }
        ModelName::Counter => {
            let initial = initial.as_ref().unwrap_or(&Value::Int(0)).int();
            let initial = initial.ok_or(CheckersError::BadInitial { model: "counter", expected: "a whole number" })?;
            run(&counter::Counter { initial }, calls, nil(), options, limits)
        }
        other if initial.is_some() => {
            Err(CheckersError::BadInitial { model: other.name(), expected: "no value at first" })
        }
        ModelName::Mutex => run(&mutex::Mutex, calls, nil(), options, limits),
        ModelName::ReentrantLock => {
            run(&lock::Lock { holds_max: u32::MAX, fenced: false }, calls, nil(), options, limits)
        }
        ModelName::FencedLock => run(&lock::Lock { holds_max: 1, fenced: true }, calls, nil(), options, limits),
        ModelName::Set => run(&set::Set, calls, nil(), options, limits),
        ModelName::FifoQueue => run(&Container { order: Order::First }, calls, nil(), options, limits),
        ModelName::UnorderedQueue => run(&Container { order: Order::Any }, calls, nil(), options, limits),
        ModelName::Stack => run(&Container { order: Order::Last }, calls, nil(), options, limits),
        ModelName::Lease => run(&lease::Lease, calls, nil(), options, limits),
    }
}

/// Calls of one object, as [`Problem::new`] takes them: with their places, so that nothing is looked up all over the history again.
type Object<A> = Vec<(A, u32, u32, u32)>;
/// All objects, and how many operations they have together.
type Objects<A> = (Vec<Object<A>>, u64);

fn run<M: Vocabulary>(
    model: &M,
    calls: &Calls,
    mut words: Words<'_>,
    options: &Options,
    limits: &Limits<'_>,
) -> Result<Judgement, CheckersError> {
    let (objects, operations) = objects(model, calls, &mut words)?;
    let results = decide_all(model, &objects, options, limits);
    let mut judgement = Judgement {
        verdict: Verdict::Pass,
        algorithm: String::new(),
        operations,
        objects: objects.len() as u64,
        violations: 0,
        failures: Vec::new(),
        undecided: 0,
        reached: 0,
        reason: None,
    };
    let mut algorithms = BTreeSet::new();
    for (object, decision) in objects.iter().zip(results) {
        match decision {
            Decision::Linearizable { algorithm } => {
                algorithms.insert(algorithm);
            }
            Decision::Unknown { why, done } => give_up(&mut judgement, why, done),
            Decision::Not { algorithm, at, wrong } => {
                algorithms.insert(algorithm);
                judgement.violations += 1;
                if judgement.failures.len() < options.explained_max.max(20) {
                    let problem = Problem::coded(object.iter().cloned(), |action| model.code(action));
                    let wanted = judgement.failures.len() < options.explained_max;
                    let call = problem.ops[at].call as usize;
                    let explanation =
                        wanted.then(|| explain(model, &problem, at, wrong.as_ref(), calls, &words, limits));
                    let action = words.spell(&model.show_action(problem.action(&problem.ops[at])));
                    let why = wrong.map_or("no order of the operations explains it".to_owned(), |wrong| wrong.why);
                    let key = calls.calls[call].key.as_ref().map(|key| render(key, &calls.symbols));
                    judgement.failures.push(Failure { key, call, sentence: format!("{action}: {why}"), explanation });
                }
            }
        }
    }
    judgement.algorithm = algorithms.into_iter().collect::<Vec<_>>().join(", ");
    if judgement.violations > 0 {
        judgement.verdict = Verdict::Violation;
    } else if judgement.undecided > 0 {
        judgement.verdict = Verdict::Inconclusive;
    } else if calls.calls.is_empty() && calls.others == 0 {
        judgement.verdict = Verdict::Inconclusive;
        judgement.reason = Some("there is no operation to judge".to_owned());
    } else if let Some(cut) = &calls.cut {
        judgement.verdict = Verdict::Inconclusive;
        judgement.reason = Some(format!("the history is not whole: {cut}"));
    }
    Ok(judgement)
}

fn give_up(judgement: &mut Judgement, why: GaveUp, done: usize) {
    judgement.undecided += 1;
    judgement.reached += done as u64;
    judgement.reason.get_or_insert_with(|| why.words().to_owned());
}

/// Whole numbers below this are found in an array.
const SMALL: i64 = 1 << 20;

/// Keys by number, in the order in which they are first seen.
#[derive(Default)]
struct Keys<'a> {
    small: Vec<u32>,
    // Looked up only.
    others: FxHashMap<Option<&'a Value>, u32>,
    count: u32,
}

impl<'a> Keys<'a> {
    fn place(&mut self, key: Option<&'a Value>) -> usize {
        let place = match key {
            Some(Value::Int(n @ 0..SMALL)) => {
                let at = *n as usize;
                if self.small.len() <= at {
                    self.small.resize((at + 1).next_power_of_two(), u32::MAX);
                }
                &mut self.small[at]
            }
            other => self.others.entry(other).or_insert(u32::MAX),
        };
        if *place == u32::MAX {
            *place = self.count;
            self.count += 1;
        }
        *place as usize
    }
}

/// Actions by object, in the order of the history; and how many there are.
fn objects<M: Vocabulary>(
    model: &M,
    calls: &Calls,
    words: &mut Words<'_>,
) -> Result<Objects<M::Action>, CheckersError> {
    let mut keys = Keys::default();
    let mut by_key: Vec<Object<M::Action>> = Vec::new();
    let mut operations = 0;
    for (number, call) in calls.calls.iter().enumerate() {
        let action = model.action(call, words).map_err(|what| misfit(call, what))?;
        let Some(action) = action else { continue };
        let at = keys.place(call.key.as_ref());
        if at == by_key.len() {
            // Without keys all is one object.
            by_key.push(Vec::with_capacity(if calls.keyed { 0 } else { calls.calls.len() }));
        }
        operations += 1;
        // Observations of which nobody knows the outcome are as good as absent.
        if call.ended != Ended::Info || model.role(&action) != Role::Observation {
            by_key[at].push((action, call.invoke, call.until(), number as u32));
        }
    }
    let mut all = Vec::with_capacity(by_key.len());
    for key in by_key {
        let parts: Option<Vec<u32>> = key.iter().map(|(action, ..)| model.part(action)).collect();
        let Some(parts) = parts else {
            all.push(key);
            continue;
        };
        let mut at: FxHashMap<u32, usize> = FxHashMap::default();
        for (operation, part) in key.into_iter().zip(parts) {
            let index = *at.entry(part).or_insert_with(|| {
                all.push(Vec::new());
                all.len() - 1
            });
            all[index].push(operation);
        }
    }
    Ok((all, operations))
}

fn misfit(call: &Call, what: String) -> CheckersError {
    CheckersError::Misfit { what, entry: u64::from(call.invoke) + 1 }
}

/// Every object's decision, in their order.
fn decide_all<M: Vocabulary>(
    model: &M,
    objects: &[Object<M::Action>],
    options: &Options,
    limits: &Limits<'_>,
) -> Vec<Decision> {
    let one = |object: &Object<M::Action>| {
        let problem = Problem::coded(object.iter().cloned(), |action| model.code(action));
        decide(model, &problem, limits)
    };
    on_threads(objects.iter().collect(), options.threads, one)
}
