//! The one interface between the master and a system under test, in virtual and in real time.

use history::{ClientId, ConnectionState, Contract, DataIx, Fault, Nanos, Node, NodeIx, OpId, SystemName};
use nemesis::PlannedFault;
use std::sync::Arc;

/// What a system tells about itself before the run.
#[derive(Clone, Debug)]
pub struct SystemInfo {
    /// Name, version, client library.
    pub name: SystemName,
    /// Its nodes, in a fixed order.
    pub nodes: Vec<Node>,
    /// What it promises.
    pub contract: Contract,
    /// True if time is virtual.
    pub virtual_time: bool,
}

/// One request of one client. A client has at most one call open at a time.
#[derive(Clone, Debug)]
pub struct Call {
    /// Comes back with the response.
    pub op: OpId,
    /// Who asks.
    pub client: ClientId,
    /// For what.
    pub request: Request,
}

/// What a client asks a system for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Request {
    /// Connect to this node. With `resume` the client's last session is offered to the server (systems without
    /// sessions of their own ignore it). Emits [`Happening::Connection`] (connected, resumed or expired) before the response.
    Connect {
        /// The node to connect to.
        node: NodeIx,
        /// Offer the last session.
        resume: bool,
    },
    /// Register or replace.
    Publish {
        /// The dataId.
        data: DataIx,
        /// Number of the registration within the client.
        registration: u32,
        /// The new value, unique in the run.
        value: Arc<str>,
        /// What this client published before for this registration, if anything, in whatever session.
        previous: Option<Arc<str>>,
    },
    /// Take back.
    Unpublish {
        /// The dataId.
        data: DataIx,
        /// Number of the registration within the client.
        registration: u32,
        /// The value last published.
        value: Arc<str>,
    },
    /// Subscribe, or subscribe again after a reconnect; a push of the present content follows.
    Subscribe {
        /// The dataId.
        data: DataIx,
        /// Number of the subscription within the client.
        subscription: u32,
    },
    /// End a subscription.
    Unsubscribe {
        /// The dataId.
        data: DataIx,
        /// Number of the subscription within the client.
        subscription: u32,
    },
    /// Read once. A fresh, careful read unless the behaviour says otherwise.
    Read {
        /// The dataId.
        data: DataIx,
    },
    /// A round trip to the keeper of leases.
    Ping,
    /// Close the session cleanly.
    Close,
    /// Drop the connection without a word. No response is needed: it is done at once.
    Vanish,
}

/// How a call ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Response {
    /// Done. Reads carry what they saw.
    Ok {
        /// The content read.
        read: Option<Vec<Arc<str>>>,
    },
    /// Certainly not done.
    Fail {
        /// Why.
        error: String,
    },
    /// Unknown: timed out, or the connection broke while it was open.
    Info {
        /// Why.
        error: String,
    },
}

/// Something the master has to record, with its time.
#[derive(Clone, Debug)]
pub struct Observation {
    /// When it reached the client (or, for faults, when it happened).
    pub time: Nanos,
    /// What.
    pub what: Happening,
}

impl Observation {
    /// True for a push.
    pub fn is_push(&self) -> bool {
        matches!(self.what, Happening::Push { .. })
    }
}

/// What can be observed.
#[derive(Clone, Debug)]
pub enum Happening {
    /// A call ended.
    Done {
        /// Which.
        op: OpId,
        /// How.
        response: Response,
    },
    /// A client was shown a content.
    Push {
        /// Who.
        client: ClientId,
        /// For which of its subscriptions.
        subscription: u32,
        /// Of which dataId.
        data: DataIx,
        /// The system's version of it.
        version: Option<u64>,
        /// A multiset; in any order.
        elements: Arc<[Arc<str>]>,
    },
    /// A session began, was lost, went on, expired or was closed.
    Connection {
        /// Whose.
        client: ClientId,
        /// What happened.
        state: ConnectionState,
        /// On which node.
        node: Option<NodeIx>,
        /// With `Connected`: the system's own name of the session.
        name: Option<String>,
        /// Why.
        reason: Option<String>,
    },
    /// The system's public routing table changed, or is seen for the first time.
    Routes {
        /// The slot of each dataId; empty where it is as it was before.
        slots: Vec<u32>,
        /// Who answers for each slot.
        leaders: Vec<Option<NodeIx>>,
    },
    /// A fault began, ended, or its target serves again; `time` inside is set by the world.
    Fault(Box<Fault>),
}

