//! One client: a task that owns its session and its connection, and does one operation after the other.
//!
//! Nothing happens here that the history does not show: a broken connection is told and stays broken until the driver
//! connects again, watches are not set again by themselves, and the steps of an operation all belong to that one
//! recorded operation.

#![allow(clippy::disallowed_methods, reason = "an adapter to a real system lives in real time")]

use super::ZooKeeperConfig;
use super::config::Barrier;
use super::connection::{Broken, Connection, Frame, Refused, Timing};
use super::contents::Contents;
use super::jute::JuteError;
use super::names::Names;
use super::protocol::{Code, Message, Session, Step, XID_EVENT, multi_outcome};
use super::publish::Fences;
use super::recorder::Recorder;
use super::watch::{FirstPush, Watches};
use crate::world::{Call, Happening, Request, Response};
use history::{ClientId, ConnectionState, DataIx, NodeIx};
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::time::{Instant, timeout_at};
use workloads::ClientBehaviour;

/// What all clients of a run share.
#[derive(Debug)]
pub struct Shared {
    /// Settings.
    pub config: ZooKeeperConfig,
    /// Timeouts from the settings.
    pub timing: Timing,
    /// Where clients connect, by node.
    pub addresses: Vec<SocketAddr>,
    /// The tree.
    pub names: Names,
    /// How careful clients are.
    pub behaviour: ClientBehaviour,
    /// Lists of children, taken apart.
    pub contents: Contents,
    /// Clock and observations.
    pub recorder: Arc<Recorder>,
    /// The node that each client connected to last, by client.
    pub attached: Vec<AtomicU32>,
}

/// In [`Shared::attached`]: never connected.
pub const NOWHERE: u32 = u32::MAX;

impl Shared {
    /// The request that makes the next read of the same session up to date.
    pub fn barrier(&self) -> Message {
        let path = self.names.root().to_owned();
        match self.config.barrier {
            Barrier::Transaction => Message::Multi(vec![Step::Check { path }]),
            Barrier::Sync => Message::Sync(path),
        }
    }

    /// How the barrier went. A transaction carries its errors inside.
    pub fn barrier_code(&self, frame: &Frame) -> Result<Code, JuteError> {
        match self.config.barrier {
            Barrier::Transaction if frame.head.code == Code::OK => multi_outcome(frame.body()),
            _ => Ok(frame.head.code),
        }
    }
}

/// What a client is told.
#[derive(Debug)]
pub enum Command {
    /// Do this.
    Call(Call),
    /// The gap of a careless client between reading and watching is over.
    Watch {
        /// On which of its connections.
        connection: u64,
        /// Of which dataId.
        data: DataIx,
    },
    /// Give the session back and end; nothing is recorded.
    Leave,
}

/// Why an operation did not end with a result.
#[derive(Debug)]
pub enum Stopped {
    /// The connection broke; the last request may have been done.
    Broken(Broken),
    /// The server refused: nothing was done.
    Refused(Code),
}

impl<E: Into<Broken>> From<E> for Stopped {
    fn from(error: E) -> Self {
        Stopped::Broken(error.into())
    }
}

/// The connection of a client and what hangs on it.
#[derive(Debug)]
pub struct Link {
    /// Which of the client's connections this is.
    pub serial: u64,
    /// To which node.
    pub node: NodeIx,
    /// The stream.
    pub connection: Connection,
    /// Subscriptions: they end with the connection.
    pub watches: Watches,
}

/// A client.
#[derive(Debug)]
pub struct Client {
    /// Its number.
    pub id: ClientId,
    /// What it has in common with the others.
    pub shared: Arc<Shared>,
    /// Its connection, if it has one.
    pub link: Option<Link>,
    /// What it knows of its publications.
    pub fences: Fences,
    /// What a subscribe has read and not shown yet.
    pub first_push: Option<FirstPush>,
    /// How it reaches itself.
    pub own: UnboundedSender<Command>,
    session: Option<Session>,
    last_zxid: i64,
    connections: u64,
}

/// Starts a client's task on the current runtime.
pub fn start(id: ClientId, shared: Arc<Shared>) -> (UnboundedSender<Command>, tokio::task::JoinHandle<()>) {
    let (sender, receiver) = unbounded_channel();
    let own = sender.clone();
    let client = Client {
        id,
        shared,
        link: None,
        fences: Fences::default(),
        first_push: None,
        own,
        session: None,
        last_zxid: 0,
        connections: 0,
    };
    (sender, tokio::spawn(client.run(receiver)))
}

