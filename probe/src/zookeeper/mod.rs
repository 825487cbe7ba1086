//! Canaries on a real ZooKeeper, over the same wire protocol that runs use.

#![allow(clippy::disallowed_methods, reason = "an adapter to a real system lives in real time")]

mod client;
mod tree;

use crate::ask::{Call, Seen, Sighting};
use crate::config::{Config, Secrets};
use client::{Client, Shared, open};
use history::{Nanos, NodeIx};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::mpsc::{Receiver, Sender, UnboundedSender, channel, unbounded_channel};
use tokio::task::JoinHandle;
use tree::{Tree, Trouble};
use wire::zookeeper::connection::{Connection, Refused, Timing};
use wire::zookeeper::protocol::Message;

/// Sightings that wait to be looked at; whoever tells more has to wait, and the server with it.
const SIGHTINGS_MAX: usize = 4_096;

/// The probe's clock: monotonic, nobody sets it.
#[derive(Clone, Copy, Debug)]
pub struct Clock(Instant);

impl Clock {
    /// Starts now.
    pub fn start() -> Clock {
        Clock(Instant::now())
    }

    /// Since the start.
    pub fn now(&self) -> Nanos {
        u64::try_from(self.0.elapsed().as_nanos()).unwrap_or(Nanos::MAX)
    }

    /// How long until then.
    pub fn until(&self, then: Nanos) -> Duration {
        Duration::from_nanos(then.saturating_sub(self.now()))
    }
}

/// Where clients tell what they see.
#[derive(Clone, Debug)]
pub struct Sink(Sender<Sighting>);

impl Sink {
    async fn tell(&self, time: Nanos, what: Seen) {
        // The probe has ended: nobody is interested any more.
        let _gone = self.0.send(Sighting { time, what }).await;
    }
}

/// The canaries' clients.
pub struct ZooKeeper {
    shared: Arc<Shared>,
    calls: Vec<UnboundedSender<Call>>,
    tasks: Vec<JoinHandle<()>>,
}

fn timing(config: &Config) -> Timing {
    let session = config.registry.session_timeout_ms;
    Timing {
        session: Duration::from_millis(session),
        heartbeat: Duration::from_millis((session / 3).min(config.canaries.ping_ms * 2)),
        read: Duration::from_millis(session * 2 / 3),
        connect: Duration::from_millis((session / 3).clamp(500, 3_000)),
        request: Duration::from_millis((session * 2 / 3).min(config.objectives.answer_ms * 2)),
        frame_bytes_max: config.caps.push_bytes,
    }
}

impl ZooKeeper {
    /// Clients for so many canaries, none of them connected; and what they see.
    pub fn new(
        config: &Config,
        secrets: &Secrets,
        instance: &str,
        clock: Clock,
        canaries: usize,
    ) -> (ZooKeeper, Receiver<Sighting>) {
        let auth = config.registry.auth.as_ref().zip(secrets.credentials.clone());
        let auth = auth.map(|(auth, secret)| (auth.scheme.clone(), secret));
        let tree = Tree::new(&config.registry.namespace, instance, &config.canaries.data_ids, auth.is_some());
        let (sender, receiver) = channel(SIGHTINGS_MAX);
        let shared = Arc::new(Shared {
            addresses: config.registry.addresses.clone(),
            timing: timing(config),
            tree,
            instance: instance.to_owned(),
            tls: secrets.registry_tls.clone(),
            auth,
            clock,
            sink: Sink(sender),
        });
        let start = |id| {
            let (calls, receiver) = unbounded_channel();
            (calls, tokio::spawn(Client::new(id, shared.clone()).run(receiver)))
        };
        let (calls, tasks) = (0..canaries as u32).map(start).unzip();
        (ZooKeeper { shared, calls, tasks }, receiver)
    }

    /// Hands an operation over; a canary has one open at a time, so nothing piles up.
    pub fn ask(&self, call: Call) {
        if let Some(calls) = self.calls.get(call.client as usize) {
            // Its task ends with this value only.
            let _ended = calls.send(call);
        }
    }

    /// Looks once whether the namespace may be used; servers that do not answer say nothing about that.
    pub async fn preflight(&self) -> Result<(), String> {
        for node in 0..self.shared.addresses.len() as NodeIx {
            let Ok((mut connection, _)) = open(&self.shared, node, 0, None).await else { continue };
            let outcome = self.shared.tree.ensure(&mut connection).await;
            leave(connection).await;
            match outcome {
                Err(Trouble::Foreign(why)) => return Err(why),
                Ok(()) => return Ok(()),
                Err(_) => {}
            }
        }
        Ok(())
    }

    /// Removes what the canaries left, after they gave their sessions back.
    pub async fn remove(self) -> Result<(), String> {
        self.tasks.iter().for_each(JoinHandle::abort);
        let mut why = "no server could be reached".to_owned();
        for node in 0..self.shared.addresses.len() as NodeIx {
            match open(&self.shared, node, 0, None).await {
                Ok((mut connection, _)) => {
                    let removed = self.shared.tree.remove(&mut connection).await;
                    leave(connection).await;
                    match removed {
                        Ok(()) => return Ok(()),
                        Err(broken) => why = broken.to_string(),
                    }
                }
                Err(Refused::NotSent(broken) | Refused::Unknown(broken)) => why = broken.to_string(),
                Err(Refused::Expired) => {}
            }
        }
        Err(why)
    }
}

async fn leave(mut connection: Connection) {
    // A session that cannot be given back ends by itself.
    let _ends_by_itself = connection.call(&Message::Close).await;
}

/// One look at one server, for `/probe`: connects, opens a session, makes a quorum agree on a transaction, gives the session back.
/// The times of connecting and of the transaction.
pub async fn look(config: &Config, secrets: &Secrets, node: NodeIx) -> Result<(Duration, Duration), String> {
    let clock = Clock::start();
    let (zookeeper, _nobody) = ZooKeeper::new(config, secrets, "i-000000000000", clock, 0);
    let said = |refused| match refused {
        Refused::NotSent(broken) | Refused::Unknown(broken) => broken.to_string(),
        Refused::Expired => "a new session was refused".to_owned(),
    };
    let (mut connection, _) = open(&zookeeper.shared, node, 0, None).await.map_err(said)?;
    let connected = clock.now();
    let path = config.registry.namespace.clone();
    let frame = connection.call(&Message::Sync(path)).await.map_err(|broken| broken.to_string());
    let answered = clock.now();
    leave(connection).await;
    frame?;
    Ok((Duration::from_nanos(connected), Duration::from_nanos(answered - connected)))
}
