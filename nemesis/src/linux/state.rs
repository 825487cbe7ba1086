//! What a run owns, written down where a supervisor or the next start finds it.
//!
//! One folder a run under `/run/upheaval` (or `UPHEAVAL_STATE_DIR`): `lock`, held as long as the run lives, and
//! `owned.jsonl`, one line for each thing. Things are written down before they are made, so that a crash in between
//! leaves no orphan; processes right after, because only then their pid is known (they are also found by namespace).

use super::{LabError, proc};
use nix::fcntl::{Flock, FlockArg};
use serde::{Deserialize, Serialize};
use std::fs::{DirBuilder, File, OpenOptions};
use std::io::{ErrorKind, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// Overrides where the folders of runs are.
pub(crate) const STATE_DIR_VARIABLE: &str = "UPHEAVAL_STATE_DIR";
/// Every folder that a run asks to be removed has a name that begins like this; others are never removed.
pub(crate) const DIRECTORY_PREFIX: &str = "upheaval-";
/// Every namespace of a run has a name that begins like this; others are never removed.
pub(crate) const NAMESPACE_PREFIX: &str = "uph-";

const RUN_LENGTH_MAX: usize = 100;
const LOCK_POLL: Duration = Duration::from_millis(20);

/// One thing that a run owns.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Owned {
    /// The boot of the machine in which all this is true.
    Boot(String),
    /// A named network namespace.
    Namespace(String),
    /// A process, and when it started.
    Process {
        /// Its number.
        pid: i32,
        /// Its start, in clock ticks since boot.
        start: u64,
    },
    /// A folder with everything in it.
    Directory(PathBuf),
}

/// Where the folders of all runs are.
pub(crate) fn root() -> PathBuf {
    let root = std::env::var_os(STATE_DIR_VARIABLE).map_or_else(|| PathBuf::from("/run/upheaval"), PathBuf::from);
    // The supervisor works elsewhere, so a relative path would lead it astray.
    std::path::absolute(&root).unwrap_or(root)
}

/// The state folder of a live run. The lock is free again when this is dropped.
#[derive(Debug)]
pub(crate) struct State {
    folder: PathBuf,
    log: Mutex<File>,
    _lock: Lock,
}

impl State {
    /// Makes the folder of a new run. What a dead run of the same name left is removed by `clean` first.
    pub fn create(run: &str, clean: impl Fn(&Path) -> Result<(), LabError>) -> Result<State, LabError> {
        check_run(run)?;
        let root = root();
        let mut builder = DirBuilder::new();
        builder.mode(0o700).recursive(true);
        let folder = root.join(run);
        let lock = loop {
            builder.create(&folder).map_err(LabError::io(format!("making {}", folder.display())))?;
            let Some(lock) = Lock::acquire(&folder, Duration::from_secs(3))? else { continue };
            if !folder.join("owned.jsonl").exists() {
                break lock;
            }
            clean(&folder)?;
        };
        let path = folder.join("owned.jsonl");
        let log = OpenOptions::new().create_new(true).append(true).open(&path);
        let log = Mutex::new(log.map_err(LabError::io(format!("making {}", path.display())))?);
        let state = State { folder, log, _lock: lock };
        state.own(&Owned::Boot(proc::boot_id()))?;
        Ok(state)
    }

    /// The folder.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Writes down one more thing. One write for one line: a reader sees all of it or nothing.
    pub fn own(&self, thing: &Owned) -> Result<(), LabError> {
        let path = self.folder.join("owned.jsonl");
        let mut line = serde_json::to_vec(thing)
            .map_err(|error| LabError::Io { what: format!("writing {}", path.display()), source: error.into() })?;
        line.push(b'\n');
        let mut log = self.log.lock().unwrap_or_else(PoisonError::into_inner);
        log.write_all(&line).map_err(LabError::io(format!("writing {}", path.display())))
    }
}

/// Reads what a run owns. A last line that was cut off by a crash, or one that is not ours, is passed over.
pub(crate) fn owned(folder: &Path) -> Vec<Owned> {
    let text = std::fs::read_to_string(folder.join("owned.jsonl")).unwrap_or_default();
    text.lines().filter_map(|line| serde_json::from_str(line).ok()).collect()
}

