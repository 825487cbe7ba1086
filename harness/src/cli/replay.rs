//! `upheaval replay RUN|PLAN`.

use super::{ReplayArgs, again, session, walk};
use crate::error::Error;
use crate::plan::{Plan, SCHEMA};
use crate::store::{self, RunFolder};
use nemesis::Pick;
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
    check(&plan).map_err(|why| Error::usage(format!("{}: {why}", path.display())))?;
    Ok(plan)
}

/// An edited plan can say anything: what the master relies on is checked.
fn check(plan: &Plan) -> Result<(), String> {
    if plan.schema != SCHEMA {
        return Err(format!("plan of schema {}, this program runs schema {SCHEMA}", plan.schema));
    }
    if plan.data_ids.is_empty() || plan.clients.is_empty() {
        return Err("a plan needs at least one client and one dataId".to_owned());
    }
    for (ix, client) in plan.clients.iter().enumerate() {
        if client.id as usize != ix {
            return Err(format!("clients[{ix}].id = {}: clients are numbered from 0 without gaps", client.id));
        }
    }
    for (ix, operation) in plan.operations.iter().enumerate() {
        if operation.client as usize >= plan.clients.len() {
            return Err(format!("operations[{ix}].client = {}: there is no such client", operation.client));
        }
        if operation.call.data().is_some_and(|data| data as usize >= plan.data_ids.len()) {
            return Err(format!("operations[{ix}]: there is no such dataId"));
        }
    }
    if plan.operations.windows(2).any(|pair| pair[0].at > pair[1].at) {
        return Err("operations are not in order of time".to_owned());
    }
    if plan.faults.windows(2).any(|pair| pair[0].at > pair[1].at || pair[0].id == pair[1].id) {
        return Err("faults are not in order of time, or two have the same id".to_owned());
    }
    let nodes = plan.system.nodes();
    for (ix, fault) in plan.faults.iter().enumerate() {
        if let Pick::Named(name) = &fault.target.pick
            && !nodes.contains(name)
        {
            return Err(format!("faults[{ix}]: there is no node {name}; there are {}", nodes.join(", ")));
        }
    }
    Ok(())
}
