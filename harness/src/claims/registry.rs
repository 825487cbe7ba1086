//! The embedded registry under a claim: its scenarios are small ones of those that `upheaval run` takes, its verdicts those of
//! the registry's checkers, and its plans are cut down as `upheaval shrink` does it.

use super::locating::Located;
use super::sample::Sample;
use super::sequences::Sequences;
use crate::attempt::{Attempt, attempt};
use crate::fingerprint::first;
use crate::plan::{Plan, SystemPlan, Tightened};
use crate::scenario::{Scenario, SystemChoice, Times};
use crate::shrink::{Effort, Size, shrink};
use ::systems::registry::RegistryConfig;
use ::systems::trial::Outcome;
use checkers::{Checker, Convergence, Finding, Verdict};
use history::{Event, Function, MILLI, Nanos, PhaseName};
use nemesis::Schedule;
use reports::tale::Message;
use reports::{Run, RunFacts, Tale};
use serde::Deserialize;
use std::time::Duration;
use workloads::{ClientBehaviour, PubSub};

/// Options of a variant, beside those of every scenario.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Options {
    /// The planted bug.
    bug: Option<String>,
    /// Phases.
    time: Times,
    /// What clients do,
    workload: PubSub,
    /// or else every sequence of calls.
    sequences: Option<Sequences>,
    /// How careful clients are.
    behaviour: ClientBehaviour,
    /// What goes wrong.
    faults: Schedule,
    /// Bounds that are tighter than those that the registry promises.
    contract: Tightened,
    /// Shape and delays of the registry.
    cluster: RegistryConfig,
    /// Whether the faulty node is looked for.
    locate: bool,
}

/// The registry with all options chosen.
pub struct Registry {
    scenario: Scenario,
    bug: Option<String>,
    sequences: Option<Sequences>,
    locate: bool,
    checking: checkers::Options,
}

/// The first of the seeds on which bounds are measured; checks begin at 0.
const MEASURED: u64 = 1_000_000;

/// Shrinking of one plan takes seconds; a limit keeps a table from hanging.
const SHRINK_MAX: Duration = Duration::from_secs(60);

/// The distribution of convergence times: how many changes were seen later than that, milliseconds.
const LATER: [(&str, u64); 10] = [
    ("changes seen after more than 50 ms", 50),
    ("changes seen after more than 75 ms", 75),
    ("changes seen after more than 100 ms", 100),
    ("changes seen after more than 125 ms", 125),
    ("changes seen after more than 150 ms", 150),
    ("changes seen after more than 200 ms", 200),
    ("changes seen after more than 0.5 s", 500),
    ("changes seen after more than 1 s", 1_000),
    ("changes seen after more than 2 s", 2_000),
    ("changes seen after more than 4 s", 4_000),
];

impl Registry {
    /// Its table in a claim's file.
    pub const SYSTEM: &str = "registry";

    /// The registry of a file with these options and checkers; the error is a sentence.
    pub fn new(name: &str, options: &toml::Table, checks: &[String]) -> Result<Registry, String> {
        let options: Options =
            toml::Value::Table(options.clone()).try_into().map_err(|e: toml::de::Error| e.message().to_owned())?;
        let checkers: Result<Vec<Checker>, _> = checks.iter().map(|name| name.parse::<Checker>()).collect();
        let scenario = Scenario {
            name: name.to_owned(),
            about: String::new(),
            claims: Vec::new(),
            system: SystemChoice::Registry,
            time: options.time,
            workload: options.workload,
            behaviour: options.behaviour,
            faults: options.faults,
            swarm: None,
            contract: options.contract,
            registry: options.cluster,
            zookeeper: ::systems::zookeeper::ZooKeeperConfig::default(),
        };
        scenario.check().map_err(|e| e.to_string())?;
        let checking = checkers::Options {
            checkers: checkers.map_err(|e| e.to_string())?,
            // What is left of a plan that was cut down does little, and is still worth a verdict.
            operations_min: 1,
            ..checkers::Options::default()
        };
        let Options { bug, sequences, locate, .. } = options;
        Ok(Registry { scenario, bug, sequences, locate, checking })
    }

