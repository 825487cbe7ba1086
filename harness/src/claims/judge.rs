//! Puts one variant of a claim to the test of its prediction.

use super::file::{ClaimFile, Predicted, Relation, Sweep};
use super::sample::{Lab, Sample};
use super::script::Script;
use super::{Effort, table};
use crate::error::Error;
use checkers::Finding;
use reports::claims::{Comparison, Point, Row, Shrunk, Swept};
use std::collections::BTreeMap;

/// A smaller one is looked for among so many seeds that fail,
const SMALLER_TRIED: u32 = 6;
/// and among so many seeds.
const SMALLER_SEEDS: u64 = 100;
/// So many failing plans of a naive variant are run by those that must hold.
const FAILING_MAX: usize = 25;
/// On the plans of so many seeds, operations that are completed are compared with the naive variant.
const COMPARED: u64 = 40;
/// A holding variant completes at least so many thousandths of what the naive one does.
const COMPLETED_PERMILLE: u64 = 800;

/// Nothing can be said.
const INCONCLUSIVE: &str = "inconclusive";

/// What the test came to: what was observed, and why it is that.
struct Observed {
    name: &'static str,
    detail: String,
}

/// Runs a variant as often as it takes.
pub fn judge(file: &ClaimFile, effort: &Effort) -> Result<Row, Error> {
    let mut row = Row {
        id: file.head.id.clone(),
        variant: file.head.variant.clone(),
        scenario: file.name.clone(),
        about: file.head.about.clone(),
        predicted: file.head.predicted.name().to_owned(),
        ..Row::default()
    };
    let observed = match file.head.predicted {
        Predicted::Violated => violated(file, effort, &mut row)?,
        Predicted::Holds => holds(file, effort, &mut row)?,
        Predicted::HoldsWithinBound => within_bound(file, effort, &mut row)?,
        Predicted::Measured => measured(file, effort, &mut row)?,
    };
    row.as_predicted = observed.name == row.predicted;
    row.observed = observed.name.to_owned();
    row.detail = observed.detail;
    Ok(row)
}

/// The first of so many seeds that shows a violation, and how many were run.
fn search(lab: &Lab, seeds: u64) -> (u64, Option<(u64, Sample)>) {
    for seed in 0..seeds {
        let sample = lab.seed(seed);
        if sample.violation().is_some() {
            return (seed + 1, Some((seed, sample)));
        }
    }
    (seeds, None)
}

fn violated(file: &ClaimFile, effort: &Effort, row: &mut Row) -> Result<Observed, Error> {
    let lab = Lab::new(file)?;
    let (seeds_run, found) = search(&lab, effort.search_seeds);
    row.seeds_run = seeds_run;
    let Some((seed, sample)) = found else {
        return Ok(Observed { name: "holds", detail: format!("no violation in {seeds_run} seeds") });
    };
    Ok(Observed { name: "violated", detail: reproduce(&lab, seed, &sample, row) })
}

/// Cuts down the plan of a seed that fails and tells what is left of it. Returns what is wrong, in a sentence.
fn reproduce(lab: &Lab, seed: u64, sample: &Sample, row: &mut Row) -> String {
    row.first_seed = Some(seed);
    let Some(found) = sample.violation() else { return String::new() };
    let plan = smallest(lab, seed, found);
    row.shrunk = Some(Shrunk { operations: plan.operations() as u64, faults: plan.faults() as u64 });
    row.plan = serde_json::to_value(&plan).ok();
    let shrunk = lab.plan(&plan, false);
    let finding = shrunk.findings.iter().find(|finding| finding.kind == found.kind).or(shrunk.violation());
    row.tale = finding.and_then(|finding| lab.tell(&plan, finding));
    finding.map_or(String::new(), |finding| finding.sentence.clone())
}

/// The smallest plan that a few seeds from this one on lead to: cutting down ends where no single entry can go, and that is not
/// the same size for all.
fn smallest(lab: &Lab, first: u64, found: &Finding) -> Script {
    let mut best = lab.shrink(&lab.draw(first), found);
    let mut tried = 1;
    for seed in first + 1..first + SMALLER_SEEDS {
        if best.is_small() || tried == SMALLER_TRIED {
            break;
        }
        let script = lab.draw(seed);
        if lab.plan(&script, false).shows(&found.kind) {
            tried += 1;
            let other = lab.shrink(&script, found);
            if other.size() < best.size() {
                best = other;
            }
        }
    }
    best
}

