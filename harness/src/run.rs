//! One run from plan to verdict: start the system, drive it, save everything, check, report.

use crate::error::Error;
use crate::master::{Master, MasterError, Outcome};
use crate::observer::Observer;
use crate::plan::Plan;
use crate::recorder::Recorder;
use crate::recording::Recording;
use crate::store::{self, RunFolder};
use crate::verdict::{self, Judged};
use crate::{PROGRAM, worlds};
use checkers::{Joined, Options, Verdict};
use history::{Contract, Header, Loaded, SCHEMA, Writer};
use reports::RunFacts;
use std::path::Path;
use std::sync::atomic::AtomicBool;
use std::time::Instant;

/// What a run needs beside its plan.
pub struct Setting<'a> {
    /// Where runs are kept.
    pub store: &'a Path,
    /// The scenario's text, kept beside the plan.
    pub scenario: Option<&'a str>,
    /// Who looks on.
    pub observer: &'a mut dyn Observer,
    /// Set to stop early; faults are lifted and what there is gets checked.
    pub stop: &'a AtomicBool,
    /// How to check.
    pub options: &'a Options,
    /// Compare the bounds of a pass with what they could be.
    pub measure: bool,
    /// Told when the system serves and the run begins.
    pub begun: &'a mut dyn FnMut(&Header, &RunFacts),
}

/// Runs a plan. Everything is saved before it is checked.
pub fn run(plan: &Plan, setting: Setting<'_>) -> Result<(RunFolder, Judged), Error> {
    let wall = Instant::now();
    let new_store = !setting.store.exists();
    let folder = RunFolder::create(setting.store, &plan.scenario, plan.seed)?;
    let text = serde_json::to_vec(plan).map_err(|e| Error::harness(format!("plan: {e}")))?;
    folder.write(store::PLAN, &text)?;
    if let Some(scenario) = setting.scenario {
        folder.write(store::SCENARIO, scenario.as_bytes())?;
    }
    let mut facts = RunFacts {
        run: Some(folder.id.clone()),
        replay: Some(format!("upheaval replay {}", folder.path.display())),
        plan_hash: Some(plan.hash()),
        drawn: plan.drawn.clone(),
        store: Some(folder.path.display().to_string()),
        ..RunFacts::default()
    };
    let driven = drive(plan, &folder, setting.observer, setting.stop, &mut |header| {
        (setting.begun)(header, &facts);
    });
    let (driven, history) = match driven {
        Ok(driven) => driven,
        // What was recorded before the failure stays; a run that recorded nothing leaves no folder behind.
        Err(error) => {
            if !folder.file(store::HISTORY).exists() {
                let _ = std::fs::remove_dir_all(&folder.path);
                if new_store {
                    let _ = std::fs::remove_dir(setting.store);
                }
            }
            return Err(error);
        }
    };
    folder.link_latest();
    facts.node_logs = folder.node_logs();
    facts.virtual_ms = Some(driven.end / history::MILLI);
    facts.wall_ms = Some(wall.elapsed().as_millis() as u64);
    let path = folder.file(store::HISTORY);
    let mut judged = match history {
        Some((history, joined)) => {
            verdict::judge_loaded(history, Some(joined), setting.options, facts, setting.measure)
        }
        None => verdict::judge(&path, setting.options, facts, setting.measure)?,
    };
    if driven.interrupted {
        judged.report.verdict = judged.report.verdict.merge(Verdict::Inconclusive);
        judged.report.reasons.push("the run was interrupted before its end".to_owned());
    }
    if judged.report.verdict == Verdict::Violation && plan.system.is_virtual() {
        judged.facts.shrink = Some(format!("upheaval shrink {}", folder.path.display()));
    }
    judged.facts.wall_ms = Some(wall.elapsed().as_millis() as u64);
    verdict::save(&folder, &judged)?;
    Ok((folder, judged))
}

/// Starts the system and drives it to the end; the system is shut down on every way out. A whole history that is still
/// in memory comes back with it, joined, so that it need not be read again.
fn drive(
    plan: &Plan,
    folder: &RunFolder,
    observer: &mut dyn Observer,
    stop: &AtomicBool,
    begun: &mut dyn FnMut(&Header),
) -> Result<(Outcome, Option<(Loaded, Joined)>), Error> {
    let mut world = Shut(worlds::start(plan, &folder.id, Some(&folder.file(store::NODES)))?);
    let info = world.0.info().clone();
    let (header, contract) = header(plan, &info)?;
    let mut writer = Writer::create(folder.file(store::HISTORY), &header).map_err(unwritten)?;
    begun(&header);
    if info.virtual_time {
        let (recorder, recording) = Recorder::start(writer);
        let outcome = Master::new(world.0.as_mut(), plan, contract, recording, observer, stop).run();
        drop(world);
        let recorded = recorder.finish().map_err(unwritten);
        let outcome = outcome.map_err(|error| broken(&error, recorded.is_ok(), folder))?;
        let mut recorded = recorded?;
        if outcome.interrupted {
            return Ok((outcome, None));
        }
        let finished = recorded.close().map_err(unwritten)?;
        let loaded = Loaded::of(header, recorded.events, finished);
        return Ok((outcome, Some((loaded, recorded.joined))));
    }
    let recording = Recording::new(&mut writer);
    let outcome = Master::new(world.0.as_mut(), plan, contract, recording, observer, stop).run();
    drop(world);
    // An interrupted or broken run gets no closing line: it is not whole.
    match outcome {
        Ok(outcome) if !outcome.interrupted => writer.finish().map(|_| (outcome, None)).map_err(unwritten),
        Ok(outcome) => writer.flush().map(|()| (outcome, None)).map_err(unwritten),
        Err(error) => Err(broken(&error, writer.flush().is_ok(), folder)),
    }
}

fn unwritten(error: history::Error) -> Error {
    Error::harness(error.to_string())
}

fn broken(error: &MasterError, kept: bool, folder: &RunFolder) -> Error {
    let note = if kept { "" } else { " (and its last events could not be written)" };
    Error::harness(format!("{error}; what was recorded is in {}{note}", folder.path.display()))
}

/// The first line of a run's history, and the contract that holds in it.
pub fn header(plan: &Plan, info: &systems::SystemInfo) -> Result<(Header, Contract), Error> {
    let contract = plan.contract.apply(info.contract.clone()).map_err(Error::usage)?;
    let readers = info.nodes.iter().filter(|node| node.serves_clients).count() as u32;
    let header = Header {
        schema: SCHEMA,
        scenario: plan.scenario.clone(),
        seed: plan.seed,
        program: PROGRAM.to_owned(),
        plan_hash: plan.hash(),
        system: info.name.clone(),
        virtual_time: info.virtual_time,
        nodes: info.nodes.clone(),
        data_ids: plan.data_ids.clone(),
        clients: plan.clients.len() as u32,
        pinned: plan.clients.iter().filter(|client| client.pinned).map(|client| client.id).collect(),
        contract: contract.clone(),
        final_reads: readers * plan.data_ids.len() as u32,
        bug: plan.bug.clone(),
    };
    Ok((header, contract))
}

/// Shuts the world down when dropped: also on an error, and when a panic unwinds.
pub(crate) struct Shut(pub(crate) Box<dyn systems::World>);

impl Drop for Shut {
    fn drop(&mut self) {
        self.0.shutdown();
    }
}
