//! Which messages matter: of thousands, those that carry what the tale is about, and what faults swallowed.

use super::Message;
use super::cast::Cast;
use crate::names;
use history::{ClientId, Function, MILLI, Nanos, OpId};
use std::collections::{BTreeMap, BTreeSet};

/// No more than this many are told and drawn; of more, the last ones.
const CHOSEN_MAX: usize = 44;
/// A question that is answered within this time is told by its answer alone.
const PROMPT_NS: Nanos = 100 * MILLI;
/// Lost messages about something else (heartbeats that a cut swallows) that are shown as examples.
const LOST_MAX: usize = 3;

/// A message that matters.
#[derive(Clone, Debug)]
pub(super) struct Chosen {
    pub(super) sent: Nanos,
    pub(super) arrives: Option<Nanos>,
    pub(super) from: String,
    pub(super) to: String,
    /// What it says, without numbers that only the program needs.
    pub(super) label: String,
    /// What it is, as far as the tale cares.
    pub(super) what: What,
    /// How many more of the same were left out after it.
    pub(super) more: usize,
}

/// What a message is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum What {
    /// A client asks, or is answered.
    Talk,
    /// A client is shown a content, or told that it is disconnected.
    Push,
    /// A session writes to data.
    Write,
    /// Data says that it did not take a write.
    Refusal,
    /// Data says what it has.
    Content,
    /// A slot has a new leader.
    Slot,
    /// A session says what it holds.
    Sync,
    /// Anything else.
    Other,
}

/// Those that matter, in order of sending.
pub(super) fn choose(cast: &Cast<'_>, messages: &[Message]) -> Vec<Chosen> {
    let known: Vec<&Message> = messages.iter().filter(|message| message.sent <= cast.until()).collect();
    let slots = slots(cast, &known);
    let mut writes: BTreeSet<(&str, &str, &str)> = BTreeSet::new();
    let mut lost: BTreeSet<(&str, &str)> = BTreeSet::new();
    let mut chosen: Vec<Chosen> = Vec::new();
    for message in &known {
        let message = *message;
        let what = match client_end(message) {
            Some(client) => with_client(cast, message, client),
            None => among_nodes(cast, message, &slots, &mut writes),
        };
        let what = what.filter(|_| !is_answered(message, &known));
        // A cut shows by what it swallows, whatever that was.
        let example = message.arrives.is_none()
            && client_end(message).is_none_or(|client| cast.clients.contains(&client))
            && lost.len() < LOST_MAX
            && lost.insert((&message.from, &message.to));
        let Some(what) = what.or(example.then_some(What::Other)) else { continue };
        chosen.push(Chosen {
            sent: message.sent,
            arrives: message.arrives,
            from: message.from.clone(),
            to: message.to.clone(),
            label: label(cast, &message.says),
            what,
            more: 0,
        });
    }
    let mut chosen = without_repeats(chosen);
    let surplus = chosen.len().saturating_sub(CHOSEN_MAX);
    chosen.drain(..surplus);
    chosen
}

/// The client's number where one end is a client.
pub(super) fn client_of(name: &str) -> Option<ClientId> {
    name.strip_prefix("client-")?.parse().ok()
}

fn client_end(message: &Message) -> Option<ClientId> {
    client_of(&message.from).or_else(|| client_of(&message.to))
}

/// The number in `op 17: ...`.
fn op_of(says: &str) -> Option<OpId> {
    says.strip_prefix("op ")?.split(':').next()?.parse().ok()
}

fn with_client(cast: &Cast<'_>, message: &Message, client: ClientId) -> Option<What> {
    let says = message.says.as_str();
    if !cast.has(client) {
        return None;
    }
    if let Some(op) = op_of(says) {
        let op = cast.operations.get(&op)?;
        // That a connect or a subscribe was heard, what follows shows.
        let plain = says.starts_with(&format!("op {}: ok (", op.op)) && message.arrives.is_some();
        let dull = plain && !matches!(op.f, Function::Publish | Function::Unpublish);
        return (!dull).then_some(What::Talk);
    }
    match says.split(' ').next()? {
        "push" => mentions(cast, says).then_some(What::Push),
        "bye" | "closed:" => Some(What::Push),
        _ => None,
    }
}

fn among_nodes<'a>(
    cast: &Cast<'_>,
    message: &'a Message,
    slots: &BTreeSet<&str>,
    writes: &mut BTreeSet<(&'a str, &'a str, &'a str)>,
) -> Option<What> {
    let says = message.says.as_str();
    let words: Vec<&str> = says.split(' ').collect();
    let number = words.get(1).copied().unwrap_or_default();
    let heard = cast.watching.contains(&message.to);
    match words[0] {
        "write" if mentions(cast, says) => {
            writes.insert((&message.from, &message.to, number));
            Some(What::Write)
        }
        "write" if writes.contains(&(message.to.as_str(), message.from.as_str(), number)) => {
            Some(if says.ends_with("refused") { What::Refusal } else { What::Other })
        }
        "fetch" if mentions(cast, says) => {
            let asks = says.ends_with('?');
            (cast.watching.contains(&message.from) || heard).then_some(if asks { What::Other } else { What::Content })
        }
        "changed:" => (heard && mentions(cast, says)).then_some(What::Other),
        "slot" => (heard && slots.contains(number)).then_some(What::Slot),
        "replicate" | "copy" => mentions(cast, says).then_some(What::Other),
        "commit" => Some(What::Other),
        "sync" if words.get(2).is_some_and(|count| *count != "0" && *count != "what") => Some(What::Sync),
        _ => None,
    }
}

