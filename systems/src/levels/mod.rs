//! Two registries side by side: providers and consumers move from interface level (one registration for each interface) to
//! application level (one for the whole application, in a registry of its own), one after the other, while consumers call
//! providers all the time (claim R10).
//!
//! Providers never go away, so that every consumer should see each provider of its interface at every moment. Two
//! mechanisms make it so: a consumer that has moved looks into both registries, and the old registry goes on hearing of
//! providers that have moved, by their own double registration or from a converter. Each can be left out.

mod client;
mod controller;
mod converter;
mod message;
mod registry;
mod trial;

pub use trial::{Levels, LevelsConfig, LevelsFaults};

use crate::trial::{Actor, Operation, Said};
use client::Client;
use controller::Controller;
use converter::Converter;
use history::MILLI;
use message::Say;
use registry::Registry;
use simulation::{Input, Machine, NodeId, Now, Outputs};

/// The registry of interfaces.
const INTERFACES: NodeId = 0;
/// The registry of applications.
const APPLICATIONS: NodeId = 1;
const CONVERTER: NodeId = 2;
const CONTROLLER: NodeId = 3;
/// The providers come next, then the consumers.
const CLIENTS: NodeId = 4;

/// What was not answered is asked again after so long.
const AGAIN: history::Nanos = 100 * MILLI;

/// The one timer of every node: look what is still to be done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tick;

type Out = Outputs<Say, Tick, (NodeId, Said)>;

/// The interfaces of an application: applications share one with the next.
fn offered(application: u32) -> [u32; 2] {
    [application, application + 1]
}

/// The applications that offer an interface.
fn offering(interface: u32, applications: u32) -> impl Iterator<Item = u32> {
    (0..applications).filter(move |application| offered(*application).contains(&interface))
}

fn fact(out: &mut Out, node: NodeId, what: &'static str, value: i64) {
    out.report((node, Said::Fact { what, value }));
}

fn note(out: &mut Out, node: NodeId, says: &str) {
    out.report((node, Said::Note(says.to_owned())));
}

/// Any node of the migration, as the kernel sees it.
#[derive(Clone, Debug)]
enum Node {
    Registry(Registry),
    Converter(Converter),
    Controller(Controller),
    Client(Client),
}

impl Machine for Node {
    type Message = Say;
    type Timer = Tick;
    type Report = (NodeId, Said);

    fn step(&mut self, _now: Now, input: Input<Say, Tick>, out: &mut Out) {
        match input {
            Input::Message { from, message, .. } => match self {
                Node::Registry(registry) => registry.hear(from, message, out),
                Node::Converter(converter) => converter.hear(from, message, out),
                Node::Controller(controller) => controller.hear(from, &message),
                Node::Client(client) => client.hear(from, message, out),
            },
            Input::Start | Input::Timer(Tick) => {
                match self {
                    Node::Registry(_) => return,
                    Node::Converter(converter) => converter.tick(out),
                    Node::Controller(controller) => controller.tick(out),
                    Node::Client(client) => client.tick(out),
                }
                out.timer(AGAIN, Tick);
            }
            Input::Reset { .. } => {}
        }
    }
}

impl Actor for Node {
    fn asks(_operation: &Operation) -> Say {
        Say::Move
    }
}
