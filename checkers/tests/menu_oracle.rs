//! The menu against what must follow: nothing is wrong with a linearizable history, and session guarantees against all orders of
//! versions, on random tiny histories.
#![allow(clippy::unwrap_used)]

mod linear_support;

use checkers::Verdict;
use checkers::menu::{MenuName, check};
use history::calls::{Builder, Calls, Ended, Value};
use linear_support::brute::{self, Object};
use linear_support::dice::Dice;
use linear_support::random::history;

/// How many histories of each.
const ROUNDS: u64 = 5_000;

/// Whoever finds something wrong with a linearizable history is wrong; and something is found in some of the others.
fn no_false_alarm(object: Object, names: &[MenuName]) {
    let mut alarms = 0;
    for seed in 0..ROUNDS {
        let ops = history(object, &mut Dice(seed * 17 + object as u64));
        let mut calls = linear_support::calls(object, &ops);
        // Registers begin with 0 there, and with nothing here.
        let begins = |call: &&mut history::calls::Call| object == Object::Unique && call.output == Value::Int(0);
        calls.calls.iter_mut().filter(begins).for_each(|call| call.output = Value::Nil);
        let good = brute::linearizable(object, &ops, false);
        for name in names {
            let tally = check(&calls, *name);
            let bad = tally.verdict() == Verdict::Violation;
            assert!(!(good && bad), "{name} seed {seed}: {tally:?}\n{ops:#?}");
            alarms += u64::from(bad);
        }
    }
    assert!(alarms > ROUNDS / 50, "{names:?}: {alarms}");
}

#[test]
fn what_is_linearizable_has_nothing_wrong() {
    no_false_alarm(Object::Counter, &[MenuName::Counter]);
    no_false_alarm(Object::GrowSet, &[MenuName::Set, MenuName::SetFull, MenuName::CausalReverse]);
    no_false_alarm(Object::Unordered, &[MenuName::Queue]);
    no_false_alarm(Object::Unique, &[MenuName::SessionGuarantees]);
}

/// One access of a session: (session, version, true for a write). Version 0 is there at first.
type Access = (i64, usize, bool);

fn accesses(dice: &mut Dice) -> Vec<Access> {
    let (mut written, mut list) = (0, Vec::new());
    for _ in 0..3 + dice.below(6) {
        let session = dice.below(3) as i64;
        if dice.below(3) == 0 && written < 4 {
            written += 1;
            list.push((session, written, true));
        } else {
            list.push((session, dice.below(written as u64 + 1) as usize, false));
        }
    }
    list
}

fn calls(accesses: &[Access]) -> Calls {
    let mut builder = Builder::default();
    for (session, version, write) in accesses {
        let value = if *version == 0 { Value::Nil } else { Value::Int(*version as i64) };
        let (f, input) = if *write { ("write", value.clone()) } else { ("read", Value::Nil) };
        builder.invoke(*session, f, input, -1).unwrap();
        builder.complete(*session, Ended::Ok, value, -1).unwrap();
    }
    builder.finish()
}

/// True if some order of the versions has the guarantees: pairs of what comes first and what then, in a session.
fn some_order(accesses: &[Access], guarantees: &[(bool, bool)]) -> bool {
    let versions = accesses.iter().filter(|access| access.2).count();
    let mut order: Vec<usize> = (1..=versions).collect();
    permutations(&mut order, 0, &mut |order| {
        let place = |version: usize| order.iter().position(|v| *v == version).map_or(0, |place| place + 1);
        accesses.iter().enumerate().all(|(at, first)| {
            let later = accesses[at + 1..].iter().filter(|then| then.0 == first.0);
            later.filter(|then| guarantees.contains(&(first.2, then.2))).all(|then| place(first.1) <= place(then.1))
        })
    })
}

fn permutations(list: &mut Vec<usize>, from: usize, fits: &mut impl FnMut(&[usize]) -> bool) -> bool {
    if from >= list.len() {
        return fits(list);
    }
    for at in from..list.len() {
        list.swap(from, at);
        if permutations(list, from + 1, fits) {
            return true;
        }
        list.swap(from, at);
    }
    false
}

#[test]
fn session_guarantees_are_those_of_all_orders() {
    let (read, write) = (false, true);
    let (ryw, mr, mw, wfr) = ((write, read), (read, read), (write, write), (read, write));
    let mut found = std::collections::BTreeMap::new();
    for seed in 0..4 * ROUNDS {
        let accesses = accesses(&mut Dice(seed));
        if accesses.iter().all(|access| access.2) {
            continue;
        }
        let tally = check(&calls(&accesses), MenuName::SessionGuarantees);
        let broken = |guarantees: &[(bool, bool)]| !some_order(&accesses, guarantees);
        let mut expected: Vec<&str> = Vec::new();
        let (no_ryw, no_mr, no_wfr) = (broken(&[ryw]), broken(&[mr]), broken(&[wfr]));
        let no_mw = !no_mr && broken(&[mr, mw]);
        let no_wfr_either = no_wfr || !no_mr && broken(&[mr, wfr]);
        let alone = [no_ryw, no_mr, no_mw, no_wfr_either].contains(&true);
        let all = !alone && broken(&[ryw, mr, mw, wfr]);
        for (name, is) in [
            ("monotonic-reads", no_mr),
            ("monotonic-writes", no_mw),
            ("read-your-writes", no_ryw),
            ("session-guarantees-together", all),
            ("writes-follow-reads", no_wfr_either),
        ] {
            if is {
                expected.push(name);
                *found.entry(name).or_insert(0) += 1;
            }
        }
        let told: Vec<&str> = tally.anomalies.keys().copied().collect();
        assert_eq!(told, expected, "seed {seed}: {accesses:?} {tally:?}");
    }
    assert!(found.len() == 5 && found.values().all(|count| *count > 10), "{found:?}");
}
