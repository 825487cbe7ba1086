//! An agent: takes requests from clients to the store that its configuration names. It keeps nothing on disk.

use super::config::{Guard, RoutedConfig, Switch};
use super::message::{Act, Answer, Attempt, Say, Seen};
use super::store::Store;
use super::{CENTRE, Out, STORE_A, STORE_B, TRACKER, Timer, fact, note};
use history::MILLI;
use simulation::{NodeId, Now};
use std::collections::BTreeMap;
use std::sync::Arc;

/// A lease on the configuration.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Lease {
    version: u32,
    /// By this node's wall clock the lease is over at this instant.
    until: i64,
}

/// A request in flight.
#[derive(Clone, Copy, Debug)]
struct Flight {
    attempt: Attempt,
    /// What the new store answered to a read that now asks the old one.
    missing: Option<Seen>,
}

/// An agent.
#[derive(Clone, Debug)]
pub struct Agent {
    id: NodeId,
    config: Arc<RoutedConfig>,
    /// 1: the old store; 2: the new one, and what is absent there from the old one.
    version: u32,
    accepts: bool,
    /// Stops as soon as nothing is in flight.
    draining: bool,
    lease: Option<Lease>,
    flights: BTreeMap<(u32, u32), Flight>,
    /// Since when the node knows that nothing keeps its clock right, by its monotonic clock.
    adrift: Option<u64>,
    /// Requests served since the last full 100 ms.
    served: (u64, u32),
    /// Its lease timer's number: only the last one counts.
    turn: u32,
}

impl Agent {
    /// An agent with the old configuration.
    pub fn new(id: NodeId, config: Arc<RoutedConfig>) -> Agent {
        Agent {
            id,
            accepts: !config.is_leased(),
            config,
            version: 1,
            draining: false,
            lease: None,
            flights: BTreeMap::new(),
            adrift: None,
            served: (0, 0),
            turn: 0,
        }
    }

    /// The same after a crash: its configuration is on disk; in the middle of blue/green it stays down until it is told to accept.
    pub fn reborn(&self) -> Agent {
        let accepts = self.accepts && self.config.switch != Switch::BlueGreen;
        Agent { version: self.version, accepts, ..Agent::new(self.id, Arc::clone(&self.config)) }
    }

    /// True if it has the new configuration.
    pub fn is_new(&self) -> bool {
        self.version == 2
    }

    /// It begins to run.
    pub fn start(&mut self, out: &mut Out) {
        if self.accepts {
            fact(out, self.id, "on", 0);
        } else if self.config.is_leased() && !self.config.batched {
            // The first leases are asked for at different times, as if agents had been started by hand.
            let phase = u64::from(self.id) * 37 % (self.renew_ms() + 1);
            out.timer(phase * MILLI, Timer::Renew);
        }
    }

    fn renew_ms(&self) -> u64 {
        self.config.lease_ms / 2
    }

    /// A message arrives.
    pub fn hear(&mut self, now: Now, from: NodeId, message: Say, out: &mut Out) {
        self.watch(now);
        match message {
            Say::Ask(attempt) => self.ask(now, attempt, out),
            Say::Reply(attempt, answer) => self.reply(from, attempt, answer, out),
            Say::Go(attempt, yes) => self.go(attempt, yes, out),
            Say::Stop => self.stop(out),
            Say::Update { accept } if self.version == 2 => self.update(accept, out),
            Say::Update { accept } => out.timer(self.config.update_ms * MILLI, Timer::Updated { accept }),
            Say::News if self.config.switch == Switch::Waiting => {
                self.accept(false, out);
                out.timer(self.config.wait_ms * MILLI, Timer::Updated { accept: true });
            }
            Say::News => self.update(true, out),
            Say::Granted { version, deadline } => self.granted(now, version, deadline, out),
            Say::Revoke => {
                self.lease = None;
                self.turn += 1;
                self.accept(false, out);
                note(out, self.id, || "gives its lease back".to_owned());
                out.send(CENTRE, Say::Revoked);
            }
            _ => {}
        }
    }

    /// A timer has run down.
    pub fn wake(&mut self, now: Now, timer: Timer, out: &mut Out) {
        self.watch(now);
        match timer {
            Timer::Renew => {
                out.send(CENTRE, Say::Renew);
                out.timer(self.renew_ms() * MILLI, Timer::Renew);
            }
            Timer::Updated { accept } => self.update(accept, out),
            Timer::LeaseOver { turn } if turn == self.turn => {
                let left = self.lease.map_or(0, |lease| lease.until - now.wall);
                if left > 0 {
                    out.timer(left as u64, Timer::LeaseOver { turn });
                } else {
                    note(out, self.id, || "stops serving: its lease is over".to_owned());
                    self.lease = None;
                    self.accept(false, out);
                }
            }
            _ => {}
        }
    }

