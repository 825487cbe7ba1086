//! One canary's client: owns its session and connection, does one operation after the other, and tells everything that happens.
//!
//! Nothing is done behind the probe's back: a connection that broke stays broken until it is asked to connect again.

use super::tree::{Tree, Trouble};
use super::{Clock, Sink};
use crate::ask::{Ask, Call, Elements, Response, Seen};
use crate::secret::Secret;
use crate::value;
use history::{ClientId, ConnectionState, DataIx, NodeIx};
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;
use tokio::sync::mpsc::UnboundedReceiver;
use tokio::time::{Instant, timeout, timeout_at};
use wire::tls::Tls;
use wire::zookeeper::connection::{Broken, Connection, Frame, Refused, Timing};
use wire::zookeeper::protocol::{
    Code, Message, Session, Step, XID_EVENT, children_names, children_reply, event_path, multi_outcome,
};

/// How often an operation may find that what it believed was wrong.
const ATTEMPTS_MAX: u32 = 5;

/// What all canaries of a probe share.
#[derive(Debug)]
pub struct Shared {
    /// Servers, `host:port`.
    pub addresses: Vec<String>,
    /// Times that connections keep to.
    pub timing: Timing,
    /// The probe's part of the tree.
    pub tree: Tree,
    /// The instance, in values.
    pub instance: String,
    /// Connections are under TLS.
    pub tls: Option<Tls>,
    /// Scheme and credentials.
    pub auth: Option<(String, Secret)>,
    /// The probe's clock.
    pub clock: Clock,
    /// Where sightings go.
    pub sink: Sink,
}

/// The connection and what hangs on it.
struct Link {
    connection: Connection,
    /// Reads of subscriptions without an answer yet.
    reads: BTreeMap<i32, DataIx>,
}

/// A client.
pub struct Client {
    id: ClientId,
    shared: Arc<Shared>,
    link: Option<Link>,
    session: Option<Session>,
    last_zxid: i64,
    /// Names that it certainly has on a dataId; a dataId that is not in here has to be looked at first.
    believed: BTreeMap<DataIx, Vec<String>>,
}

enum Stopped {
    Broken(Broken),
    Refused(Code),
}

impl<E: Into<Broken>> From<E> for Stopped {
    fn from(error: E) -> Self {
        Stopped::Broken(error.into())
    }
}

/// Opens a connection with a session, authenticated.
pub async fn open(
    shared: &Shared,
    node: NodeIx,
    last_zxid: i64,
    session: Option<&Session>,
) -> Result<(Connection, Session), Refused> {
    let address = resolve(shared, node).await.map_err(Refused::NotSent)?;
    let name = shared.tls.as_ref().map(|tls| tls.name_of(&shared.addresses[node as usize])).transpose();
    let name = name.map_err(|error| Refused::NotSent(std::io::Error::other(error).into()))?;
    let secure = shared.tls.as_ref().zip(name);
    let opened = Connection::open(address, secure, shared.timing, Arc::default(), last_zxid, session).await;
    let (mut connection, session) = opened?;
    if let Some((scheme, credentials)) = &shared.auth {
        let message = Message::Auth { scheme: scheme.clone(), credentials: credentials.reveal().as_bytes().to_vec() };
        match connection.authenticate(&message).await.map_err(Refused::Unknown)? {
            Code::OK => {}
            code => return Err(Refused::Unknown(Broken::Session(code))),
        }
    }
    Ok((connection, session))
}

async fn resolve(shared: &Shared, node: NodeIx) -> Result<SocketAddr, Broken> {
    let name = shared.addresses.get(node as usize).cloned().unwrap_or_default();
    let late = |_| Broken::TimedOut(shared.timing.connect.as_millis() as u64);
    let mut found = timeout(shared.timing.connect, tokio::net::lookup_host(name)).await.map_err(late)??;
    found.next().ok_or(Broken::Closed)
}

impl Client {
    /// A client that is not connected.
    pub fn new(id: ClientId, shared: Arc<Shared>) -> Client {
        Client { id, shared, link: None, session: None, last_zxid: 0, believed: BTreeMap::new() }
    }

    /// Does what it is asked for until nobody can ask any more.
    pub async fn run(mut self, mut calls: UnboundedReceiver<Call>) {
        enum Next {
            Call(Option<Call>),
            Frame(Result<Frame, Broken>),
        }
        loop {
            let next = match &mut self.link {
                None => Next::Call(calls.recv().await),
                Some(link) => tokio::select! {
                    call = calls.recv() => Next::Call(call),
                    frame = link.connection.next() => Next::Frame(frame),
                },
            };
            match next {
                Next::Call(None) => return,
                Next::Call(Some(call)) => self.perform(call).await,
                Next::Frame(Err(broken)) => self.lose(&broken).await,
                Next::Frame(Ok(frame)) => {
                    if let Err(broken) = self.absorb(&frame).await {
                        self.lose(&broken).await;
                    }
                }
            }
        }
    }

