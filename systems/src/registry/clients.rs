//! The clients: thin. They say what they are told to say, show what they are shown, and notice when nobody answers.
//! They hide nothing: no retry, no cache, no comparison of versions.

use super::RegistryConfig;
use super::layout::NodeIds;
use super::message::{Answer, Ask, ConnectionId, Content, In, Message, Out, Timer};
use crate::world::{Call, Happening, NodeState, Request, Response};
use history::{ClientId, ConnectionState, DataIx, MILLI, Nanos, OpId};
use simulation::{Input, NO_CHANNEL, NodeId, Now, fetch};
use std::sync::Arc;

/// A connection as its client sees it.
#[derive(Clone, Copy, Debug)]
struct Link {
    id: ConnectionId,
    session: NodeId,
    /// True once the session node has accepted it.
    up: bool,
    /// The answered heartbeat or request sent last, by time of sending.
    alive: Nanos,
}

/// A call that was not answered yet.
#[derive(Clone, Copy, Debug)]
struct Open {
    op: OpId,
    kind: Kind,
    sent: Nanos,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Connect,
    Close,
    Other,
}

/// A line of the processor's cache: one is touched with each push.
#[derive(Debug, Default)]
#[repr(align(64))]
struct Client {
    link: Option<Link>,
    open: Option<Open>,
    connects: u32,
    /// Rises with each publish and unpublish, over all connections.
    version: u64,
}

/// All clients: one end of the network, with a channel for each.
#[derive(Debug)]
pub struct Clients {
    config: Arc<RegistryConfig>,
    ids: NodeIds,
    clients: Vec<Client>,
    /// Bytes received, as JSON would carry them.
    pub bytes: u64,
}

impl Clients {
    /// So many, none connected.
    pub fn new(config: Arc<RegistryConfig>, ids: NodeIds, count: u32) -> Clients {
        Clients { config, ids, clients: (0..count).map(|_| Client::default()).collect(), bytes: 0 }
    }

    /// The session node that a client is connected to.
    pub fn session_of(&self, client: ClientId) -> Option<NodeId> {
        self.clients.get(client as usize)?.link.filter(|link| link.up).map(|link| link.session)
    }

    /// Every client that connected at least once, for people who look into a run.
    pub(super) fn states(&self, name: &dyn Fn(NodeId) -> String) -> impl Iterator<Item = NodeState> {
        let known = self.clients.iter().enumerate().filter(|(_, client)| client.connects > 0);
        known.map(|(number, client)| {
            let condition = match client.link {
                Some(link) if link.up => format!("connected to {} ({})", name(link.session), link.id),
                Some(link) => format!("connects to {} ({})", name(link.session), link.id),
                None => "not connected".to_owned(),
            };
            let open = client.open.map(|open| format!("op {}", open.op));
            let holds = open.map(|open| ("waits for", vec![open])).into_iter().collect();
            NodeState { node: format!("client-{number}"), condition, holds }
        })
    }

    /// Something comes soon for this client.
    pub fn prepare(&self, client: ClientId) {
        if let Some(client) = self.clients.get(client as usize) {
            fetch(client);
        }
    }

    /// One step.
    pub fn step(&mut self, now: Now, input: In, out: &mut Out) {
        match input {
            Input::Message { channel, message, .. } => self.on_message(now, channel, message, out),
            Input::Timer(Timer::ClientBeat(connection)) => self.beat(now, connection, out),
            Input::Timer(Timer::Timeout(client, op)) => self.on_timeout(client, op, out),
            Input::Reset { peer, channel: NO_CHANNEL } => {
                for client in 0..self.clients.len() as u32 {
                    self.on_reset(client, peer, out);
                }
            }
            Input::Reset { peer, channel } => self.on_reset(channel, peer, out),
            _ => {}
        }
    }

    /// A client is told to ask for something.
    pub fn call(&mut self, now: Now, call: Call, out: &mut Out) {
        let Call { op, client: id, request } = call;
        let ids = self.ids;
        let timeout = self.config.request_timeout_ms * MILLI;
        let Some(client) = self.clients.get_mut(id as usize) else {
            return done(op, fail("no such client"), out);
        };
        let kind = match request {
            Request::Connect { .. } => Kind::Connect,
            Request::Close => Kind::Close,
            _ => Kind::Other,
        };
        if request == Request::Vanish {
            // As after a crash of its host: nobody is told.
            (client.link, client.open) = (None, None);
            return;
        }
        let ask = match request {
            Request::Connect { node, .. } => {
                if !ids.is_session(node) {
                    return done(op, fail("clients connect to session nodes only"), out);
                }
                if let Some(old) = client.link.take() {
                    out.send_on(old.session, id, Message::Bye(old.id));
                }
                client.connects += 1;
                let connection = ConnectionId { client: id, number: client.connects };
                client.link = Some(Link { id: connection, session: node, up: false, alive: now.mono });
                Ask::Connect
            }
            Request::Publish { data, registration, value, .. } => {
                client.version += 1;
                Ask::Publish { data, registration, version: client.version, value }
            }
            Request::Unpublish { data, registration, .. } => {
                client.version += 1;
                Ask::Unpublish { data, registration, version: client.version }
            }
            Request::Subscribe { data, subscription } => Ask::Subscribe { data, subscription },
            Request::Unsubscribe { subscription, .. } => Ask::Unsubscribe { subscription },
            Request::Read { data } => Ask::Read { data },
            Request::Ping => Ask::Ping,
            Request::Close => Ask::Close,
            Request::Vanish => return,
        };
        let Some(link) = client.link.filter(|link| link.up || kind == Kind::Connect) else {
            return done(op, fail("not connected"), out);
        };
        client.open = Some(Open { op, kind, sent: now.mono });
        out.send_on(link.session, id, Message::Request(link.id, op, Box::new(ask)));
        out.timer(timeout, Timer::Timeout(id, op));
    }

