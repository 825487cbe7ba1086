//! What one subscriber has before its eyes.

use crate::ask::Elements;
use history::{ClientId, Nanos};
use std::collections::BTreeMap;

/// What a subscriber has before its eyes.
#[derive(Clone, Debug)]
pub(crate) struct View {
    /// When it was subscribed.
    pub since: Nanos,
    /// The last push; none before the first one.
    pub content: Option<Elements>,
    /// Newest number shown, by publisher.
    pub newest: BTreeMap<ClientId, u64>,
    /// Highest number ever shown by this subscription, by publisher.
    pub highest: BTreeMap<ClientId, u64>,
    /// Changes that it has not shown yet: publisher, number, when they were acknowledged.
    pub pending: Vec<(ClientId, u64, Nanos)>,
}

impl View {
    /// True if it shows this change of this publisher or a later one.
    pub fn shows(&self, publisher: ClientId, number: u64, withdrawn: u64) -> bool {
        match self.newest.get(&publisher) {
            Some(newest) => *newest >= number,
            None => self.content.is_some() && withdrawn >= number,
        }
    }
}
