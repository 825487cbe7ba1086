//! Plays a plan on a kernel: operations are handed to clients, faults come and go, and what nodes say is recorded.

use super::plan::{TrialPlan, Wrong};
use super::record::{Note, Outcome, Recorder, Said};
use super::{Mishap, Operation};
use crate::world::TracedMessage;
use history::{Fact, Nanos};
use simulation::{Kernel, Latency, Machine, NO_CHANNEL, NodeId, Trouble};

/// A node of a trial. It reports with its own number, which is its place in the cast.
pub trait Actor: Machine<Report = (NodeId, Said)> + Clone {
    /// The same node after its process has died and is started again: with what it had on disk. Everything, unless it says
    /// otherwise; so too where nobody is killed.
    fn reborn(&self) -> Self {
        self.clone()
    }

    /// What a client is told when an operation of the plan is due.
    fn asks(operation: &Operation) -> Self::Message;
}

/// Nodes by name, and the time they have. Clients are called `client-0`, `client-1` ...
pub struct Stage<A: Actor> {
    /// The nodes, in a fixed order.
    pub cast: Vec<(String, A)>,
    /// How slow each link is.
    pub latency: Latency,
    /// When the trial ends, nanoseconds.
    pub until: Nanos,
}

/// What came of it, and the nodes as they are at the end.
pub struct Played<A: Actor> {
    /// What was seen; figures are still empty.
    pub outcome: Outcome,
    /// For looking at.
    pub kernel: Kernel<A>,
}

/// Something that is due.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Due {
    Ends(usize),
    Begins(usize),
    Asks(usize),
}

/// What does not change while a plan is played.
struct Playing<'a, A: Actor> {
    plan: &'a TrialPlan,
    names: Vec<String>,
    kernel: Kernel<A>,
    recorder: Recorder,
    outcome: Outcome,
    trace: bool,
}

impl<A: Actor> Stage<A> {
    /// Plays a plan. An entry of the plan that names a node that is not there does nothing.
    pub fn play(self, plan: &TrialPlan, trace: bool) -> Played<A> {
        let (names, machines): (Vec<String>, Vec<A>) = self.cast.into_iter().unzip();
        let latency = self.latency;
        let mut kernel = Kernel::new(plan.seed, machines, |_, _| latency);
        if trace {
            kernel.trace();
        }
        let mut due: Vec<(Nanos, Due)> = Vec::new();
        for (at, fault) in plan.faults.iter().enumerate() {
            due.push((fault.at, Due::Begins(at)));
            due.extend(fault.lasts.map(|lasts| (fault.at.saturating_add(lasts), Due::Ends(at))));
        }
        due.extend(plan.operations.iter().enumerate().map(|(at, operation)| (operation.at, Due::Asks(at))));
        due.sort_unstable();
        let (recorder, outcome) = (Recorder::default(), Outcome::default());
        let mut playing = Playing { plan, names, kernel, recorder, outcome, trace };
        for (time, due) in due {
            if time > self.until {
                break;
            }
            // What is due at the same instant inside comes first.
            playing.run(time);
            playing.act(due);
        }
        playing.run(self.until);
        playing.finish()
    }
}

