//! Objectives on figures: against a bound, or against an earlier build.
//!
//! Against a baseline nothing is decided by one number: runs are paired with those of the earlier build that had the same
//! scenario, system and seed, so that what they have in common falls out; the median of the ratios tells how much, and
//! a sign test over the pairs (two in a hundred) whether it is more than noise.

use super::suite::Objective;
use crate::error::Error;
use reports::gate::{GateObjective, GateRun};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::path::Path;

/// Fewer pairs decide nothing: even if all were worse, chance could have made them so.
const PAIRS_MIN: usize = 6;
/// Chance that equal builds are told apart, of one.
const CHANCE_MAX: f64 = 0.02;

/// Figures of an earlier build: `scenario/system/seed`, then figure.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Baseline {
    /// Version of this file.
    pub schema: u32,
    /// Figures of each run.
    pub runs: BTreeMap<String, BTreeMap<String, f64>>,
}

impl Baseline {
    /// That of these runs; only passes are worth comparing with.
    pub fn of(runs: &[GateRun]) -> Baseline {
        let passed = runs.iter().filter(|run| run.verdict == checkers::Verdict::Pass);
        Baseline { schema: 1, runs: passed.map(|run| (key(run), run.figures.clone())).collect() }
    }

    /// Reads a file.
    pub fn load(path: &Path) -> Result<Baseline, Error> {
        let bad = |e: &dyn std::fmt::Display| {
            Error::usage(format!("baseline {}: {e}; make one with --write-baseline FILE", path.display()))
        };
        let text = std::fs::read_to_string(path).map_err(|e| bad(&e))?;
        let baseline: Baseline = serde_json::from_str(&text).map_err(|e| bad(&e))?;
        if baseline.schema == 1 { Ok(baseline) } else { Err(bad(&format!("schema {} is not known", baseline.schema))) }
    }
}

fn key(run: &GateRun) -> String {
    format!("{}/{}/{}", run.scenario, run.system, run.seed)
}

/// Judges an objective over the runs of a gate.
pub fn judge(objective: &Objective, runs: &[GateRun], baseline: &Baseline, peak_bytes: Option<u64>) -> GateObjective {
    let figure = &objective.figure;
    let place = objective.scenario.as_ref().map(|scenario| format!(" in {scenario}")).unwrap_or_default();
    let chosen = runs.iter().filter(|run| objective.scenario.as_ref().is_none_or(|only| *only == run.scenario));
    let chosen: Vec<&GateRun> = chosen.collect();
    if let Some(percent) = objective.worse_percent_max {
        let asks = format!("{figure}{place} at most {percent} % worse than the baseline");
        let (met, says) = compared(objective, percent, &chosen, baseline);
        return GateObjective { asks, met, says };
    }
    let mut values: Vec<(f64, String)> = chosen
        .iter()
        .filter_map(|run| Some((*run.figures.get(figure)?, format!("{} seed {}", run.scenario, run.seed))))
        .collect();
    if figure == "peak_bytes" {
        values = peak_bytes.map(|bytes| (bytes as f64, "the gate".to_owned())).into_iter().collect();
    }
    let (bound, word) = match (objective.max, objective.min) {
        (Some(max), _) => (max, "at most"),
        (_, Some(min)) => (min, "at least"),
        _ => (f64::NAN, "nothing"),
    };
    let asks = format!("{figure}{place} {word} {bound}");
    let sorted = |a: &(f64, String), b: &(f64, String)| a.0.total_cmp(&b.0);
    let worst = if objective.max.is_some() {
        values.iter().max_by(|a, b| sorted(a, b))
    } else {
        values.iter().min_by(|a, b| sorted(a, b))
    };
    match worst {
        None => GateObjective { asks, met: None, says: format!("no run has a figure {figure}") },
        Some((value, at)) => {
            let met = if objective.max.is_some() { *value <= bound } else { *value >= bound };
            GateObjective { asks, met: Some(met), says: format!("worst {value:.1} ({at}), {} runs", values.len()) }
        }
    }
}

