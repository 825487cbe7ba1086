//! The front with its databases and its log as a trial.

use super::front::Front;
use super::{DB_A, DB_B, FRONT, LOG, Say, Timer};
use crate::trial::{Actor, Draws, Given, Operation, Outcome, Said, Stage, Trial, TrialPlan, Wrong, broken};
use history::calls::Ended;
use history::{MILLI, Nanos, SECOND};
use serde::{Deserialize, Serialize};
use simulation::{Input, Latency, Machine, NodeId, Now, Outputs};
use std::sync::Arc;

/// Options of the front. Times are milliseconds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct FailingConfig {
    /// Clients.
    pub clients: u32,
    /// Orders of all clients.
    pub orders: u32,
    /// They are spread over so long.
    pub span_ms: u64,
    /// The stand-by takes over when the database fails.
    pub fail_over: bool,
    /// The original serves again when it is back.
    pub fail_back: bool,
    /// An order whose database fails fails at once.
    pub fail_fast: bool,
    /// An order does not hang on the monitor log.
    pub fail_safe: bool,
    /// A call of a database or of the log times out.
    pub timeout_ms: u64,
    /// With fail-back: the original is asked this often whether it is back.
    pub probe_ms: u64,
    /// The front gives up an order.
    pub give_up_ms: u64,
    /// What goes wrong.
    pub faults: FailingFaults,
}

/// What goes wrong, once each.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct FailingFaults {
    /// The original database dies, for good.
    pub db_dies: bool,
    /// It dies, and is started again.
    pub db_returns: bool,
    /// It dies or hangs, for a while.
    pub db_hangs: bool,
    /// The monitor log dies or hangs, for a while.
    pub log_fails: bool,
}

impl Default for FailingConfig {
    fn default() -> Self {
        FailingConfig {
            clients: 3,
            orders: 60,
            span_ms: 2_000,
            fail_over: false,
            fail_back: false,
            fail_fast: false,
            fail_safe: false,
            timeout_ms: 80,
            probe_ms: 100,
            give_up_ms: 1_500,
            faults: FailingFaults::default(),
        }
    }
}

/// A node.
#[derive(Clone, Debug)]
pub enum Node {
    /// Takes orders.
    Front(Front),
    /// A database; its contents are on disk.
    Database(NodeId),
    /// The monitor log.
    Log,
    /// Gives orders.
    Client(NodeId),
}

impl Machine for Node {
    type Message = Say;
    type Timer = Timer;
    type Report = (NodeId, Said);

    fn step(&mut self, _: Now, input: Input<Say, Timer>, out: &mut Outputs<Say, Timer, (NodeId, Said)>) {
        match (self, input) {
            (Node::Front(front), Input::Start) => front.start(out),
            (Node::Front(front), Input::Message { from, message, .. }) => front.hear(from, message, out),
            (Node::Front(front), Input::Timer(timer)) => front.wake(timer, out),
            (Node::Front(front), Input::Reset { peer, .. }) => front.reset(peer, out),
            (Node::Database(id), Input::Start) => out.report((*id, Said::Fact { what: "up", value: 0 })),
            (Node::Database(id), Input::Message { from, message: Say::Store(op, attempt), .. }) => {
                out.report((*id, Said::Fact { what: "serves", value: i64::from(op) }));
                out.send(if *id == DB_A { DB_B } else { DB_A }, Say::Copy(op));
                out.send(from, Say::Stored(op, attempt));
            }
            (Node::Database(_), Input::Message { from, message: Say::Probe(number), .. }) => {
                out.send(from, Say::Here(number));
            }
            (Node::Log, Input::Message { from, message: Say::Log(op), .. }) => out.send(from, Say::Logged(op)),
            (Node::Client(id), Input::Message { message: Say::Begin(operation), .. }) => {
                let (op, input) = (operation.id, Given::Int(operation.value));
                out.report((*id, Said::Begins { op, f: "order", key: None, input }));
                out.send(FRONT, Say::Order(op));
            }
            (Node::Client(id), Input::Message { message: Say::Answer(op, ok), .. }) => {
                let ended = if ok { Ended::Ok } else { Ended::Fail };
                out.report((*id, Said::Ends { op, ended, output: Given::Nil }));
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
pub struct Failing {
    config: Arc<FailingConfig>,
}

impl Failing {
    /// The trial with these options; the error is a sentence that names the key.
    pub fn new(config: FailingConfig) -> Result<Failing, String> {
        let rules = [
            ((1..=64).contains(&config.clients), "clients: 1 to 64"),
            (config.orders <= 10_000, "orders: at most 10000"),
            ((1..=600_000).contains(&config.span_ms), "span_ms: 1 to 600000"),
            ((1..=60_000).contains(&config.timeout_ms), "timeout_ms: 1 to 60000"),
            ((1..=60_000).contains(&config.probe_ms), "probe_ms: 1 to 60000"),
            ((1..=60_000).contains(&config.give_up_ms), "give_up_ms: 1 to 60000"),
        ];
        match broken(&rules) {
            Some(wrong) => Err(wrong),
            None => Ok(Failing { config: Arc::new(config) }),
        }
    }

    fn span(&self) -> Nanos {
        self.config.span_ms * MILLI
    }
}

impl Trial for Failing {
    fn draw(&self, seed: u64) -> TrialPlan {
        let (draws, config) = (Draws(seed), &self.config);
        let mut plan = TrialPlan { seed, ..TrialPlan::default() };
        for number in 0..u64::from(config.orders) {
            let client = draws.below(&[1, number], u64::from(config.clients));
            plan.ask(draws.below(&[2, number], self.span()), client, "order", 0, number as i64 + 1);
        }
        let FailingFaults { db_dies, db_returns, db_hangs, log_fails } = config.faults;
        let begins = draws.below(&[3], self.span() / 2);
        let lasts = Some(draws.between(&[4], (200, 400)) * MILLI);
        let (db, log) = ("db-a".to_owned(), "log".to_owned());
        let (dies, one) = (|node| Wrong::Kill { node }, draws.below(&[5], 2) == 0);
        let hangs = |node| if one { Wrong::Pause { node } } else { Wrong::Kill { node } };
        if db_dies {
            plan.wrong(begins, None, dies(db.clone()));
        }
        if db_returns {
            plan.wrong(begins, lasts, dies(db.clone()));
        }
        if db_hangs {
            plan.wrong(begins, lasts, hangs(db));
        }
        if log_fails {
            plan.wrong(begins, lasts, hangs(log));
        }
        plan.number();
        plan
    }

    fn run(&self, plan: &TrialPlan, trace: bool) -> Outcome {
        let config = &self.config;
        let mut cast = vec![
            ("front".to_owned(), Node::Front(Front::new(Arc::clone(config)))),
            ("db-a".to_owned(), Node::Database(DB_A)),
            ("db-b".to_owned(), Node::Database(DB_B)),
            ("log".to_owned(), Node::Log),
        ];
        cast.extend((0..config.clients).map(|at| (format!("client-{at}"), Node::Client(LOG + 1 + at))));
        let latency = Latency { base: MILLI / 2, jitter: 3 * MILLI / 2 };
        let until = self.span() + config.give_up_ms * MILLI + SECOND / 2;
        let mut outcome = Stage { cast, latency, until }.play(plan, trace).outcome;
        // Every order has been answered, one way or the other.
        outcome.finished = outcome.calls.calls.iter().all(|call| call.end_ns >= 0);
        outcome
    }
}
