//! A member: leads if it may, as it believes, and then writes to the store what clients ask.

use super::config::{Decider, ElectionConfig};
use super::message::{Please, Say};
use super::office::{Held, Office, Plea};
use super::view::View;
use super::{Out, STORE, Timer, fact, note};
use crate::consensus::Asker;
use crate::trial::Draws;
use history::{MILLI, Nanos};
use simulation::{NodeId, Now};
use std::sync::Arc;

/// A leadership, as the member believes.
#[derive(Clone, Copy, Debug)]
struct Tenure {
    token: i64,
    /// With sessions: by its monotonic clock it is over then.
    mono: Nanos,
    /// With a lease: by its wall clock.
    wall: i64,
}

/// A member.
#[derive(Clone, Debug)]
pub struct Member {
    id: NodeId,
    config: Arc<ElectionConfig>,
    seed: u64,
    members: Vec<NodeId>,
    view: View,
    asker: Asker<Office>,
    /// The open request to the servers, and when it was made.
    asked: Option<(u64, Nanos)>,
    tenure: Option<Tenure>,
    /// How often it led, where nobody else counts; on disk.
    tenures: i64,
    beats: u64,
    /// A timer for the end of the leadership runs.
    watched: bool,
}

/// So long before its end a leadership is used once more.
const LAST: Nanos = 1_000;

impl Member {
    /// A member that knows all members, itself included, and the servers.
    pub fn new(id: NodeId, config: Arc<ElectionConfig>, seed: u64, members: Vec<NodeId>, servers: &[NodeId]) -> Member {
        let me = members.iter().position(|member| *member == id).unwrap_or(0);
        let asker = Asker::new(id, servers, &config.consensus);
        let view = View::new(me, members.len(), Now::at(0));
        let (asked, tenure) = (None, None);
        Member { id, config, seed, members, view, asker, asked, tenure, tenures: 0, beats: 0, watched: false }
    }

    /// After a crash.
    pub fn reborn(&self) -> Member {
        let Member { id, seed, tenures, beats, .. } = *self;
        let fresh = Member::new(id, Arc::clone(&self.config), seed, self.members.clone(), &[]);
        Member { asker: self.asker.reborn(), tenures, beats, ..fresh }
    }

    /// True if it believes that it leads.
    pub fn leads(&self, now: Now) -> bool {
        self.left(now) > 0
    }

    /// It begins to run.
    pub fn start(&mut self, now: Now, out: &mut Out) {
        self.view = View::new(self.me(), self.members.len(), now);
        // One after the other, as if they had been started by hand.
        let phase = self.me() as u64 * 17 * MILLI;
        out.timer(phase, Timer::Beat);
        if self.config.by == Decider::Lease {
            out.timer(phase, Timer::Try);
        }
    }

    fn me(&self) -> usize {
        self.place(self.id)
    }

    fn place(&self, node: NodeId) -> usize {
        self.members.iter().position(|member| *member == node).unwrap_or(0)
    }

    /// How much longer it leads, nanoseconds by its own clocks; 0 if it does not.
    fn left(&self, now: Now) -> Nanos {
        let Some(tenure) = self.tenure else { return 0 };
        match self.config.by {
            Decider::Ping | Decider::Heartbeats | Decider::Gossip => Nanos::MAX,
            Decider::Sessions => tenure.mono.saturating_sub(now.mono),
            Decider::Lease => u64::try_from(tenure.wall - now.wall).unwrap_or(0),
        }
    }

    /// A message arrives.
    pub fn hear(&mut self, now: Now, from: NodeId, say: Say, out: &mut Out) {
        match say {
            Say::Please(please) => self.please(now, please, out),
            Say::Written(please, true) => out.send(please.client, Say::Done(please)),
            Say::Written(please, false) => {
                self.cease(now, out);
                out.send(please.client, Say::NotI(please));
            }
            Say::Ping(number) => out.send(from, Say::Pong(number)),
            Say::Pong(_) => self.view.hears(self.place(from), now),
            Say::Beat(_) if self.config.by == Decider::Heartbeats => self.view.hears(self.place(from), now),
            Say::Beat(counts) => self.view.merge(&counts, now),
            Say::Servers(say) => {
                if let Some((number, held)) = self.asker.hear(say, out) {
                    self.held(now, number, held, out);
                }
            }
            _ => {}
        }
        self.look(now, out);
    }

    /// A timer has run down.
    pub fn wake(&mut self, now: Now, timer: Timer, out: &mut Out) {
        match timer {
            Timer::Beat => {
                self.look(now, out);
                self.act(now, out);
                self.beat(now, out);
                out.timer(self.config.beat_ms * MILLI, Timer::Beat);
            }
            Timer::Try if !self.leads(now) => self.plead(now, Plea::Take, out),
            Timer::Over => self.over(now, out),
            Timer::Worked(please, token) => out.send(STORE, Say::Write(please, token)),
            Timer::Consensus(timer) => self.asker.wake(timer, out),
            _ => {}
        }
    }

    fn act(&self, now: Now, out: &mut Out) {
        if let Some(tenure) = self.tenure.filter(|_| self.leads(now)) {
            fact(out, self.id, "acts", tenure.token);
        }
    }