impl Client {
    async fn run(mut self, mut commands: UnboundedReceiver<Command>) {
        enum Next {
            Command(Option<Command>),
            Frame(Result<Frame, Broken>),
        }
        loop {
            let next = match &mut self.link {
                None => Next::Command(commands.recv().await),
                Some(link) => tokio::select! {
                    command = commands.recv() => Next::Command(command),
                    frame = link.connection.next() => Next::Frame(frame),
                },
            };
            match next {
                Next::Command(None) => return,
                Next::Command(Some(Command::Call(call))) => self.perform(call).await,
                Next::Command(Some(Command::Watch { connection, data })) => self.watch_late(connection, data),
                Next::Command(Some(Command::Leave)) => return self.leave().await,
                Next::Frame(frame) => {
                    if let Err(broken) = frame.and_then(|frame| self.absorb(&frame)) {
                        self.lose(&broken);
                    }
                }
            }
        }
    }

    async fn perform(&mut self, call: Call) {
        let deadline = Instant::now() + self.shared.timing.request;
        let outcome = match call.request {
            Request::Vanish => return self.vanish(),
            Request::Connect { node, resume } => {
                let response = self.connect(node, resume).await;
                return self.shared.recorder.tell(Happening::Done { op: call.op, response });
            }
            _ if self.link.is_none() => {
                let response = Response::Fail { error: "not connected".to_owned() };
                return self.shared.recorder.tell(Happening::Done { op: call.op, response });
            }
            Request::Publish { data, registration, value, .. } => {
                self.publish(deadline, data, registration, Some(&value)).await
            }
            Request::Unpublish { data, registration, .. } => self.publish(deadline, data, registration, None).await,
            Request::Subscribe { data, subscription } => self.subscribe(deadline, data, subscription).await,
            Request::Unsubscribe { data, subscription } => {
                self.unsubscribe(data, subscription);
                Ok(Response::Ok { read: None })
            }
            Request::Read { data } => self.read(deadline, data).await,
            Request::Ping => self.ping(deadline).await,
            Request::Close => self.close(deadline).await,
        };
        let response = outcome.unwrap_or_else(|stopped| self.stopped(stopped));
        self.shared.recorder.tell(Happening::Done { op: call.op, response });
        self.push_first();
    }

    /// What the end of an operation means for its connection and for its outcome. The loss is told before the outcome,
    /// so that the driver does not start the next operation on a connection that is gone.
    fn stopped(&mut self, stopped: Stopped) -> Response {
        match stopped {
            Stopped::Broken(broken) => {
                self.lose(&broken);
                Response::Info { error: broken.to_string() }
            }
            Stopped::Refused(code) => {
                if code == Code::SESSION_EXPIRED {
                    self.session = None;
                    self.drop_link(ConnectionState::Expired, code.to_string());
                } else if code == Code::SESSION_MOVED {
                    self.lose(&Broken::Session(code));
                }
                Response::Fail { error: code.to_string() }
            }
        }
    }

    async fn connect(&mut self, node: NodeIx, resume: bool) -> Response {
        if self.link.is_some() {
            self.drop_link(ConnectionState::Lost, "replaced by another connection".to_owned());
        }
        if !resume && self.session.take().is_some() {
            // As after a crash of its host: it knows nothing of what it saw.
            self.last_zxid = 0;
        }
        let Some(&address) = self.shared.addresses.get(node as usize) else {
            return Response::Fail { error: format!("no node {node}") };
        };
        let (timing, bytes) = (self.shared.timing, self.shared.recorder.counter());
        let opened = Connection::open(address, None, timing, bytes, self.last_zxid, self.session.as_ref()).await;
        let (connection, session) = match opened {
            Ok(opened) => opened,
            Err(Refused::NotSent(broken)) => return Response::Fail { error: broken.to_string() },
            Err(Refused::Unknown(broken)) => return Response::Info { error: broken.to_string() },
            Err(Refused::Expired) => {
                self.session = None;
                let error = "session expired".to_owned();
                self.tell(ConnectionState::Expired, Some(node), None, Some(error.clone()));
                return Response::Fail { error };
            }
        };
        self.connections += 1;
        if let Some(attached) = self.shared.attached.get(self.id as usize) {
            attached.store(node, Ordering::Relaxed);
        }
        let watches = Watches::default();
        self.link = Some(Link { serial: self.connections, node, connection, watches });
        if self.session.as_ref().is_some_and(|old| old.id == session.id) {
            self.tell(ConnectionState::Resumed, Some(node), None, None);
        } else {
            self.fences.doubt_all();
            self.tell(ConnectionState::Connected, Some(node), Some(format!("{:#x}", session.id)), None);
        }
        self.session = Some(session);
        Response::Ok { read: None }
    }