    async fn tell(&self, what: Seen) {
        self.shared.sink.tell(self.shared.clock.now(), what).await;
    }

    async fn perform(&mut self, call: Call) {
        let op = call.op;
        let deadline = Instant::now() + self.shared.timing.request;
        let outcome = match call.ask {
            Ask::Connect { node, resume } => {
                let response = self.connect(node, resume).await;
                return self.tell(Seen::Done { op, response }).await;
            }
            _ if self.link.is_none() => {
                let response = Response::Fail("not connected".to_owned());
                return self.tell(Seen::Done { op, response }).await;
            }
            Ask::Publish { data, value } => self.register(deadline, data, Some(&value)).await,
            Ask::Unpublish { data } => self.register(deadline, data, None).await,
            Ask::Subscribe { data } => match self.subscribe(deadline, data).await {
                Ok((elements, version, bytes)) => {
                    self.tell(Seen::Done { op, response: Response::Ok }).await;
                    let client = self.id;
                    return self.tell(Seen::Push { client, data, version, elements, bytes }).await;
                }
                Err(stopped) => Err(stopped),
            },
            Ask::Ping => self.barrier(deadline).await,
            Ask::Close => self.close(deadline).await,
        };
        let response = match outcome {
            Ok(()) => Response::Ok,
            Err(stopped) => self.stopped(stopped).await,
        };
        self.tell(Seen::Done { op, response }).await;
    }

    async fn stopped(&mut self, stopped: Stopped) -> Response {
        match stopped {
            Stopped::Broken(broken) => {
                self.lose(&broken).await;
                Response::Info(broken.to_string())
            }
            Stopped::Refused(code) => {
                if code == Code::SESSION_EXPIRED || code == Code::SESSION_MOVED {
                    self.lose(&Broken::Session(code)).await;
                }
                Response::Fail(code.to_string())
            }
        }
    }

    async fn connect(&mut self, node: NodeIx, resume: bool) -> Response {
        self.link = None;
        if !resume {
            (self.session, self.last_zxid) = (None, 0);
        }
        let opened = open(&self.shared, node, self.last_zxid, self.session.as_ref()).await;
        let (mut connection, session) = match opened {
            Ok(opened) => opened,
            Err(Refused::NotSent(broken)) => return Response::Fail(broken.to_string()),
            Err(Refused::Unknown(broken)) => return Response::Info(broken.to_string()),
            Err(Refused::Expired) => {
                self.session = None;
                let error = "session expired".to_owned();
                self.connection(ConnectionState::Expired, None, Some(error.clone())).await;
                return Response::Fail(error);
            }
        };
        let resumed = self.session.as_ref().is_some_and(|old| old.id == session.id);
        self.session = Some(session.clone());
        match self.shared.tree.ensure(&mut connection).await {
            Ok(()) => {}
            Err(Trouble::Broken(broken)) => return Response::Info(broken.to_string()),
            Err(Trouble::Refused(why) | Trouble::Foreign(why)) => return Response::Fail(why),
        }
        self.believed.clear();
        self.link = Some(Link { connection, reads: BTreeMap::new() });
        let state = if resumed { ConnectionState::Resumed } else { ConnectionState::Connected };
        self.connection(state, (!resumed).then(|| format!("{:#x}", session.id)), None).await;
        Response::Ok
    }

    async fn connection(&self, state: ConnectionState, name: Option<String>, reason: Option<String>) {
        self.tell(Seen::Connection { client: self.id, state, name, reason }).await;
    }

    async fn lose(&mut self, broken: &Broken) {
        if self.link.take().is_none() {
            return;
        }
        let state = match broken {
            Broken::Session(Code::SESSION_EXPIRED) => {
                self.session = None;
                ConnectionState::Expired
            }
            _ => ConnectionState::Lost,
        };
        self.connection(state, None, Some(broken.to_string())).await;
    }

