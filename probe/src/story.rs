//! What happened around an incident, line by line, out of the flight recorder. Times count from the beginning of the incident.

use crate::finding::Kind;
use crate::flight::Record;
use crate::incident::{Incident, Names, shortened};
use history::{
    ClientId, ConnectionState, DataIx, Event, FaultKind, FaultStage, Function, Nanos, NodeIx, Operation, Outcome,
    SECOND,
};
use std::collections::{BTreeMap, BTreeSet};

/// So much before the incident is told.
const BEFORE: Nanos = 10 * SECOND;
/// No story is longer.
const LINES_MAX: usize = 120;

/// What a subscriber was shown last: how many addresses, which of the concerned ones.
type Shown = (usize, Vec<String>);

struct Teller<'a> {
    incident: &'a Incident,
    names: &'a dyn Names,
    shown: BTreeMap<(ClientId, DataIx), Shown>,
    /// Canaries whose failure to connect was told: once is enough.
    away: BTreeSet<ClientId>,
    lines: Vec<String>,
}

/// The story. Text from outside in it is cleaned, not escaped.
pub fn tell<'a>(incident: &Incident, names: &dyn Names, records: impl Iterator<Item = &'a Record>) -> Vec<String> {
    let mut teller = Teller { incident, names, shown: BTreeMap::new(), away: BTreeSet::new(), lines: Vec::new() };
    let from = incident.since.saturating_sub(BEFORE);
    for record in records {
        let time = match record {
            Record::Event(event) => event.time().unwrap_or_default(),
            Record::Push(push, _) => push.time,
        };
        // Also what was before is looked at: what subscribers were shown then is what changes are told against.
        let line = teller.line(record, time >= from);
        if let Some(line) = line.filter(|_| time >= from) {
            if teller.lines.len() == LINES_MAX {
                teller.lines.push("... and more: see the history".to_owned());
                break;
            }
            teller.lines.push(format!("{}  {}", instant(time, incident.since), reports::names::clean_long(&line)));
        }
    }
    teller.lines
}

fn instant(time: Nanos, zero: Nanos) -> String {
    let (sign, gap) = if time >= zero { ('+', time - zero) } else { ('-', zero - time) };
    let ms = gap / history::MILLI;
    format!("{sign}{}.{:03} s", ms / 1_000, ms % 1_000)
}

impl Teller<'_> {
    /// An incident that is about servers is told by what happened on them.
    fn elsewhere(&self, node: Option<NodeIx>) -> bool {
        let servers = &self.incident.servers;
        let here = node.map(|node| self.names.server(node)).is_some_and(|name| servers.contains(&name));
        !self.incident.kind.is_content() && !servers.is_empty() && !here
    }

    fn line(&mut self, record: &Record, told: bool) -> Option<String> {
        match record {
            Record::Event(Event::Connection(one)) if self.elsewhere(one.node) => None,
            Record::Event(Event::Op(op)) if self.elsewhere(op.node) => None,
            Record::Event(Event::Connection(one)) => {
                let who = self.names.canary(one.client);
                let why = one.reason.as_ref().map(|why| format!(": {why}")).unwrap_or_default();
                match one.state {
                    ConnectionState::Lost => Some(format!("{who} loses its connection{why}")),
                    ConnectionState::Expired => Some(format!("{who}: its session is over{why}")),
                    ConnectionState::Resumed => {
                        self.away.remove(&one.client);
                        Some(format!("{who} is back in its session"))
                    }
                    ConnectionState::Connected if self.away.remove(&one.client) => {
                        Some(format!("{who} is back, in a new session"))
                    }
                    _ => None,
                }
            }
            Record::Event(Event::Op(op)) => self.operation(op, told),
            Record::Event(Event::Fault(fault)) => {
                // The probe's own delay is noted when it is over: begun and ended at once.
                let twice = fault.kind == FaultKind::MasterLag && fault.stage == FaultStage::Start;
                (!twice).then(|| fault.detail.clone())
            }
            Record::Event(_) => None,
            Record::Push(push, elements) => {
                if self.incident.data.as_ref() != Some(&self.names.data(push.data)) {
                    return None;
                }
                let values: Vec<String> = elements
                    .iter()
                    .map(|value| shortened(value))
                    .filter(|v| self.incident.values.contains(v))
                    .collect();
                let key = (push.client, push.data);
                let before = self.shown.insert(key, (elements.len(), values.clone()));
                let (_, old) = before?;
                if old == values {
                    return None;
                }
                let who = self.names.canary(push.client);
                let gone: Vec<&String> = old.iter().filter(|value| !values.contains(value)).collect();
                let new: Vec<&String> = values.iter().filter(|value| !old.contains(value)).collect();
                let with = new.first().map(|value| format!(", with {value}")).unwrap_or_default();
                let without = gone.first().map(|value| format!(", without {value}")).unwrap_or_default();
                Some(format!("{who} is shown {} addresses{with}{without}", elements.len()))
            }
        }
    }

    fn operation(&mut self, op: &Operation, told: bool) -> Option<String> {
        let who = self.names.canary(op.client);
        let on = op.data.map(|data| format!(" on {}", self.names.data(data))).unwrap_or_default();
        let error = op.error.as_deref().unwrap_or_default();
        let changes = matches!(op.f, Function::Publish | Function::Unpublish);
        let fails = matches!(op.outcome, Outcome::Fail | Outcome::Info);
        if op.f == Function::Connect && fails {
            let first = told && self.away.insert(op.client);
            return first.then(|| format!("{who} cannot connect: {error}"));
        }
        match op.outcome {
            Outcome::Info => Some(format!("{who}: {}{on} has no answer: {error}", history::word(&op.f))),
            Outcome::Fail => Some(format!("{who}: {}{on} refused: {error}", history::word(&op.f))),
            Outcome::Ok if changes && self.concerns(&who, op) => {
                let value = op.value.as_deref().unwrap_or_default();
                Some(format!("{who}: {}{on} done {value}", history::word(&op.f)))
            }
            _ => None,
        }
    }

    fn concerns(&self, who: &str, op: &Operation) -> bool {
        let same_data = op.data.map(|data| self.names.data(data)) == self.incident.data;
        self.incident.kind != Kind::Slow && same_data && self.incident.publisher.as_deref() == Some(who)
    }
}
