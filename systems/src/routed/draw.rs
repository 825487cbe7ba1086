//! Plans of the routed store: operations over the time of the change, and faults around it.

use super::trial::between;
use super::{RoutedConfig, RoutedFaults};
use crate::trial::{Mishap, Operation, TrialPlan, Wrong};
use history::{MILLI, Nanos, SECOND};
use simulation::hash_draw;

/// When the change begins. Part of the system and not of the plan, so that cutting a plan down does not move it.
pub fn change_at(config: &RoutedConfig, seed: u64) -> Nanos {
    between(seed, &[1], config.change_ms) * MILLI
}

/// The plan of a seed.
pub fn plan(config: &RoutedConfig, seed: u64) -> TrialPlan {
    let mut plan = TrialPlan { seed, operations: operations(config, seed), faults: faults(config, seed) };
    plan.number();
    plan
}

fn operations(config: &RoutedConfig, seed: u64) -> Vec<Operation> {
    let span = config.span_ms * MILLI;
    let mut all = Vec::new();
    for at in 0..u64::from(config.operations) {
        let draw = |what: u64, below: u64| hash_draw(seed, &[2, at, what]) % below.max(1);
        let client = draw(1, u64::from(config.clients)) as u32;
        let changes = draw(2, 2) == 0;
        let act = match changes {
            false => "read",
            true if config.increments => "add",
            true if draw(3, 1_000) < u64::from(config.delete_permille) => "delete",
            true => "write",
        };
        let keys = config.keys - u32::from(config.pairs);
        let key = if changes && !config.shared_keys {
            // The keys of this client, if there are enough.
            let own = keys / config.clients + u32::from(client < keys % config.clients);
            if own == 0 { continue } else { client + config.clients * draw(4, u64::from(own)) as u32 }
        } else {
            draw(4, u64::from(keys)) as u32
        };
        let value = if config.increments { 1 } else { at as i64 + 1 };
        all.push(Operation { id: 0, at: draw(5, span), client, act: act.to_owned(), key, value });
    }
    // Everybody's last word: what stands there in the end.
    for key in 0..config.keys - u32::from(config.pairs) {
        let client = key % config.clients;
        let at = span + SECOND + u64::from(key) * MILLI;
        all.push(Operation { id: 0, at, client, act: "read".to_owned(), key, value: 0 });
    }
    all
}

fn faults(config: &RoutedConfig, seed: u64) -> Vec<Mishap> {
    let RoutedFaults { late_requests, late_answers, late_ms, crashes, cut_off, late_news, news_ms, .. } = config.faults;
    let change = change_at(config, seed);
    let mut all = Vec::new();
    let agent =
        |kind: u64, at: u32| format!("agent-{}", hash_draw(seed, &[3, kind, u64::from(at)]) % u64::from(config.agents));
    let time = |kind: u64, at: u32, early: u64, late: u64| {
        let low = change.saturating_sub(early * MILLI);
        between(seed, &[4, kind, u64::from(at)], (low, change + late * MILLI))
    };
    let span = |kind: u64, at: u32, range| between(seed, &[5, kind, u64::from(at)], range) * MILLI;
    let mut fault = |at: Nanos, lasts: Option<Nanos>, what: Wrong| all.push(Mishap { id: 0, at, lasts, what });
    for at in 0..late_requests {
        let what = Wrong::Delay { from: agent(1, at), to: "store-A".to_owned(), by: span(1, at, late_ms) };
        fault(time(1, at, 300, 100), Some(span(2, at, (60, 250))), what);
    }
    for at in 0..late_answers {
        let what = Wrong::Delay { from: "store-A".to_owned(), to: agent(2, at), by: span(3, at, late_ms) };
        fault(time(2, at, 300, 100), Some(span(4, at, (60, 250))), what);
    }
    for at in 0..crashes {
        fault(time(3, at, 200, 150), Some(span(5, at, (500, 1_500))), Wrong::Kill { node: agent(3, at) });
    }
    for at in 0..cut_off {
        let what = Wrong::Cut { from: "centre".to_owned(), to: agent(4, at) };
        fault(change.saturating_sub(50 * MILLI), Some(2_500 * MILLI), what);
    }
    for at in 0..late_news {
        let what = Wrong::Delay { from: "centre".to_owned(), to: agent(5, at), by: span(6, at, news_ms) };
        fault(change.saturating_sub(50 * MILLI), Some(100 * MILLI), what);
    }
    clocks(config, seed, &agent, &mut fault);
    if config.faults.late_copies_ms > 0 {
        let by = span(7, 0, (config.faults.late_copies_ms / 4, config.faults.late_copies_ms));
        let what = Wrong::Delay { from: "copier".to_owned(), to: "store-B".to_owned(), by };
        fault(change, Some(3 * SECOND), what);
    }
    all
}

fn clocks(
    config: &RoutedConfig,
    seed: u64,
    agent: &dyn Fn(u64, u32) -> String,
    fault: &mut dyn FnMut(Nanos, Option<Nanos>, Wrong),
) {
    let error = (config.faults.clock_error_ms * MILLI) as i64;
    if error > 0 {
        // The agent that is cut off, where one is: who hears of the change at once does no harm however wrong its clock is.
        // One clock that is slow, or two that are wrong in opposite directions: only the sum counts.
        let both = hash_draw(seed, &[6]).is_multiple_of(2);
        let fast = if both { error / 2 } else { 0 };
        fault(0, None, Wrong::Clock { node: agent(4, 0), by: fast - error });
        if both {
            fault(0, None, Wrong::Clock { node: "centre".to_owned(), by: fast });
        }
    }
    if config.faults.drift_ppm > 0 {
        let ppm = -(config.faults.drift_ppm as i64);
        fault(200 * MILLI, None, Wrong::Drift { node: agent(4, 0), ppm, known: true });
    }
}
