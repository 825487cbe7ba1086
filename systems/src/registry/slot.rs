//! One slot on one data node: its datums, their versions, and what it may do with them.

mod copying;
mod sums;

use super::bugs::Bug;
use super::config::Generation;
use super::entry::{Entry, Kept, Publisher, Rank};
use super::message::{Content, Elements};
use history::{ClientId, DataIx, MILLI, Nanos};
use simulation::NodeId;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use sums::Sums;

/// What this node is for the slot.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Phase {
    /// Nothing, or not any more (Moved).
    #[default]
    Away,
    /// Copies the leader.
    Follower,
    /// Leader, Migrating: waits until these data nodes have said that they do not serve it any more.
    Releasing(BTreeSet<NodeId>),
    /// Leader, Migrating: waits until every listed session has said what it holds.
    Syncing,
    /// Leader, serving.
    Accept,
}

/// The content of one dataId.
#[derive(Clone, Debug, Default)]
struct Datum {
    version: u64,
    /// By publisher; the number is 0 but with [`Bug::RepublishAppends`].
    entries: BTreeMap<(Publisher, u64), Kept>,
    /// As it was shown last: void once the version is another, empty once the values are.
    content: Option<Arc<Content>>,
    /// With [`Bug::TornContent`]: half of the content as it was then.
    half: Option<(Nanos, Vec<Arc<str>>)>,
}

/// See the module.
#[derive(Clone, Debug, Default)]
pub struct Slot {
    /// What this node is for it.
    pub phase: Phase,
    /// Of the table that made this node what it is.
    pub epoch: u64,
    /// Another node asked to lead in this epoch: this one must not serve in an earlier one.
    pub released: u64,
    /// When the phase began.
    pub since: Nanos,
    /// Sessions that have said what they hold in this epoch, with their incarnation.
    pub synced: BTreeMap<NodeId, u64>,
    /// DataIds that changed since the sessions were told.
    pub dirty: BTreeSet<DataIx>,
    /// Changes that the followers were not told yet.
    pub unreplicated: Vec<Entry>,
    bug: Option<Bug>,
    generation: Generation,
    /// A tombstone kept an older registration down since this was looked at.
    pub kept_down: bool,
    /// True if this node had copied the slot before it came to lead.
    pub warm: bool,
    /// With [`Bug::SnapshotsOverwrite`]: sessions, and clients that ever wrote through them.
    written_by: BTreeSet<(NodeId, ClientId)>,
    /// [`Generation::V5`]: since then what is not here is not known.
    wiped: Nanos,
    datums: BTreeMap<DataIx, Datum>,
    sums: Sums,
}

/// Versions of V5 count microseconds.
const MICRO: Nanos = 1_000;
/// With [`Bug::UnpublishAbsentRaises`]: versions of a few epochs.
const AHEAD: u64 = 1 << 34;
/// With [`Bug::TornContent`]: how old half of a content may be.
const TORN: Nanos = 100 * MILLI;

impl Slot {
    /// Empty.
    pub fn new(bug: Option<Bug>, generation: Generation) -> Slot {
        Slot { bug, generation, ..Slot::default() }
    }

    /// True if this node leads it, serving or not.
    pub fn leads(&self) -> bool {
        matches!(self.phase, Phase::Releasing(_) | Phase::Syncing | Phase::Accept)
    }

    /// True if it may be read and written here.
    pub fn accepts(&self) -> bool {
        if self.generation == Generation::V5 {
            // Whoever is asked serves, but for a leader that waits for copies.
            return !matches!(self.phase, Phase::Releasing(_));
        }
        let served = match self.bug {
            Some(Bug::ServeMigrating) => self.leads(),
            _ => self.phase == Phase::Accept,
        };
        served && (self.epoch >= self.released || self.bug == Some(Bug::EpochNotCompared))
    }

    /// Versions of this epoch are above those of every earlier one; in V5 each copy counts by its own clock.
    fn floor(&self, now: Nanos) -> u64 {
        match self.generation {
            Generation::V5 => now / MICRO,
            Generation::V6 if self.bug == Some(Bug::VersionReset) => 1,
            Generation::V6 => self.epoch << 32,
        }
    }

    /// The version of a dataId that nothing is known of.
    fn nothing(&self) -> u64 {
        self.floor(self.wiped)
    }

    /// Takes an entry over if it is newer than what is there, to be told to sessions and followers. True if the live content
    /// changed.
    pub fn apply(&mut self, entry: Entry, now: Nanos) -> bool {
        self.take(entry, now, true)
    }