    /// The plan of a seed.
    pub fn draw(&self, seed: u64) -> Plan {
        let mut plan = Plan::draw(&self.scenario, seed, self.bug.clone());
        if let Some(sequences) = &self.sequences {
            sequences.fill(&mut plan);
        }
        plan
    }

    /// What clients do and what goes wrong in a plan of another variant, on this one's registry.
    pub fn adopt(&self, plan: &Plan) -> Plan {
        Plan {
            scenario: self.scenario.name.clone(),
            system: SystemPlan::Registry(self.scenario.registry.clone()),
            behaviour: self.scenario.behaviour,
            contract: self.scenario.contract,
            bug: self.bug.clone(),
            ..plan.clone()
        }
    }

    /// Runs a plan and checks it. The finding is the earliest violation, its kind the fingerprint.
    pub fn sample(&self, plan: &Plan) -> Sample {
        let run = match attempt(plan, &self.checking, false) {
            Ok(run) => run,
            Err(error) => return Sample::undecided(error.to_string()),
        };
        let outcome = self.outcome(&run);
        let findings = match (first(&run.report), run.report.verdict) {
            (Some(violation), _) => vec![Finding {
                kind: run.fingerprint().map(|fingerprint| fingerprint.to_string()).unwrap_or_default(),
                at: Some(violation.time),
                node: violation.node,
                sentence: violation.sentence.clone(),
            }],
            (None, Verdict::Pass) => Vec::new(),
            (None, _) => Sample::undecided(run.report.reasons.join("; ")).findings,
        };
        Sample { findings, outcome }
    }

    fn outcome(&self, run: &Attempt) -> Outcome {
        let mut outcome = Outcome { steps: run.steps, ..Outcome::default() };
        for event in &run.events {
            match event {
                Event::Op(op) if op.f != Function::Ping => match op.outcome {
                    history::Outcome::Invoke => outcome.asked += 1,
                    history::Outcome::Ok => outcome.completed += 1,
                    _ => {}
                },
                Event::Phase(phase) => outcome.finished |= phase.name == PhaseName::End,
                _ => {}
            }
        }
        if let Some(convergence) = &run.report.convergence {
            outcome.figures.insert("changes", convergence.samples as i64);
            for (name, ms) in LATER {
                let later = convergence.series.iter().filter(|sample| sample.took > ms * MILLI).count();
                outcome.figures.insert(name, later as i64);
            }
        }
        if self.locate {
            outcome.figures.extend(Located::of(run).figures());
        }
        outcome
    }

    /// A smaller plan that fails the same way; the plan itself where it does not fail.
    pub fn shrink(&self, plan: &Plan) -> Plan {
        let effort = Effort { time: SHRINK_MAX, threads: 1 };
        shrink(plan, &self.checking, effort, &mut |_, _| {}).map_or(plan.clone(), |shrunk| shrunk.plan)
    }

    /// What happens in a run of this plan, up to its earliest violation.
    pub fn tell(&self, plan: &Plan) -> Option<Tale> {
        let run = attempt(plan, &self.checking, true).ok()?;
        let messages: Vec<Message> = run.trace.iter().map(crate::shrink::message).collect();
        let facts = RunFacts::default();
        let told = Run { header: &run.header, events: &run.events, report: &run.report, facts: &facts };
        reports::tale::tell(&told, &messages, &format!("with {}", Size::of(plan)))
    }

    /// The largest convergence time over so many seeds, in milliseconds, rounded up: of changes in calm for the bound of calm, of
    /// all for any other. These seeds are not those of the check: the bound is a prediction about runs that it was not taken from.
    pub fn measured_bound(&self, key: &str, seeds: u64) -> Option<i64> {
        let slowest = |convergence: &Convergence| match key {
            "contract.visible_ms_max" => convergence.calm.max,
            _ => convergence.all.max,
        };
        let of = |seed| attempt(&self.draw(seed), &self.checking, false).ok()?.report.convergence.as_ref().map(slowest);
        let most: Nanos = (MEASURED..MEASURED + seeds).filter_map(of).max()?;
        i64::try_from(most.div_ceil(MILLI)).ok()
    }

    /// Hash of the history of a run of this plan.
    pub fn hash(&self, plan: &Plan, trace: bool) -> String {
        let run = attempt(plan, &self.checking, trace);
        run.and_then(|run| run.history_hash()).unwrap_or_else(|error| error.to_string())
    }
}
