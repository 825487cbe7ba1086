//! Removes what a run owns: on its ordinary way out, after its death, or at the next start.

use super::namespace::{Identity, path_of};
use super::state::{self, DIRECTORY_PREFIX, Lock, NAMESPACE_PREFIX, Owned};
use super::{LabError, proc};
use nix::mount::{MntFlags, umount2};
use std::collections::{BTreeMap, BTreeSet};
use std::io::ErrorKind;
use std::os::unix::fs::MetadataExt;
use std::path::{Component, Path, PathBuf};
use std::time::Duration;

const KILL_ROUNDS_MAX: u32 = 500;
const KILL_POLL: Duration = Duration::from_millis(10);

/// What [`sweep`] did with the folder of one dead run.
#[derive(Debug)]
pub struct Swept {
    /// Name of the run.
    pub run: String,
    /// Whether everything is gone now.
    pub outcome: Result<(), LabError>,
}

/// Removes what dead runs left. A run is dead if nobody holds its lock: not the run, not its supervisor.
pub fn sweep() -> Vec<Swept> {
    let Ok(entries) = std::fs::read_dir(state::root()) else { return Vec::new() };
    let own_user = nix::unistd::geteuid().as_raw();
    let mut swept = Vec::new();
    for entry in entries.flatten() {
        // Records decide what is killed and removed, so those of other users are not believed.
        let trusted = entry.metadata().is_ok_and(|data| data.is_dir() && data.uid() == own_user);
        if !trusted {
            continue;
        }
        let run = entry.file_name().to_string_lossy().into_owned();
        match Lock::acquire(&entry.path(), Duration::ZERO) {
            Ok(None) | Err(LabError::Busy { .. }) => {}
            Ok(Some(_lock)) => swept.push(Swept { run, outcome: clean(&entry.path()) }),
            Err(error) => swept.push(Swept { run, outcome: Err(error) }),
        }
    }
    swept
}

/// Removes everything that the folder's run owns, then the folder. The caller holds its lock. If something cannot be
/// removed, the folder stays, so that the next sweep tries again.
pub(crate) fn clean(folder: &Path) -> Result<(), LabError> {
    let things = state::owned(folder);
    let mut left = Vec::new();
    if things.contains(&Owned::Boot(proc::boot_id())) {
        left.extend(kill_processes(&things));
        left.extend(remove_namespaces(&things));
    }
    left.extend(remove_directories(&things));
    if left.is_empty() {
        let what = || format!("removing {}", folder.display());
        return match std::fs::remove_dir_all(folder) {
            Err(error) if error.kind() != ErrorKind::NotFound => Err(LabError::io(what())(error)),
            _ => Ok(()),
        };
    }
    let run = folder.file_name().unwrap_or_default().to_string_lossy().into_owned();
    Err(LabError::Leftovers { run, left: left.join("; ") })
}

fn namespaces(things: &[Owned]) -> impl Iterator<Item = &String> {
    things.iter().filter_map(|thing| match thing {
        Owned::Namespace(name) if name.starts_with(NAMESPACE_PREFIX) && !name.contains('/') => Some(name),
        _ => None,
    })
}

/// Kills the processes written down, and whatever else lives in the namespaces, until none is left: a namespace whose
/// name goes while a process is inside would live on without a name.
fn kill_processes(things: &[Owned]) -> Vec<String> {
    let identities: BTreeSet<Identity> = namespaces(things).filter_map(|name| Identity::of(&path_of(name))).collect();
    let recorded = things.iter().filter_map(|thing| match thing {
        Owned::Process { pid, start } => Some((*pid, *start)),
        _ => None,
    });
    let recorded: BTreeMap<i32, u64> = recorded.collect();
    let mut failures = BTreeMap::new();
    for _ in 0..KILL_ROUNDS_MAX {
        let mut alive: BTreeMap<i32, u64> = recorded.iter().map(|(pid, start)| (*pid, *start)).collect();
        alive.retain(|pid, start| proc::stat(*pid).is_some_and(|stat| stat.start == *start && !stat.is_dead()));
        for pid in proc::processes_in(&identities) {
            if let Some(stat) = proc::stat(pid).filter(|stat| !stat.is_dead()) {
                alive.insert(pid, stat.start);
            }
        }
        if alive.is_empty() {
            return Vec::new();
        }
        failures.clear();
        for (pid, start) in alive {
            let outcome = proc::signal_exactly(pid, start, libc::SIGKILL);
            failures.insert(pid, outcome.err().map_or("does not die".to_owned(), |error| error.to_string()));
        }
        std::thread::sleep(KILL_POLL);
    }
    failures.into_iter().map(|(pid, why)| format!("process {pid}: {why}")).collect()
}

fn remove_namespaces(things: &[Owned]) -> Vec<String> {
    let mut left = Vec::new();
    for name in namespaces(things) {
        let path = path_of(name);
        // A crash while it was made can leave a plain file where nothing is mounted (EINVAL): it goes the same way.
        let _ = umount2(&path, MntFlags::MNT_DETACH);
        match std::fs::remove_file(&path) {
            Err(error) if error.kind() != ErrorKind::NotFound => left.push(format!("namespace {name}: {error}")),
            _ => {}
        }
    }
    left
}

fn remove_directories(things: &[Owned]) -> Vec<String> {
    let mut left = Vec::new();
    for thing in things {
        let Owned::Directory(path) = thing else { continue };
        if !may_remove(path) {
            left.push(format!("folder {}: not a name that a run gives", path.display()));
            continue;
        }
        match std::fs::remove_dir_all(path) {
            Err(error) if error.kind() != ErrorKind::NotFound => {
                left.push(format!("folder {}: {error}", path.display()));
            }
            _ => {}
        }
    }
    left
}

/// Only folders that a run named itself, by an absolute path without detours.
pub(crate) fn may_remove(path: &Path) -> bool {
    let detour = |part: Component<'_>| matches!(part, Component::ParentDir | Component::CurDir);
    let named = path.file_name().is_some_and(|name| name.to_string_lossy().starts_with(DIRECTORY_PREFIX));
    path.is_absolute() && named && !path.components().any(detour)
}

/// The folder of temporary files of a run under this name.
pub(crate) fn temporary_folder(key: &str, name: &str) -> PathBuf {
    std::env::temp_dir().join(format!("{DIRECTORY_PREFIX}{key}-{name}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_own_folders_are_removed() {
        for bad in ["/", "/tmp", "/etc/passwd", "upheaval-x", "/tmp/upheaval-x/../..", "/tmp/../upheaval-x"] {
            assert!(!may_remove(Path::new(bad)), "{bad}");
        }
        assert!(may_remove(Path::new("/tmp/upheaval-7-data")));
    }

    #[test]
    fn only_own_namespaces_are_removed() {
        let things = ["docker0", "uph-1-a", "uph-../x", ""].map(|name| Owned::Namespace(name.into()));
        assert_eq!(namespaces(&things).collect::<Vec<_>>(), ["uph-1-a"]);
    }
}
