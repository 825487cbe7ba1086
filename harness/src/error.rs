//! What can go wrong outside of verdicts, and the exit code that goes with it.

use std::fmt;
use std::path::Path;

/// An error that ends the program. One place prints it, one place exits.
#[derive(Debug)]
pub struct Error {
    code: u8,
    message: String,
}

impl Error {
    /// The user asked for something that cannot be: exit code 2.
    pub fn usage(message: impl Into<String>) -> Error {
        Error { code: 2, message: message.into() }
    }

    /// The harness or the host failed: exit code 4.
    pub fn harness(message: impl Into<String>) -> Error {
        Error { code: 4, message: message.into() }
    }

    /// A file could not be written.
    pub fn write(path: &Path, error: &std::io::Error) -> Error {
        let hint = match error.kind() {
            std::io::ErrorKind::StorageFull => ": the disk is full; free some space or give --store another place",
            std::io::ErrorKind::PermissionDenied => ": not allowed; give --store a place that you can write to",
            _ => "",
        };
        Error::harness(format!("{}: cannot be written: {error}{hint}", path.display()))
    }

    /// Something in a scenario file is wrong: names the file, the line and shows it.
    pub fn scenario(shown: &str, place: Option<Place>, message: &str) -> Error {
        match place {
            Some(place) => Error::usage(format!(
                "{shown}:{}:{}: {message}\n  {:>4} | {}\n       | {}^",
                place.line,
                place.column,
                place.line,
                place.text,
                " ".repeat(place.column.saturating_sub(1)),
            )),
            None => Error::usage(format!("{shown}: {message}")),
        }
    }

    /// Exit code of the program.
    pub fn code(&self) -> u8 {
        self.code
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Error {}

impl From<systems::WorldError> for Error {
    fn from(error: systems::WorldError) -> Error {
        match error {
            systems::WorldError::Missing { .. } => Error::usage(error.to_string()),
            _ => Error::harness(error.to_string()),
        }
    }
}

/// A place in a text file.
#[derive(Clone, Debug)]
pub struct Place {
    /// Counted from 1.
    pub line: usize,
    /// Counted from 1, in characters.
    pub column: usize,
    /// The whole line.
    pub text: String,
}

impl Place {
    /// The place of a byte offset.
    pub fn at(text: &str, offset: usize) -> Place {
        let before = text.get(..offset).unwrap_or(text);
        let line = before.matches('\n').count() + 1;
        let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
        Place { line, column, text: text.lines().nth(line - 1).unwrap_or_default().to_owned() }
    }
}
