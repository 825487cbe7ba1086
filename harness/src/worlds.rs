//! From a plan to the system that it runs on: the one place that knows which systems there are.

use crate::bugs;
use crate::error::Error;
use crate::plan::{Plan, SystemPlan};
use std::path::Path;
use systems::World;
use systems::registry::RegistryWorld;
use systems::zookeeper::ZooKeeperWorld;

/// How many clients a world has to expect: those of the plan and a final reader for each node.
fn clients(plan: &Plan, readers: u32) -> u32 {
    plan.clients.len() as u32 + readers
}

/// Starts the system of a plan. `run` names the run's namespaces and nodes, where the system needs names; `logs` is the
/// folder for what real nodes write.
pub fn start(plan: &Plan, run: &str, logs: Option<&Path>) -> Result<Box<dyn World>, Error> {
    let data_ids = plan.data_ids.len() as u32;
    match &plan.system {
        SystemPlan::Registry(config) => {
            let bug = plan.bug.as_deref().map(bugs::find).transpose()?;
            let clients = clients(plan, config.sessions);
            Ok(Box::new(RegistryWorld::new(config.clone(), clients, data_ids, plan.kernel_seed, bug)))
        }
        SystemPlan::Zookeeper(config) => {
            if let Some(name) = &plan.bug {
                return Err(Error::usage(format!(
                    "--bug {name}: bugs can be planted in the embedded registry only, this scenario runs on zookeeper"
                )));
            }
            sweep();
            let clients = clients(plan, 16);
            let world = ZooKeeperWorld::start(config.clone(), run, logs, clients, data_ids, plan.behaviour)?;
            Ok(Box::new(world))
        }
    }
}

/// Removes what earlier runs left that were killed together with their supervisors.
fn sweep() {
    for swept in nemesis::linux::sweep() {
        match swept.outcome {
            Ok(()) => tracing::warn!("cleaned up after run {}, which had been killed", swept.run),
            Err(error) => tracing::warn!("run {} had been killed and left something behind: {error}", swept.run),
        }
    }
}