    fn please(&mut self, now: Now, please: Please, out: &mut Out) {
        self.look(now, out);
        let Some(tenure) = self.tenure else { return out.send(please.client, Say::NotI(please)) };
        self.act(now, out);
        let what = [31, u64::from(please.op), u64::from(please.attempt)];
        let work = Draws(self.seed).between(&what, self.config.work_ms);
        out.timer(work * MILLI, Timer::Worked(please, tenure.token));
    }

    /// Looks whether it leads, and says what has changed.
    fn look(&mut self, now: Now, out: &mut Out) {
        let leads = match self.config.by {
            Decider::Ping | Decider::Heartbeats | Decider::Gossip => {
                self.view.leads(now, self.config.timeout_ms * MILLI)
            }
            Decider::Sessions | Decider::Lease => self.leads(now),
        };
        match (leads, self.tenure) {
            (false, Some(_)) => self.cease(now, out),
            (true, None) => {
                self.tenures += 1;
                self.begin(now, Tenure { token: self.tenures, mono: 0, wall: 0 }, out);
            }
            _ => {}
        }
    }

    fn begin(&mut self, now: Now, tenure: Tenure, out: &mut Out) {
        let news = self.tenure.is_none_or(|old| old.token != tenure.token);
        self.tenure = Some(tenure);
        if news {
            fact(out, self.id, "takes", tenure.token);
            note(out, self.id, "leads".to_owned());
            self.act(now, out);
        }
        if self.config.is_replicated() && !self.watched {
            self.watched = true;
            out.timer(self.left(now).saturating_sub(LAST), Timer::Over);
        }
    }

    fn cease(&mut self, now: Now, out: &mut Out) {
        if let Some(tenure) = self.tenure.take() {
            note(out, self.id, "does not lead any more".to_owned());
            if self.config.by == Decider::Lease {
                // Its end by the servers' clocks, and the allowance.
                self.try_after(tenure.wall + 2 * (self.config.epsilon_ms * MILLI) as i64 - now.wall, out);
            }
        }
    }

    /// Uses a leadership to its very end.
    fn over(&mut self, now: Now, out: &mut Out) {
        self.watched = false;
        let left = self.left(now);
        if left == 0 {
            return self.look(now, out);
        }
        if left <= LAST {
            self.act(now, out);
        }
        self.watched = true;
        out.timer(if left > LAST { left - LAST } else { left }, Timer::Over);
    }

    /// Tries to get the lease after so long, or a little later.
    fn try_after(&self, after: i64, out: &mut Out) {
        let jitter = Draws(self.seed).below(&[32, u64::from(self.id), after.unsigned_abs()], 10 * MILLI);
        out.timer(u64::try_from(after).unwrap_or(0).max(5 * MILLI) + jitter, Timer::Try);
    }

    fn beat(&mut self, now: Now, out: &mut Out) {
        self.beats += 1;
        let mut others = self.members.iter().copied().filter(|member| *member != self.id);
        match self.config.by {
            Decider::Ping => {
                self.members[..self.me()].iter().for_each(|member| out.send(*member, Say::Ping(self.beats)))
            }
            Decider::Heartbeats => others.for_each(|member| out.send(member, Say::Beat(vec![self.beats]))),
            Decider::Gossip => {
                let draw = Draws(self.seed).below(&[33, u64::from(self.id), self.beats], self.members.len() as u64 - 1);
                let counts = self.view.beat();
                if let Some(member) = others.nth(draw as usize) {
                    out.send(member, Say::Beat(counts));
                }
            }
            Decider::Sessions => self.plead(now, Plea::Beat, out),
            Decider::Lease if self.config.early && self.leads(now) => self.plead(now, Plea::Take, out),
            Decider::Lease => {}
        }
    }

    /// Asks the servers, unless it has just done so.
    fn plead(&mut self, now: Now, plea: Plea, out: &mut Out) {
        if let Some((number, at)) = self.asked.filter(|(number, _)| self.asker.is_open(*number)) {
            if plea == Plea::Take || now.mono - at < self.config.session_ms / 2 * MILLI {
                return;
            }
            self.asker.forget(number);
        }
        self.asked = Some((self.asker.ask(plea, out), now.mono));
    }

    /// The servers say who leads.
    fn held(&mut self, now: Now, number: u64, held: Held, out: &mut Out) {
        let Some((_, asked_at)) = self.asked.filter(|(asked, _)| *asked == number) else { return };
        let epsilon = (self.config.epsilon_ms * MILLI) as i64;
        if held.by != self.id {
            if self.tenure.take().is_some() {
                note(out, self.id, "does not lead any more".to_owned());
            }
            if self.config.by == Decider::Lease {
                self.try_after(held.until + epsilon - now.wall, out);
            }
            return;
        }
        let session = (self.config.session_ms - self.config.margin_ms) * MILLI;
        let tenure = Tenure { token: held.token, mono: asked_at + session, wall: held.until - epsilon };
        let fresh = match self.config.by {
            Decider::Lease => tenure.wall > now.wall,
            _ => tenure.mono > now.mono,
        };
        if fresh {
            self.begin(now, tenure, out);
        } else if self.config.by == Decider::Lease {
            self.try_after(0, out);
        }
    }
}