    /// Makes this value the only one that it has on this dataId; none: has nothing there.
    async fn register(&mut self, deadline: Instant, data: DataIx, value: Option<&str>) -> Result<(), Stopped> {
        let parent = self.shared.tree.data(data);
        let mut last = Code::OK;
        for _attempt in 0..ATTEMPTS_MAX {
            // Unknown until it is answered.
            let old = match self.believed.remove(&data) {
                Some(names) => names,
                None => self.look(deadline, data).await?,
            };
            let mut steps: Vec<Step> =
                old.iter().map(|name| Step::Delete { path: format!("{parent}/{name}") }).collect();
            steps.extend(value.map(|value| self.shared.tree.create(format!("{parent}/{value}"))));
            if !steps.is_empty() {
                let frame = self.ask(deadline, &Message::Multi(steps)).await?;
                last = if frame.head.code == Code::OK { multi_outcome(frame.body())? } else { frame.head.code };
            } else {
                last = Code::OK;
            }
            if !last.is_stale_belief() {
                accept(last)?;
                self.believed.insert(data, value.map(str::to_owned).into_iter().collect());
                return Ok(());
            }
        }
        Err(Stopped::Refused(last))
    }

    /// What it has on this dataId, after everything committed so far; whatever session it is from.
    async fn look(&mut self, deadline: Instant, data: DataIx) -> Result<Vec<String>, Stopped> {
        self.barrier(deadline).await?;
        let path = self.shared.tree.data(data);
        let frame = self.ask(deadline, &Message::Children { path, watch: false }).await?;
        accept(frame.head.code)?;
        let names = children_names(children_reply(frame.body())?.0)?;
        let mine =
            |name: &String| value::parse(&self.shared.instance, name).is_some_and(|(client, _)| client == self.id);
        Ok(names.into_iter().filter(mine).collect())
    }

    /// A transaction that changes nothing: a quorum agrees on it, so its answer proves that the session is alive where leases
    /// are kept, and that reads after it are up to date.
    async fn barrier(&mut self, deadline: Instant) -> Result<(), Stopped> {
        let path = self.shared.tree.own().to_owned();
        let frame = self.ask(deadline, &Message::Multi(vec![Step::Check { path }])).await?;
        let code = if frame.head.code == Code::OK { multi_outcome(frame.body())? } else { frame.head.code };
        accept(code)
    }

    async fn subscribe(&mut self, deadline: Instant, data: DataIx) -> Result<(Elements, Option<u64>, u64), Stopped> {
        let path = self.shared.tree.data(data);
        let frame = self.ask(deadline, &Message::Children { path, watch: true }).await?;
        accept(frame.head.code)?;
        Ok(content(&frame)?)
    }

    async fn close(&mut self, deadline: Instant) -> Result<(), Stopped> {
        let frame = self.ask(deadline, &Message::Close).await?;
        accept(frame.head.code)?;
        (self.session, self.link) = (None, None);
        self.connection(ConnectionState::Closed, None, None).await;
        Ok(())
    }

    async fn ask(&mut self, deadline: Instant, message: &Message) -> Result<Frame, Broken> {
        let xid = self.link.as_mut().ok_or(Broken::Closed)?.connection.send(message);
        let patience_ms = self.shared.timing.request.as_millis() as u64;
        loop {
            let link = self.link.as_mut().ok_or(Broken::Closed)?;
            let next = timeout_at(deadline, link.connection.next()).await;
            let frame = next.map_err(|_| Broken::TimedOut(patience_ms))??;
            if frame.head.xid == xid {
                self.last_zxid = self.last_zxid.max(frame.head.zxid);
                return Ok(frame);
            }
            self.absorb(&frame).await?;
        }
    }

    /// Takes an event, or the reply to a read of a subscription.
    async fn absorb(&mut self, frame: &Frame) -> Result<(), Broken> {
        let Some(link) = &mut self.link else { return Ok(()) };
        if frame.head.xid == XID_EVENT {
            let path = event_path(frame.body())?;
            if let Some(data) = self.shared.tree.data_of(&path) {
                let xid = link.connection.send(&Message::Children { path, watch: true });
                link.reads.insert(xid, data);
            }
            return Ok(());
        }
        self.last_zxid = self.last_zxid.max(frame.head.zxid);
        let Some(data) = link.reads.remove(&frame.head.xid) else { return Ok(()) };
        if frame.head.code != Code::OK {
            // A subscription that cannot be read any more must not look alive.
            return Err(Broken::Session(frame.head.code));
        }
        let (elements, version, bytes) = content(frame)?;
        self.tell(Seen::Push { client: self.id, data, version, elements, bytes }).await;
        Ok(())
    }
}

fn content(frame: &Frame) -> Result<(Elements, Option<u64>, u64), Broken> {
    let (list, stat) = children_reply(frame.body())?;
    let mut names = children_names(list)?;
    names.sort_unstable();
    Ok((names.into_iter().map(Arc::from).collect(), u64::try_from(stat.pzxid).ok(), frame.body().len() as u64))
}

fn accept(code: Code) -> Result<(), Stopped> {
    if code == Code::OK { Ok(()) } else { Err(Stopped::Refused(code)) }
}
