//! Evidence on disk: for each incident a folder with the history around it, the checkers' verdict, a report and the story; in
//! bounded space. Whatever goes wrong here is said and counted, and stops nothing.

use crate::finding::Kind;
use crate::incident::Incident;
use checkers::Options;
use history::{Event, Header, Writer};
use reports::{Run, RunFacts};
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

/// A check of a window gives up after so many steps.
const STEPS_MAX: u64 = 500_000_000;
/// Names of files in an incident's folder: what the HTTP server hands out, and nothing else.
pub const FILES: [(&str, &str); 3] = [
    ("report.html", "text/html; charset=utf-8"),
    ("history.jsonl.zst", "application/zstd"),
    ("verdict.json", "application/json"),
];

/// The folder.
#[derive(Debug)]
pub struct Store {
    folder: PathBuf,
    /// Held as long as the probe runs: two probes do not share a folder.
    _lock: File,
}

/// What is saved.
#[derive(Clone, Debug)]
pub struct Window {
    /// The first of the incidents it is for.
    pub incident: Incident,
    /// First line of the history.
    pub header: Header,
    /// The history.
    pub events: Vec<Event>,
    /// What happened, line by line, for each incident by its name.
    pub stories: Vec<(String, Vec<String>)>,
}

impl Store {
    /// Opens a folder; makes it where it is missing.
    pub fn open(folder: &Path) -> Result<Store, String> {
        let failed = |error: io::Error| format!("evidence.folder {}: {error}", folder.display());
        fs::create_dir_all(folder).map_err(failed)?;
        let lock = File::create(folder.join("lock")).map_err(failed)?;
        lock.try_lock().map_err(|error| match error {
            fs::TryLockError::WouldBlock => format!("evidence.folder {} is used by another probe", folder.display()),
            fs::TryLockError::Error(error) => failed(error),
        })?;
        Ok(Store { folder: folder.to_owned(), _lock: lock })
    }

    /// Where it is.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Incidents that an earlier probe noted. A damaged file is put aside and said.
    pub fn earlier(&self) -> Vec<Incident> {
        let path = self.folder.join("incidents.json");
        let Ok(text) = fs::read_to_string(&path) else { return Vec::new() };
        serde_json::from_str(&text).unwrap_or_else(|error| {
            tracing::warn!("{} is damaged and put aside: {error}", path.display());
            let _gone = fs::rename(&path, self.folder.join("incidents.json.damaged"));
            Vec::new()
        })
    }

    /// Notes the incidents for the next start.
    pub fn note(&self, incidents: &[Incident]) -> io::Result<()> {
        let text = serde_json::to_vec(incidents).map_err(io::Error::other)?;
        let new = self.folder.join("incidents.json.new");
        fs::write(&new, text)?;
        fs::rename(new, self.folder.join("incidents.json"))
    }
}

/// Saves a window in a folder of its own, and makes room for it. Returns incidents whose evidence had to go.
pub fn save(folder: &Path, disk_bytes: u64, window: &Window) -> Result<Vec<String>, String> {
    let own = folder.join(&window.incident.id);
    let mut removed = Vec::new();
    loop {
        match write(&own, window) {
            Ok(()) => break,
            Err(why) => {
                let _gone = fs::remove_dir_all(&own);
                // On a full disk what is oldest makes room.
                let oldest = saved(folder).into_iter().next().filter(|_| why.1);
                let Some((old, _)) = oldest else { return Err(why.0) };
                fs::remove_dir_all(folder.join(&old)).map_err(|error| format!("{}; {error}", why.0))?;
                removed.push(old);
            }
        }
    }
    removed.extend(make_room(folder, disk_bytes)?);
    Ok(removed)
}

/// Removes the oldest evidence until the rest is small enough.
fn make_room(folder: &Path, disk_bytes: u64) -> Result<Vec<String>, String> {
    let mut removed = Vec::new();
    let mut all = saved(folder);
    while all.iter().map(|(_, bytes)| bytes).sum::<u64>() > disk_bytes && !all.is_empty() {
        let (old, _) = all.remove(0);
        fs::remove_dir_all(folder.join(&old)).map_err(|error| error.to_string())?;
        removed.push(old);
    }
    Ok(removed)
}

