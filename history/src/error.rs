//! What can go wrong with a history. Each message says what to do about it.

use crate::SnapshotId;
use std::io;
use std::path::PathBuf;
use thiserror::Error;

/// Why a history cannot be written, read or resolved.
#[derive(Debug, Error)]
pub enum Error {
    /// The file or its folder cannot be made.
    #[error("cannot create the history {path}: {source}; choose a new file in a folder that exists and is writable")]
    Create {
        /// Where.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// Writing failed. The writer keeps what it could not write, so a later flush goes on where this one stopped.
    #[error(
        "cannot write to the history {path}: {source}; what was flushed before is whole and can be read, make room or \
         choose another disk and run again"
    )]
    Write {
        /// Where.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// An event cannot be written as a line.
    #[error("an event cannot be written to the history {path}: {why}")]
    Unwritable {
        /// Where.
        path: PathBuf,
        /// Why.
        why: String,
    },
    /// The file cannot be opened or read at all.
    #[error("cannot read {path}: {source}; give the path of a history file that exists and is readable")]
    Open {
        /// Which.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A directory was given.
    #[error("{path} is a directory; give the history file in it")]
    Directory {
        /// Which.
        path: PathBuf,
    },
    /// There is nothing in it.
    #[error("{path} is empty: the run ended before its header was written; there is nothing to mend, run it again")]
    Empty {
        /// Which.
        path: PathBuf,
    },
    /// It is something else.
    #[error(
        "{path} is not a history: {what}; expected JSON Lines, plain or in zstd frames, that begin with {{\"header\":"
    )]
    NotHistory {
        /// Which.
        path: PathBuf,
        /// What was found.
        what: String,
    },
    /// Its beginning is damaged, so nothing of it can be used.
    #[error(
        "{path} is damaged at byte {offset}, before its header is complete: {what}; take it from a backup or run again"
    )]
    NoHeader {
        /// Which.
        path: PathBuf,
        /// Where the damaged frame or line begins.
        offset: u64,
        /// What is wrong.
        what: String,
    },
    /// It was written by another version.
    #[error(
        "{path} has schema {found}, this program reads schema {supported}; use the version that wrote it ({program})"
    )]
    Schema {
        /// Which.
        path: PathBuf,
        /// Its schema.
        found: u64,
        /// Ours.
        supported: u32,
        /// The program that wrote it, in its own words.
        program: String,
    },
    /// A content is asked for that no [`crate::Snapshot`] defined.
    #[error("there is no snapshot #{0} so far in this history; it was cut or edited")]
    UnknownSnapshot(SnapshotId),
    /// A snapshot takes an element away that its base has not, or the numbers do not rise.
    #[error("snapshot #{id} does not fit its base: {what}; the history was edited")]
    BadSnapshot {
        /// Which.
        id: SnapshotId,
        /// What is wrong.
        what: String,
    },
}
