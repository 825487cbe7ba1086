//! From settings to an ensemble that serves, with the run's tree in it.

use super::client::{NOWHERE, Shared};
use super::contents::Contents;
use super::ensemble::{Ensemble, NODES, start_error};
use super::faults::Site;
use super::four_letter::{Mode, status};
use super::names::Names;
use super::recorder::Recorder;
use super::target::{CLIENTS, ROLE};
use super::{Trouble, ZooKeeperConfig, ZooKeeperWorld, tree};
use crate::world::{SystemInfo, WorldError};
use history::{Node, SystemName};
use nemesis::linux::Namespace;
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::atomic::AtomicU32;
use std::sync::mpsc::channel;
use std::sync::{Arc, PoisonError};
use std::time::Duration;
use tokio::runtime::{Builder, Runtime};
use workloads::ClientBehaviour;

const WORKERS: usize = 2;
/// Time between two looks whether all nodes are still there.
const ROUND: Duration = Duration::from_millis(500);
/// A server that is not ours has to answer in this time.
const PATIENCE: Duration = Duration::from_secs(3);

impl ZooKeeperWorld {
    /// Starts an ensemble (or connects to a running one) and makes the run's tree: `clients` clients and `data_ids`
    /// dataIds at most. `logs`: the folder in which the logs of nodes are kept; without it they go with the nodes.
    pub fn start(
        config: ZooKeeperConfig,
        run_id: &str,
        logs: Option<&Path>,
        clients: u32,
        data_ids: u32,
        behaviour: ClientBehaviour,
    ) -> Result<ZooKeeperWorld, WorldError> {
        if let Some(fault) = config.fault() {
            return Err(start_error(fault));
        }
        let ensemble = if config.addresses.is_empty() { Some(Ensemble::start(&config, run_id, logs)?) } else { None };
        let runtime = runtime(ensemble.as_deref())?;
        let (addresses, version) = match &ensemble {
            Some(ensemble) => {
                let patience = Duration::from_millis(config.start_timeout_ms);
                let started = ensemble.clone();
                let version = on(&runtime, async move { started.serves(patience).await })??;
                (ensemble.servers.iter().map(|server| server.address).collect(), version)
            }
            None => {
                let addresses = config.addresses.clone();
                let version = on(&runtime, running_version(addresses.clone()))??;
                (addresses, version)
            }
        };
        let info = info(&config, addresses.len(), version);
        let (sender, observations) = channel();
        let shared = Arc::new(Shared {
            timing: config.timing(),
            config,
            addresses,
            names: Names::new(run_id),
            behaviour,
            contents: Contents::new(data_ids),
            recorder: Arc::new(Recorder::new(sender)),
            attached: (0..clients).map(|_| AtomicU32::new(NOWHERE)).collect(),
        });
        let tree = shared.clone();
        on(&runtime, async move { tree::create(&tree, data_ids).await })?.map_err(start_error)?;
        let trouble = Trouble::default();
        let site = ensemble.map(|ensemble| Arc::new(Site::new(ensemble, shared.clone())));
        if let Some(site) = &site {
            runtime.spawn(look_after(site.clone(), trouble.clone()));
        }
        let (actors, ends) = (BTreeMap::new(), BTreeMap::new());
        let runtime = Some(runtime);
        Ok(ZooKeeperWorld { info, shared, observations, actors, ends, trouble, data_ids, site, runtime })
    }
}

/// A runtime whose threads all live in the lab's namespace for clients. A thread that cannot go there must not run:
/// its traffic would be outside.
fn runtime(ensemble: Option<&Ensemble>) -> Result<Runtime, WorldError> {
    let mut builder = Builder::new_multi_thread();
    builder.worker_threads(WORKERS).thread_name("zookeeper-client").enable_all();
    if let Some(ensemble) = ensemble {
        let namespace: Namespace = ensemble.lab.namespace(CLIENTS).map_err(start_error)?;
        namespace.run(|| ()).map_err(start_error)?;
        builder.on_thread_start(move || namespace.enter().expect("it worked a moment ago"));
    }
    builder.build().map_err(start_error)
}

/// Runs work on the runtime's threads (never on the calling one, which is in another namespace) and waits for it.
fn on<T: Send + 'static>(runtime: &Runtime, work: impl Future<Output = T> + Send + 'static) -> Result<T, WorldError> {
    let work = runtime.spawn(work);
    runtime.block_on(work).map_err(|error| WorldError::Broken(error.to_string()))
}

/// The version of an ensemble that runs already; each address has to answer.
async fn running_version(addresses: Vec<SocketAddr>) -> Result<String, WorldError> {
    let mut version = None;
    for address in addresses {
        let status = status(address, PATIENCE).await.map_err(|error| start_error(format!("{address}: {error}")))?;
        if status.mode == Mode::NotServing && status.version.is_some() {
            return Err(start_error(format!("{address} does not serve")));
        }
        version = version.or(status.version);
    }
    Ok(version.unwrap_or_else(|| "unknown".to_owned()))
}

fn info(config: &ZooKeeperConfig, nodes: usize, version: String) -> SystemInfo {
    let name = |index: usize| match config.addresses.get(index) {
        Some(address) => address.to_string(),
        None => NODES[index].to_owned(),
    };
    let node = |index| Node { name: name(index), role: ROLE.to_owned(), serves_clients: true };
    SystemInfo {
        name: SystemName {
            name: "zookeeper".to_owned(),
            version,
            client: format!("upheaval wire client {}", env!("CARGO_PKG_VERSION")),
        },
        nodes: (0..nodes).map(node).collect(),
        contract: config.contract(),
        virtual_time: false,
    }
}

/// A node that ends by itself, without a fault that holds it, breaks the world: what follows proves nothing.
async fn look_after(site: Arc<Site>, trouble: Trouble) {
    loop {
        tokio::time::sleep(ROUND).await;
        for (node, server) in site.ensemble.servers.iter().enumerate() {
            if let Some(why) = site.ensemble.ended(server).filter(|_| !site.holds(node)) {
                trouble.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(why);
            }
        }
    }
}
