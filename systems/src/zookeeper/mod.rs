//! A real ZooKeeper ensemble: three nodes that the run starts itself, or one that runs already, named by address.
//!
//! The client is a small one of our own that speaks the wire protocol (`wire/src/zookeeper/`). A library was
//! tried first: the crate `zookeeper-client` connects again by itself as soon as a connection breaks, before its owner
//! can say no; sets watches again on the way; offers a resumed session to servers that are behind what the client has
//! seen (it forgets the last transaction number); and keeps a dropped connection open until its last answer has come.
//! Each of these would do, behind the history's back, what the history is about.
//!
//! - `config.rs`: settings, and the contract reasoned from them.
//! - `client.rs`, `publish.rs`, `watch.rs`: what one client does.
//! - `ensemble.rs`, `tree.rs`: starting and removing.
//! - `target.rs`, `faults.rs`, `effect.rs`: faults, and the proof that they bit.
//!
//! Sockets of clients are made on the runtime's own threads, which live in the lab's `clients` namespace; the threads
//! of the program itself stay where they are.

mod client;
mod config;
mod contents;
mod doctor;
mod effect;
mod ensemble;
mod faults;
mod four_letter;
mod names;
mod publish;
mod recorder;
mod start;
mod target;
mod tree;
mod watch;

pub use config::{Barrier, ZooKeeperConfig};
pub use doctor::doctor;
pub use ensemble::{Ensemble, NODES, Server};
use wire::zookeeper::{connection, jute, protocol};

use crate::world::{Call, Happening, Observation, SystemInfo, World, WorldError};
use client::{Command, Shared};
use faults::Site;
use history::Nanos;
use nemesis::PlannedFault;
use std::collections::BTreeMap;
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::runtime::Runtime;
use tokio::sync::mpsc::UnboundedSender;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

/// At the end, clients of an ensemble that is not ours get this long to give their sessions back.
const LEAVE: Duration = Duration::from_secs(10);

/// One client's mailbox and task.
#[derive(Debug)]
struct Actor {
    commands: UnboundedSender<Command>,
    task: JoinHandle<()>,
}

/// Why the world is broken, if it is.
type Trouble = Arc<Mutex<Option<String>>>;

/// A ZooKeeper ensemble as the master sees it.
#[derive(Debug)]
pub struct ZooKeeperWorld {
    info: SystemInfo,
    shared: Arc<Shared>,
    observations: Receiver<Observation>,
    actors: BTreeMap<u32, Actor>,
    ends: BTreeMap<u32, oneshot::Sender<()>>,
    trouble: Trouble,
    data_ids: u32,
    /// None for an ensemble that is not ours.
    site: Option<Arc<Site>>,
    /// None after the end.
    runtime: Option<Runtime>,
}

impl World for ZooKeeperWorld {
    fn info(&self) -> &SystemInfo {
        &self.info
    }

    fn now(&self) -> Nanos {
        self.shared.recorder.now()
    }

    fn submit(&mut self, call: Call) {
        let Some(runtime) = &self.runtime else { return };
        let _inside = runtime.enter();
        let shared = &self.shared;
        let actor = self.actors.entry(call.client).or_insert_with(|| {
            let (commands, task) = client::start(call.client, shared.clone());
            Actor { commands, task }
        });
        if actor.commands.send(Command::Call(call)).is_err() {
            self.break_down("a client's task is gone".to_owned());
        }
    }

    fn start_fault(&mut self, fault: &PlannedFault) {
        let Some(runtime) = &self.runtime else { return };
        match &self.site {
            Some(site) => {
                let (end, ended) = oneshot::channel();
                self.ends.insert(fault.id, end);
                runtime.spawn(faults::run(site.clone(), fault.clone(), ended));
            }
            None => {
                let why = "no faults on an ensemble that this run did not start".to_owned();
                self.shared.recorder.tell(Happening::Fault(Box::new(faults::missed(fault, why))));
            }
        }
    }

    fn end_fault(&mut self, id: u32) {
        if let Some(end) = self.ends.remove(&id) {
            // A fault that missed does not wait for its end.
            let _missed = end.send(());
        }
    }

    fn wait(&mut self, until: Nanos, out: &mut Vec<Observation>) -> Result<(), WorldError> {
        if let Some(why) = self.trouble.lock().unwrap_or_else(PoisonError::into_inner).take() {
            return Err(WorldError::Broken(why));
        }
        let patience = Duration::from_nanos(until.saturating_sub(self.now()));
        match self.observations.recv_timeout(patience) {
            Ok(first) => out.push(first),
            Err(RecvTimeoutError::Timeout) => return Ok(()),
            Err(RecvTimeoutError::Disconnected) => {
                return Err(WorldError::Broken("nobody is left to observe".to_owned()));
            }
        }
        out.extend(self.observations.try_iter());
        Ok(())
    }

    fn shutdown(&mut self) {
        let Some(runtime) = self.runtime.take() else { return };
        self.ends.clear();
        if self.site.is_none() {
            self.leave(&runtime);
        }
        self.actors.clear();
        // Tasks of faults may be in the middle of something that waits for processes.
        runtime.shutdown_timeout(LEAVE);
        // The last handle of the ensemble: dropping it kills the nodes and removes the lab.
        self.site = None;
    }

    fn bytes_received(&self) -> u64 {
        self.shared.recorder.bytes()
    }
}

impl ZooKeeperWorld {
    fn break_down(&self, why: String) {
        self.trouble.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(why);
    }

    /// Gives all sessions back and removes the run's nodes.
    fn leave(&mut self, runtime: &Runtime) {
        let actors = std::mem::take(&mut self.actors);
        let (shared, data_ids) = (self.shared.clone(), self.data_ids);
        let work = runtime.spawn(async move {
            for actor in actors.values() {
                // A task that ended has nothing to give back.
                let _ended = actor.commands.send(Command::Leave);
            }
            for actor in actors.into_values() {
                let _aborted = actor.task.await;
            }
            tree::remove(&shared, data_ids).await
        });
        match runtime.block_on(async { tokio::time::timeout(LEAVE, work).await }) {
            Ok(Ok(Ok(()))) => {}
            Ok(Ok(Err(why))) => tracing::warn!("{why}"),
            Ok(Err(error)) => tracing::warn!("{error}"),
            Err(_) => tracing::warn!("{} could not be removed in time", self.shared.names.root()),
        }
    }
}

impl Drop for ZooKeeperWorld {
    fn drop(&mut self) {
        self.shutdown();
    }
}