fn holds(file: &ClaimFile, effort: &Effort, row: &mut Row) -> Result<Observed, Error> {
    let lab = Lab::new(file)?;
    for seed in 0..effort.hold_seeds {
        let sample = lab.seed(seed);
        row.seeds_run = seed + 1;
        if let Some(fault) = unfit(&sample) {
            let detail = match sample.violation() {
                Some(_) => reproduce(&lab, seed, &sample, row),
                None => format!("seed {seed}: {}", fault.detail),
            };
            return Ok(Observed { detail, ..fault });
        }
    }
    let mut survived = 0;
    for naive in &file.head.against {
        match stands(&lab, naive, effort)? {
            Ok(count) => survived += count,
            Err(observed) => return Ok(observed),
        }
    }
    let detail = match file.head.against.as_slice() {
        [] => format!("clean over {} seeds", row.seeds_run),
        naive => {
            format!("clean over {} seeds, and on {survived} plans on which {} fails", row.seeds_run, naive.join(", "))
        }
    };
    Ok(Observed { name: "holds", detail })
}

/// Why a run of a variant that should hold does not count as holding.
fn unfit(sample: &Sample) -> Option<Observed> {
    if let Some(finding) = sample.violation() {
        return Some(Observed { name: "violated", detail: finding.sentence.clone() });
    }
    if sample.is_undecided() {
        return Some(Observed { name: INCONCLUSIVE, detail: sample.findings[0].sentence.clone() });
    }
    (!sample.outcome.finished)
        .then(|| Observed { name: "unfinished", detail: "what was to be done did not come to its end".to_owned() })
}

/// Runs the very plans on which a naive variant fails, and compares what is completed. Returns how many there were.
fn stands(lab: &Lab, naive: &str, effort: &Effort) -> Result<Result<usize, Observed>, Error> {
    let naive = Lab::new(&table::file(naive)?)?;
    let mut failing: Vec<Script> = Vec::new();
    let (mut here, mut there) = (0, 0);
    for seed in 0..effort.search_seeds {
        let plan = naive.draw(seed);
        let sample = naive.plan(&plan, false);
        if seed < COMPARED {
            there += sample.outcome.completed;
            here += lab.plan(&lab.adopt(&plan), false).outcome.completed;
        }
        if let Some(finding) = sample.violation() {
            if failing.is_empty() {
                failing.push(lab.adopt(&naive.shrink(&plan, finding)));
            }
            failing.push(lab.adopt(&plan));
        }
        if failing.len() >= FAILING_MAX && seed >= COMPARED {
            break;
        }
    }
    if failing.is_empty() {
        let detail = format!("{} does not fail, so that nothing is shown", naive.name);
        return Ok(Err(Observed { name: INCONCLUSIVE, detail }));
    }
    for (at, plan) in failing.iter().enumerate() {
        let fault = unfit(&lab.plan(plan, false));
        // Of the first, which was cut down, too little may be left to see that it is right.
        if let Some(fault) = fault.filter(|fault| at > 0 || fault.name != INCONCLUSIVE) {
            let detail = format!("on a plan of {} with seed {}: {}", naive.name, plan.seed(), fault.detail);
            return Ok(Err(Observed { detail, ..fault }));
        }
    }
    if here * 1_000 < there * COMPLETED_PERMILLE {
        let detail = format!("completes {here} operations where {} completes {there}", naive.name);
        return Ok(Err(Observed { name: "refuses", detail }));
    }
    Ok(Ok(failing.len()))
}

