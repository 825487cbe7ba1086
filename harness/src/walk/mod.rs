//! A walk through a virtual run: the plan is run again, time stands still where somebody wants to look, and what each node
//! holds and says can be read there. Looking changes nothing: the run goes on as it would have.

mod trail;
mod world;

pub use trail::Item;

use crate::error::Error;
use crate::master::Master;
use crate::plan::Plan;
use crate::recording::Recording;
use crate::run::{Shut, header};
use crate::worlds;
use history::{Event, Nanos};
use std::cell::RefCell;
use std::rc::Rc;
use std::sync::atomic::AtomicBool;
use systems::NodeState;
use trail::Trail;

/// Where a walk stops next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Goal {
    /// At this instant, after what happens inside the nodes then.
    At(Nanos),
    /// As soon as something was seen.
    Seen,
    /// Nowhere: it is over.
    Leave,
}

/// What can be seen where time stands still.
pub struct Moment<'a> {
    /// Time in the run.
    pub now: Nanos,
    /// True when the run is over and there is nothing behind it.
    pub over: bool,
    /// What happened since the last stop, oldest first.
    pub passed: Vec<Item>,
    /// Messages on their way.
    pub under_way: Vec<Item>,
    /// What nodes and clients hold.
    pub states: &'a dyn Fn() -> Vec<NodeState>,
}

/// Walks through a plan: `guide` is asked at each stop where to go on to, first at `first`, and once more when the run is
/// over. Only what concerns `watched` (names of nodes, `client-N`; all if empty) is seen. Returns what was recorded: the run's
/// history as far as the walk went.
pub fn walk(
    plan: &Plan,
    watched: &[String],
    first: Goal,
    guide: &mut dyn FnMut(&Moment<'_>) -> Result<Goal, Error>,
) -> Result<Vec<Event>, Error> {
    if !plan.system.is_virtual() {
        let system = plan.system.name();
        return Err(Error::usage(format!(
            "{system} is a real system: its time cannot be stopped; --times K runs the plan again K times"
        )));
    }
    let mut inner = Shut(worlds::start(plan, "walk", None)?);
    let (header, contract) = header(plan, inner.0.info())?;
    check_names(watched, &header, plan)?;
    inner.0.trace();
    let stop = AtomicBool::new(false);
    let trail = Rc::new(RefCell::new(Trail::new(&header, watched)));
    let mut observer = trail::Notes(Rc::clone(&trail));
    let mut world = world::Walked::new(inner.0.as_mut(), Rc::clone(&trail), first, guide, &stop);
    let mut events = Vec::new();
    let run = Master::new(&mut world, plan, contract, Recording::in_memory(&mut events), &mut observer, &stop).run();
    world.end()?;
    run.map_err(|e| Error::harness(e.to_string()))?;
    Ok(events)
}

fn check_names(watched: &[String], header: &history::Header, plan: &Plan) -> Result<(), Error> {
    for name in watched {
        let client = name.strip_prefix("client-").and_then(|number| number.parse::<usize>().ok());
        let known = header.nodes.iter().any(|node| node.name == *name)
            || client.is_some_and(|number| number < plan.clients.len());
        if !known {
            let names: Vec<&str> = header.nodes.iter().map(|node| node.name.as_str()).collect();
            return Err(Error::usage(format!(
                "{name}: there is no such node; there are {} and client-0 to client-{}",
                names.join(", "),
                plan.clients.len().saturating_sub(1)
            )));
        }
    }
    Ok(())
}
