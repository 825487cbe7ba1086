//! The store: `runs/<id>/` with scenario, plan, history, verdict and report, and a link `latest`.

use crate::error::Error;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

/// The plan of a run, in its folder.
pub const PLAN: &str = "plan.json";
/// The history of a run, in its folder.
pub const HISTORY: &str = "history.jsonl.zst";
/// The verdict of a run, in its folder.
pub const VERDICT: &str = "verdict.json";
/// The report of a run, in its folder.
pub const REPORT: &str = "report.html";
/// The story of a shrunk run, in its folder.
pub const STORY: &str = "story.txt";
/// The drawing that goes with it.
pub const DIAGRAM: &str = "spacetime.svg";
/// What the nodes of a real system wrote, in the run's folder.
pub const NODES: &str = "nodes";
/// The scenario of a run, in its folder.
pub const SCENARIO: &str = "scenario.toml";
/// What only the program knows of a run.
pub const FACTS: &str = "facts.json";

/// The folder of one run.
#[derive(Clone, Debug)]
pub struct RunFolder {
    /// The run's id, unique in its store.
    pub id: String,
    /// Its folder.
    pub path: PathBuf,
}

impl RunFolder {
    /// Makes the folder of a new run: `<date>-<time>-<scenario>-<seed>`, with a number behind it where that is taken.
    pub fn create(store: &Path, scenario: &str, seed: u64) -> Result<RunFolder, Error> {
        fs::create_dir_all(store).map_err(|e| Error::write(store, &e))?;
        let stem = format!("{}-{scenario}-{seed}", jiff::Zoned::now().strftime("%Y-%m-%d-%H%M"));
        for number in 1..10_000 {
            let id = if number == 1 { stem.clone() } else { format!("{stem}-{number}") };
            let path = store.join(&id);
            match fs::create_dir(&path) {
                Ok(()) => return Ok(RunFolder { id, path }),
                Err(e) if e.kind() == std::io::ErrorKind::AlreadyExists => {}
                Err(e) => return Err(Error::write(&path, &e)),
            }
        }
        Err(Error::harness(format!("{}: ten thousand runs of {stem} in one minute", store.display())))
    }

    /// Opens the folder of a run by its path.
    pub fn open(path: &Path) -> Result<RunFolder, Error> {
        if !path.join(PLAN).is_file() && !path.join(HISTORY).is_file() {
            return Err(Error::usage(format!(
                "{}: not the folder of a run (it has neither {PLAN} nor {HISTORY})",
                path.display()
            )));
        }
        let real = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
        let id = real.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        Ok(RunFolder { id, path: path.to_owned() })
    }

    /// A file in the folder.
    pub fn file(&self, name: &str) -> PathBuf {
        self.path.join(name)
    }

    /// What the nodes wrote, as paths within the folder, in order of name.
    pub fn node_logs(&self) -> Vec<String> {
        let entries = fs::read_dir(self.file(NODES)).into_iter().flatten().flatten();
        let mut logs: Vec<String> =
            entries.map(|entry| format!("{NODES}/{}", entry.file_name().to_string_lossy())).collect();
        logs.sort();
        logs
    }

    /// Writes a file as a whole: it is there complete or not at all.
    pub fn write(&self, name: &str, bytes: &[u8]) -> Result<(), Error> {
        let path = self.file(name);
        let partial = self.file(&format!(".{name}.partial"));
        let written = fs::File::create(&partial)
            .and_then(|mut file| file.write_all(bytes).and_then(|()| file.sync_all()))
            .and_then(|()| fs::rename(&partial, &path));
        written.map_err(|e| Error::write(&path, &e))
    }

    /// Points `latest` at this run. Not having the link is no reason to fail a run.
    pub fn link_latest(&self) {
        let Some(store) = self.path.parent() else { return };
        let (link, fresh) = (store.join("latest"), store.join(format!(".latest-{}", self.id)));
        let made = std::os::unix::fs::symlink(&self.id, &fresh).and_then(|()| fs::rename(&fresh, &link));
        if let Err(error) = made {
            let _ = fs::remove_file(&fresh);
            tracing::warn!("{}: no link to the latest run: {error}", link.display());
        }
    }
}