fn within_bound(file: &ClaimFile, effort: &Effort, row: &mut Row) -> Result<Observed, Error> {
    let missing = || Error::usage(format!("scenarios/claims/{}.toml: holds-within-bound needs a sweep", file.name));
    let sweep = file.head.sweep.as_ref().ok_or_else(missing)?;
    let bound = Lab::new(file)?.bound(&sweep.key, effort.hold_seeds).ok_or_else(missing)?;
    let mut swept = Swept {
        name: sweep.name.clone(),
        unit: sweep.unit.clone(),
        bound,
        measured: sweep.falling,
        points: Vec::new(),
    };
    for permille in &sweep.permille {
        let point = point(file, sweep, bound, *permille, effort, row)?;
        swept.points.push(point);
    }
    let wrong = swept.points.iter().find(|point| sweep.breaks(point.value, bound) != (point.violated > 0));
    let observed = match wrong {
        None => Observed {
            name: "holds-within-bound",
            detail: format!("the verdict flips at the bound of {bound} {}", sweep.unit),
        },
        Some(point) if point.violated > 0 => Observed {
            name: "violated",
            detail: format!("violated at {} {}, though the bound is {bound}", point.value, sweep.unit),
        },
        Some(point) => Observed {
            name: "holds",
            detail: format!("holds at {} {}, though the bound is {bound}", point.value, sweep.unit),
        },
    };
    row.sweep = Some(swept);
    Ok(observed)
}

fn point(
    file: &ClaimFile,
    sweep: &Sweep,
    bound: i64,
    permille: i64,
    effort: &Effort,
    row: &mut Row,
) -> Result<Point, Error> {
    let value = bound * permille / 1_000;
    let lab = Lab::new(&file.with(&sweep.key, value)?)?;
    let seeds = if sweep.breaks(value, bound) { effort.search_seeds } else { effort.hold_seeds };
    let mut violated = 0;
    for seed in 0..seeds {
        let sample = lab.seed(seed);
        row.seeds_run += 1;
        if sample.violation().is_some() {
            violated += 1;
            // The first value on the wrong side of the bound tells the story.
            if row.tale.is_none() {
                reproduce(&lab, seed, &sample, row);
            }
        }
    }
    Ok(Point { value, seeds, violated })
}

fn measured(file: &ClaimFile, effort: &Effort, row: &mut Row) -> Result<Observed, Error> {
    row.figures = sums(&Lab::new(file)?, effort);
    row.seeds_run = effort.measure_seeds;
    let mut known = BTreeMap::from([(file.name.clone(), row.figures.clone())]);
    for relation in &file.head.relations {
        for scenario in [&relation.less, &relation.more] {
            if !known.contains_key(scenario) {
                known.insert(scenario.clone(), sums(&Lab::new(&table::file(scenario)?)?, effort));
            }
        }
        let sum = |scenario: &str, figure: &str| known[scenario].get(figure).copied().unwrap_or(0);
        let less = sum(&relation.less, &relation.figure);
        let more = sum(&relation.more, relation.more_figure.as_ref().unwrap_or(&relation.figure));
        row.comparisons.push(compare(relation, less, more));
    }
    let failed = row.comparisons.iter().find(|comparison| !comparison.holds);
    Ok(match failed {
        Some(comparison) => Observed { name: "relation-fails", detail: comparison.sentence() },
        None => Observed {
            name: "measured",
            detail: row.comparisons.iter().map(Comparison::sentence).collect::<Vec<_>>().join("; "),
        },
    })
}

/// Every figure, summed over the seeds that are measured.
fn sums(lab: &Lab, effort: &Effort) -> BTreeMap<String, i64> {
    let mut sums = BTreeMap::new();
    for seed in 0..effort.measure_seeds {
        let sample = lab.seed(seed);
        for (name, figure) in &sample.outcome.figures {
            *sums.entry((*name).to_owned()).or_insert(0) += figure;
        }
        for name in ["violated", "completed", "asked"] {
            *sums.entry(name.to_owned()).or_insert(0) += sample.figure(name);
        }
    }
    sums
}

fn compare(relation: &Relation, less: i64, more: i64) -> Comparison {
    let small = less.saturating_mul(1_000) <= more.saturating_mul(relation.at_most_permille) && less < more;
    let figure = match &relation.more_figure {
        Some(other) => format!("{} against {other}", relation.figure),
        None => relation.figure.clone(),
    };
    Comparison {
        figure,
        less: (relation.less.clone(), less),
        more: (relation.more.clone(), more),
        holds: small && !(relation.not_zero && less == 0),
    }
}