    fn accept(&mut self, accepts: bool, out: &mut Out) {
        if self.accepts != accepts {
            self.accepts = accepts;
            fact(out, self.id, if accepts { "on" } else { "off" }, 0);
        }
    }

    fn update(&mut self, accept: bool, out: &mut Out) {
        let renewed = self.version != 2;
        self.version = 2;
        if renewed {
            fact(out, self.id, "new", 0);
            note(out, self.id, || "uses store-B from now on".to_owned());
        }
        if accept {
            self.accept(true, out);
        }
        out.send(CENTRE, Say::Updated);
    }

    fn stop(&mut self, out: &mut Out) {
        self.accept(false, out);
        note(out, self.id, || "stops accepting".to_owned());
        if self.config.drain && !self.flights.is_empty() {
            self.draining = true;
            return;
        }
        // What is in flight is dropped: the connections to clients close, but what was sent to the store is on its way.
        for (_, flight) in std::mem::take(&mut self.flights) {
            out.send(flight.attempt.client, Say::Reply(flight.attempt, Answer::Dropped));
        }
        out.send(CENTRE, Say::Stopped);
    }

    fn granted(&mut self, now: Now, version: u32, deadline: i64, out: &mut Out) {
        let until = deadline - (self.config.epsilon_ms * MILLI) as i64;
        if version == 2 && self.version == 1 {
            self.version = 2;
            fact(out, self.id, "new", 0);
            note(out, self.id, || "has a lease on the new configuration: store-B from now on".to_owned());
        }
        if until <= now.wall {
            return;
        }
        self.lease = Some(Lease { version, until });
        self.turn += 1;
        self.accept(true, out);
        out.timer((until - now.wall) as u64, Timer::LeaseOver { turn: self.turn });
    }

    /// Looks after the clock, at everything that happens.
    fn watch(&mut self, now: Now) {
        self.adrift = if now.synchronised { None } else { self.adrift.or(Some(now.mono)) };
    }

    /// True if it may serve now.
    fn may_serve(&mut self, now: Now, out: &mut Out) -> bool {
        let fence = self.config.fence_ms * MILLI;
        if fence > 0 && self.adrift.is_some_and(|since| now.mono - since >= fence) {
            fact(out, self.id, "fenced", 0);
            return false;
        }
        if !self.config.is_leased() {
            return self.accepts;
        }
        self.lease.is_some_and(|lease| now.wall < lease.until && lease.version == self.version)
    }

    /// True if it has no room for another request in these 100 ms.
    fn is_full(&mut self, now: Now) -> bool {
        let window = now.mono / (100 * MILLI);
        if self.served.0 != window {
            self.served = (window, 0);
        }
        self.served.1 += 1;
        self.config.capacity > 0 && self.served.1 > self.config.capacity
    }

    fn ask(&mut self, now: Now, attempt: Attempt, out: &mut Out) {
        fact(out, self.id, "asked", i64::from(attempt.op));
        if !self.may_serve(now, out) || self.is_full(now) {
            fact(out, self.id, "refused", i64::from(attempt.op));
            out.send(attempt.client, Say::Reply(attempt, Answer::Refused));
            return;
        }
        self.flights.insert((attempt.op, attempt.attempt), Flight { attempt, missing: None });
        let changes = !matches!(attempt.act, Act::Read | Act::ReadPair);
        if changes && self.config.guard == Guard::Tracker {
            out.send(TRACKER, Say::Register(attempt));
        } else {
            self.forward(attempt, out);
        }
    }

    fn forward(&mut self, attempt: Attempt, out: &mut Out) {
        let store = if self.version == 1 { STORE_A } else { STORE_B };
        out.send(store, Say::Ask(attempt));
    }

    /// The tracker has registered the request, or has barred it before.
    fn go(&mut self, attempt: Attempt, yes: bool, out: &mut Out) {
        if !self.flights.contains_key(&(attempt.op, attempt.attempt)) {
            return;
        }
        if yes {
            self.forward(attempt, out);
        } else {
            self.flights.remove(&(attempt.op, attempt.attempt));
            out.send(attempt.client, Say::Reply(attempt, Answer::Refused));
        }
    }

    fn reply(&mut self, from: NodeId, attempt: Attempt, answer: Answer, out: &mut Out) {
        let key = (attempt.op, attempt.attempt);
        let Some(flight) = self.flights.get_mut(&key) else { return };
        let answer = match answer {
            // Absent in the new store: it may stand in the old one.
            Answer::Value { seen, .. } if from == STORE_B && Store::knows_not(seen) => {
                flight.missing = Some(seen);
                out.send(STORE_A, Say::Ask(attempt));
                return;
            }
            other => other,
        };
        self.flights.remove(&key);
        out.send(attempt.client, Say::Reply(attempt, answer));
        if self.draining && self.flights.is_empty() {
            self.draining = false;
            out.send(CENTRE, Say::Stopped);
        }
    }
}
