//! What happened, a sentence for each thing.

use super::cast::Cast;
use super::messages::{Chosen, What, client_of, slot_of};
use super::{Line, set};
use crate::faults::aimed_at;
use crate::{format, names, story};
use history::{
    Connection, ConnectionState, Contents, Event, Fault, FaultKind, FaultStage, Function, Nanos, Operation, Outcome,
    PhaseName, Push,
};
use std::collections::{BTreeMap, BTreeSet};

/// More lines than this are too many to read: what only explains goes first.
const LINES_MAX: usize = 32;
/// An operation that takes longer than this is worth a word.
const SLOW_NS: Nanos = 200 * history::MILLI;

/// A line and how much the tale needs it: 0 always, more: less.
struct Draft {
    line: Line,
    spare: u8,
}

/// All lines, in order of time; the last is the violation.
pub(super) fn all(cast: &Cast<'_>, chosen: &[Chosen]) -> Vec<Line> {
    let mut drafts = of_history(cast);
    drafts.extend(of_messages(cast, chosen));
    drafts.retain(|draft| draft.line.time <= cast.until());
    drafts.sort_by_key(|draft| draft.line.time);
    for spare in [2, 1] {
        while drafts.len() >= LINES_MAX
            && let Some(at) = drafts.iter().position(|draft| draft.spare >= spare)
        {
            drafts.remove(at);
        }
    }
    let mut lines: Vec<Line> = drafts.into_iter().map(|draft| draft.line).collect();
    let sentence = story::sentence(&names::clean_long(&cast.violation.sentence));
    lines.push(Line { time: cast.until(), text: lower(sentence.trim_end_matches('.')), wrong: true });
    lines
}

/// Sentences of the checkers begin like names: only the first letter of a plain word is large.
fn lower(text: &str) -> String {
    let mut letters = text.chars();
    let first = letters.next().map(|c| c.to_ascii_lowercase());
    first.into_iter().chain(letters).collect()
}

fn draft(time: Nanos, spare: u8, text: String) -> Draft {
    Draft { line: Line { time, text, wrong: false }, spare }
}

fn of_history(cast: &Cast<'_>) -> Vec<Draft> {
    let mut contents = Contents::new();
    let mut drafts = Vec::new();
    let mut ends: BTreeMap<u32, &Operation> = BTreeMap::new();
    for event in cast.events {
        if let Event::Op(op) = event
            && op.outcome != Outcome::Invoke
        {
            ends.insert(op.op, op);
        }
    }
    for event in cast.events {
        match event {
            Event::Op(op) if op.outcome == Outcome::Invoke && cast.operations.contains_key(&op.op) => {
                drafts.extend(operation(cast, op, ends.get(&op.op).copied()));
            }
            Event::Snapshot(snapshot) => {
                // A damaged content is left out here; the checkers have said so.
                let _ = contents.add(snapshot);
            }
            Event::Push(push) if cast.clients.contains(&push.client) && cast.data.contains(&push.data) => {
                drafts.push(shown(cast, push, &mut contents));
            }
            Event::Connection(connection) if cast.clients.contains(&connection.client) => {
                drafts.extend(lost(cast, connection));
            }
            Event::Fault(fault) => drafts.extend(trouble(fault)),
            Event::Phase(phase) if phase.name == PhaseName::Settle => {
                drafts.push(draft(phase.time, 0, "nothing more is planned; everything settles".to_owned()));
            }
            _ => {}
        }
    }
    drafts
}

/// What a client does, and how it ended where that is worth a word.
fn operation(cast: &Cast<'_>, op: &Operation, end: Option<&Operation>) -> Vec<Draft> {
    let header = cast.run.header;
    let who = cast.client(op.client);
    let data = op.data.map_or_else(String::new, |data| names::data_id(header, data));
    let value = op.value.as_deref().map(names::clean).unwrap_or_default();
    let node = op.node.map(|node| names::node(header, node)).unwrap_or_default();
    let again = if op.reaction { " again" } else { "" };
    let through = if node.is_empty() { String::new() } else { format!(" through {node}") };
    let what = match op.f {
        Function::Connect => format!("connects{again} to {node}"),
        Function::Publish => format!("publishes {value} on {data}{again}{through}"),
        Function::Unpublish => format!("takes {value} back from {data}{through}"),
        Function::Subscribe => format!("subscribes{again} to {data}{through}"),
        Function::Unsubscribe => format!("unsubscribes from {data}{through}"),
        Function::Read => format!("reads {data}{through}"),
        Function::Ping => return Vec::new(),
        Function::Close => format!("leaves cleanly, and so gives up what it holds{through}"),
        Function::Vanish => "vanishes without a word".to_owned(),
    };
    let mut drafts = vec![draft(op.time, 0, format!("{who} {what}"))];
    let Some(end) = end.filter(|end| end.time <= cast.until()) else { return drafts };
    let noun = format!("{} of {who}", names::function(op.f));
    let why = end.error.as_deref().map_or_else(String::new, |why| format!(": {}", names::clean_long(why)));
    match end.outcome {
        Outcome::Fail => drafts.push(draft(end.time, 0, format!("the {noun} fails{why}"))),
        Outcome::Info => drafts.push(draft(end.time, 0, format!("nobody knows what became of the {noun}{why}"))),
        Outcome::Ok if end.time - op.time > SLOW_NS => {
            let took = format::duration(end.time - op.time);
            drafts.push(draft(end.time, 0, format!("the {noun} is acknowledged, after {took}")));
        }
        Outcome::Ok if matches!(op.f, Function::Publish | Function::Unpublish) => {
            let text = &mut drafts[0].line.text;
            text.push_str(&format!(", acknowledged at {}", format::instant(end.time)));
        }
        Outcome::Ok | Outcome::Invoke => {}
    }
    drafts
}

