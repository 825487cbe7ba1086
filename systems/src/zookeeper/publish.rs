//! Publishing: an ephemeral node whose name carries the value, replaced in one transaction, behind a fence.
//!
//! The fence is what a careful client needs against its own past. A publish whose connection broke may still lie in
//! the queue of a paused server; if the client has registered anew in another session meanwhile, that old request
//! would add a second node for the same publisher. So each publisher has a persistent fence node which names its present
//! publication. Every write is one transaction that names the version of the fence it is based on and raises it: a write
//! that was overtaken fails as a whole, and at most one publication of a publisher exists at any time.
//!
//! What the client believes of the fence can be out of date (after an unknown outcome, or in a new session): then it
//! asks. A transaction that fails because a belief was wrong has certainly done nothing, so the same operation may look
//! again and retry, a bounded number of times.

use super::client::{Client, Stopped, accept};
use super::names::publication;
use super::protocol::{Code, Message, Step, data_reply, multi_outcome};
use crate::world::Response;
use history::DataIx;
use std::collections::BTreeMap;
use tokio::time::Instant;

/// How often an operation may find its belief wrong.
const ATTEMPTS_MAX: u32 = 5;

/// What a client believes of one of its publishers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Belief {
    /// There is no fence: never published.
    Absent,
    /// The fence has this version, and this publication exists, if any.
    Known {
        /// Version of the fence.
        version: i32,
        /// Name of the publication.
        live: Option<String>,
    },
    /// It has to ask.
    Unknown,
}

/// What a client believes of all its publishers, by dataId and registration.
#[derive(Debug, Default)]
pub struct Fences {
    beliefs: BTreeMap<(DataIx, u32), Belief>,
}

impl Fences {
    /// In a new session nothing is certain any more.
    pub fn doubt_all(&mut self) {
        self.beliefs.values_mut().for_each(|belief| *belief = Belief::Unknown);
    }
}

/// The transaction that leads from what is to what shall be; a publication or none.
fn steps(parent: &str, fence: String, belief: &Belief, wanted: Option<&str>) -> Vec<Step> {
    let data = wanted.unwrap_or_default().as_bytes().to_vec();
    let mut steps = Vec::with_capacity(3);
    match belief {
        Belief::Known { version, live } => {
            steps.push(Step::Set { path: fence, data, version: *version });
            steps.extend(live.iter().map(|name| Step::Delete { path: format!("{parent}/{name}") }));
        }
        Belief::Absent | Belief::Unknown => steps.push(Step::Create { path: fence, data, ephemeral: false }),
    }
    let create = |name: &str| Step::Create { path: format!("{parent}/{name}"), data: Vec::new(), ephemeral: true };
    steps.extend(wanted.map(create));
    steps
}

impl Client {
    /// Makes `value` the publication of this registration, or takes it back.
    pub async fn publish(
        &mut self,
        deadline: Instant,
        data: DataIx,
        registration: u32,
        value: Option<&str>,
    ) -> Result<Response, Stopped> {
        let key = (data, registration);
        let parent = self.shared.names.data(data);
        let fence = self.shared.names.fence(data, self.id, registration);
        let wanted = value.map(|value| publication(self.id, registration, value));
        for _attempt in 0..ATTEMPTS_MAX {
            // Unknown until answered, also if this future never gets an answer.
            let believed = self.fences.beliefs.insert(key, Belief::Unknown).unwrap_or(Belief::Absent);
            let belief = match believed {
                Belief::Unknown => self.look(deadline, &parent, &fence).await?,
                certain => certain,
            };
            let version = match &belief {
                Belief::Known { version, .. } => version + 1,
                _ => 0,
            };
            let message = Message::Multi(steps(&parent, fence.clone(), &belief, wanted.as_deref()));
            let frame = self.ask(deadline, &message).await?;
            let code = match frame.head.code {
                Code::OK => multi_outcome(frame.body())?,
                refused => refused,
            };
            if !code.is_stale_belief() {
                accept(code)?;
                self.fences.beliefs.insert(key, Belief::Known { version, live: wanted });
                return Ok(Response::Ok { read: None });
            }
        }
        Ok(Response::Fail {
            error: format!("the registration changed under {ATTEMPTS_MAX} attempts; nothing was done"),
        })
    }

    /// Asks for the fence and whether the publication it names is still there, after everything committed so far.
    async fn look(&mut self, deadline: Instant, parent: &str, fence: &str) -> Result<Belief, Stopped> {
        self.pass_barrier(deadline).await?;
        let frame = self.ask(deadline, &Message::Data(fence.to_owned())).await?;
        if frame.head.code == Code::NO_NODE {
            return Ok(Belief::Absent);
        }
        accept(frame.head.code)?;
        let (name, stat) = data_reply(frame.body())?;
        let name = String::from_utf8(name).map_err(super::jute::JuteError::from)?;
        if name.is_empty() {
            return Ok(Belief::Known { version: stat.version, live: None });
        }
        let frame = self.ask(deadline, &Message::Exists(format!("{parent}/{name}"))).await?;
        let live = match frame.head.code {
            Code::NO_NODE => None,
            code => accept(code).map(|()| Some(name))?,
        };
        Ok(Belief::Known { version: stat.version, live })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_write_raises_the_fence() {
        let fence = || "/r/fences/d1.c2.0".to_owned();
        let known = Belief::Known { version: 4, live: Some("c2.0=a#1".to_owned()) };
        let replace = steps("/r/d1", fence(), &known, Some("c2.0=a#2"));
        assert_eq!(replace.len(), 3);
        assert_eq!(replace[0], Step::Set { path: fence(), data: b"c2.0=a#2".to_vec(), version: 4 });
        assert_eq!(replace[1], Step::Delete { path: "/r/d1/c2.0=a#1".to_owned() });
        let take_back = steps("/r/d1", fence(), &known, None);
        assert_eq!(take_back.len(), 2);
        let gone = Belief::Known { version: 4, live: None };
        assert_eq!(steps("/r/d1", fence(), &gone, None).len(), 1, "what is gone is not deleted, the fence is raised");
        let first = steps("/r/d1", fence(), &Belief::Absent, Some("c2.0=a#1"));
        assert!(matches!(&first[0], Step::Create { ephemeral: false, .. }));
        assert!(matches!(&first[1], Step::Create { ephemeral: true, .. }));
    }

    #[test]
    fn a_new_session_doubts_everything() {
        let mut fences = Fences::default();
        fences.beliefs.insert((0, 0), Belief::Absent);
        fences.doubt_all();
        assert_eq!(fences.beliefs[&(0, 0)], Belief::Unknown);
    }
}
