//! Keeps what shrinking found: the small plan as a run in the store, with its story and its drawing.

use super::Shrunk;
use crate::attempt::attempt;
use crate::error::Error;
use crate::fingerprint::Fingerprint;
use crate::observer::Observers;
use crate::run::{Setting, run};
use crate::store::{self, RunFolder};
use crate::verdict::{self, Judged};
use checkers::Options;
use reports::tale::{self, Message};
use std::path::Path;
use std::sync::atomic::AtomicBool;
use systems::world::TracedMessage;

/// Runs the small plan into the store, as `replay` would, and adds its story. An error if it does not fail as it did.
pub fn keep(shrunk: &Shrunk, store: &Path) -> Result<(RunFolder, Judged), Error> {
    let options = Options::default();
    let setting = Setting {
        store,
        scenario: None,
        observer: &mut Observers::default(),
        stop: &AtomicBool::new(false),
        options: &options,
        measure: false,
        begun: &mut |_, _| {},
    };
    let (folder, mut judged) = run(&shrunk.plan, setting)?;
    if Fingerprint::of(&judged.report) != Some(shrunk.fingerprint) {
        let verdict = reports::story::verdict(judged.report.verdict);
        return Err(Error::harness(format!(
            "{}: the shrunk plan failed when it was tried, but now its verdict is {verdict}",
            folder.path.display()
        )));
    }
    let traced = attempt(&shrunk.plan, &options, true)?;
    let messages: Vec<Message> = traced.trace.iter().map(message).collect();
    let (before, after) = (&shrunk.before, &shrunk.after);
    let how = format!("from {before} down to {} and {}", after.operations, after.faults);
    // A shrunk run is not shrunk again.
    judged.facts.shrink = None;
    judged.facts.tale = tale::tell(&judged.run(), &messages, &how);
    if let Some(told) = &judged.facts.tale {
        folder.write(store::STORY, tale::text(told).as_bytes())?;
        let drawing = reports::html::spacetime(&told.diagram, &told.headline);
        folder.write(store::DIAGRAM, drawing.as_bytes())?;
    }
    verdict::save(&folder, &judged)?;
    Ok((folder, judged))
}

/// A message of a traced run, for its tale.
pub fn message(traced: &TracedMessage) -> Message {
    let TracedMessage { sent, arrives, from, to, says } = traced.clone();
    Message { sent, arrives, from, to, says }
}
