//! What the tests of the program share.
#![allow(clippy::unwrap_used, dead_code, missing_docs)]

pub mod inside;

use serde_json::Value;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// A folder of its own for each test, removed afterwards.
pub struct Scratch(pub PathBuf);

impl Scratch {
    pub fn new(name: &str) -> Scratch {
        let path = std::env::temp_dir().join(format!("upheaval-test-{name}-{}", std::process::id()));
        let _ = std::fs::remove_dir_all(&path);
        std::fs::create_dir_all(&path).unwrap();
        Scratch(path)
    }

    pub fn file(&self, name: &str, text: &str) -> PathBuf {
        let path = self.0.join(name);
        std::fs::write(&path, text).unwrap();
        path
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// The program, in this folder.
pub fn upheaval(folder: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_upheaval"));
    command.current_dir(folder).env("NO_COLOR", "1").env_remove("UPHEAVAL_LOG");
    command
}

pub fn run(folder: &Path, arguments: &[&str]) -> Output {
    upheaval(folder).args(arguments).output().unwrap()
}

/// Runs with --json and returns exit code and object.
pub fn run_json(folder: &Path, arguments: &[&str]) -> (i32, Value) {
    let output = run(folder, &[arguments, &["--json"]].concat());
    let text = String::from_utf8(output.stdout).unwrap();
    let error = String::from_utf8_lossy(&output.stderr).into_owned();
    let value = serde_json::from_str(&text).unwrap_or_else(|e| panic!("{e}: {text}\n{error}"));
    (output.status.code().unwrap(), value)
}

/// Standard error, exit code.
pub fn refused(folder: &Path, arguments: &[&str]) -> (String, i32) {
    let output = run(folder, arguments);
    (String::from_utf8(output.stderr).unwrap(), output.status.code().unwrap())
}
