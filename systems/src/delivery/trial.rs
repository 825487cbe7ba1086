//! The delivery as a trial. Members are called `server-1`, `server-2` ... whichever way they go about it.

use super::{Log, Say};
use crate::consensus::{self, Asker, ConsensusConfig, Server, Timer};
use crate::trial::{Actor, Draws, Given, Operation, Outcome, Said, Stage, Trial, TrialPlan, Wrong};
use history::calls::Ended;
use history::{MILLI, Nanos, SECOND};
use serde::{Deserialize, Serialize};
use simulation::{Input, Latency, Machine, NodeId, Now, Outputs};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// Options of the delivery. Times are milliseconds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct DeliveryConfig {
    /// Those who broadcast something.
    pub clients: u32,
    /// Messages of all clients.
    pub messages: u32,
    /// They are spread over so long.
    pub span_ms: u64,
    /// Through a replicated log; otherwise each member sends what it is given to all others.
    pub consensus: bool,
    /// So many times a member dies, and comes back.
    pub crashes: u32,
    /// The members.
    pub group: ConsensusConfig,
}

impl Default for DeliveryConfig {
    fn default() -> Self {
        let group = ConsensusConfig::default();
        DeliveryConfig { clients: 3, messages: 60, span_ms: 1_500, consensus: false, crashes: 0, group }
    }
}

/// A member that sends what it is given to all others.
#[derive(Clone, Debug)]
pub struct Naive {
    id: NodeId,
    members: Vec<NodeId>,
    /// What it has delivered; on disk.
    delivered: BTreeSet<i64>,
}

/// One who broadcasts something.
#[derive(Clone, Debug)]
pub struct Client {
    id: NodeId,
    consensus: bool,
    members: Vec<NodeId>,
    asker: Asker<Log>,
    /// Operations by number of the request.
    open: BTreeMap<u64, u32>,
    /// Without consensus: what was sent, with the number of the attempt.
    sent: BTreeMap<u32, (i64, u32)>,
}

/// A node.
#[derive(Clone, Debug)]
pub enum Node {
    /// A member by itself.
    Naive(Naive),
    /// A member by consensus.
    Server(Box<Server<Log>>),
    /// One who broadcasts something.
    Client(Box<Client>),
}

type Out = Outputs<Say, Timer, (NodeId, Said)>;

const FIRST: NodeId = 0;
/// Who has not heard tries another member after so long.
const AGAIN_MS: u64 = 100;

impl Naive {
    fn deliver(&mut self, value: i64, out: &mut Out) -> bool {
        let news = self.delivered.insert(value);
        if news {
            out.report((self.id, Said::Fact { what: "delivers", value }));
            out.report((self.id, Said::Note(format!("delivers message {value}"))));
        }
        news
    }

    fn hear(&mut self, from: NodeId, say: Say, out: &mut Out) {
        match say {
            Say::Send(op, _, value) => {
                if self.deliver(value, out) {
                    let others = self.members.iter().filter(|member| **member != self.id);
                    others.for_each(|member| out.send(*member, Say::Tell(self.id, value)));
                }
                out.send(from, Say::Sent(op));
            }
            Say::Tell(_, value) => _ = self.deliver(value, out),
            _ => {}
        }
    }
}

impl Client {
    fn hear(&mut self, say: Say, out: &mut Out) {
        match say {
            Say::Begin(Operation { id: op, value, .. }) => {
                out.report((self.id, Said::Begins { op, f: "broadcast", key: None, input: Given::Int(value) }));
                if self.consensus {
                    self.open.insert(self.asker.ask(value, out), op);
                } else {
                    self.sent.insert(op, (value, 0));
                    self.send(op, out);
                }
            }
            Say::Sent(op) if self.sent.remove(&op).is_some() => self.end(op, out),
            Say::Servers(say) => {
                if let Some((number, ())) = self.asker.hear(say, out)
                    && let Some(op) = self.open.remove(&number)
                {
                    self.end(op, out);
                }
            }
            _ => {}
        }
    }

    fn send(&mut self, op: u32, out: &mut Out) {
        let Some((value, attempt)) = self.sent.get(&op) else { return };
        let member = self.members[(self.id + attempt) as usize % self.members.len()];
        out.send(member, Say::Send(op, *attempt, *value));
        out.timer(AGAIN_MS * MILLI, Timer::Retry(u64::from(op), *attempt));
    }

