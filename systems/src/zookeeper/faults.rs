//! Faults on the ensemble: each is a task that injects, waits for its end, lifts, and waits until its target serves.

use super::client::Shared;
use super::effect::{Watchdog, all_serve_again, clock_error_ms};
use super::ensemble::{Ensemble, NODES, Server};
use super::target::{CLIENTS, Target, links, modes, resolve};
use crate::world::Happening;
use history::{Effect, Fault, FaultKind, FaultStage};
use nemesis::PlannedFault;
use nemesis::linux::{ClockSkew, Cut};
use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::oneshot;

/// A skewed clock is read this long after it was set.
const CLOCK_SETTLES: Duration = Duration::from_millis(100);

/// Where faults happen.
#[derive(Debug)]
pub struct Site {
    /// The nodes.
    pub ensemble: Arc<Ensemble>,
    /// What clients share; canaries are clients, too.
    pub shared: Arc<Shared>,
    /// Nodes that a fault holds as a whole: there is one such fault at a time for each node.
    held: Mutex<BTreeSet<usize>>,
}

/// A fault in force, and how to lift it.
#[derive(Debug)]
enum Active {
    Killed,
    Paused,
    Cut(Cut),
    Skewed(ClockSkew),
}

/// A fault that is due, its target known.
#[derive(Debug)]
struct Due {
    plan: PlannedFault,
    target: Target,
    links: Vec<(&'static str, &'static str)>,
    /// What the history will say of it; the stage and the time change.
    fault: Fault,
}

impl Site {
    /// No fault yet.
    pub fn new(ensemble: Arc<Ensemble>, shared: Arc<Shared>) -> Self {
        Site { ensemble, shared, held: Mutex::default() }
    }

    /// Whether a fault holds this node as a whole.
    pub fn holds(&self, node: usize) -> bool {
        self.held.lock().unwrap_or_else(PoisonError::into_inner).contains(&node)
    }

    fn hold(&self, node: usize) -> bool {
        self.held.lock().unwrap_or_else(PoisonError::into_inner).insert(node)
    }

    fn release(&self, node: usize) {
        self.held.lock().unwrap_or_else(PoisonError::into_inner).remove(&node);
    }

    fn server(&self, due: &Due) -> &Server {
        &self.ensemble.servers[due.target.node]
    }

    fn tell(&self, fault: &Fault, stage: FaultStage, detail: Option<String>, effect: Option<Effect>) {
        let detail = detail.unwrap_or_else(|| fault.detail.clone());
        let fault = Fault { stage, detail, effect, ..fault.clone() };
        self.shared.recorder.tell(Happening::Fault(Box::new(fault)));
    }
}

/// A fault that cannot happen.
pub fn missed(plan: &PlannedFault, why: String) -> Fault {
    Fault {
        time: 0,
        id: plan.id,
        stage: FaultStage::Missed,
        kind: plan.kind,
        nodes: Vec::new(),
        links: Vec::new(),
        clients: Vec::new(),
        detail: why,
        effect: None,
    }
}

/// From its begin to the moment when its target serves again. `end` fires, or is dropped, when it is to be lifted.
pub async fn run(site: Arc<Site>, plan: PlannedFault, end: oneshot::Receiver<()>) {
    let due = match prepare(&site, &plan).await {
        Ok(due) => Arc::new(due),
        Err(why) => return site.shared.recorder.tell(Happening::Fault(Box::new(missed(&plan, why)))),
    };
    // Told before it is done: whatever it does, it does it after its start.
    site.tell(&due.fault, FaultStage::Start, None, None);
    // Only where it measures: its questions would count as frames dropped, and stand in the log.
    let stands_still = matches!(plan.kind, FaultKind::Kill | FaultKind::Pause);
    let watchdog = stands_still.then(|| Watchdog::start(site.server(&due).address));
    let begun = blocking(&site, &due, begin).await;
    let skewed_ms = match &begun {
        Ok(Active::Skewed(_)) => Some(clock(&site, &due).await),
        _ => None,
    };
    // An end that nobody will call any more is an end, too.
    let _called_or_dropped = end.await;
    let outcome = match begun {
        Ok(active) => blocking(&site, &due, |site, due| lift(site, due, active)).await,
        Err(why) => Err(format!("could not be injected: {why}")),
    };
    let trouble = outcome.as_ref().err().map(|why| format!("{}: {why}", due.fault.detail));
    site.tell(&due.fault, FaultStage::End, trouble.clone(), None);
    all_serve_again(&site.shared, &touched(&site, &due)).await;
    let silent_ms = watchdog.map(Watchdog::finish);
    let effect = effect(&due, outcome.unwrap_or(None), silent_ms, skewed_ms);
    if due.plan.kind != FaultKind::Partition {
        site.release(due.target.node);
    }
    site.tell(&due.fault, FaultStage::Serving, trouble, Some(effect));
}

