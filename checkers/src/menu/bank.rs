//! Accounts whose total stays the same (Jepsen's `bank`). The total is that of the first read.

use super::tally::Tally;
use history::calls::{Calls, Ended, render};

pub(super) fn check(calls: &Calls, tally: &mut Tally) {
    let mut total: Option<i128> = None;
    for call in calls.calls.iter().filter(|call| call.ended == Ended::Ok && calls.f(call) == "read") {
        let Some(entries) = call.output.map() else {
            tally.found("unexpected-value", || format!("a read returned {}", render(&call.output, &calls.symbols)));
            continue;
        };
        tally.operations += 1;
        let seen = || format!("the read at place {} saw {}", call.complete, render(&call.output, &calls.symbols));
        let balances: Option<Vec<i64>> = entries.iter().map(|(_, balance)| balance.int()).collect();
        let Some(balances) = balances else {
            tally.found("nil-balance", || format!("{}: a balance is no number", seen()));
            continue;
        };
        let sum: i128 = balances.iter().copied().map(i128::from).sum();
        let expected = *total.get_or_insert(sum);
        if sum != expected {
            tally.found("wrong-total", || format!("{}: {sum} in all, {expected} at first", seen()));
        }
        if let Some(negative) = balances.iter().find(|balance| **balance < 0) {
            tally.found("negative-value", || format!("{}: a balance is {negative}", seen()));
        }
    }
    if tally.operations == 0 {
        tally.reason = Some("there is no read to judge".to_owned());
    }
}