    fn take(&mut self, entry: Entry, now: Nanos, tell: bool) -> bool {
        let floor = self.floor(now);
        let datum = self.datums.entry(entry.data).or_default();
        let key = (entry.publisher, 0);
        let old = datum.entries.get(&key);
        let late_clean_up =
            self.bug == Some(Bug::LateCleanUp) && entry.clean_up && old.is_some_and(|k| k.entry.is_live());
        let as_it_comes = self.bug == Some(Bug::ArrivalOrder) && entry.is_live();
        if old.is_some_and(|kept| kept.entry.order() >= entry.order()) && !late_clean_up && !as_it_comes {
            self.kept_down |= entry.is_live() && old.is_some_and(|kept| kept.entry.rank == Rank::Removed);
            return false;
        }
        if self.bug == Some(Bug::SnapshotsOverwrite) {
            self.written_by.insert((entry.session, entry.publisher.client()));
        }
        let changed = old.and_then(|kept| kept.entry.value.as_ref()) != entry.value.as_ref();
        if self.bug == Some(Bug::RepublishAppends) {
            append(datum, &entry);
        }
        let (data, stamp) = (entry.data, entry.stamp.max(0) as u64 / MICRO);
        if tell {
            self.unreplicated.push(entry.clone());
        }
        self.sums.add(&entry, self.bug);
        if let Some(old) = datum.entries.insert(key, Kept { entry, since: now }) {
            self.sums.subtract(&old.entry, self.bug);
        }
        if changed {
            datum.version = match self.bug {
                Some(Bug::VersionBySessionClock) => datum.version.max(floor + stamp),
                _ => datum.version.max(floor) + 1,
            };
            datum.content = None;
            if tell {
                self.dirty.insert(data);
            }
        }
        changed
    }

    /// With [`Bug::UnpublishAbsentRaises`]: a client asks for what is not there to be taken back.
    pub fn raise_absent(&mut self, entry: &Entry, now: Nanos) {
        let floor = self.floor(now);
        let datum = self.datums.entry(entry.data).or_default();
        let there = datum.entries.get(&(entry.publisher, 0)).is_some_and(|kept| kept.entry.is_live());
        if !there && !entry.is_live() {
            datum.version = datum.version.max(floor) + AHEAD;
        }
    }

    /// Drops the live entries that `which` picks; they may come back with the version they have.
    pub fn expire(&mut self, now: Nanos, mut which: impl FnMut(&Entry) -> bool) -> bool {
        let mut picked = Vec::new();
        for datum in self.datums.values() {
            let live = datum.entries.iter().filter(|((_, number), kept)| *number == 0 && kept.entry.is_live());
            picked.extend(live.filter(|(_, kept)| which(&kept.entry)).map(|(_, kept)| kept.entry.clone()));
        }
        let any = !picked.is_empty();
        for entry in picked {
            let floor = self.floor(now);
            let Some(datum) = self.datums.get_mut(&entry.data) else { continue };
            let entry = Entry { rank: Rank::Expired, value: None, ..entry };
            datum.entries.retain(|(publisher, number), _| *publisher != entry.publisher || *number == 0);
            datum.version = datum.version.max(floor) + 1;
            datum.content = None;
            self.dirty.insert(entry.data);
            self.unreplicated.push(entry.clone());
            if let Some(old) = datum.entries.insert((entry.publisher, 0), Kept { entry, since: now }) {
                self.sums.subtract(&old.entry, self.bug);
            }
        }
        any
    }

    /// The sum of what is live from this incarnation of this session.
    pub fn digest_of(&self, session: NodeId, incarnation: u64) -> u64 {
        match self.bug {
            Some(Bug::SnapshotsOverwrite) => self.added_up(session, incarnation),
            _ => self.sums.of(session, incarnation),
        }
    }

    /// The same, added up anew; with [`Bug::SnapshotsOverwrite`] also what its clients wrote.
    fn added_up(&self, session: NodeId, incarnation: u64) -> u64 {
        let own = |e: &&Entry| {
            e.session == session && e.incarnation == incarnation
                || self.written_by.contains(&(session, e.publisher.client()))
        };
        self.live().filter(own).map(|e| e.digest(self.bug)).fold(0, u64::wrapping_add)
    }

    /// The sum of everything live.
    pub fn digest(&self) -> u64 {
        self.sums.all()
    }

    fn live(&self) -> impl Iterator<Item = &Entry> {
        self.entries().filter(|entry| entry.is_live())
    }

    fn entries(&self) -> impl Iterator<Item = &Entry> {
        let all = self.datums.values().flat_map(|datum| datum.entries.iter());
        all.filter(|((_, number), _)| *number == 0).map(|(_, kept)| &kept.entry)
    }

