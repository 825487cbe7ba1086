//! The configuration centre: it tells agents which store to use, takes halves of them down and up, and grants leases.

use super::config::{Copying, Order, RoutedConfig, Switch};
use super::message::Say;
use super::{COPIER, Out, Timer, fact, note};
use history::MILLI;
use simulation::{NodeId, Now};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// What the centre waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    /// Nothing: before the change.
    Before,
    /// The leases of these agents to end.
    Leases(Part),
    /// These agents to have stopped.
    Stopping(Part),
    /// These agents to be updated.
    Updating(Part),
    /// Nothing: the change is made.
    After,
}

/// Which agents.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Part {
    First,
    Second,
    All,
}

/// The centre. Everything is on disk.
#[derive(Clone, Debug)]
pub struct Centre {
    id: NodeId,
    config: Arc<RoutedConfig>,
    agents: Vec<NodeId>,
    stage: Stage,
    /// Number of the stage, so that its timer does not end a later one.
    turn: u32,
    /// Who has done what the stage waits for.
    done: BTreeSet<NodeId>,
    /// Who is announced to clients.
    listed: Vec<NodeId>,
    /// The version that leases are granted on; none: no leases for this agent now.
    offers: BTreeMap<NodeId, Option<u32>>,
    /// The last deadline of each agent's lease, by the centre's wall clock.
    deadlines: BTreeMap<NodeId, i64>,
    change_at: u64,
    copied: bool,
}

/// How long the centre waits for agents that do not answer.
const PATIENCE_MS: u64 = 800;
/// How long after its removal from discovery a half is stopped, with swapped steps.
const SWAP_MS: u64 = 150;

impl Centre {
    /// A centre with these agents, which begins the change at this instant, nanoseconds.
    pub fn new(id: NodeId, config: Arc<RoutedConfig>, agents: Vec<NodeId>, change_at: u64) -> Centre {
        Centre {
            id,
            stage: Stage::Before,
            turn: 0,
            done: BTreeSet::new(),
            listed: agents.clone(),
            offers: agents.iter().map(|agent| (*agent, Some(1))).collect(),
            deadlines: BTreeMap::new(),
            copied: config.copy == Copying::None,
            change_at,
            agents,
            config,
        }
    }

    /// True when everything it had to do is done.
    pub fn is_done(&self) -> bool {
        self.config.switch == Switch::None || (self.stage == Stage::After && self.copied)
    }

    /// It begins to run.
    pub fn start(&mut self, now: Now, out: &mut Out) {
        if self.config.switch != Switch::None {
            out.timer(self.change_at.saturating_sub(now.mono), Timer::Change);
        }
        if self.config.is_leased() && self.config.batched {
            out.timer(0, Timer::Batch);
        }
    }

    fn part(&self, part: Part) -> Vec<NodeId> {
        let wanted = |at: usize| match part {
            Part::First => at.is_multiple_of(2),
            Part::Second => !at.is_multiple_of(2),
            Part::All => true,
        };
        self.agents.iter().enumerate().filter(|(at, _)| wanted(*at)).map(|(_, agent)| *agent).collect()
    }

    /// A message arrives.
    pub fn hear(&mut self, now: Now, from: NodeId, message: Say, out: &mut Out) {
        match message {
            Say::Discover => out.send(from, Say::Accepting(self.listed.clone())),
            Say::Renew => self.grant(now, from, out),
            Say::Revoked => {
                self.deadlines.remove(&from);
                if let Stage::Leases(part) = self.stage
                    && self.part(part).iter().all(|agent| !self.deadlines.contains_key(agent))
                {
                    self.step(now, out);
                }
            }
            Say::Stopped | Say::Updated => {
                let waits = match self.stage {
                    Stage::Stopping(part) if message == Say::Stopped => part,
                    Stage::Updating(part) if message == Say::Updated => part,
                    _ => return,
                };
                self.done.insert(from);
                if self.part(waits).iter().all(|agent| self.done.contains(agent)) {
                    self.step(now, out);
                }
            }
            Say::Copied => {
                self.copied = true;
                fact(out, self.id, "copied", 0);
            }
            _ => {}
        }
    }

    /// A timer has run down.
    pub fn wake(&mut self, now: Now, timer: Timer, out: &mut Out) {
        match timer {
            Timer::Change => {
                fact(out, self.id, "change begins", 0);
                note(out, self.id, || "begins the change".to_owned());
                self.step(now, out);
            }
            Timer::Batch => {
                for agent in self.agents.clone() {
                    self.grant(now, agent, out);
                }
                out.timer(self.config.lease_ms / 2 * MILLI, Timer::Batch);
            }
            Timer::Patience { turn } if turn == self.turn => match self.stage {
                Stage::Leases(part) => {
                    let left = self.leases_end(part) - now.wall;
                    if left > 0 {
                        out.timer(left as u64, Timer::Patience { turn });
                    } else {
                        self.step(now, out);
                    }
                }
                Stage::Stopping(_) | Stage::Updating(_) => self.step(now, out),
                Stage::Before | Stage::After => {}
            },
            Timer::StopLate => {
                for agent in self.part(Part::Second) {
                    out.send(agent, Say::Stop);
                }
            }
            _ => {}
        }
    }

