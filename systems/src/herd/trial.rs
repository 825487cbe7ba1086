//! The herd as a trial: the server, and how it goes away.

use super::client::Client;
use super::message::{Say, Timer};
use super::{CLIENTS, HerdConfig, Out, SERVER};
use crate::trial::{Actor, Draws, Operation, Outcome, Said, Stage, Trial, TrialPlan, Wrong};
use history::{MILLI, Nanos, SECOND};
use simulation::{Input, Latency, Machine, NodeId, Now};
use std::sync::Arc;

/// The server. Nothing is on disk.
#[derive(Clone, Debug)]
pub struct Server {
    config: Arc<HerdConfig>,
    /// The present 5 ms, and the requests in them.
    window: (u64, u32),
}

/// What a server is measured by.
const WINDOW: Nanos = 5 * MILLI;

impl Server {
    fn start(&mut self, out: &mut Out) {
        out.report((SERVER, Said::Fact { what: "load allowed", value: i64::from(self.config.peak_max) }));
        out.report((SERVER, Said::Note("takes requests".to_owned())));
    }

    fn ask(&mut self, now: Now, from: NodeId, op: u32, attempt: u32, out: &mut Out) {
        let window = now.mono / WINDOW;
        if self.window.0 != window {
            self.window = (window, 0);
        }
        self.window.1 += 1;
        if self.config.capacity > 0 && self.window.1 > self.config.capacity {
            out.report((SERVER, Said::Fact { what: "refused", value: i64::from(op) }));
            out.send(from, Say::Answer(op, attempt, false));
        } else {
            out.timer(self.config.work_ms * MILLI, Timer::Done(from, op, attempt));
        }
    }
}

/// A node.
#[derive(Clone, Debug)]
pub enum Node {
    /// The server.
    Server(Server),
    /// A client.
    Client(Client),
}

impl Machine for Node {
    type Message = Say;
    type Timer = Timer;
    type Report = (NodeId, Said);

    fn step(&mut self, now: Now, input: Input<Say, Timer>, out: &mut Out) {
        match (self, input) {
            (Node::Server(server), Input::Start) => server.start(out),
            (Node::Server(server), Input::Message { from, message: Say::Ask(op, attempt), .. }) => {
                server.ask(now, from, op, attempt, out);
            }
            (Node::Server(_), Input::Timer(Timer::Done(client, op, attempt))) => {
                out.send(client, Say::Answer(op, attempt, true));
            }
            (Node::Client(client), Input::Message { message, .. }) => client.hear(message, out),
            (Node::Client(client), Input::Timer(timer)) => client.wake(timer, out),
            (Node::Client(client), Input::Reset { .. }) => client.reset(out),
            _ => {}
        }
    }
}

impl Actor for Node {
    fn reborn(&self) -> Node {
        match self {
            Node::Server(server) => Node::Server(Server { config: Arc::clone(&server.config), window: (0, 0) }),
            client => client.clone(),
        }
    }

    fn asks(operation: &Operation) -> Say {
        Say::Begin(operation.clone())
    }
}

/// The trial with these options.
#[derive(Clone, Debug)]
pub struct Herd {
    config: Arc<HerdConfig>,
}

/// When the server goes away.
const AWAY_AT: Nanos = SECOND;
/// How long the trial lasts.
const UNTIL: Nanos = 20 * SECOND;
/// How slow links are.
const LATENCY: Latency = Latency { base: MILLI / 2, jitter: MILLI };

impl Herd {
    /// The trial with these options; the error is a sentence that names the key.
    pub fn new(config: HerdConfig) -> Result<Herd, String> {
        match config.wrong() {
            Some(wrong) => Err(wrong),
            None => Ok(Herd { config: Arc::new(config) }),
        }
    }
}

impl Trial for Herd {
    fn draw(&self, seed: u64) -> TrialPlan {
        let HerdConfig { clients, operations, later, work_ms, away_ms, .. } = *self.config;
        let draws = Draws(seed);
        let mut plan = TrialPlan { seed, ..TrialPlan::default() };
        // Those that the server has when it goes away, and those that come after: each in a slot of its own.
        let early = (AWAY_AT.saturating_sub((work_ms - work_ms / 4) * MILLI), work_ms * MILLI / 2, operations);
        for (kind, (from, span, count)) in [(1, early), (2, (AWAY_AT + SECOND, 2 * SECOND, later))] {
            let slot = span / u64::from(count.max(1));
            for at in 0..u64::from(count) {
                let due = from + at * slot + draws.below(&[kind, at], slot);
                plan.ask(due, at % u64::from(clients), "ask", 0, 0);
            }
        }
        let lasts = draws.between(&[3], away_ms) * MILLI;
        plan.wrong(AWAY_AT, Some(lasts), Wrong::Kill { node: "server".to_owned() });
        plan.number();
        plan
    }

    fn run(&self, plan: &TrialPlan, trace: bool) -> Outcome {
        let config = &self.config;
        let server = Server { config: Arc::clone(config), window: (0, 0) };
        let mut cast = vec![("server".to_owned(), Node::Server(server))];
        for at in 0..config.clients {
            let client = Client::new(CLIENTS + at, Arc::clone(config), plan.seed);
            cast.push((format!("client-{at}"), Node::Client(client)));
        }
        let mut outcome = Stage { cast, latency: LATENCY, until: UNTIL }.play(plan, trace).outcome;
        outcome.finished = outcome.completed == outcome.asked;
        let last = outcome.calls.calls.iter().map(|call| call.end_ns).max().unwrap_or(0);
        outcome.figures.insert("attempts", outcome.count("sends"));
        outcome.figures.insert("refused", outcome.count("refused"));
        outcome.figures.insert("served_after_ms", (last - AWAY_AT as i64).max(0) / MILLI as i64);
        let peak = crate::trial::peak(outcome.facts_of("sends").map(|fact| fact.at), WINDOW);
        outcome.figures.insert("peak_load", peak);
        outcome
    }
}