    /// DataIds, their versions and what is published on them.
    pub fn datums(&self) -> impl Iterator<Item = (DataIx, u64, Vec<Arc<str>>)> {
        self.datums.iter().map(|(data, datum)| (*data, datum.version, values(&datum.entries, |_| true)))
    }

    /// Forgets everything.
    pub fn clear(&mut self, now: Nanos) {
        *self = Slot { released: self.released, wiped: now, ..Slot::new(self.bug, self.generation) };
    }

    /// V5: from now on this node answers for the slot, whatever it knows of it.
    pub fn begin(&mut self, now: Nanos) {
        self.wiped = now;
    }

    /// The session nodes whose registrations are kept here, and their incarnations.
    pub fn sessions(&self) -> BTreeMap<NodeId, u64> {
        self.live().map(|entry| (entry.session, entry.incarnation)).collect()
    }

    /// Begins to serve: every version rises above all that was pushed in earlier epochs.
    pub fn accept(&mut self, now: Nanos) {
        self.phase = Phase::Accept;
        self.since = now;
        let floor = self.floor(now);
        for (data, datum) in &mut self.datums {
            if self.bug != Some(Bug::VersionReset) {
                datum.version = datum.version.max(floor) + 1;
            }
            self.dirty.insert(*data);
        }
    }

    /// The version of a dataId.
    pub fn version(&self, data: DataIx) -> u64 {
        self.datums.get(&data).map_or(self.nothing(), |datum| datum.version)
    }

    /// What is published on a dataId.
    pub fn content(&mut self, data: DataIx, now: Nanos) -> Arc<Content> {
        let nothing = self.nothing();
        let torn = self.bug == Some(Bug::TornContent);
        let Some(datum) = self.datums.get_mut(&data) else {
            return Content::new(nothing, Arc::from([]));
        };
        if torn {
            let (elements, refreshed) = torn_elements(datum, now);
            if refreshed {
                self.dirty.insert(data);
            }
            return Content::new(datum.version, elements);
        }
        let shown = match datum.content.take() {
            Some(shown) if shown.version == datum.version => shown,
            Some(shown) => shown.at(datum.version),
            None => Content::new(datum.version, values(&datum.entries, |_| true).into()),
        };
        datum.content = Some(Arc::clone(&shown));
        shown
    }

    /// With [`Bug::TornContent`]: what was shown half old is shown again when it is whole.
    pub fn refresh_halves(&mut self, now: Nanos) {
        for (data, datum) in &mut self.datums {
            if torn_elements(datum, now).1 {
                self.dirty.insert(*data);
            }
        }
    }

    /// Forgets what was removed long ago.
    pub fn compact(&mut self, now: Nanos, tombstone: Nanos) {
        let tombstone = if self.bug == Some(Bug::TombstoneCompactedEarly) { 0 } else { tombstone };
        for datum in self.datums.values_mut() {
            datum.entries.retain(|_, kept| kept.entry.is_live() || now < kept.since + tombstone);
        }
    }

    /// How many entries are kept, removed ones included.
    pub fn kept(&self) -> usize {
        self.datums.values().map(|datum| datum.entries.len()).sum()
    }
}

fn values(entries: &BTreeMap<(Publisher, u64), Kept>, which: impl Fn(Publisher) -> bool) -> Vec<Arc<str>> {
    let mut values = Vec::with_capacity(entries.len());
    values.extend(entries.iter().filter(|((p, _), _)| which(*p)).filter_map(|(_, kept)| kept.entry.value.clone()));
    values
}

fn is_odd(publisher: Publisher) -> bool {
    publisher.client() % 2 == 1
}

/// The content with its old half, and whether that half was made new just now.
fn torn_elements(datum: &mut Datum, now: Nanos) -> (Elements, bool) {
    let fresh = values(&datum.entries, is_odd);
    let due = datum.half.as_ref().is_none_or(|(at, half)| now >= at + TORN && *half != fresh);
    let refreshed = due && datum.half.is_some();
    if due {
        datum.half = Some((now, fresh));
        datum.version += u64::from(refreshed);
    }
    let mut all = values(&datum.entries, |p| !is_odd(p));
    all.extend(datum.half.iter().flat_map(|(_, half)| half.iter().cloned()));
    (all.into(), refreshed)
}

/// With [`Bug::RepublishAppends`]: the old value stays beside the new one; taking back takes all.
fn append(datum: &mut Datum, entry: &Entry) {
    let key = (entry.publisher, 0);
    if !entry.is_live() {
        datum.entries.retain(|(publisher, number), _| *publisher != entry.publisher || *number == 0);
    } else if let Some(old) = datum.entries.get(&key).filter(|kept| kept.entry.is_live()).cloned() {
        datum.entries.insert((entry.publisher, old.entry.version), old);
    }
}
