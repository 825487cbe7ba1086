//! What messages say, in a few words: for stories and drawings of a run, never for deciding anything.

use super::entry::{Entry, Rank};
use super::message::{Answer, Ask, Content, Message, SlotAsk, Watcher};
use history::DataIx;

/// In a few words. Lists are cut short: people read this.
pub(super) fn says(message: &Message) -> String {
    match message {
        Message::Request(connection, op, ask) => format!("op {op}: {} ({connection})", asked(ask)),
        Message::ClientBeat(connection, _) => format!("heartbeat ({connection})"),
        Message::Bye(connection) => format!("bye ({connection})"),
        Message::Pushed(Watcher { connection, subscription, .. }, version) => {
            format!("received push v{version} for subscription {subscription} ({connection})")
        }
        Message::Response(connection, op, answer) => format!("op {op}: {} ({connection})", answered(answer)),
        Message::Closed(connection, why) => format!("closed: {why} ({connection})"),
        Message::Push(Watcher { connection, .. }, data, shown, attempt) => {
            format!("push d{data} {}, attempt {attempt} ({connection})", content(shown))
        }
        _ => among_nodes(message),
    }
}

fn among_nodes(message: &Message) -> String {
    match message {
        Message::LeaseAsk(_) => "may I lead?".to_owned(),
        Message::LeaseAnswer(_, Some(term), cluster) => format!("you lead in term {term}, table v{}", cluster.version),
        Message::LeaseAnswer(_, None, cluster) => format!("another leads, table v{}", cluster.version),
        Message::Commit(term, cluster) => format!("commit table v{} in term {term}", cluster.version),
        Message::Committed(cluster, true) => format!("committed table v{}", cluster.version),
        Message::Committed(cluster, false) => format!("not committed, the table is v{}", cluster.version),
        Message::Beat(incarnation, _, version) => format!("heartbeat of life {incarnation}, knows table v{version}"),
        Message::BeatOk(_, _, Some(cluster)) => format!("heartbeat confirmed, table v{}", cluster.version),
        Message::BeatOk(_, _, None) => "heartbeat confirmed".to_owned(),
        Message::Table(cluster) => format!("table v{}", cluster.version),
        Message::Serving(slot, epoch) => format!("slot {slot} is served here in epoch {epoch}"),
        Message::SyncAsk(round, asks) => format!("sync {round}: what about {}?", slots(asks)),
        Message::SyncAnswer(round, _, answers) => {
            let entries: usize = answers.iter().map(|answer| answer.entries.len()).sum();
            format!("sync {round}: {entries} entries of {} slots", answers.len())
        }
        Message::Release(slot, epoch, _) => format!("release slot {slot} below epoch {epoch}"),
        Message::Released(slot, epoch, _) => format!("released slot {slot} for epoch {epoch}"),
        Message::Replicate(slot, epoch, number, list) => {
            format!("replicate {number} of slot {slot} in epoch {epoch}: {}", entries(list))
        }
        Message::CopyAsk(slot, epoch, ..) => format!("compare slot {slot} in epoch {epoch}"),
        Message::Copy(slot, epoch, list) => format!("copy of slot {slot} in epoch {epoch}: {}", entries(list)),
        _ => of_data(message),
    }
}

fn of_data(message: &Message) -> String {
    match message {
        Message::Write(id, slot, _, _, list) => format!("write {id} to slot {slot}: {}", entries(list)),
        Message::Written(id, slot, true) => format!("write {id} to slot {slot} applied"),
        Message::Written(id, slot, false) => format!("write {id} to slot {slot} refused"),
        Message::Fetch(id, data) => format!("fetch {id}: d{data}?"),
        Message::Fetched(id, data, Some(shown)) => format!("fetch {id}: d{data} is {}", content(shown)),
        Message::Fetched(id, data, None) => format!("fetch {id}: d{data} is not served here"),
        Message::Scan(_, list) => format!("which versions? of {} dataIds", list.len()),
        Message::Scanned(_, versions) => format!("versions: {}", some(versions.iter().map(version))),
        Message::Renew(_, number) => format!("session lives, renewal {number}"),
        Message::Changed(versions, _) => format!("changed: {}", some(versions.iter().map(version))),
        _ => String::new(),
    }
}

fn asked(ask: &Ask) -> String {
    match ask {
        Ask::Connect => "connect".to_owned(),
        Ask::Publish { data, value, .. } => format!("publish d{data} {value}"),
        Ask::Unpublish { data, registration, .. } => format!("unpublish d{data}, registration {registration}"),
        Ask::Subscribe { data, .. } => format!("subscribe d{data}"),
        Ask::Unsubscribe { subscription } => format!("unsubscribe, subscription {subscription}"),
        Ask::Read { data } => format!("read d{data}"),
        Ask::Ping => "ping".to_owned(),
        Ask::Close => "close".to_owned(),
    }
}

fn answered(answer: &Answer) -> String {
    match answer {
        Answer::Ok(None) => "ok".to_owned(),
        Answer::Ok(Some(elements)) => format!("ok, {}", some(elements.iter())),
        Answer::Refused(why) => format!("refused: {why}"),
    }
}

fn content(content: &Content) -> String {
    format!("v{} [{}]", content.version, some(content.elements.iter()))
}

fn entries(entries: &[Entry]) -> String {
    some(entries.iter().map(|entry| match (&entry.value, entry.rank) {
        (Some(value), _) => format!("d{} {value}", entry.data),
        (None, Rank::Expired) => format!("d{} of client {} expired", entry.data, entry.publisher.client()),
        (None, _) => format!("d{} of client {} gone", entry.data, entry.publisher.client()),
    }))
}

fn slots(asks: &[SlotAsk]) -> String {
    some(asks.iter().map(|ask| format!("slot {}", ask.slot)))
}

fn version((data, version): &(DataIx, u64)) -> String {
    format!("d{data} v{version}")
}

/// The first few, and how many more there are.
fn some<T: std::fmt::Display>(items: impl ExactSizeIterator<Item = T>) -> String {
    const SHOWN: usize = 3;
    let more = items.len().saturating_sub(SHOWN);
    let mut text = items.take(SHOWN).map(|item| item.to_string()).collect::<Vec<_>>().join(", ");
    if more > 0 {
        text.push_str(&format!(" and {more} more"));
    }
    text
}
