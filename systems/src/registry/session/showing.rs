//! What a session node holds, for people who look into a run.

use super::Session;
use crate::registry::showing::{Shown, content, sorted};
use history::ClientId;
use simulation::Now;
use std::collections::BTreeSet;

impl Session {
    /// Its connections, what they registered and watch, and what waits.
    pub(in crate::registry) fn show(&self, now: Now) -> Shown {
        let member = if self.serving && self.member.valid(now) { "serves" } else { "does not serve" };
        let knows = format!("table v{}, life {}, {member}", self.member.cluster.version, self.member.incarnation);
        let connections = self.book.ids().into_iter().map(|id| {
            let watches = self.book.subscriptions_of(id).map(|s| {
                let under_way = s.under_way();
                let under_way = under_way
                    .map_or(String::new(), |push| format!(", v{} under way, attempt {}", push.version, push.attempt));
                let pushed = s.pushed.map_or("nothing acknowledged".to_owned(), |v| format!("v{v} acknowledged"));
                format!("subscription {} of d{}: {pushed}{under_way}", s.number, s.data)
            });
            let watches: Vec<String> = watches.collect();
            match watches.is_empty() {
                true => id.to_string(),
                false => format!("{id}: {}", watches.join("; ")),
            }
        });
        let held = self.store.iter().map(|held| {
            let value = held.entry.value.as_deref().unwrap_or("taken back");
            let acked = if held.acked { "" } else { ", not acknowledged by data" };
            format!(
                "d{} of client {}: {value}, change {}{acked}",
                held.entry.data,
                held.entry.publisher.client(),
                held.entry.version
            )
        });
        let watched = sorted(self.watched.iter().map(|(data, watched)| {
            let shown = watched.content.as_ref().map_or("nothing known".to_owned(), |held| content(held));
            (*data, format!("d{data}: {shown}, {} subscribers", watched.subscribers.len()))
        }));
        let writes = self.writers.iter().enumerate().filter(|(_, writer)| writer.waiting() > 0);
        let writes = writes.map(|(slot, writer)| format!("{} changes for slot {slot}", writer.waiting()));
        let open = self.breakers.iter().filter(|(_, until)| now.mono < **until);
        let breakers: BTreeSet<ClientId> = open.map(|(client, _)| *client).collect();
        vec![
            ("knows", vec![knows]),
            ("connections", connections.collect()),
            ("registrations", held.collect()),
            ("watches", watched),
            ("waits to be written", writes.collect()),
            ("open circuit breakers", breakers.iter().map(|client| format!("client {client}")).collect()),
        ]
    }
}
