//! Reading from replicas as a trial.

use super::client::Client;
use super::registers::Registers;
use super::replica::Replica;
use super::{Say, Timer};
use crate::consensus::{self, ConsensusConfig, Server};
use crate::trial::{Actor, Draws, Operation, Outcome, Said, Stage, Trial, TrialPlan, Wrong, broken};
use history::calls::{Call, Ended};
use history::{MILLI, Nanos, SECOND};
use serde::{Deserialize, Serialize};
use simulation::{Input, Latency, Machine, NodeId, Now, Outputs};
use std::sync::Arc;

/// How clients read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Path {
    /// By an operation of the consensus.
    #[default]
    Log,
    /// From a replica that first makes sure that it is up to date.
    UpToDate,
    /// From a replica that holds leases of a majority.
    QuorumLease,
    /// From any replica, as it is.
    Any,
}

/// Options of the reads. Times are milliseconds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ReadsConfig {
    /// Clients.
    pub clients: u32,
    /// Keys.
    pub keys: u32,
    /// Operations of all clients; three of four are reads.
    pub operations: u32,
    /// They are spread over so long.
    pub span_ms: u64,
    /// How clients read.
    pub path: Path,
    /// So many times a replica dies or is cut off, for a while.
    pub outages: u32,
    /// For so long.
    pub outage_ms: (u64, u64),
    /// The replicas.
    pub consensus: ConsensusConfig,
}

impl Default for ReadsConfig {
    fn default() -> Self {
        ReadsConfig {
            clients: 3,
            keys: 2,
            operations: 80,
            span_ms: 2_000,
            path: Path::Log,
            outages: 0,
            outage_ms: (200, 700),
            consensus: ConsensusConfig::default(),
        }
    }
}

/// A node.
#[derive(Clone, Debug)]
pub enum Node {
    /// A replica.
    Replica(Box<Replica>),
    /// A client.
    Client(Box<Client>),
}

impl Machine for Node {
    type Message = Say;
    type Timer = Timer;
    type Report = (NodeId, Said);

    fn step(&mut self, now: Now, input: Input<Say, Timer>, out: &mut Outputs<Say, Timer, (NodeId, Said)>) {
        match (self, input) {
            (Node::Replica(replica), Input::Start) => replica.start(now, out),
            (Node::Replica(replica), Input::Timer(timer)) => replica.wake(now, timer, out),
            (Node::Replica(replica), Input::Message { from, message, .. }) => replica.hear(now, from, message, out),
            (Node::Client(client), Input::Timer(timer)) => client.wake(timer, out),
            (Node::Client(client), Input::Message { message, .. }) => client.hear(message, out),
            _ => {}
        }
    }
}

impl Actor for Node {
    fn reborn(&self) -> Node {
        match self {
            Node::Replica(replica) => Node::Replica(Box::new(replica.reborn())),
            // Not killed in this trial.
            other => other.clone(),
        }
    }

    fn asks(operation: &Operation) -> Say {
        Say::Begin(operation.clone())
    }
}

/// The trial with these options.
#[derive(Clone, Debug)]
pub struct Reads {
    config: ReadsConfig,
}

const FIRST: NodeId = 0;
/// Before the first operation.
const BEFORE: Nanos = 3 * SECOND / 4;

impl Reads {
    /// The trial with these options; the error is a sentence that names the key.
    pub fn new(config: ReadsConfig) -> Result<Reads, String> {
        let rules = [
            ((1..=64).contains(&config.clients), "clients: 1 to 64"),
            ((1..=1_000).contains(&config.keys), "keys: 1 to 1000"),
            (config.operations <= 10_000, "operations: at most 10000"),
            ((1..=600_000).contains(&config.span_ms), "span_ms: 1 to 600000"),
            (
                (config.path == Path::QuorumLease) == (config.consensus.read_lease_ms > 0),
                "consensus.read_lease_ms: with path = \"quorum-lease\"",
            ),
        ];
        match (broken(&rules), config.consensus.wrong()) {
            (Some(wrong), _) => Err(wrong),
            (None, Some(wrong)) => Err(format!("consensus.{wrong}")),
            (None, None) => Ok(Reads { config }),
        }
    }
}

impl Trial for Reads {
    fn draw(&self, seed: u64) -> TrialPlan {
        let (draws, config) = (Draws(seed), &self.config);
        let span = config.span_ms * MILLI;
        let mut plan = TrialPlan { seed, ..TrialPlan::default() };
        for number in 0..u64::from(config.operations) {
            let act = if draws.below(&[1, number], 4) == 0 { "write" } else { "read" };
            let client = draws.below(&[2, number], u64::from(config.clients));
            let key = draws.below(&[3, number], u64::from(config.keys));
            plan.ask(BEFORE + draws.below(&[4, number], span), client, act, key, number as i64 + 1);
        }
        for number in 0..u64::from(config.outages) {
            let node = consensus::name(draws.below(&[5, number], u64::from(config.consensus.servers)) as usize);
            let lasts = draws.between(&[6, number], config.outage_ms) * MILLI;
            let dies = draws.below(&[7, number], 2) == 0;
            let what = if dies { Wrong::Kill { node } } else { Wrong::Isolate { node } };
            plan.wrong(BEFORE + draws.below(&[8, number], span), Some(lasts), what);
        }
        plan.number();
        plan
    }

    fn run(&self, plan: &TrialPlan, trace: bool) -> Outcome {
        let config = &self.config;
        let replicas = consensus::ids(FIRST, &config.consensus);
        let shared = Arc::new(config.consensus.clone());
        let mut cast = Vec::new();
        for (at, id) in replicas.iter().enumerate() {
            let server = Server::new(*id, &replicas, Arc::clone(&shared), plan.seed, Registers::default());
            cast.push((consensus::name(at), Node::Replica(Box::new(Replica::new(server, config.path)))));
        }
        for at in 0..config.clients {
            let id = replicas.len() as NodeId + at;
            let client = Client::new(id, config.path, replicas.clone(), &config.consensus);
            cast.push((format!("client-{at}"), Node::Client(Box::new(client))));
        }
        let latency = Latency { base: MILLI / 2, jitter: 3 * MILLI / 2 };
        let until = BEFORE + config.span_ms * MILLI + 2 * SECOND;
        let mut outcome = Stage { cast, latency, until }.play(plan, trace).outcome;
        outcome.finished = outcome.calls.calls.iter().all(|call| call.end_ns >= 0);
        figures(&mut outcome);
        outcome
    }
}

/// How long operations took.
fn figures(outcome: &mut Outcome) {
    let took = |f: &str| -> Vec<i64> {
        let done = |call: &&Call| outcome.calls.f(call) == f && call.ended == Ended::Ok && call.end_ns >= 0;
        outcome.calls.calls.iter().filter(done).map(|call| (call.end_ns - call.start_ns) / 1_000).collect()
    };
    let (reads, writes) = (took("read"), took("write"));
    let mean = |list: &[i64]| list.iter().sum::<i64>() / (list.len() as i64).max(1);
    outcome.figures.insert("read_us", mean(&reads));
    outcome.figures.insert("write_us", mean(&writes));
    outcome.figures.insert("write_max_ms", writes.iter().max().map_or(0, |most| most / 1_000));
}
