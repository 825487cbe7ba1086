//! What the servers replicate: sessions of members, and a lease.

use crate::consensus::{Request, StateMachine};
use history::MILLI;
use simulation::NodeId;
use std::collections::BTreeMap;

/// What a member asks of the servers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Plea {
    /// I live: register me, or prolong my session.
    Beat,
    /// Let me have the lease, or prolong it.
    Take,
}

/// Who leads, as the servers have decided it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Held {
    /// The member.
    pub by: NodeId,
    /// It grows from leadership to leadership.
    pub token: i64,
    /// Until when, by the clocks of the servers.
    pub until: i64,
}

/// A registered member.
#[derive(Clone, Copy, Debug)]
struct Session {
    order: i64,
    until: i64,
}

/// The replicated state. Times are nanoseconds.
#[derive(Clone, Debug)]
pub struct Office {
    session: i64,
    lease: i64,
    epsilon: i64,
    tokens: i64,
    sessions: BTreeMap<NodeId, Session>,
    held: Option<Held>,
}

impl Office {
    /// Nobody is registered and nobody holds the lease.
    pub fn new(session_ms: u64, lease_ms: u64, epsilon_ms: u64) -> Office {
        let nanos = |ms: u64| (ms * MILLI) as i64;
        Office {
            session: nanos(session_ms),
            lease: nanos(lease_ms),
            epsilon: nanos(epsilon_ms),
            tokens: 0,
            sessions: BTreeMap::new(),
            held: None,
        }
    }

    fn beat(&mut self, stamp: i64, member: NodeId) -> Held {
        self.sessions.retain(|_, session| session.until >= stamp);
        let until = stamp + self.session;
        let tokens = &mut self.tokens;
        let session = self.sessions.entry(member).or_insert_with(|| {
            *tokens += 1;
            Session { order: *tokens, until }
        });
        session.until = until;
        let mut first = (member, *session);
        for (other, session) in &self.sessions {
            if session.order < first.1.order {
                first = (*other, *session);
            }
        }
        Held { by: first.0, token: first.1.order, until: first.1.until }
    }

    fn take(&mut self, stamp: i64, member: NodeId) -> Held {
        let until = stamp + self.lease;
        let held = match self.held {
            // Who lets it run out has to take it anew.
            Some(held) if held.by == member && stamp <= held.until => Held { until, ..held },
            Some(held) if held.by != member && stamp <= held.until + self.epsilon => held,
            _ => {
                self.tokens += 1;
                Held { by: member, token: self.tokens, until }
            }
        };
        self.held = Some(held);
        held
    }
}

impl StateMachine for Office {
    type Command = Plea;
    type Answer = Held;

    fn apply(&mut self, stamp: i64, request: &Request<Plea>, _: &mut Vec<(&'static str, i64)>) -> Held {
        match request.command {
            Plea::Beat => self.beat(stamp, request.client),
            Plea::Take => self.take(stamp, request.client),
        }
    }

    fn words(command: &Plea) -> String {
        match command {
            Plea::Beat => String::new(),
            Plea::Take => "take the lease".to_owned(),
        }
    }

    fn answer_words(_: &Held) -> String {
        String::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_session_leads_until_it_ends_and_a_lease_is_one_s_own() {
        let mut office = Office::new(100, 100, 10);
        let ms = |ms: i64| ms * MILLI as i64;
        assert_eq!(office.beat(ms(0), 7).by, 7);
        assert_eq!(office.beat(ms(50), 3).by, 7);
        assert_eq!(office.beat(ms(100), 3).by, 7);
        let next = office.beat(ms(101), 3);
        assert_eq!((next.by, next.token), (3, 2));
        assert_eq!(office.beat(ms(102), 7).by, 3, "who comes back is the last");
        assert_eq!(office.take(ms(200), 7).token, 4);
        assert_eq!(office.take(ms(310), 3).by, 7, "not before its end and the allowance");
        assert_eq!((office.take(ms(311), 3).by, office.take(ms(312), 7).by), (3, 3));
    }
}
