//! Messages that travel through stateless proxies to one receiver: through any proxy each, or each conversation through one
//! (claim S1).

use crate::trial::{Actor, Draws, Given, Operation, Outcome, Said, Stage, Trial, TrialPlan, Wrong};
use history::calls::Ended;
use history::{MILLI, SECOND};
use serde::{Deserialize, Serialize};
use simulation::{Input, Latency, Machine, Message, NodeId, Now, Outputs, hash_draw};

/// Options of the proxies.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ProxiesConfig {
    /// Stateless proxies.
    pub proxies: u32,
    /// Clients; each has one conversation, and does not wait for answers.
    pub clients: u32,
    /// Messages of all clients.
    pub messages: u32,
    /// A conversation goes through one proxy; otherwise each message through any.
    pub pinned: bool,
    /// So many times what a proxy sends on is late, by up to 50 ms.
    pub late: u32,
}

impl Default for ProxiesConfig {
    fn default() -> Self {
        ProxiesConfig { proxies: 2, clients: 2, messages: 40, pinned: false, late: 0 }
    }
}

/// A message.
#[derive(Clone, Debug)]
pub enum Say {
    /// From outside: say this.
    Begin(Operation),
    /// To the receiver: conversation, place in it, operation.
    Pass(NodeId, i64, u32),
    /// Back to the client.
    Heard(NodeId, u32),
}

impl Message for Say {
    fn identity(&self) -> u64 {
        match self {
            Say::Begin(operation) => u64::from(operation.id),
            Say::Pass(_, _, op) => hash_draw(1, &[u64::from(*op)]),
            Say::Heard(_, op) => hash_draw(2, &[u64::from(*op)]),
        }
    }

    fn says(&self) -> String {
        match self {
            Say::Pass(_, number, _) => format!("message {number}"),
            Say::Begin(_) | Say::Heard(..) => String::new(),
        }
    }
}

/// A node.
#[derive(Clone, Debug)]
pub enum Node {
    /// All messages are for it.
    Receiver,
    /// Passes on, and keeps nothing.
    Proxy,
    /// Says one thing after the other.
    Client {
        /// Its number.
        id: NodeId,
        /// For draws.
        seed: u64,
        /// Proxies, and whether it uses one only.
        proxies: (u32, bool),
        /// How much it has said.
        said: i64,
    },
}

const RECEIVER: NodeId = 0;

impl Machine for Node {
    type Message = Say;
    type Timer = ();
    type Report = (NodeId, Said);

    fn step(&mut self, _: Now, input: Input<Say, ()>, out: &mut Outputs<Say, (), (NodeId, Said)>) {
        let Input::Message { from, message, .. } = input else { return };
        match (self, message) {
            (Node::Receiver, Say::Pass(client, number, op)) => {
                out.report((RECEIVER, Said::Fact { what: "hears", value: i64::from(client) << 32 | number }));
                out.report((RECEIVER, Said::Note(format!("hears message {number} of this conversation"))));
                out.send(from, Say::Heard(client, op));
            }
            (Node::Proxy, pass @ Say::Pass(..)) => out.send(RECEIVER, pass),
            (Node::Proxy, Say::Heard(client, op)) => out.send(client, Say::Heard(client, op)),
            (Node::Client { id, seed, proxies: (count, pinned), said }, Say::Begin(operation)) => {
                *said += 1;
                let (op, input) = (operation.id, Given::Int(*said));
                out.report((*id, Said::Begins { op, f: "say", key: Some(operation.client), input }));
                let draw = if *pinned { u64::from(*id) } else { hash_draw(*seed, &[9, u64::from(op)]) };
                out.send(RECEIVER + 1 + (draw % u64::from(*count)) as NodeId, Say::Pass(*id, *said, op));
            }
            (Node::Client { id, .. }, Say::Heard(_, op)) => {
                out.report((*id, Said::Ends { op, ended: Ended::Ok, output: Given::Nil }));
            }
            _ => {}
        }
    }
}

impl Actor for Node {
    fn asks(operation: &Operation) -> Say {
        Say::Begin(operation.clone())
    }
}

/// The trial with these options.
#[derive(Clone, Debug)]
pub struct Proxies {
    config: ProxiesConfig,
}

impl Proxies {
    /// The trial with these options; the error is a sentence that names the key.
    pub fn new(config: ProxiesConfig) -> Result<Proxies, String> {
        let fits =
            (1..=64).contains(&config.proxies) && (1..=64).contains(&config.clients) && config.messages <= 10_000;
        if fits { Ok(Proxies { config }) } else { Err("proxies, clients: 1 to 64; messages: at most 10000".to_owned()) }
    }
}

impl Trial for Proxies {
    fn draw(&self, seed: u64) -> TrialPlan {
        let (draws, config) = (Draws(seed), &self.config);
        let mut plan = TrialPlan { seed, ..TrialPlan::default() };
        let mut at = 0;
        for number in 0..u64::from(config.messages) {
            // Some follow at once, some after a while.
            at += draws.below(&[1, number], 20 * MILLI);
            plan.ask(at, draws.below(&[2, number], u64::from(config.clients)), "say", 0, number as i64);
        }
        for number in 0..config.late {
            let node = format!("proxy-{}", draws.below(&[3, u64::from(number)], u64::from(config.proxies)));
            let begins = draws.below(&[4, u64::from(number)], at);
            let by = draws.between(&[5, u64::from(number)], (10, 50)) * MILLI;
            plan.wrong(begins, Some(100 * MILLI), Wrong::Delay { from: node, to: "receiver".to_owned(), by });
        }
        plan.number();
        plan
    }

    fn run(&self, plan: &TrialPlan, trace: bool) -> Outcome {
        let config = &self.config;
        let mut cast = vec![("receiver".to_owned(), Node::Receiver)];
        cast.extend((0..config.proxies).map(|at| (format!("proxy-{at}"), Node::Proxy)));
        for at in 0..config.clients {
            let id = RECEIVER + 1 + config.proxies + at;
            let proxies = (config.proxies, config.pinned);
            cast.push((format!("client-{at}"), Node::Client { id, seed: plan.seed, proxies, said: 0 }));
        }
        let latency = Latency { base: MILLI / 2, jitter: 3 * MILLI / 2 };
        let until = plan.operations.last().map_or(0, |operation| operation.at) + SECOND;
        let mut outcome = Stage { cast, latency, until }.play(plan, trace).outcome;
        outcome.finished = outcome.completed == outcome.asked;
        outcome
    }
}
