//! What happens in one run of a variant: the plan of a trial, or one of the embedded registry.

use crate::plan::Plan;
use ::systems::trial::TrialPlan;
use serde::Serialize;

/// Operations and faults as data.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(untagged)]
pub enum Script {
    /// Of a system that is made for claims.
    Trial(TrialPlan),
    /// Of the registry.
    Registry(Box<Plan>),
}

/// A trial's plan of so many entries is small enough.
const TRIAL_SMALL: usize = 4;
/// A registry's plan of so many operations is: connects count.
const REGISTRY_SMALL: usize = 6;

impl Script {
    /// The seed that it was drawn from.
    pub fn seed(&self) -> u64 {
        match self {
            Script::Trial(plan) => plan.seed,
            Script::Registry(plan) => plan.seed,
        }
    }

    /// How many operations clients are told to do.
    pub fn operations(&self) -> usize {
        match self {
            Script::Trial(plan) => plan.operations.len(),
            Script::Registry(plan) => plan.operations.len(),
        }
    }

    /// How much goes wrong.
    pub fn faults(&self) -> usize {
        match self {
            Script::Trial(plan) => plan.faults.len(),
            Script::Registry(plan) => plan.faults.len(),
        }
    }

    /// Operations and faults.
    pub fn size(&self) -> usize {
        self.operations() + self.faults()
    }

    /// True if it need not be smaller to be understood.
    pub fn is_small(&self) -> bool {
        match self {
            Script::Trial(_) => self.size() <= TRIAL_SMALL,
            Script::Registry(_) => self.operations() <= REGISTRY_SMALL && self.faults() <= 1,
        }
    }
}