fn compared(objective: &Objective, percent: f64, runs: &[&GateRun], baseline: &Baseline) -> (Option<bool>, String) {
    let mut ratios: Vec<f64> = Vec::new();
    for run in runs {
        let before = baseline.runs.get(&key(run)).and_then(|figures| figures.get(&objective.figure));
        if let (Some(now), Some(before)) = (run.figures.get(&objective.figure), before)
            && *now > 0.0
            && *before > 0.0
        {
            ratios.push(if objective.more_is_better { before / now } else { now / before });
        }
    }
    if ratios.len() < PAIRS_MIN {
        return (None, format!("only {} runs have a pair in the baseline, {PAIRS_MIN} are needed", ratios.len()));
    }
    ratios.sort_by(f64::total_cmp);
    let median = (ratios[(ratios.len() - 1) / 2] + ratios[ratios.len() / 2]) / 2.0;
    let bound = 1.0 + percent / 100.0;
    // Pairs beyond the bound against those within it: is it the build, or chance?
    let beyond = ratios.iter().filter(|ratio| **ratio > bound).count();
    let chance = at_least(beyond, ratios.len());
    let missed = median > bound && chance <= CHANCE_MAX;
    let says = format!(
        "median of {} pairs: {:+.1} %; {beyond} of them beyond the bound{}",
        ratios.len(),
        (median - 1.0) * 100.0,
        if median > bound && !missed { ", which chance alone could do" } else { "" }
    );
    (Some(!missed), says)
}

/// Chance of `hits` or more heads in `n` throws of a fair coin.
fn at_least(hits: usize, n: usize) -> f64 {
    let (mut term, mut sum) = (0.5f64.powi(n.min(1_000) as i32), 0.0);
    // Halving more than a thousand times is zero anyway: scale the tail by steps.
    if n > 1_000 {
        let z = (2.0 * hits as f64 - n as f64) / (n as f64).sqrt();
        return if z > 2.06 { 0.0 } else { 1.0 };
    }
    for k in 0..=n {
        if k >= hits {
            sum += term;
        }
        term = term * (n - k) as f64 / (k + 1) as f64;
    }
    sum
}

#[cfg(test)]
mod tests {
    use super::*;
    use checkers::Verdict;
    use reports::gate::Origin;

    fn run(seed: u64, p99: f64) -> GateRun {
        GateRun {
            scenario: "s".into(),
            system: "registry".into(),
            bug: None,
            seed,
            origin: Origin::Fixed,
            verdict: Verdict::Pass,
            fingerprint: None,
            says: String::new(),
            figures: [("convergence.p99_ms".to_owned(), p99)].into(),
            replay: String::new(),
            folder: None,
            retries: 0,
            wall_ms: 1,
        }
    }

    fn ask(max: Option<f64>, min: Option<f64>, worse: Option<f64>) -> Objective {
        let figure = "convergence.p99_ms".to_owned();
        Objective { figure, scenario: None, max, min, worse_percent_max: worse, more_is_better: false }
    }

    #[test]
    fn the_worst_run_decides_on_a_bound() {
        let runs: Vec<GateRun> = (0..5).map(|seed| run(seed, 100.0 + seed as f64)).collect();
        let judged = |objective: &Objective| judge(objective, &runs, &Baseline::default(), None).met;
        assert_eq!(judged(&ask(Some(104.0), None, None)), Some(true));
        assert_eq!(judged(&ask(Some(103.9), None, None)), Some(false));
        assert_eq!(judged(&ask(None, Some(100.0), None)), Some(true));
        assert_eq!(judged(&ask(None, Some(100.1), None)), Some(false));
        let other = Objective { scenario: Some("other".into()), ..ask(Some(1.0), None, None) };
        assert_eq!(judged(&other), None);
    }

    #[test]
    fn pairs_tell_a_slower_build_from_noise() {
        let before = Baseline::of(&(0..20).map(|seed| run(seed, 100.0 + 40.0 * (seed % 5) as f64)).collect::<Vec<_>>());
        let now = |factor: &dyn Fn(u64) -> f64| -> Vec<GateRun> {
            (0..20).map(|seed| run(seed, (100.0 + 40.0 * (seed % 5) as f64) * factor(seed))).collect()
        };
        let met = |runs: &[GateRun]| judge(&ask(None, None, Some(10.0)), runs, &before, None).met;
        assert_eq!(met(&now(&|_| 1.0)), Some(true));
        assert_eq!(met(&now(&|_| 1.2)), Some(false), "every pair is a fifth slower");
        // One outlier moves no median; a noise that goes both ways is none either.
        assert_eq!(met(&now(&|seed| if seed == 3 { 50.0 } else { 1.0 })), Some(true));
        assert_eq!(met(&now(&|seed| if seed % 2 == 0 { 1.3 } else { 0.8 })), Some(true));
        assert_eq!(met(&now(&|_| 1.2)[..5]), None, "too few pairs");
    }

    #[test]
    fn chances_of_a_fair_coin() {
        assert!((at_least(0, 10) - 1.0).abs() < 1e-9);
        assert!((at_least(10, 10) - 1.0 / 1024.0).abs() < 1e-12);
        assert!((at_least(6, 10) - 0.376_953_125).abs() < 1e-9);
        assert!(at_least(1_200, 2_000) < 0.02 && at_least(1_000, 2_000) > 0.02);
    }
}