/// A system under test together with its clock: the master's only view of it. In virtual time everything is
/// deterministic; in real time the calls return at once and the results arrive as observations.
pub trait World {
    /// What it is.
    fn info(&self) -> &SystemInfo;
    /// Now.
    fn now(&self) -> Nanos;
    /// Send a client's request.
    fn submit(&mut self, call: Call);
    /// Begin a fault: resolves the selector and injects. Observations say what became of it (Start or Missed).
    fn start_fault(&mut self, fault: &PlannedFault);
    /// Lift a fault. Observations: End, and Serving with the measured effect when its target serves again.
    fn end_fault(&mut self, id: u32);
    /// Let time pass until `until` or until something was observed, whichever is first; appends to `out` in order of
    /// time. Pushes alone, which nobody reacts to, may be gathered while time goes on. Returns early with an error only if the world is broken (harness error).
    fn wait(&mut self, until: Nanos, out: &mut Vec<Observation>) -> Result<(), WorldError>;
    /// Lift everything, close all clients, stop what was started, remove every trace. Called once on every way out.
    fn shutdown(&mut self);
    /// Bytes received by clients so far, if known.
    fn bytes_received(&self) -> u64 {
        0
    }
    /// Events so far: in a simulation one call of a node's `step`; 0 where it is not known.
    fn steps(&self) -> u64 {
        0
    }
    /// Interesting states and how often each was reached so far (*sometimes* points), in order of name. Simulations only.
    fn coverage(&self) -> Vec<(&'static str, u64)> {
        Vec::new()
    }
    /// From now on remembers every message between nodes, for [`World::messages`]. Simulations only; costs memory.
    fn trace(&mut self) {}
    /// The messages remembered, in order of sending, without the first so many; times are times of the run.
    fn messages(&self, from: usize) -> Vec<TracedMessage> {
        let _ = from;
        Vec::new()
    }
    /// What each node, and each client that did anything, holds now. Simulations only: real nodes do not tell.
    fn states(&self) -> Vec<NodeState> {
        Vec::new()
    }
    /// When something happens next inside; none if that is not known, or nothing will.
    fn next_time(&mut self) -> Option<Nanos> {
        None
    }
}

/// What a node holds at an instant, for people.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct NodeState {
    /// Its name, or `client-N`.
    pub node: String,
    /// In a few words: `runs`, `paused`, `gone` ...
    pub condition: String,
    /// By name: lists of things in order, each in a few words.
    pub holds: Vec<(&'static str, Vec<String>)>,
}

/// A message on its way, for drawings and stories.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TracedMessage {
    /// When it was sent.
    pub sent: Nanos,
    /// When it arrives; none if a fault swallowed it.
    pub arrives: Option<Nanos>,
    /// Name of the node that sent it, or `client-N`.
    pub from: String,
    /// Name of the node that it goes to, or `client-N`.
    pub to: String,
    /// What it says, in a few words: `publish d1 10.0.0.3:9003#4`.
    pub says: String,
}

/// The world broke: not a verdict about the system, a harness error (exit code 4).
#[derive(Debug, thiserror::Error)]
pub enum WorldError {
    /// The system could not be started.
    #[error("{system} did not start: {why}")]
    Start {
        /// Which system.
        system: String,
        /// Why, and what to do.
        why: String,
    },
    /// Something that the run needs is missing on this host.
    #[error("{what}")]
    Missing {
        /// What, and how to get it.
        what: String,
    },
    /// Anything else.
    #[error("{0}")]
    Broken(String),
}