/// Folders of incidents, oldest first, with their sizes.
fn saved(folder: &Path) -> Vec<(String, u64)> {
    let size = |path: &Path| -> u64 {
        fs::read_dir(path)
            .into_iter()
            .flatten()
            .flatten()
            .filter_map(|file| file.metadata().ok())
            .map(|data| data.len())
            .sum()
    };
    let entries = fs::read_dir(folder).into_iter().flatten().flatten().filter(|entry| entry.path().is_dir());
    let mut all: Vec<(String, u64)> =
        entries.filter_map(|entry| Some((entry.file_name().into_string().ok()?, size(&entry.path())))).collect();
    // What somebody else keeps in the folder is none of our business.
    all.retain(|(name, _)| is_incident(name));
    all.sort();
    all
}

/// True for names that the book of incidents gives: `1795356096061-down-4`.
fn is_incident(name: &str) -> bool {
    let digits =
        |part: Option<&str>| part.is_some_and(|part| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit()));
    let kind = |kind: &Kind| name.contains(&format!("-{}-", kind.name()));
    digits(name.split('-').next()) && digits(name.rsplit('-').next()) && Kind::ALL.iter().any(kind)
}

/// The error, and whether the disk is full.
fn write(own: &Path, window: &Window) -> Result<(), (String, bool)> {
    let full = |error: &io::Error| matches!(error.kind(), io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded);
    let failed = |error: io::Error| (format!("{}: {error}", own.display()), full(&error));
    let unwritten = |error: history::Error| {
        let is_full = matches!(&error, history::Error::Write { source, .. } | history::Error::Create { source, .. } if full(source));
        (error.to_string(), is_full)
    };
    fs::create_dir_all(own).map_err(failed)?;
    let Window { incident, header, events, stories } = window;
    let mut writer = Writer::create(own.join("history.jsonl.zst"), header).map_err(unwritten)?;
    events.iter().try_for_each(|event| writer.event(event)).map_err(unwritten)?;
    let finished = writer.finish().map_err(unwritten)?;
    let options = Options { steps_max: STEPS_MAX, ..Options::default() };
    let mut report = checkers::check(header, events, &options);
    report.suspect = checkers::suspect::locate(&checkers::suspect::observe(header, events));
    let facts = RunFacts {
        run: Some(incident.id.clone()),
        history_hash: Some(finished.hash),
        virtual_ms: events.iter().rev().find_map(Event::time).map(|end| end / history::MILLI),
        ..RunFacts::default()
    };
    let page = reports::html::page(&Run { header, events, report: &report, facts: &facts });
    fs::write(own.join("report.html"), page).map_err(failed)?;
    let verdict = serde_json::to_vec_pretty(&report).map_err(|error| (error.to_string(), false))?;
    fs::write(own.join("verdict.json"), verdict).map_err(failed)?;
    for (id, lines) in stories {
        fs::write(own.join(story_file(id)), lines.join("\n") + "\n").map_err(failed)?;
    }
    Ok(())
}

/// Where the story of an incident is, in the folder of its evidence.
pub fn story_file(id: &str) -> String {
    format!("story-{id}.txt")
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn only_the_oldest_evidence_makes_room_and_nothing_else() {
        let folder = std::env::temp_dir().join(format!("upheaval-evidence-{}", std::process::id()));
        for (name, bytes) in [("100-down-1", 600), ("200-wrong-content-2", 600), ("300-late-1", 600), ("orders", 5_000)]
        {
            fs::create_dir_all(folder.join(name)).unwrap();
            fs::write(folder.join(name).join("history.jsonl.zst"), vec![0; bytes]).unwrap();
        }
        let names: Vec<String> = saved(&folder).into_iter().map(|one| one.0).collect();
        assert_eq!(names, ["100-down-1", "200-wrong-content-2", "300-late-1"]);
        assert_eq!(make_room(&folder, 1_300).unwrap(), ["100-down-1"]);
        assert!(
            folder.join("orders").exists() && folder.join("300-late-1").exists() && !folder.join("100-down-1").exists()
        );
        fs::remove_dir_all(&folder).unwrap();
    }
}
