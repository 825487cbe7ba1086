//! The results store of an exploration: `explore-<scenario>-<key>/results.jsonl`, one line a seed. The key is made from
//! everything that an outcome depends on, so that the same command finds what it has done before, and nothing else.

use super::outcome::{Outcome, Trial};
use crate::error::Error;
use crate::store::RunFolder;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::fs::{File, OpenOptions, TryLockError};
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

/// Outcomes, in the folder of an exploration.
pub const RESULTS: &str = "results.jsonl";
/// The page for people.
pub const PAGE: &str = "index.html";
/// The same as `--json` prints.
pub const SUMMARY: &str = "summary.json";
/// The scenario as it was explored.
pub const SCENARIO: &str = "scenario.toml";
/// Version of the schema of results.
const SCHEMA: u32 = 1;

/// First line of the results.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Heading {
    schema: u32,
    scenario: String,
    program: String,
    bug: Option<String>,
    key: String,
}

/// The open results store.
#[derive(Debug)]
pub struct Book {
    folder: RunFolder,
    file: File,
    /// Outcomes by seed, those of earlier calls too.
    pub outcomes: BTreeMap<u64, Outcome>,
}

impl Book {
    /// Opens the store of this trial, or makes it. Only one program may work in it at a time.
    pub fn open(store: &Path, trial: &Trial<'_>) -> Result<Book, Error> {
        let heading = heading(trial)?;
        let id = format!("explore-{}-{}", trial.scenario.name, &heading.key[..12]);
        let path = store.join(&id);
        std::fs::create_dir_all(&path).map_err(|e| Error::write(&path, &e))?;
        let folder = RunFolder { id, path };
        let results = folder.file(RESULTS);
        let fail = |e: std::io::Error| Error::write(&results, &e);
        let mut file =
            OpenOptions::new().read(true).write(true).create(true).truncate(false).open(&results).map_err(fail)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                return Err(Error::usage(format!("{}: another exploration works there", folder.path.display())));
            }
            Err(TryLockError::Error(error)) => return Err(fail(error)),
        }
        let mut text = Vec::new();
        file.read_to_end(&mut text).map_err(fail)?;
        let (outcomes, whole) = read(&text, &heading)
            .map_err(|why| Error::usage(format!("{}: {why}; remove the folder to start over", results.display())))?;
        // What a killed program wrote last may be half a line.
        file.set_len(whole as u64).and_then(|()| file.seek(SeekFrom::End(0)).map(drop)).map_err(fail)?;
        let mut book = Book { folder, file, outcomes };
        if whole == 0 {
            book.append(&heading)?;
        }
        Ok(book)
    }

    /// Adds an outcome; it is on its way to the disk when this returns.
    pub fn add(&mut self, outcome: Outcome) -> Result<(), Error> {
        self.append(&outcome)?;
        self.outcomes.insert(outcome.seed, outcome);
        Ok(())
    }

    fn append(&mut self, value: &impl Serialize) -> Result<(), Error> {
        let mut line = serde_json::to_vec(value).map_err(|e| Error::harness(format!("results: {e}")))?;
        line.push(b'\n');
        self.file.write_all(&line).map_err(|e| Error::write(&self.folder.file(RESULTS), &e))
    }

    /// Its folder.
    pub fn folder(&self) -> &RunFolder {
        &self.folder
    }

    /// A file in its folder.
    pub fn file(&self, name: &str) -> PathBuf {
        self.folder.file(name)
    }
}

/// Outcomes, and how many bytes of whole lines there are.
fn read(text: &[u8], heading: &Heading) -> Result<(BTreeMap<u64, Outcome>, usize), String> {
    let mut outcomes = BTreeMap::new();
    let mut whole = 0;
    for (number, line) in text.split_inclusive(|byte| *byte == b'\n').enumerate() {
        if line.last() != Some(&b'\n') {
            break;
        }
        let broken = |e: serde_json::Error| format!("line {}: {e}", number + 1);
        if number == 0 {
            let found: Heading = serde_json::from_slice(line).map_err(broken)?;
            if found != *heading {
                return Err("it belongs to another exploration".to_owned());
            }
        } else {
            let outcome: Outcome = serde_json::from_slice(line).map_err(broken)?;
            outcomes.insert(outcome.seed, outcome);
        }
        whole += line.len();
    }
    Ok((outcomes, whole))
}

fn heading(trial: &Trial<'_>) -> Result<Heading, Error> {
    let scenario = serde_json::to_vec(trial.scenario).map_err(|e| Error::harness(format!("scenario: {e}")))?;
    let mut key = Sha256::new();
    key.update(SCHEMA.to_le_bytes());
    key.update(this_program()?);
    key.update(scenario);
    key.update(trial.bug.unwrap_or_default());
    key.update(trial.options.divisor.to_le_bytes());
    key.update(trial.twice_permille.to_le_bytes());
    Ok(Heading {
        schema: SCHEMA,
        scenario: trial.scenario.name.clone(),
        program: crate::PROGRAM.to_owned(),
        bug: trial.bug.map(str::to_owned),
        key: hex(&key.finalize()),
    })
}

/// Not the version alone: while upheaval itself is worked on, outcomes of yesterday's build must not count today.
fn this_program() -> Result<Vec<u8>, Error> {
    let fail = |e: std::io::Error| Error::harness(format!("the program itself cannot be read: {e}"));
    let mut file = File::open(std::env::current_exe().map_err(fail)?).map_err(fail)?;
    let mut hash = Sha256::new();
    std::io::copy(&mut file, &mut hash).map_err(fail)?;
    Ok(hash.finalize().to_vec())
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