/// The lock of a run's folder: held by the run, then by whoever cleans up after it.
#[derive(Debug)]
pub(crate) struct Lock {
    _file: Flock<File>,
}

impl Lock {
    /// Takes the lock, waiting for up to `patience`. None if the folder is gone.
    pub fn acquire(folder: &Path, patience: Duration) -> Result<Option<Lock>, LabError> {
        let path = folder.join("lock");
        let mut polls_left = patience.as_millis() / LOCK_POLL.as_millis();
        loop {
            let mut file = match OpenOptions::new().create(true).truncate(false).write(true).open(&path) {
                Ok(file) => file,
                Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
                Err(error) => return Err(LabError::io(format!("opening {}", path.display()))(error)),
            };
            match Flock::lock(file, FlockArg::LockExclusiveNonblock) {
                // Whoever held it before may have removed the folder: then this is the lock of nothing.
                Ok(lock) if is_same_file(&lock, &path) => return Ok(Some(Lock { _file: lock })),
                Ok(lock) => drop(lock),
                Err((unlocked, nix::Error::EWOULDBLOCK)) => {
                    file = unlocked;
                    drop(file);
                    if polls_left == 0 {
                        let run = folder.file_name().unwrap_or_default().to_string_lossy().into_owned();
                        return Err(LabError::Busy { run, lock: path });
                    }
                    polls_left -= 1;
                    std::thread::sleep(LOCK_POLL);
                }
                Err((_, error)) => return Err(LabError::errno(format!("locking {}", path.display()))(error)),
            }
        }
    }
}

fn is_same_file(file: &File, path: &Path) -> bool {
    match (file.metadata(), std::fs::metadata(path)) {
        (Ok(held), Ok(named)) => (held.dev(), held.ino()) == (named.dev(), named.ino()),
        _ => false,
    }
}

fn check_run(run: &str) -> Result<(), LabError> {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    let why = match run {
        "" => "it is empty",
        _ if run.len() > RUN_LENGTH_MAX => "it is longer than 100 characters",
        _ if run.starts_with('.') => "it begins with a dot",
        _ if !run.chars().all(plain) => "only letters, digits, `-`, `_` and `.` are allowed",
        _ => return Ok(()),
    };
    Err(LabError::Name { what: "run", name: run.to_owned(), why })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn names_of_runs_cannot_leave_the_folder() {
        for bad in ["", ".", "..", "../x", "a/b", "a b", "a\n", &"x".repeat(101)] {
            assert!(matches!(check_run(bad), Err(LabError::Name { .. })), "{bad:?}");
        }
        for good in ["7", "2026-11-22-0712-zookeeper-churn-7", "a_b.c"] {
            assert!(check_run(good).is_ok(), "{good:?}");
        }
    }

    #[test]
    fn a_torn_last_line_is_passed_over() {
        let folder = std::env::temp_dir().join(format!("upheaval-state-test-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let things = [Owned::Boot("b".into()), Owned::Process { pid: 5, start: 9 }, Owned::Namespace("uph-x".into())];
        let mut text: String = things.iter().map(|thing| serde_json::to_string(thing).unwrap() + "\n").collect();
        text.push_str("{\"directory\":\"/tmp/uph");
        std::fs::write(folder.join("owned.jsonl"), text).unwrap();
        assert_eq!(owned(&folder), things);
        std::fs::remove_dir_all(&folder).unwrap();
    }

    #[test]
    fn only_one_holds_the_lock() {
        let folder = std::env::temp_dir().join(format!("upheaval-lock-test-{}", std::process::id()));
        assert!(Lock::acquire(&folder, Duration::ZERO).unwrap().is_none());
        std::fs::create_dir_all(&folder).unwrap();
        let first = Lock::acquire(&folder, Duration::ZERO).unwrap().unwrap();
        assert!(matches!(Lock::acquire(&folder, Duration::ZERO), Err(LabError::Busy { .. })));
        drop(first);
        assert!(Lock::acquire(&folder, Duration::ZERO).unwrap().is_some());
        std::fs::remove_dir_all(&folder).unwrap();
    }
}