impl<A: Actor> Playing<'_, A> {
    fn run(&mut self, until: Nanos) {
        while self.kernel.run_one(until) {
            self.record();
        }
        self.record();
    }

    fn record(&mut self) {
        if self.kernel.reports().is_empty() {
            return;
        }
        let reports: Vec<_> = self.kernel.take_reports().collect();
        for (at, (node, said)) in reports {
            match said {
                Said::Begins { op, f, key, input } => self.recorder.begins(at, node, op, f, key, &input),
                Said::Ends { op, ended, output } => self.recorder.ends(at, node, op, ended, &output),
                Said::Fact { what, value } => self.outcome.facts.push(Fact { at, node, what, value }),
                Said::Note(says) if self.trace => {
                    self.outcome.notes.push(Note { at, node: self.names[node as usize].clone(), says });
                }
                Said::Note(_) => {}
            }
        }
    }

    fn node(&self, name: &str) -> Option<NodeId> {
        self.names.iter().position(|known| known == name).map(|at| at as NodeId)
    }

    fn act(&mut self, due: Due) {
        let plan = self.plan;
        match due {
            Due::Asks(at) => {
                let operation = &plan.operations[at];
                if let Some(client) = self.node(&format!("client-{}", operation.client)) {
                    self.kernel.tell(client, NO_CHANNEL, A::asks(operation));
                    self.record();
                }
            }
            Due::Begins(at) => self.begin(&plan.faults[at]),
            Due::Ends(at) => self.end(&plan.faults[at]),
        }
    }

    fn begin(&mut self, fault: &Mishap) {
        let Some(node) = self.node(fault.what.node()) else { return };
        let kernel = &mut self.kernel;
        match &fault.what {
            Wrong::Kill { .. } if kernel.is_up(node) => kernel.kill(node),
            Wrong::Pause { .. } if kernel.is_up(node) && !kernel.is_paused(node) => kernel.pause(node),
            Wrong::HalfDead { .. } if kernel.is_up(node) && !kernel.is_half_dead(node) => kernel.half_die(node),
            Wrong::Kill { .. } | Wrong::Pause { .. } | Wrong::HalfDead { .. } => {}
            Wrong::Cut { to, .. } => self.trouble(node, to, fault.id, Trouble::Cut),
            Wrong::Delay { to, by, .. } => self.trouble(node, to, fault.id, Trouble::Delay(*by)),
            Wrong::Isolate { .. } => {
                for other in 0..self.names.len() as NodeId {
                    kernel.trouble(node, other, fault.id, Trouble::Cut);
                    kernel.trouble(other, node, fault.id, Trouble::Cut);
                }
            }
            Wrong::Clock { by, .. } => kernel.step_clock(node, *by),
            Wrong::Drift { ppm, known, .. } => {
                kernel.drift_clock(node, *ppm);
                kernel.set_synchronised(node, !known);
            }
            Wrong::Unsynchronised { .. } => kernel.set_synchronised(node, false),
        }
        self.record();
    }

    fn trouble(&mut self, from: NodeId, to: &str, fault: u32, trouble: Trouble) {
        if let Some(to) = self.node(to) {
            self.kernel.trouble(from, to, fault, trouble);
        }
    }

    fn end(&mut self, fault: &Mishap) {
        let Some(node) = self.node(fault.what.node()) else { return };
        let kernel = &mut self.kernel;
        match &fault.what {
            Wrong::Kill { .. } if !kernel.is_up(node) => {
                let reborn = kernel.machine(node).reborn();
                kernel.restart(node, reborn);
            }
            Wrong::Pause { .. } if kernel.is_up(node) && kernel.is_paused(node) => _ = kernel.resume(node),
            Wrong::HalfDead { .. } if kernel.is_up(node) && kernel.is_half_dead(node) => _ = kernel.revive(node),
            Wrong::Kill { .. } | Wrong::Pause { .. } | Wrong::HalfDead { .. } => {}
            Wrong::Cut { .. } | Wrong::Delay { .. } | Wrong::Isolate { .. } => kernel.lift(fault.id),
            Wrong::Clock { by, .. } => kernel.step_clock(node, -by),
            Wrong::Drift { ppm, .. } => {
                kernel.drift_clock(node, -ppm);
                kernel.set_synchronised(node, true);
            }
            Wrong::Unsynchronised { .. } => kernel.set_synchronised(node, true),
        }
        self.record();
    }

    fn finish(self) -> Played<A> {
        let name = |node: NodeId| self.names[node as usize].clone();
        let message = |traced: &simulation::Traced| TracedMessage {
            sent: traced.sent,
            arrives: traced.arrives,
            from: name(traced.from),
            to: name(traced.to),
            says: traced.says.clone(),
        };
        let messages = self.kernel.messages().iter().map(message).collect();
        let outcome = Outcome {
            asked: self.plan.operations.len() as u64,
            completed: self.recorder.completed,
            calls: self.recorder.finish(),
            nodes: self.names,
            messages,
            steps: self.kernel.counters().steps,
            ..self.outcome
        };
        Played { outcome, kernel: self.kernel }
    }
}