    fn wake(&mut self, timer: Timer, out: &mut Out) {
        match timer {
            Timer::Retry(op, attempt) if !self.consensus => {
                let op = op as u32;
                if let Some((_, tried)) = self.sent.get_mut(&op).filter(|(_, tried)| *tried == attempt) {
                    *tried += 1;
                    self.send(op, out);
                }
            }
            timer => self.asker.wake(timer, out),
        }
    }

    fn end(&self, op: u32, out: &mut Out) {
        out.report((self.id, Said::Ends { op, ended: Ended::Ok, output: Given::Nil }));
    }
}

impl Machine for Node {
    type Message = Say;
    type Timer = Timer;
    type Report = (NodeId, Said);

    fn step(&mut self, now: Now, input: Input<Say, Timer>, out: &mut Out) {
        match (self, input) {
            (Node::Naive(member), Input::Message { from, message, .. }) => member.hear(from, message, out),
            (Node::Server(server), Input::Start) => server.start(now, out),
            (Node::Server(server), Input::Timer(timer)) => server.wake(now, timer, out),
            (Node::Server(server), Input::Message { from, message: Say::Servers(say), .. }) => {
                server.hear(now, from, say, out);
            }
            (Node::Client(client), Input::Message { message, .. }) => client.hear(message, out),
            (Node::Client(client), Input::Timer(timer)) => client.wake(timer, out),
            _ => {}
        }
    }
}

impl Actor for Node {
    fn reborn(&self) -> Node {
        match self {
            Node::Server(server) => Node::Server(Box::new(server.reborn())),
            other => other.clone(),
        }
    }

    fn asks(operation: &Operation) -> Say {
        Say::Begin(operation.clone())
    }
}

/// The trial with these options.
#[derive(Clone, Debug)]
pub struct Delivery {
    config: DeliveryConfig,
}

/// Before the first message.
const BEFORE: Nanos = SECOND / 2;

impl Delivery {
    /// The trial with these options; the error is a sentence that names the key.
    pub fn new(config: DeliveryConfig) -> Result<Delivery, String> {
        let fits = (1..=64).contains(&config.clients) && config.messages <= 10_000 && config.span_ms <= 600_000;
        match config.group.wrong() {
            _ if !fits => Err("clients: 1 to 64; messages: at most 10000; span_ms: at most 600000".to_owned()),
            Some(wrong) => Err(format!("group.{wrong}")),
            None => Ok(Delivery { config }),
        }
    }
}

impl Trial for Delivery {
    fn draw(&self, seed: u64) -> TrialPlan {
        let (draws, config) = (Draws(seed), &self.config);
        let span = config.span_ms * MILLI;
        let mut plan = TrialPlan { seed, ..TrialPlan::default() };
        for number in 0..u64::from(config.messages) {
            let at = BEFORE + draws.below(&[1, number], span);
            let client = draws.below(&[2, number], u64::from(config.clients));
            plan.ask(at, client, "broadcast", 0, number as i64 + 1);
        }
        for number in 0..u64::from(config.crashes) {
            let node = consensus::name(draws.below(&[3, number], u64::from(config.group.servers)) as usize);
            let lasts = draws.between(&[4, number], (100, 600)) * MILLI;
            plan.wrong(BEFORE + draws.below(&[5, number], span), Some(lasts), Wrong::Kill { node });
        }
        plan.number();
        plan
    }

    fn run(&self, plan: &TrialPlan, trace: bool) -> Outcome {
        let config = &self.config;
        let members = consensus::ids(FIRST, &config.group);
        let shared = Arc::new(config.group.clone());
        let mut cast = Vec::new();
        for (at, id) in members.iter().enumerate() {
            let node = if config.consensus {
                Node::Server(Box::new(Server::new(*id, &members, Arc::clone(&shared), plan.seed, Log)))
            } else {
                Node::Naive(Naive { id: *id, members: members.clone(), delivered: BTreeSet::new() })
            };
            cast.push((consensus::name(at), node));
        }
        for at in 0..config.clients {
            let (id, consensus) = (members.len() as NodeId + at, config.consensus);
            let asker = Asker::new(id, &members, &config.group);
            let (members, open, sent) = (members.clone(), BTreeMap::new(), BTreeMap::new());
            let client = Client { id, consensus, members, asker, open, sent };
            cast.push((format!("client-{at}"), Node::Client(Box::new(client))));
        }
        let latency = Latency { base: MILLI / 2, jitter: 3 * MILLI / 2 };
        let until = BEFORE + config.span_ms * MILLI + 3 * SECOND / 2;
        let mut outcome = Stage { cast, latency, until }.play(plan, trace).outcome;
        outcome.finished = outcome.completed == outcome.asked;
        outcome
    }
}
