//! The trail of a violation, publisher by publisher, and where values come from.

use crate::facts::Run;
use crate::{format, names, story};
use checkers::{TrailEntry, Violation};
use history::{ClientId, Event, Function, Header, Nanos, Outcome};
use std::collections::BTreeMap;

/// One publisher with every step that bears on it, in order of time.
#[derive(Clone, Debug)]
pub struct Publisher<'a> {
    /// The client.
    pub client: ClientId,
    /// Which of its registrations; none where the trail names none.
    pub registration: Option<u32>,
    /// Its own operations, and what became of its client's session.
    pub steps: Vec<&'a TrailEntry>,
    /// True if one of its values is missing or extra.
    pub concerned: bool,
}

impl Publisher<'_> {
    /// `c3/0`.
    pub fn name(&self) -> String {
        names::publisher(self.client, self.registration)
    }
}

/// The publishers of a trail, those concerned first.
pub fn publishers(violation: &Violation) -> Vec<Publisher<'_>> {
    let mut registrations: BTreeMap<ClientId, Vec<Option<u32>>> = BTreeMap::new();
    for entry in &violation.trail {
        let known = registrations.entry(entry.client).or_default();
        if !known.contains(&entry.registration) {
            known.push(entry.registration);
        }
    }
    let mut publishers = Vec::new();
    for (client, mut known) in registrations {
        known.sort_unstable();
        // A client's session belongs to each of its registrations, and is a lane of its own only where there are none.
        if known.len() > 1 {
            known.retain(Option::is_some);
        }
        for registration in known {
            let mut steps: Vec<&TrailEntry> = violation
                .trail
                .iter()
                .filter(|entry| entry.client == client)
                .filter(|entry| entry.registration.is_none() || entry.registration == registration)
                .collect();
            steps.sort_by_key(|entry| entry.time);
            let named = |list: &[String]| {
                steps.iter().any(|entry| entry.value.as_ref().is_some_and(|value| list.contains(value)))
            };
            let concerned = named(&violation.missing) || named(&violation.extra);
            publishers.push(Publisher { client, registration, steps, concerned });
        }
    }
    publishers.sort_by_key(|publisher| (!publisher.concerned, publisher.client, publisher.registration));
    publishers
}

/// One step in words: `publish 10.0.0.3:9003#4 ok 2.113 s through session-1`.
pub fn step(header: &Header, entry: &TrailEntry) -> String {
    let mut words = vec![names::clean(&entry.what)];
    words.extend(entry.value.as_deref().map(names::clean));
    words.extend(entry.outcome.as_deref().map(names::clean));
    words.push(match entry.end {
        Some(end) if end / 1_000_000 != entry.time / 1_000_000 => format::span(entry.time, end),
        _ => format::instant(entry.time),
    });
    words.extend(entry.node.map(|node| format!("through {}", names::node(header, node))));
    words.join(" ")
}

/// Who published a value, and since when it is acknowledged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Origin {
    /// The client.
    pub client: ClientId,
    /// Which of its registrations.
    pub registration: Option<u32>,
    /// When the publish was invoked.
    pub invoked: Nanos,
    /// When it was acknowledged, if it was.
    pub acknowledged: Option<Nanos>,
    /// True for a client that never changes.
    pub pinned: bool,
}

impl Origin {
    /// `c3/0, published at 2.113 s, pinned`.
    pub fn text(&self) -> String {
        let when = match self.acknowledged {
            Some(time) => format!("published at {}", format::instant(time)),
            None => format!("publish sent at {}, never acknowledged", format::instant(self.invoked)),
        };
        let pinned = if self.pinned { ", pinned" } else { "" };
        format!("{}, {when}{pinned}", names::publisher(self.client, self.registration))
    }
}

/// Origins of every value that a violation of the run misses or has too much. One pass over the history.
pub fn origins(run: &Run<'_>) -> BTreeMap<String, Origin> {
    let mut wanted: BTreeMap<&str, Option<Origin>> = BTreeMap::new();
    for (_, violation) in story::violations(run) {
        wanted.extend(violation.missing.iter().chain(&violation.extra).map(|value| (value.as_str(), None)));
    }
    if wanted.is_empty() {
        return BTreeMap::new();
    }
    let mut open: BTreeMap<u32, &str> = BTreeMap::new();
    run.events.each(&mut |event| {
        let Event::Op(op) = event else { return };
        if op.f != Function::Publish {
            return;
        }
        if op.outcome == Outcome::Invoke {
            let Some((value, origin)) = op.value.as_deref().and_then(|value| wanted.get_key_value(value)) else {
                return;
            };
            if origin.is_some() {
                return;
            }
            open.insert(op.op, value);
            let value = *value;
            wanted.insert(
                value,
                Some(Origin {
                    client: op.client,
                    registration: op.registration,
                    invoked: op.time,
                    acknowledged: None,
                    pinned: run.header.pinned.contains(&op.client),
                }),
            );
        } else if op.outcome == Outcome::Ok
            && let Some(value) = open.remove(&op.op)
            && let Some(Some(origin)) = wanted.get_mut(value)
        {
            origin.acknowledged = Some(op.time);
        }
    });
    wanted.into_iter().filter_map(|(value, origin)| Some((value.to_owned(), origin?))).collect()
}
