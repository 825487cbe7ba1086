//! The store that only the leader should write to.

use super::message::Say;
use super::{Out, STORE, fact, note};
use simulation::NodeId;

/// The store. Everything is on disk.
#[derive(Clone, Debug)]
pub struct Store {
    fencing: bool,
    /// The largest token seen.
    token: i64,
}

impl Store {
    /// An empty store that refuses old tokens, or does not look at them.
    pub fn new(fencing: bool) -> Store {
        Store { fencing, token: 0 }
    }

    /// A member writes.
    pub fn hear(&mut self, from: NodeId, say: Say, out: &mut Out) {
        let Say::Write(please, token) = say else { return };
        let applies = !self.fencing || token >= self.token;
        if applies {
            self.token = self.token.max(token);
            fact(out, STORE, "applied", i64::from(from) << 32 | token);
            note(out, STORE, format!("applies {}", please.value));
        }
        out.send(from, Say::Written(please, applies));
    }
}
