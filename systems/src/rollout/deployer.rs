//! The deployer: a step of the upgrade plan, a window of observation, the rule that halts; and so on.

use super::config::{Halt, Observe, RolloutConfig};
use super::message::{Say, Tally};
use super::steps::Step;
use super::{DEPLOYER, GATEWAY, Out, Timer, fact, note};
use history::{MILLI, Nanos};
use simulation::NodeId;
use std::sync::Arc;

/// How long an installation takes.
const INSTALL_MS: u64 = 30;
/// After so long every worker has heard of a new leader, or of a new form.
const ORDERS_MS: u64 = 130;
/// So many windows without enough requests to judge by, and it halts.
const EXTENSIONS_MAX: u32 = 8;

/// How far it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Running,
    Halted,
    Done,
}

/// The deployer. Everything is on disk.
#[derive(Clone, Debug)]
pub struct Deployer {
    config: Arc<RolloutConfig>,
    steps: Vec<Step>,
    begins: Nanos,
    /// Steps that were taken.
    taken: usize,
    extensions: u32,
    upgraded: Vec<NodeId>,
    state: State,
}

impl Deployer {
    /// A deployer that begins with this plan at this instant, nanoseconds.
    pub fn new(config: Arc<RolloutConfig>, steps: Vec<Step>, begins: Nanos) -> Deployer {
        Deployer { config, steps, begins, taken: 0, extensions: 0, upgraded: Vec::new(), state: State::Running }
    }

    /// True if all steps were taken.
    pub fn is_done(&self) -> bool {
        self.state == State::Done
    }

    /// True if it has halted.
    pub fn has_halted(&self) -> bool {
        self.state == State::Halted
    }

    /// It begins to run.
    pub fn start(&mut self, out: &mut Out) {
        fact(out, DEPLOYER, "allowed", i64::from(self.config.allowed));
        out.timer(self.begins, Timer::Step);
    }

    /// A timer has run down.
    pub fn wake(&mut self, timer: Timer, out: &mut Out) {
        let window = self.config.window_ms * MILLI;
        match timer {
            Timer::Step => self.step(out),
            Timer::Watch => {
                out.send(GATEWAY, Say::Watch);
                out.timer(window, Timer::Look);
            }
            Timer::Look => {
                let all = self.config.observe == Observe::All;
                out.send(GATEWAY, Say::Count(if all { Vec::new() } else { self.upgraded.clone() }));
            }
            Timer::Round => {}
        }
    }

    fn step(&mut self, out: &mut Out) {
        let Some(step) = self.steps.get(self.taken).cloned() else {
            self.state = State::Done;
            fact(out, DEPLOYER, "rolled out", self.taken as i64);
            return;
        };
        self.taken += 1;
        self.extensions = 0;
        fact(out, DEPLOYER, "step", self.taken as i64);
        let settles = if matches!(step, Step::Install(_)) { INSTALL_MS } else { ORDERS_MS };
        match step {
            Step::Install(nodes) => {
                note(out, DEPLOYER, || format!("brings the new version to {}", counted(nodes.len())));
                for node in &nodes {
                    out.send(*node, Say::Install);
                }
                self.upgraded.extend(nodes);
            }
            Step::Lead(old, new, reach) => {
                note(out, DEPLOYER, || "lets a master with the new version lead".to_owned());
                out.send(old, Say::Follow);
                out.send(new, Say::Lead { reach });
            }
            Step::Reach(leader, reach) => {
                note(out, DEPLOYER, || format!("lets new requests go to {reach} workers"));
                out.send(leader, Say::Reach(reach));
            }
        }
        out.timer(settles * MILLI, Timer::Watch);
    }

    /// What the gateway has counted in the window.
    pub fn counted(&mut self, tally: Tally, out: &mut Out) {
        if self.state != State::Running {
            return;
        }
        let bad = match self.config.halt {
            Halt::None => return self.go_on(out),
            Halt::Errors => tally.errors,
            Halt::Retries => tally.retries,
        };
        if tally.requests < self.config.evidence {
            self.extensions += 1;
            if self.extensions > EXTENSIONS_MAX {
                return self.halt("nobody asks, so that nothing is known", out);
            }
            // Nobody asked: no proof of anything. It looks on.
            return out.timer(self.config.window_ms * MILLI, Timer::Look);
        }
        if bad * 1_000 > tally.requests * self.config.halt_permille {
            self.halt("too much goes wrong", out);
        } else {
            note(out, DEPLOYER, || {
                format!("sees {} requests, {} failed and {} tried again", tally.requests, tally.errors, tally.retries)
            });
            self.go_on(out);
        }
    }

    fn go_on(&mut self, out: &mut Out) {
        if self.config.stop_after > 0 && self.taken >= self.config.stop_after as usize {
            self.halt("it was to go no further", out);
        } else {
            self.step(out);
        }
    }

    fn halt(&mut self, why: &str, out: &mut Out) {
        self.state = State::Halted;
        fact(out, DEPLOYER, "halted", self.taken as i64);
        note(out, DEPLOYER, || format!("halts the roll-out: {why}"));
    }
}

fn counted(nodes: usize) -> String {
    if nodes == 1 { "one node".to_owned() } else { format!("{nodes} nodes") }
}
