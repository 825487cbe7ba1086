//! One run of a variant: its findings and figures.

use super::checks::{self, Check};
use super::file::ClaimFile;
use super::registry::Registry;
use super::script::Script;
use super::{shrink, tale};
use crate::error::Error;
use ::systems::trial::{Outcome, Trial, TrialPlan};
use checkers::Finding;
use reports::Tale;

/// A variant that is ready to run.
pub struct Lab {
    /// Its name.
    pub name: String,
    subject: Subject,
}

/// What is run.
enum Subject {
    Trial(Box<dyn Trial>, Vec<Check>),
    Registry(Box<Registry>),
}

/// What one run came to.
#[derive(Default)]
pub struct Sample {
    /// Everything that the checks found.
    pub findings: Vec<Finding>,
    /// What came of the trial.
    pub outcome: Outcome,
}

impl Lab {
    /// The lab of a file.
    pub fn new(file: &ClaimFile) -> Result<Lab, Error> {
        let wrong = |what: String| Error::usage(format!("scenarios/claims/{}.toml: {what}", file.name));
        let subject = if file.system == Registry::SYSTEM {
            let registry = Registry::new(&file.name, &file.options, &file.head.checks);
            Subject::Registry(Box::new(registry.map_err(|e| wrong(format!("[registry] {e}")))?))
        } else {
            let missing = |name: &String| wrong(format!("there is no check `{name}`"));
            let find = |name: &String| checks::find(name).ok_or_else(|| missing(name));
            let checks: Result<Vec<Check>, Error> = file.head.checks.iter().map(find).collect();
            Subject::Trial(file.trial()?, checks?)
        };
        Ok(Lab { name: file.name.clone(), subject })
    }

    /// What happens with this seed.
    pub fn draw(&self, seed: u64) -> Script {
        match &self.subject {
            Subject::Trial(trial, _) => Script::Trial(trial.draw(seed)),
            Subject::Registry(registry) => Script::Registry(Box::new(registry.draw(seed))),
        }
    }

    /// Runs a seed.
    pub fn seed(&self, seed: u64) -> Sample {
        self.plan(&self.draw(seed), false)
    }

    /// Runs a plan of this variant; with `trace` everything is kept that a tale needs.
    pub fn plan(&self, script: &Script, trace: bool) -> Sample {
        match (&self.subject, script) {
            (Subject::Trial(trial, checks), Script::Trial(plan)) => sample(trial.as_ref(), checks, plan, trace),
            (Subject::Registry(registry), Script::Registry(plan)) => registry.sample(plan),
            _ => Sample::undecided("a plan of another kind of system".to_owned()),
        }
    }

    /// What clients do and what goes wrong in a plan of another variant, as a plan of this one.
    pub fn adopt(&self, script: &Script) -> Script {
        match (&self.subject, script) {
            (Subject::Registry(registry), Script::Registry(plan)) => Script::Registry(Box::new(registry.adopt(plan))),
            _ => script.clone(),
        }
    }

    /// Cuts a plan down that shows this finding.
    pub fn shrink(&self, script: &Script, finding: &Finding) -> Script {
        match (&self.subject, script) {
            (Subject::Trial(trial, checks), Script::Trial(plan)) => {
                let fails = |plan: &TrialPlan| sample(trial.as_ref(), checks, plan, false).shows(&finding.kind);
                Script::Trial(shrink::shrink(plan, &fails))
            }
            (Subject::Registry(registry), Script::Registry(plan)) => Script::Registry(Box::new(registry.shrink(plan))),
            _ => script.clone(),
        }
    }

    /// Runs a plan once more and tells what happens in it up to what is wrong.
    pub fn tell(&self, script: &Script, finding: &Finding) -> Option<Tale> {
        match (&self.subject, script) {
            (Subject::Trial(trial, checks), Script::Trial(plan)) => {
                Some(tale::tell(plan, &sample(trial.as_ref(), checks, plan, true).outcome, finding))
            }
            (Subject::Registry(registry), Script::Registry(plan)) => registry.tell(plan),
            _ => None,
        }
    }

    /// How far the swept option can go: by the formulas of the design, or as measured over so many seeds.
    pub fn bound(&self, key: &str, seeds: u64) -> Option<i64> {
        match &self.subject {
            Subject::Trial(trial, _) => trial.bound(),
            Subject::Registry(registry) => registry.measured_bound(key, seeds),
        }
    }

    /// Changes when anything that checkers see changes.
    pub fn hash(&self, script: &Script, trace: bool) -> String {
        match (&self.subject, script) {
            (Subject::Registry(registry), Script::Registry(plan)) => registry.hash(plan, trace),
            _ => format!("{:016x}", self.plan(script, trace).outcome.hash()),
        }
    }
}

fn sample(trial: &dyn Trial, checks: &[Check], plan: &TrialPlan, trace: bool) -> Sample {
    let outcome = trial.run(plan, trace);
    let findings = checks.iter().flat_map(|check| check(&outcome)).collect();
    Sample { findings, outcome }
}

impl Sample {
    /// One about which nothing can be said.
    pub fn undecided(why: String) -> Sample {
        let finding = Finding { kind: Finding::UNDECIDED.to_owned(), at: None, node: None, sentence: why };
        Sample { findings: vec![finding], outcome: Outcome::default() }
    }

    /// The first violation.
    pub fn violation(&self) -> Option<&Finding> {
        self.findings.iter().find(|finding| !finding.is_undecided())
    }

    /// True if a checker gave up.
    pub fn is_undecided(&self) -> bool {
        self.violation().is_none() && !self.findings.is_empty()
    }

    /// True if a violation of this kind was found.
    pub fn shows(&self, kind: &str) -> bool {
        self.findings.iter().any(|finding| finding.kind == kind)
    }

    /// A figure by name; 0 where the trial did not measure it.
    pub fn figure(&self, name: &str) -> i64 {
        match name {
            "violated" => i64::from(self.violation().is_some()),
            "completed" => self.outcome.completed as i64,
            "asked" => self.outcome.asked as i64,
            "steps" => self.outcome.steps as i64,
            other => self.outcome.figures.get(other).copied().unwrap_or(0),
        }
    }
}