/// Finds the target, and holds it.
async fn prepare(site: &Site, plan: &PlannedFault) -> Result<Due, String> {
    match plan.kind {
        FaultKind::Kill | FaultKind::Pause | FaultKind::Partition | FaultKind::ClockStep => {}
        kind => {
            return Err(format!("{} cannot be injected into a real ensemble by this version", history::word(&kind)));
        }
    }
    let modes = modes(&site.shared).await;
    let partition = plan.kind == FaultKind::Partition;
    // Partitions may overlap with each other and with what is done to nodes as a whole.
    let free = |node: usize| partition || !site.holds(node);
    let target = resolve(&plan.target, &NODES, &modes, free, &site.shared)?;
    if !partition && !site.hold(target.node) {
        return Err("another fault holds the node".to_owned());
    }
    let links = if partition { links(plan.shape, target.node, &NODES, plan.target.draw)? } else { Vec::new() };
    let name = target.describe(&NODES);
    let detail = match plan.kind {
        FaultKind::Kill => format!("kill -9 {name}"),
        FaultKind::Pause => format!("SIGSTOP {name}"),
        FaultKind::ClockStep => format!("clock of {name} {:+} ms", plan.amount),
        _ => {
            let cut: Vec<String> = links.iter().map(|(from, to)| format!("{from} -> {to}")).collect();
            format!("{} {name}: cut {}", history::word(&plan.shape), cut.join(", "))
        }
    };
    let nodes = if partition { Vec::new() } else { vec![NODES[target.node].to_owned()] };
    let named = links.iter().map(|(from, to)| ((*from).to_owned(), (*to).to_owned())).collect();
    let fault = Fault { nodes, links: named, detail, ..missed(plan, String::new()) };
    Ok(Due { plan: plan.clone(), target, links, fault })
}

/// Injecting takes milliseconds and waits for processes: not on a thread that serves clients.
async fn blocking<T: Send + 'static>(
    site: &Arc<Site>,
    due: &Arc<Due>,
    job: impl FnOnce(&Site, &Due) -> Result<T, String> + Send + 'static,
) -> Result<T, String> {
    let (site, due) = (site.clone(), due.clone());
    tokio::task::spawn_blocking(move || job(&site, &due)).await.unwrap_or_else(|error| Err(error.to_string()))
}

fn begin(site: &Site, due: &Due) -> Result<Active, String> {
    let text = |error: nemesis::linux::LabError| error.to_string();
    let mut process = site.server(due).process();
    let gone = || "its process is gone".to_owned();
    match due.plan.kind {
        FaultKind::Kill => process.as_mut().ok_or_else(gone)?.kill().map(|()| Active::Killed).map_err(text),
        FaultKind::Pause => process.as_mut().ok_or_else(gone)?.pause().map(|()| Active::Paused).map_err(text),
        FaultKind::ClockStep => {
            let pid = process.as_ref().ok_or_else(gone)?.pid();
            ClockSkew::apply(pid, due.plan.amount).map(Active::Skewed).map_err(text)
        }
        _ => {
            drop(process);
            site.ensemble.lab.cut(&due.links).map(Active::Cut).map_err(text)
        }
    }
}

/// Lifts a fault; for a cut, the frames that it dropped.
fn lift(site: &Site, due: &Due, active: Active) -> Result<Option<u64>, String> {
    let text = |error: nemesis::linux::LabError| error.to_string();
    let server = site.server(due);
    match active {
        Active::Killed => site.ensemble.launch(server).map(|()| None).map_err(text),
        Active::Paused => match server.process().as_mut() {
            Some(process) => process.resume().map(|()| None).map_err(text),
            None => Err("its process is gone".to_owned()),
        },
        Active::Skewed(mut skew) => skew.restore().map(|()| None).map_err(text),
        Active::Cut(mut cut) => {
            cut.lift().map_err(text)?;
            cut.dropped().map(Some).map_err(text)
        }
    }
}

async fn clock(site: &Site, due: &Due) -> Result<i64, String> {
    tokio::time::sleep(CLOCK_SETTLES).await;
    clock_error_ms(site.server(due)).await
}

/// The nodes that have to serve before the fault is over.
fn touched(site: &Site, due: &Due) -> Vec<std::net::SocketAddr> {
    let mut names: BTreeSet<&str> = due.links.iter().flat_map(|(from, to)| [*from, *to]).collect();
    names.insert(NODES[due.target.node]);
    names.remove(CLIENTS);
    site.ensemble.servers.iter().filter(|server| names.contains(server.name)).map(|server| server.address).collect()
}

fn effect(due: &Due, frames: Option<u64>, silent_ms: Option<u64>, skewed_ms: Option<Result<i64, String>>) -> Effect {
    let amount = |value: u64| i64::try_from(value).unwrap_or(i64::MAX);
    match due.plan.kind {
        FaultKind::Partition => {
            let frames = amount(frames.unwrap_or(0));
            Effect { bit: frames > 0, amount: frames, unit: "frames dropped".to_owned() }
        }
        FaultKind::ClockStep => {
            let measured = skewed_ms.and_then(Result::ok).unwrap_or(0);
            // Reading takes a while on a busy machine: half of the step in the right direction is proof enough.
            let bit = measured.signum() == due.plan.amount.signum() && measured.abs() * 2 >= due.plan.amount.abs();
            Effect { bit: bit && measured != 0, amount: measured, unit: "ms of clock error".to_owned() }
        }
        _ => {
            let silent = amount(silent_ms.unwrap_or(0));
            Effect { bit: silent > 0, amount: silent, unit: "ms without service".to_owned() }
        }
    }
}
