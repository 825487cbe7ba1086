//! A run in virtual time that leaves nothing behind: plan in, events and report out, in a few milliseconds. `explore` and
//! `shrink` try thousands of plans this way; what they find is run again and stored by [`crate::run`].

use crate::error::Error;
use crate::fingerprint::Fingerprint;
use crate::master::Master;
use crate::observer::Observers;
use crate::plan::Plan;
use crate::recording::Recording;
use crate::run::{Shut, header};
use crate::worlds;
use checkers::{Options, Report};
use history::line::{LineHash, put_event, put_header};
use history::{Event, Header, Nanos};
use std::sync::atomic::AtomicBool;
use systems::world::TracedMessage;

/// What came of it.
pub struct Attempt {
    /// First line of its history.
    pub header: Header,
    /// Its history.
    pub events: Vec<Event>,
    /// What the checkers say.
    pub report: Report,
    /// Time in the run at its end.
    pub end: Nanos,
    /// Calls of a node's `step`.
    pub steps: u64,
    /// Interesting states and how often each was reached.
    pub coverage: Vec<(&'static str, u64)>,
    /// Every message between nodes; empty unless it was asked for.
    pub trace: Vec<TracedMessage>,
}

impl Attempt {
    /// What kind of failure it is; none where there is no violation.
    pub fn fingerprint(&self) -> Option<Fingerprint> {
        Fingerprint::of(&self.report)
    }

    /// The hash that the stored history of this run has.
    pub fn history_hash(&self) -> Result<String, Error> {
        let broken = |e: serde_json::Error| Error::harness(format!("history: {e}"));
        let (mut hash, mut line) = (LineHash::default(), Vec::new());
        put_header(&mut line, &self.header).map_err(broken)?;
        hash.add(&line);
        for event in &self.events {
            line.clear();
            put_event(&mut line, event).map_err(broken)?;
            hash.add(&line);
        }
        Ok(hash.hex())
    }
}

/// Runs a plan in memory and checks it. Plans of real systems are refused: such a run takes real time and a folder.
pub fn attempt(plan: &Plan, options: &Options, traced: bool) -> Result<Attempt, Error> {
    if !plan.system.is_virtual() {
        let system = plan.system.name();
        return Err(Error::usage(format!("{system} is a real system: it cannot be run in memory")));
    }
    let mut world = Shut(worlds::start(plan, "memory", None)?);
    let (header, contract) = header(plan, world.0.info())?;
    if traced {
        world.0.trace();
    }
    let mut events = Vec::new();
    let (mut observers, stop) = (Observers::default(), AtomicBool::new(false));
    let recording = Recording::in_memory(&mut events);
    let run = Master::new(world.0.as_mut(), plan, contract, recording, &mut observers, &stop).run();
    let end = run.map_err(|e| Error::harness(e.to_string()))?.end;
    let (steps, coverage, trace) = (world.0.steps(), world.0.coverage(), world.0.messages(0));
    drop(world);
    let report = checkers::check(&header, &events, options);
    Ok(Attempt { header, events, report, end, steps, coverage, trace })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::run::{Setting, run};
    use crate::scenario::Scenario;

    #[test]
    fn a_run_in_memory_is_the_run_that_is_stored() {
        let (scenario, _) = Scenario::load("quickstart", &[]).unwrap();
        let plan = Plan::draw(&scenario, 3, None);
        let attempted = attempt(&plan, &Options::default(), false).unwrap();
        let store = std::env::temp_dir().join(format!("upheaval-attempt-{}", std::process::id()));
        let setting = Setting {
            store: &store,
            scenario: None,
            observer: &mut Observers::default(),
            stop: &AtomicBool::new(false),
            options: &Options::default(),
            measure: false,
            begun: &mut |_, _| {},
        };
        let (_, judged) = run(&plan, setting).unwrap();
        std::fs::remove_dir_all(store).unwrap();
        assert_eq!(Some(attempted.history_hash().unwrap()), judged.facts.history_hash);
        assert_eq!(attempted.report.verdict, judged.report.verdict);
    }

    #[test]
    fn a_real_system_is_refused() {
        let (scenario, _) = Scenario::load("zookeeper-smoke", &[]).unwrap();
        let error = attempt(&Plan::draw(&scenario, 3, None), &Options::default(), false).err().unwrap();
        assert_eq!(error.code(), 2);
    }
}
