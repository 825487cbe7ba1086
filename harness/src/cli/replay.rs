//! `upheaval replay RUN|PLAN`.

use super::{ReplayArgs, again, session, walk};
use crate::error::Error;
use crate::plan::Plan;
use crate::store::{self, RunFolder};
use std::path::Path;

/// Runs a stored plan again, walks through it, or runs it many times. In virtual time the history is the same, byte for byte.
pub fn replay(arguments: ReplayArgs) -> Result<u8, Error> {
    let (plan, scenario) = load(&arguments.what)?;
    if arguments.step || arguments.until.is_some() || !arguments.trace.is_empty() {
        return walk::walk(&plan, &arguments);
    }
    match arguments.times {
        Some(times) => again::again(&plan, scenario.as_deref(), times, &arguments),
        None => session::perform(&plan, scenario.as_deref(), &arguments.session),
    }
}

/// The plan of a run's folder or of a file, and the scenario beside it.
pub(super) fn load(what: &Path) -> Result<(Plan, Option<String>), Error> {
    if what.is_dir() {
        let folder = RunFolder::open(what)?;
        let scenario = std::fs::read_to_string(folder.file(store::SCENARIO)).ok();
        return Ok((read(&folder.file(store::PLAN))?, scenario));
    }
    Ok((read(what)?, None))
}

fn read(path: &Path) -> Result<Plan, Error> {
    let text = std::fs::read(path).map_err(|e| Error::usage(format!("{}: cannot be read: {e}", path.display())))?;
    let plan: Plan = serde_json::from_slice(&text)
        .map_err(|e| Error::usage(format!("{}:{}:{}: not a plan: {e}", path.display(), e.line(), e.column())))?;
    plan.check().map_err(|why| Error::usage(format!("{}: {why}", path.display())))?;
    Ok(plan)
}