/// True for `fetch 3: d0?` where the answer follows at once: the answer says it all.
fn is_answered(question: &Message, all: &[&Message]) -> bool {
    let Some(start) = question.says.strip_suffix('?').filter(|says| says.starts_with("fetch ")) else { return false };
    let answers =
        |answer: &&&Message| answer.from == question.to && answer.to == question.from && answer.says.starts_with(start);
    question.arrives.is_some()
        && all
            .iter()
            .filter(answers)
            .filter_map(|answer| answer.arrives)
            .any(|at| at >= question.sent && at - question.sent < PROMPT_NS)
}

/// Slots that the tale's dataIds are written to.
fn slots<'a>(cast: &Cast<'_>, messages: &[&'a Message]) -> BTreeSet<&'a str> {
    let writes = messages.iter().filter(|message| message.says.starts_with("write ") && mentions(cast, &message.says));
    writes.filter_map(|message| slot_of(&message.says)).collect()
}

/// The number in `write 3 to slot 5: ...`.
pub(super) fn slot_of(says: &str) -> Option<&str> {
    let after = says.split(" slot ").nth(1)?;
    after.split(|c: char| !c.is_ascii_digit()).next()
}

/// True if one of the tale's dataIds is named: `d1`, not `d12`.
fn mentions(cast: &Cast<'_>, says: &str) -> bool {
    let words = says.split(|c: char| !c.is_ascii_alphanumeric());
    let mut data = words.filter_map(|word| word.strip_prefix('d')?.parse().ok());
    data.any(|data| cast.data.contains(&data))
}

/// `op 3: publish d0 10.0.0.1:9000#1 (c1@1)` becomes `publish d0 10.0.0.1:9000#1`; versions of a slot's epoch become short.
fn label(cast: &Cast<'_>, says: &str) -> String {
    let mut text = says;
    if op_of(says).is_some() {
        text = says.split_once(": ").map_or(says, |(_, rest)| rest);
    }
    if let Some((before, connection)) = text.rsplit_once(" (c")
        && connection.ends_with(')')
    {
        text = before;
    }
    let mut words: Vec<String> = text.split(' ').map(|word| short_version(cast, word)).collect();
    match words[0].as_str() {
        // `write 3 to slot 0: d0 a` and `fetch 3: d0?`: the numbers pair question and answer.
        "write" | "fetch" | "sync" | "replicate" if words.len() > 2 => {
            words.remove(1);
        }
        _ => {}
    }
    let text = words.join(" ").replace(", attempt 1", "");
    let text = match text.strip_prefix("fetch ").filter(|answer| answer.contains(" is ")) {
        Some(answer) => answer.to_owned(),
        None if text.starts_with("replicate ") => {
            text.split_once(": ").map_or(text.clone(), |(_, entries)| format!("replicate {entries}"))
        }
        None => text.replacen("sync ", "sync: ", 1).replacen("write to slot", "write slot", 1),
    };
    names::clean(text.trim_end_matches([',', ' ']))
}

/// A version holds the epoch in its upper half: `v4294967298` is the second of epoch 1, `v1.2`.
fn short_version(cast: &Cast<'_>, word: &str) -> String {
    let end = word.find(|c: char| !c.is_ascii_alphanumeric()).unwrap_or(word.len());
    let (number, rest) = word.split_at(end);
    match number.strip_prefix('v').and_then(|digits| digits.parse::<u64>().ok()) {
        Some(version) if version >> 32 > 0 => format!("v{}.{}{rest}", version >> 32, version & 0xffff_ffff),
        _ => match number.strip_prefix('d').and_then(|digits| digits.parse().ok()) {
            Some(data) => format!("{}{rest}", names::data_id(cast.run.header, data)),
            None => word.to_owned(),
        },
    }
}

/// Leaves out what only says again what was said before.
fn without_repeats(all: Vec<Chosen>) -> Vec<Chosen> {
    let mut seen: BTreeMap<(String, String, String, bool), (usize, usize)> = BTreeMap::new();
    let mut kept: Vec<Chosen> = Vec::new();
    for one in all {
        let text: String = one.label.split(", attempt").next().unwrap_or_default().to_owned();
        let key = (one.from.clone(), one.to.clone(), text, one.arrives.is_none());
        let (count, last) = seen.entry(key).or_insert((0, 0));
        *count += 1;
        // What clients ask and are shown is told each time; that a write is tried again is worth seeing once.
        let alike_max = match one.what {
            What::Talk | What::Push => usize::MAX,
            What::Write => 2,
            _ => 1,
        };
        if *count > alike_max {
            kept[*last].more += 1;
            continue;
        }
        *last = kept.len();
        kept.push(one);
    }
    kept
}
