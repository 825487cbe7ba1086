//! One run of a variant: its findings and figures.

use super::checks::{self, Check};
use super::file::ClaimFile;
use crate::error::Error;
use ::systems::trial::{Outcome, Trial, TrialPlan};
use checkers::Finding;

/// A variant that is ready to run.
pub struct Lab {
    /// Its name.
    pub name: String,
    /// The system.
    pub trial: Box<dyn Trial>,
    checks: Vec<Check>,
}

/// What one run came to.
pub struct Sample {
    /// Everything that the checks found.
    pub findings: Vec<Finding>,
    /// What came of the trial.
    pub outcome: Outcome,
}

impl Lab {
    /// The lab of a file.
    pub fn new(file: &ClaimFile) -> Result<Lab, Error> {
        let checks = file.head.checks.iter().filter_map(|name| checks::find(name)).collect();
        Ok(Lab { name: file.name.clone(), trial: file.trial()?, checks })
    }

    /// Runs the plan of a seed.
    pub fn seed(&self, seed: u64) -> Sample {
        self.plan(&self.trial.draw(seed), false)
    }

    /// Runs a plan.
    pub fn plan(&self, plan: &TrialPlan, trace: bool) -> Sample {
        let outcome = self.trial.run(plan, trace);
        let findings = self.checks.iter().flat_map(|check| check(&outcome)).collect();
        Sample { findings, outcome }
    }
}

impl Sample {
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