    /// The barrier of reads serves as a ping, too: it is a transaction, so its answer proves that the leader of a quorum
    /// has the session.
    async fn ping(&mut self, deadline: Instant) -> Result<Response, Stopped> {
        self.pass_barrier(deadline).await?;
        Ok(Response::Ok { read: None })
    }

    /// Makes the reads that follow up to date.
    pub async fn pass_barrier(&mut self, deadline: Instant) -> Result<(), Stopped> {
        let barrier = self.shared.barrier();
        let frame = self.ask(deadline, &barrier).await?;
        accept(self.shared.barrier_code(&frame)?)
    }

    async fn close(&mut self, deadline: Instant) -> Result<Response, Stopped> {
        let frame = self.ask(deadline, &Message::Close).await?;
        accept(frame.head.code)?;
        self.session = None;
        self.drop_link(ConnectionState::Closed, "closed by the client".to_owned());
        Ok(Response::Ok { read: None })
    }

    fn vanish(&mut self) {
        self.link = None;
        self.session = None;
        self.last_zxid = 0;
    }

    async fn leave(&mut self) {
        if let Some(link) = &mut self.link {
            // The run is over: a session that cannot be given back ends by itself.
            let _ends_by_itself = link.connection.call(&Message::Close).await;
        }
    }

    /// Sends a request and waits for its reply; events and replies to reads of subscriptions are seen to meanwhile.
    pub async fn ask(&mut self, deadline: Instant, message: &Message) -> Result<Frame, Broken> {
        let xid = self.send(message)?;
        self.reply(deadline, xid).await
    }

    /// Sends a request without waiting for its reply.
    pub fn send(&mut self, message: &Message) -> Result<i32, Broken> {
        Ok(self.link.as_mut().ok_or(Broken::Closed)?.connection.send(message))
    }

    /// Waits for the reply to this request.
    pub async fn reply(&mut self, deadline: Instant, xid: i32) -> Result<Frame, Broken> {
        loop {
            let link = self.link.as_mut().ok_or(Broken::Closed)?;
            let late = |_| Broken::TimedOut(self.shared.timing.request.as_millis() as u64);
            let frame = timeout_at(deadline, link.connection.next()).await.map_err(late)??;
            if frame.head.xid == xid {
                self.saw(&frame);
                return Ok(frame);
            }
            self.absorb(&frame)?;
        }
    }

    fn saw(&mut self, frame: &Frame) {
        if frame.head.xid != XID_EVENT {
            self.last_zxid = self.last_zxid.max(frame.head.zxid);
        }
    }

    /// Takes an event, or the reply to a read of a subscription.
    fn absorb(&mut self, frame: &Frame) -> Result<(), Broken> {
        self.saw(frame);
        if frame.head.xid == XID_EVENT { Ok(self.event(frame.body())?) } else { self.answered(frame) }
    }

    /// The connection is broken: tells so, and drops it.
    fn lose(&mut self, broken: &Broken) {
        let state = match broken {
            Broken::Session(Code::SESSION_EXPIRED) => ConnectionState::Expired,
            _ => ConnectionState::Lost,
        };
        self.drop_link(state, broken.to_string());
    }

    fn drop_link(&mut self, state: ConnectionState, reason: String) {
        if let Some(link) = self.link.take() {
            self.tell(state, Some(link.node), None, Some(reason));
        }
    }

    fn tell(&self, state: ConnectionState, node: Option<NodeIx>, name: Option<String>, reason: Option<String>) {
        let client = self.id;
        self.shared.recorder.tell(Happening::Connection { client, state, node, name, reason });
    }
}

/// Passes what was done, stops at what was refused.
pub fn accept(code: Code) -> Result<(), Stopped> {
    if code == Code::OK { Ok(()) } else { Err(Stopped::Refused(code)) }
}