fn shown(cast: &Cast<'_>, push: &Push, contents: &mut Contents) -> Draft {
    let content = contents.resolve(push.snapshot).map_or_else(|_| "something unknown".to_owned(), |all| set(&all));
    let data = names::data_id(cast.run.header, push.data);
    let from = push.node.map_or_else(|| "somebody".to_owned(), |node| names::node(cast.run.header, node));
    draft(push.time, 0, format!("{from} has pushed {data} to {}: {content}", cast.client(push.client)))
}

fn lost(cast: &Cast<'_>, connection: &Connection) -> Option<Draft> {
    let who = cast.client(connection.client);
    let why = connection.reason.as_deref().map_or_else(String::new, |why| format!(": {}", names::clean_long(why)));
    match connection.state {
        // It has said so itself.
        ConnectionState::Lost if why.ends_with("the client vanished") => None,
        ConnectionState::Lost => Some(draft(connection.time, 0, format!("{who} loses its connection{why}"))),
        ConnectionState::Expired => Some(draft(connection.time, 0, format!("the session of {who} is over{why}"))),
        ConnectionState::Connected | ConnectionState::Resumed | ConnectionState::Closed => None,
    }
}

/// A step of a fault.
fn trouble(fault: &Fault) -> Option<Draft> {
    let node = aimed_at(fault).map_or_else(|| "the network".to_owned(), |name| names::clean(&name));
    let to_clients = !fault.links.is_empty() && fault.links.iter().all(|(a, b)| a == "clients" || b == "clients");
    let from = if to_clients { "all clients" } else { "the other nodes" };
    let text = match (fault.stage, fault.kind) {
        (FaultStage::Start, FaultKind::Kill) => format!("{node} is killed: all that it had in memory is gone"),
        (FaultStage::Start, FaultKind::Pause) => format!("{node} stands still: what is sent to it waits"),
        (FaultStage::Start, FaultKind::Partition) => format!("{node} is cut off from {from}{}", ways(fault)),
        (FaultStage::Start, _) => names::clean_long(&fault.detail),
        (FaultStage::End, FaultKind::Kill) => format!("{node} is started again"),
        (FaultStage::End, FaultKind::Pause) => format!("{node} goes on"),
        (FaultStage::End, FaultKind::Partition) => format!("{node} is connected again"),
        (FaultStage::End, kind) => format!("{node}: the {} is over", names::fault_kind(kind)),
        (FaultStage::Missed, _) => return None,
        (FaultStage::Serving, _) => return Some(draft(fault.time, 2, format!("{node} serves again"))),
    };
    Some(draft(fault.time, 0, text))
}

/// In which directions, where it is not both.
fn ways(fault: &Fault) -> &'static str {
    let Some(node) = aimed_at(fault) else { return "" };
    let out = fault.links.iter().any(|(from, _)| *from == node);
    let back = fault.links.iter().any(|(_, to)| *to == node);
    match (out, back) {
        (true, false) => ", though it still hears them",
        (false, true) => ", though they still hear it",
        _ => "",
    }
}

/// What the nodes say among themselves, as far as it explains something.
fn of_messages(cast: &Cast<'_>, chosen: &[Chosen]) -> Vec<Draft> {
    let mut told: BTreeSet<String> = BTreeSet::new();
    let mut drafts = Vec::new();
    for one in chosen {
        let (Some(text), spare) = message(cast, one) else { continue };
        let repeats = match one.more {
            0 => String::new(),
            1 => " (once more later)".to_owned(),
            more => format!(" ({more} more times later)"),
        };
        // The same sentence a second time explains nothing.
        if told.insert(text.clone()) {
            drafts.push(draft(one.sent, spare, format!("{text}{repeats}")));
        }
    }
    drafts
}

fn message(cast: &Cast<'_>, one: &Chosen) -> (Option<String>, u8) {
    let name = |end: &str| client_of(end).map_or_else(|| names::clean(end), |client| cast.client(client));
    let (from, to) = (name(&one.from), name(&one.to));
    if one.arrives.is_none() {
        return (Some(format!("what {from} says to {to} is lost: {}", one.label)), 1);
    }
    let slot = slot_of(&format!(" {}", one.label)).map(str::to_owned).unwrap_or_default();
    match one.what {
        What::Write => {
            let entries = one.label.split_once(": ").map_or(one.label.as_str(), |(_, entries)| entries);
            (Some(format!("{from} writes to {to}, leader of slot {slot}: {entries}")), 0)
        }
        What::Refusal => (Some(format!("{to} is refused: {from} does not take writes to slot {slot}")), 1),
        What::Content => {
            let content = one.label.strip_suffix(" []").map(|rest| format!("{rest}, empty"));
            let content = content.unwrap_or_else(|| one.label.clone());
            (Some(format!("{from} tells {to}: {content}")), 2)
        }
        What::Slot => (Some(format!("{from} says that {}", one.label.replace("here", "by it now"))), 0),
        What::Sync => (Some(format!("{from} tells {to} what it holds, {}", one.label)), 2),
        What::Other if one.label.starts_with("commit ") => {
            (Some(format!("{from} decides who leads: {}", one.label)), 0)
        }
        What::Push if one.label.starts_with("closed") => (Some(format!("{from} tells {to}: {}", one.label)), 1),
        What::Talk | What::Push | What::Other => (None, 0),
    }
}
