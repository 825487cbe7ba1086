//! One network namespace, held open, which threads and commands can enter.

use super::LabError;
use nix::sched::{CloneFlags, setns};
use std::fs::File;
use std::os::fd::{AsFd, AsRawFd};
use std::os::unix::fs::MetadataExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;

/// Where `ip netns` keeps the names.
pub(crate) const FOLDER: &str = "/run/netns";

/// A handle to a network namespace. Cheap to clone; keep one to let the worker threads of a runtime enter it.
#[derive(Clone, Debug)]
pub struct Namespace {
    name: Arc<str>,
    file: Arc<File>,
}

impl Namespace {
    /// Opens a named namespace.
    pub(crate) fn open(name: &str) -> Result<Namespace, LabError> {
        let path = path_of(name);
        let file = File::open(&path).map_err(LabError::io(format!("opening the namespace {}", path.display())))?;
        Ok(Namespace { name: name.into(), file: Arc::new(file) })
    }

    /// The namespace of the calling thread.
    pub(crate) fn current() -> Result<Namespace, LabError> {
        let path = "/proc/thread-self/ns/net";
        let file = File::open(path).map_err(LabError::io(format!("opening {path}")))?;
        Ok(Namespace { name: "current".into(), file: Arc::new(file) })
    }

    /// Its name, as `ip netns` shows it.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Moves the calling thread, and it alone, into the namespace: its sockets belong there from now on. Meant for
    /// threads that never come back, such as the workers of a runtime (tokio: `on_thread_start`).
    pub fn enter(&self) -> Result<(), LabError> {
        setns(self.file.as_fd(), CloneFlags::CLONE_NEWNET)
            .map_err(LabError::errno(format!("entering the namespace {}", self.name)))
    }

    /// Runs `job` on a thread of its own inside the namespace and waits for it.
    pub fn run<T: Send>(&self, job: impl FnOnce() -> T + Send) -> Result<T, LabError> {
        std::thread::scope(|scope| {
            let thread = scope.spawn(|| self.enter().map(|()| job()));
            thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
        })
    }

    /// Makes a command start inside the namespace. (`ip netns exec` would hide the control groups in /sys.)
    pub(crate) fn attach(&self, command: &mut Command) {
        let file = self.file.clone();
        let enter = move || {
            // SAFETY: a plain system call on an open descriptor, allowed between fork and exec.
            match unsafe { libc::setns(file.as_raw_fd(), libc::CLONE_NEWNET) } {
                0 => Ok(()),
                _ => Err(std::io::Error::last_os_error()),
            }
        };
        // SAFETY: `enter` only makes a system call; it neither allocates nor locks.
        unsafe { command.pre_exec(enter) };
    }
}

/// Device and inode of a namespace.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Identity {
    device: u64,
    inode: u64,
}

impl Identity {
    /// The namespace behind a path; none if there is none.
    pub fn of(path: &Path) -> Option<Identity> {
        let data = std::fs::metadata(path).ok()?;
        Some(Identity { device: data.dev(), inode: data.ino() })
    }
}

/// The file that stands for a named namespace.
pub(crate) fn path_of(name: &str) -> PathBuf {
    Path::new(FOLDER).join(name)
}