    fn on_message(&mut self, now: Now, id: ClientId, message: Message, out: &mut Out) {
        let Some(client) = self.clients.get_mut(id as usize) else { return };
        let Some(link) = client.link.as_mut() else { return };
        match message {
            Message::ClientBeat(connection, sent) if connection == link.id => link.alive = link.alive.max(sent),
            Message::Response(connection, op, answer) if connection == link.id => {
                if let Some(open) = client.open.filter(|open| open.op == op) {
                    link.alive = link.alive.max(open.sent);
                    self.on_response(now, id, open, answer, out);
                }
            }
            Message::Closed(connection, why) if connection == link.id => self.lose(id, why, out),
            Message::Push(watcher, data, content, _) if watcher.connection == link.id && link.up => {
                out.send_on(link.session, id, Message::Pushed(watcher, content.version));
                self.show(id, watcher.subscription, data, &content, out);
            }
            _ => {}
        }
    }

    fn show(&mut self, client: ClientId, subscription: u32, data: DataIx, content: &Content, out: &mut Out) {
        let Content { version, bytes, .. } = *content;
        let elements = Arc::clone(&content.elements);
        self.bytes += 64 + bytes;
        out.report(Happening::Push { client, subscription, data, version: Some(version), elements });
    }

    fn on_response(&mut self, now: Now, id: ClientId, open: Open, answer: Answer, out: &mut Out) {
        let client = &mut self.clients[id as usize];
        client.open = None;
        let Some(link) = client.link.as_mut() else { return };
        let (connection, node) = (link.id, link.session);
        let response = match answer {
            Answer::Refused(why) => {
                if open.kind == Kind::Connect {
                    client.link = None;
                }
                fail(why)
            }
            Answer::Ok(read) => {
                let state = match open.kind {
                    Kind::Connect => {
                        link.up = true;
                        link.alive = now.mono;
                        out.timer(self.config.client_heartbeat_ms * MILLI, Timer::ClientBeat(connection));
                        Some((ConnectionState::Connected, Some(connection.to_string())))
                    }
                    Kind::Close => {
                        client.link = None;
                        Some((ConnectionState::Closed, None))
                    }
                    Kind::Other => None,
                };
                if let Some((state, name)) = state {
                    out.report(Happening::Connection { client: id, state, node: Some(node), name, reason: None });
                }
                Response::Ok { read: read.map(|elements| elements.to_vec()) }
            }
        };
        done(open.op, response, out);
    }

    /// The connection is over, and nobody knows what became of what was asked on it.
    fn lose(&mut self, id: ClientId, why: &str, out: &mut Out) {
        let client = &mut self.clients[id as usize];
        let Some(link) = client.link.take() else { return };
        // The network tells the session node, if it can be reached.
        out.send_on(link.session, id, Message::Bye(link.id));
        let open = client.open.take();
        if link.up {
            out.report(Happening::Connection {
                client: id,
                state: ConnectionState::Lost,
                node: Some(link.session),
                name: None,
                reason: Some(why.to_owned()),
            });
        }
        if let Some(open) = open {
            done(open.op, Response::Info { error: why.to_owned() }, out);
        }
    }

    fn on_reset(&mut self, id: ClientId, peer: NodeId, out: &mut Out) {
        let Some(client) = self.clients.get_mut(id as usize) else { return };
        let Some(link) = client.link.filter(|link| link.session == peer) else { return };
        if link.up {
            return self.lose(id, "connection reset by the session node's host", out);
        }
        // Nobody has accepted it, so it never was.
        client.link = None;
        if let Some(open) = client.open.take() {
            done(open.op, fail("connection refused"), out);
        }
    }

    fn beat(&mut self, now: Now, connection: ConnectionId, out: &mut Out) {
        let silence = self.config.client_silence_ms * MILLI;
        let Some(client) = self.clients.get_mut(connection.client as usize) else { return };
        let Some(link) = client.link.filter(|link| link.id == connection) else { return };
        if now.mono >= link.alive + silence {
            return self.lose(connection.client, "heartbeats are not answered", out);
        }
        out.send_on(link.session, connection.client, Message::ClientBeat(connection, now.mono));
        out.timer(self.config.client_heartbeat_ms * MILLI, Timer::ClientBeat(connection));
    }

    fn on_timeout(&mut self, id: ClientId, op: OpId, out: &mut Out) {
        let Some(client) = self.clients.get_mut(id as usize) else { return };
        let Some(open) = client.open.filter(|open| open.op == op) else { return };
        match open.kind {
            // A connection that is half made or half closed is given up.
            Kind::Connect | Kind::Close => self.lose(id, "timed out", out),
            Kind::Other => {
                client.open = None;
                done(op, Response::Info { error: "timed out".to_owned() }, out);
            }
        }
    }
}

fn done(op: OpId, response: Response, out: &mut Out) {
    out.report(Happening::Done { op, response });
}

fn fail(why: &str) -> Response {
    Response::Fail { error: why.to_owned() }
}
