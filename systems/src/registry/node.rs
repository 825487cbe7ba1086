//! Any node of the registry, as the kernel steps it.

use super::RegistryConfig;
use super::bugs::Bug;
use super::clients::Clients;
use super::data::Data;
use super::layout::NodeIds;
use super::membership::Membership;
use super::message::{In, Message, Out, Timer};
use super::meta::{Database, Meta};
use super::session::Session;
use crate::world::Happening;
use simulation::{Input, Machine, NodeId, Now};
use std::sync::Arc;

/// A node, by role.
#[derive(Debug)]
pub enum RegistryNode {
    /// See [`Session`].
    Session(Box<Session>),
    /// See [`Data`].
    Data(Box<Data>),
    /// See [`Meta`].
    Meta(Box<Meta>),
    /// See [`Database`].
    Database(Box<Database>),
    /// See [`Clients`].
    Clients(Box<Clients>),
}

impl RegistryNode {
    /// A fresh process for this node, in this life of its host's. Not for the clients' end and the database, which keep
    /// what they have.
    pub fn fresh(id: NodeId, life: u64, config: &Arc<RegistryConfig>, ids: NodeIds, bug: Option<Bug>) -> RegistryNode {
        // Room for a million fences in each life.
        let incarnation = life << 20;
        if ids.is_session(id) {
            RegistryNode::Session(Box::new(Session::new(id, incarnation, config.clone(), ids, bug)))
        } else if ids.is_data(id) {
            RegistryNode::Data(Box::new(Data::new(id, incarnation, config.clone(), ids, bug)))
        } else if ids.is_meta(id) {
            RegistryNode::Meta(Box::new(Meta::new(config.clone(), ids, bug)))
        } else {
            RegistryNode::Database(Box::new(Database::new(config)))
        }
    }

    /// If it is a session node.
    pub fn session(&self) -> Option<&Session> {
        if let RegistryNode::Session(node) = self { Some(node) } else { None }
    }

    /// If it is a data node.
    pub fn data(&self) -> Option<&Data> {
        if let RegistryNode::Data(node) = self { Some(node) } else { None }
    }

    /// Its place in the cluster, if it is a session or data node.
    pub fn member(&self) -> Option<&Membership> {
        match self {
            RegistryNode::Session(node) => Some(&node.member),
            RegistryNode::Data(node) => Some(&node.member),
            _ => None,
        }
    }

    /// The same, for faults.
    pub fn member_mut(&mut self) -> Option<&mut Membership> {
        match self {
            RegistryNode::Session(node) => Some(&mut node.member),
            RegistryNode::Data(node) => Some(&mut node.member),
            _ => None,
        }
    }

    /// If it is a meta node.
    pub fn meta(&self) -> Option<&Meta> {
        if let RegistryNode::Meta(node) = self { Some(node) } else { None }
    }

    /// The same, for faults.
    pub fn meta_mut(&mut self) -> Option<&mut Meta> {
        if let RegistryNode::Meta(node) = self { Some(node) } else { None }
    }

    /// If it is the database.
    pub fn database(&self) -> Option<&Database> {
        if let RegistryNode::Database(node) = self { Some(node) } else { None }
    }

    /// If it is the clients' end.
    pub fn clients(&self) -> Option<&Clients> {
        if let RegistryNode::Clients(node) = self { Some(node) } else { None }
    }
}

impl Machine for RegistryNode {
    type Message = Message;
    type Timer = Timer;
    type Report = Happening;

    fn step(&mut self, now: Now, input: In, out: &mut Out) {
        match self {
            RegistryNode::Session(node) => node.step(now, input, out),
            RegistryNode::Data(node) => node.step(now, input, out),
            RegistryNode::Meta(node) => node.step(now, input, out),
            RegistryNode::Database(node) => node.step(now, input, out),
            RegistryNode::Clients(node) => node.step(now, input, out),
        }
    }

    fn prepare(&self, input: &In) {
        match (self, input) {
            (RegistryNode::Session(node), Input::Message { message, .. }) => node.prepare(message),
            (RegistryNode::Clients(node), Input::Message { channel, .. }) => node.prepare(*channel),
            (RegistryNode::Clients(node), Input::Timer(Timer::ClientBeat(id))) => node.prepare(id.client),
            _ => {}
        }
    }

    /// What a thread of its own does on a node whose workers are stuck: it beats and hears that it was heard, answers the
    /// beats of others and keeps meta's lease.
    fn is_heartbeat(&self, input: &In) -> bool {
        match input {
            Input::Timer(timer) => matches!(timer, Timer::Beat | Timer::Renew | Timer::Lease),
            Input::Message { message, .. } => matches!(
                message,
                Message::Beat(..)
                    | Message::BeatOk(..)
                    | Message::ClientBeat(..)
                    | Message::Renew(..)
                    | Message::LeaseAsk(..)
                    | Message::LeaseAnswer(..)
            ),
            Input::Start | Input::Reset { .. } => false,
        }
    }
}
