//! `upheaval run SCENARIO`.

use super::{RunArgs, SEED_MAX, print, session};
use crate::bugs;
use crate::error::Error;
use crate::plan::Plan;
use crate::scenario::Scenario;

/// Draws the plan and runs it.
pub fn run(arguments: RunArgs) -> Result<u8, Error> {
    let (scenario, text) = Scenario::load(&arguments.scenario, &arguments.sets)?;
    if let Some(name) = &arguments.bug {
        bugs::find(name)?;
    }
    let seed = arguments.seed.unwrap_or_else(any_seed);
    let plan = Plan::draw(&scenario, seed, arguments.bug.clone());
    if let Some(path) = &arguments.plan_only {
        let text = serde_json::to_vec_pretty(&plan).map_err(|e| Error::harness(format!("plan: {e}")))?;
        std::fs::write(path, text).map_err(|e| Error::write(path, &e))?;
        print(&format!("plan {}  {} operations, {} faults", path.display(), plan.operations.len(), plan.faults.len()))?;
        return Ok(0);
    }
    session::perform(&plan, Some(&text), &arguments.session)
}

/// A seed that nobody chose; it is printed, and everything after it is determined by it.
fn any_seed() -> u64 {
    use std::hash::{BuildHasher, Hasher, RandomState};
    RandomState::new().build_hasher().finish() % (SEED_MAX + 1)
}
