//! How much air is in the bounds of a pass: for each bound the smallest value with which the same history still passes,
//! found by bisection. A bound that is more than twice as wide is slack, and reports say so.

use checkers::{CheckResult, Figure, Joined, Options, Report, Verdict};
use history::{Contract, Loaded};

/// Histories with more events are not measured: each step is a whole check.
const EVENTS_MAX: usize = 1_000_000;

type Bound = (&'static str, fn(&mut Contract) -> Option<&mut u64>);

/// The bounds that a history can be measured against (`reregister_ms_max` is measured by the checkers themselves).
const BOUNDS: [Bound; 5] = [
    ("visible_ms_max", |contract| Some(&mut contract.visible_ms_max)),
    ("recovered_ms_max", |contract| Some(&mut contract.recovered_ms_max)),
    ("staleness_ms_max", |contract| contract.staleness_ms_max.as_mut()),
    ("lease_ms_max", |contract| Some(&mut contract.lease_ms_max)),
    ("in_flight_ms_max", |contract| Some(&mut contract.in_flight_ms_max)),
];

/// Adds `measured_<bound>` to the figures of the first checker, where the report is a pass.
pub fn measure(history: &Loaded, joined: Option<Joined>, options: &Options, report: &mut Report) {
    if report.verdict != Verdict::Pass || history.events.len() > EVENTS_MAX || options.divisor != 1 {
        return;
    }
    // What passed can be joined: it has been.
    let joined = joined.unwrap_or_else(|| Joined::of(&history.events));
    let mut measured: Vec<(&str, i64)> =
        BOUNDS.iter().filter_map(|bound| Some((bound.0, smallest(history, &joined, options, bound)?))).collect();
    // What is due in calm is due after a fault: below the measure of calm this bound decides nothing.
    if let [(_, visible), (_, recovered), ..] = measured.as_mut_slice() {
        *recovered = (*recovered).max(*visible);
    }
    let figures = measured.into_iter().map(|(name, ms)| (format!("measured_{name}"), Figure::Whole(ms)));
    if let Some(CheckResult { figures: all, .. }) = report.checks.first_mut() {
        all.extend(figures);
    }
}

/// The smallest value of a bound, to a fiftieth, with which the history is no violation.
fn smallest(history: &Loaded, joined: &Joined, options: &Options, (_, bound): &Bound) -> Option<i64> {
    let mut header = history.header.clone();
    let (mut fails, mut holds) = (0, *bound(&mut header.contract)?);
    while holds - fails > 1.max(holds / 50) {
        let middle = fails + (holds - fails) / 2;
        *bound(&mut header.contract)? = middle;
        if checkers::check_joined(&header, joined, &history.events, options).verdict == Verdict::Violation {
            fails = middle;
        } else {
            holds = middle;
        }
    }
    i64::try_from(holds).ok()
}