    fn grant(&mut self, now: Now, agent: NodeId, out: &mut Out) {
        let Some(Some(version)) = self.offers.get(&agent).copied() else { return };
        let deadline = now.wall + (self.config.lease_ms * MILLI) as i64;
        self.deadlines.insert(agent, deadline);
        out.send(agent, Say::Granted { version, deadline });
    }

    /// When the centre may take all leases of these agents to be over.
    fn leases_end(&self, part: Part) -> i64 {
        let last = self.part(part).iter().filter_map(|agent| self.deadlines.get(agent)).max().copied();
        let allowance = (self.config.epsilon_ms * MILLI) as i64;
        last.map_or(i64::MIN, |last| if self.config.minus_epsilon { last - allowance } else { last + allowance })
    }

    /// Waits for a stage to end.
    fn wait(&mut self, stage: Stage, patience_ms: u64, out: &mut Out) {
        self.stage = stage;
        self.turn += 1;
        self.done.clear();
        out.timer(patience_ms * MILLI, Timer::Patience { turn: self.turn });
    }

    fn withdraw(&mut self, part: Part, now: Now, out: &mut Out) {
        for agent in self.part(part) {
            self.offers.insert(agent, None);
            if self.config.revoke && self.deadlines.get(&agent).is_some_and(|deadline| *deadline > now.wall) {
                out.send(agent, Say::Revoke);
            }
        }
        note(out, self.id, || format!("grants no more leases to {}", part.words()));
        self.wait(Stage::Leases(part), 0, out);
    }

    fn offer(&mut self, part: Part, now: Now, out: &mut Out) {
        note(out, self.id, || format!("grants leases on the new configuration to {}", part.words()));
        for agent in self.part(part) {
            self.offers.insert(agent, Some(2));
            self.grant(now, agent, out);
        }
    }

    fn tell(&mut self, part: Part, message: &Say, out: &mut Out) {
        for agent in self.part(part) {
            out.send(agent, message.clone());
        }
    }

    fn list(&mut self, part: Part, out: &mut Out) {
        self.listed = self.part(part);
        note(out, self.id, || format!("shows {} in discovery", part.words()));
    }

    /// The stage is over: on to the next.
    fn step(&mut self, now: Now, out: &mut Out) {
        match self.config.switch {
            Switch::None => {}
            Switch::Pushed | Switch::Waiting => {
                self.tell(Part::All, &Say::News, out);
                self.finish(out);
            }
            Switch::Leased if self.stage == Stage::Before => self.withdraw(Part::All, now, out),
            Switch::Leased => {
                self.offer(Part::All, now, out);
                self.finish(out);
            }
            Switch::LeasedHalves => self.step_halves(now, out),
            Switch::BlueGreen => self.step_blue_green(out),
        }
    }

    fn step_halves(&mut self, now: Now, out: &mut Out) {
        match self.stage {
            Stage::Before => self.withdraw(Part::First, now, out),
            Stage::Leases(Part::First) => {
                self.tell(Part::First, &Say::Update { accept: false }, out);
                self.wait(Stage::Updating(Part::First), self.config.update_ms + PATIENCE_MS, out);
            }
            Stage::Updating(Part::First) => self.withdraw(Part::Second, now, out),
            Stage::Leases(_) => {
                self.offer(Part::First, now, out);
                self.tell(Part::Second, &Say::Update { accept: false }, out);
                self.wait(Stage::Updating(Part::Second), self.config.update_ms + PATIENCE_MS, out);
            }
            _ => {
                self.offer(Part::Second, now, out);
                self.finish(out);
            }
        }
    }

    fn step_blue_green(&mut self, out: &mut Out) {
        match self.stage {
            Stage::Before => {
                self.tell(Part::First, &Say::Stop, out);
                self.wait(Stage::Stopping(Part::First), PATIENCE_MS, out);
            }
            Stage::Stopping(Part::First) => {
                self.list(Part::Second, out);
                self.tell(Part::First, &Say::Update { accept: false }, out);
                self.wait(Stage::Updating(Part::First), self.config.update_ms + PATIENCE_MS, out);
            }
            Stage::Updating(Part::First) => {
                if self.config.order == Order::Swapped {
                    self.list(Part::First, out);
                    self.tell(Part::First, &Say::Update { accept: true }, out);
                    out.timer(SWAP_MS * MILLI, Timer::StopLate);
                } else {
                    self.tell(Part::Second, &Say::Stop, out);
                }
                self.wait(Stage::Stopping(Part::Second), PATIENCE_MS, out);
            }
            Stage::Stopping(_) => {
                self.list(Part::First, out);
                self.tell(Part::First, &Say::Update { accept: true }, out);
                self.tell(Part::Second, &Say::Update { accept: true }, out);
                self.wait(Stage::Updating(Part::Second), self.config.update_ms + PATIENCE_MS, out);
            }
            _ => {
                self.list(Part::All, out);
                self.finish(out);
            }
        }
    }

    fn finish(&mut self, out: &mut Out) {
        self.stage = Stage::After;
        self.turn += 1;
        fact(out, self.id, "change made", 0);
        note(out, self.id, || "has made the change".to_owned());
        if self.config.copy != Copying::None {
            out.send(COPIER, Say::Copy);
        }
    }
}

impl Part {
    fn words(self) -> &'static str {
        match self {
            Part::First => "the first half of the agents",
            Part::Second => "the second half of the agents",
            Part::All => "all agents",
        }
    }
}
