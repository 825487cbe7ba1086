//! The memory of messages: what was said, by whom to whom, and whether it arrived. Off until somebody asks for it.

use crate::machine::{Channel, NodeId};
use history::Nanos;

/// A message that was sent, in true time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Traced {
    /// When it was sent.
    pub sent: Nanos,
    /// When it arrives; none if it was dropped, or nobody was there to receive it.
    pub arrives: Option<Nanos>,
    /// By whom.
    pub from: NodeId,
    /// To whom.
    pub to: NodeId,
    /// On which channel.
    pub channel: Channel,
    /// What it says.
    pub says: String,
}

/// Messages in order of sending.
#[derive(Debug, Default)]
pub(crate) struct Trace {
    messages: Option<Vec<Traced>>,
}

impl Trace {
    /// From now on messages are remembered.
    pub fn start(&mut self) {
        self.messages.get_or_insert_default();
    }

    /// True if messages are remembered.
    pub fn is_on(&self) -> bool {
        self.messages.is_some()
    }

    /// Remembers one.
    pub fn note(&mut self, message: Traced) {
        if let Some(messages) = &mut self.messages {
            messages.push(message);
        }
    }

    /// Nobody was there when it arrived.
    pub fn lost(&mut self, at: Nanos, (from, to): (NodeId, NodeId), channel: Channel, says: &str) {
        let arrived = |traced: &&mut Traced| {
            (traced.arrives, traced.from, traced.to, traced.channel) == (Some(at), from, to, channel)
                && traced.says == says
        };
        if let Some(traced) = self.messages.iter_mut().flatten().rfind(arrived) {
            traced.arrives = None;
        }
    }

    /// What was remembered so far.
    pub fn messages(&self) -> &[Traced] {
        self.messages.as_deref().unwrap_or_default()
    }
}
