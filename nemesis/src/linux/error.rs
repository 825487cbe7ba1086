//! What can go wrong with an injector, in words that say what to do.

use std::path::PathBuf;

/// An injector could not do what it was asked for.
#[derive(Debug, thiserror::Error)]
pub enum LabError {
    /// Namespaces need root.
    #[error(
        "faults on real processes need root (network namespaces, nft, /proc/PID/mem): run as root, for example with sudo"
    )]
    NotRoot,
    /// A program is not installed.
    #[error("`{tool}` is not installed: install the package `{package}` (Debian's name)")]
    MissingTool {
        /// The program.
        tool: &'static str,
        /// The package that has it.
        package: &'static str,
    },
    /// A program ran and failed.
    #[error("`{command}` failed ({status}): {stderr}")]
    Command {
        /// What was run, with its input.
        command: String,
        /// Exit status.
        status: String,
        /// What it said.
        stderr: String,
    },
    /// No such host in this lab.
    #[error("no host `{host}` in this lab; there are: {known}")]
    NoSuchHost {
        /// What was asked for.
        host: String,
        /// What there is.
        known: String,
    },
    /// A name that cannot be used.
    #[error("{what} `{name}` cannot be used: {why}")]
    Name {
        /// Name of what.
        what: &'static str,
        /// The name.
        name: String,
        /// Why not.
        why: &'static str,
    },
    /// A live run has this name.
    #[error("run `{run}` is still alive, or its leftovers are being removed right now (lock held on {lock})")]
    Busy {
        /// Name of the run.
        run: String,
        /// The lock.
        lock: PathBuf,
    },
    /// The supervisor did not come up.
    #[error("the supervisor, which lifts all faults if this program dies, did not start: {why}")]
    Supervisor {
        /// Why.
        why: String,
    },
    /// A process cannot be given another clock.
    #[error("the clock of process {pid} cannot be skewed: {why}")]
    Clock {
        /// Which process.
        pid: i32,
        /// Why not.
        why: String,
    },
    /// A process that should be there is gone.
    #[error("process {pid} is gone")]
    Gone {
        /// Which process.
        pid: i32,
    },
    /// A process does not do what a signal asks for.
    #[error("process {pid} {what}")]
    Stuck {
        /// Which process.
        pid: i32,
        /// What it does not do.
        what: &'static str,
    },
    /// Something is left that should be gone.
    #[error("could not remove everything of run `{run}`: {left}")]
    Leftovers {
        /// Name of the run.
        run: String,
        /// What is left.
        left: String,
    },
    /// The operating system refused.
    #[error("{what}: {source}")]
    Io {
        /// What was tried.
        what: String,
        /// Why it failed.
        source: std::io::Error,
    },
}

impl LabError {
    /// Wraps an error of the operating system; use with `map_err`.
    pub(crate) fn io(what: impl Into<String>) -> impl FnOnce(std::io::Error) -> LabError {
        let what = what.into();
        move |source| LabError::Io { what, source }
    }
    /// The same for errors of `nix`.
    pub(crate) fn errno(what: impl Into<String>) -> impl FnOnce(nix::Error) -> LabError {
        let what = what.into();
        move |errno| LabError::Io { what, source: errno.into() }
    }
}
