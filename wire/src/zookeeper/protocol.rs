//! The part of ZooKeeper's protocol that is spoken here: requests as bytes, replies as values.

use super::jute::{JuteError, Reader, Writer};

/// Reply number of a watch event.
pub const XID_EVENT: i32 = -1;
/// Request and reply number of a heartbeat.
pub const XID_PING: i32 = -2;
/// Request and reply number of an authentication.
pub const XID_AUTH: i32 = -4;

const OP_CREATE: i32 = 1;
const OP_DELETE: i32 = 2;
const OP_EXISTS: i32 = 3;
const OP_GET_DATA: i32 = 4;
const OP_SET_DATA: i32 = 5;
const OP_SYNC: i32 = 9;
const OP_PING: i32 = 11;
const OP_GET_CHILDREN: i32 = 12;
const OP_CHECK: i32 = 13;
const OP_MULTI: i32 = 14;
const OP_CREATE_CONTAINER: i32 = 19;
const OP_AUTH: i32 = 100;
const OP_CLOSE: i32 = -11;
const OP_ERROR: i32 = -1;
const ANY_VERSION: i32 = -1;
const EPHEMERAL: i32 = 1;
const CONTAINER: i32 = 4;
const ALL_PERMISSIONS: i32 = 31;

/// An error code in a reply.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Code(pub i32);

impl Code {
    /// No error.
    pub const OK: Code = Code(0);
    /// Another sub-operation of the transaction failed, so that this one was not done.
    pub const ROLLED_BACK: Code = Code(-2);
    /// The node is not there.
    pub const NO_NODE: Code = Code(-101);
    /// The version is another one.
    pub const BAD_VERSION: Code = Code(-103);
    /// The node is there already.
    pub const NODE_EXISTS: Code = Code(-110);
    /// The server does not know this request.
    pub const UNIMPLEMENTED: Code = Code(-6);
    /// Not with these credentials.
    pub const NO_AUTH: Code = Code(-102);
    /// It has children.
    pub const NOT_EMPTY: Code = Code(-111);
    /// These credentials are wrong.
    pub const AUTH_FAILED: Code = Code(-115);
    /// The session is over.
    pub const SESSION_EXPIRED: Code = Code(-112);
    /// The session went on at another server.
    pub const SESSION_MOVED: Code = Code(-118);

    /// The state that the client assumed is not the state that the server has: nothing was done.
    pub fn is_stale_belief(self) -> bool {
        [Code::NO_NODE, Code::BAD_VERSION, Code::NODE_EXISTS].contains(&self)
    }
}

impl std::fmt::Display for Code {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match *self {
            Code::OK => write!(f, "ok"),
            Code::ROLLED_BACK => write!(f, "rolled back"),
            Code::NO_NODE => write!(f, "no node"),
            Code::BAD_VERSION => write!(f, "bad version"),
            Code::NODE_EXISTS => write!(f, "node exists"),
            Code::UNIMPLEMENTED => write!(f, "unknown request"),
            Code::NO_AUTH => write!(f, "not authorised"),
            Code::NOT_EMPTY => write!(f, "not empty"),
            Code::AUTH_FAILED => write!(f, "authentication failed"),
            Code::SESSION_EXPIRED => write!(f, "session expired"),
            Code::SESSION_MOVED => write!(f, "session moved"),
            Code(other) => write!(f, "error {other}"),
        }
    }
}

/// One step of a transaction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// Create a node.
    Create {
        /// Where.
        path: String,
        /// With what content.
        data: Vec<u8>,
        /// Gone with the session.
        ephemeral: bool,
    },
    /// Create an ephemeral node that only those who authenticated like this session may touch.
    CreateOwned {
        /// Where.
        path: String,
        /// With what content.
        data: Vec<u8>,
    },
    /// Delete a node, whatever its version.
    Delete {
        /// Where.
        path: String,
    },
    /// Replace a node's content if it has this version.
    Set {
        /// Where.
        path: String,
        /// With what.
        data: Vec<u8>,
        /// The version that it must have.
        version: i32,
    },
    /// Do nothing if the node is there.
    Check {
        /// Where.
        path: String,
    },
}

/// A request; its number is added when it is sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Message {
    /// All steps or none.
    Multi(Vec<Step>),
    /// The children of a node and, with `watch`, one event at their next change.
    Children {
        /// Of which node.
        path: String,
        /// Ask for the event.
        watch: bool,
    },
    /// A node's content and version.
    Data(String),
    /// Whether a node is there.
    Exists(String),
    /// A round trip to the leader; everything committed before it is applied at this server afterwards.
    Sync(String),
    /// Create a node that the server removes by itself once it has had children and has none any more (ZooKeeper 3.5).
    CreateContainer {
        /// Where.
        path: String,
        /// Only those who authenticated like this session may touch it.
        owned: bool,
    },
    /// Delete a node, whatever its version.
    Delete(String),
    /// Say who this is; answered under the number [`XID_AUTH`].
    Auth {
        /// `digest` ...
        scheme: String,
        /// `user:password` ...
        credentials: Vec<u8>,
    },
    /// Heartbeat.
    Ping,
    /// End of session.
    Close,
}

impl Message {
    /// The frame to send.
    pub fn frame(&self, xid: i32) -> Vec<u8> {
        let mut w = Writer::frame();
        w.int(xid);
        match self {
            Message::Multi(steps) => {
                w.int(OP_MULTI);
                steps.iter().for_each(|step| write_step(&mut w, step));
                w.int(-1).bool(true).int(-1);
            }
            Message::Children { path, watch } => {
                w.int(OP_GET_CHILDREN).string(path).bool(*watch);
            }
            Message::Data(path) => {
                w.int(OP_GET_DATA).string(path).bool(false);
            }
            Message::Exists(path) => {
                w.int(OP_EXISTS).string(path).bool(false);
            }
            Message::Sync(path) => {
                w.int(OP_SYNC).string(path);
            }
            Message::CreateContainer { path, owned } => {
                w.int(OP_CREATE_CONTAINER).string(path).buffer(&[]);
                write_acl(&mut w, *owned);
                w.int(CONTAINER);
            }
            Message::Delete(path) => {
                w.int(OP_DELETE).string(path).int(ANY_VERSION);
            }
            Message::Auth { scheme, credentials } => {
                w.int(OP_AUTH).int(0).string(scheme).buffer(credentials);
            }
            Message::Ping => {
                w.int(OP_PING);
            }
            Message::Close => {
                w.int(OP_CLOSE);
            }
        }
        w.finish()
    }
}

fn write_acl(w: &mut Writer, owned: bool) {
    let (scheme, id) = if owned { ("auth", "") } else { ("world", "anyone") };
    w.int(1).int(ALL_PERMISSIONS).string(scheme).string(id);
}

fn write_step(w: &mut Writer, step: &Step) {
    let header = |w: &mut Writer, op: i32| {
        w.int(op).bool(false).int(-1);
    };
    match step {
        Step::Create { path, data, ephemeral } => {
            header(w, OP_CREATE);
            w.string(path).buffer(data);
            write_acl(w, false);
            w.int(if *ephemeral { EPHEMERAL } else { 0 });
        }
        Step::CreateOwned { path, data } => {
            header(w, OP_CREATE);
            w.string(path).buffer(data);
            write_acl(w, true);
            w.int(EPHEMERAL);
        }
        Step::Delete { path } => {
            header(w, OP_DELETE);
            w.string(path).int(ANY_VERSION);
        }
        Step::Set { path, data, version } => {
            header(w, OP_SET_DATA);
            w.string(path).buffer(data).int(*version);
        }
        Step::Check { path } => {
            header(w, OP_CHECK);
            w.string(path).int(ANY_VERSION);
        }
    }
}

/// What a server knows of a session; enough to go on with it elsewhere.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Session {
    /// Its number.
    pub id: i64,
    /// Its secret.
    pub password: [u8; 16],
}

/// The frame that opens a connection.
pub fn connect_frame(last_zxid: i64, timeout_ms: i32, session: Option<&Session>) -> Vec<u8> {
    let mut w = Writer::frame();
    w.int(0).long(last_zxid).int(timeout_ms);
    w.long(session.map_or(0, |s| s.id)).buffer(&session.map_or([0; 16], |s| s.password)).bool(false);
    w.finish()
}

/// What the server says to [`connect_frame`]: the session and its timeout, or none if the offered session is over.
pub fn connect_reply(body: &[u8]) -> Result<Option<(Session, u32)>, JuteError> {
    let mut r = Reader::new(body);
    let _protocol = r.int()?;
    let timeout = r.int()?;
    let id = r.long()?;
    let secret = r.buffer()?;
    let mut password = [0; 16];
    let length = secret.len().min(16);
    password[..length].copy_from_slice(&secret[..length]);
    if id == 0 || timeout <= 0 {
        return Ok(None);
    }
    Ok(Some((Session { id, password }, u32::try_from(timeout).map_err(|_| JuteError::Length(timeout))?)))
}

/// The head of each reply and event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReplyHead {
    /// Of which request.
    pub xid: i32,
    /// The server's last transaction; 0 or less says nothing.
    pub zxid: i64,
    /// How it went.
    pub code: Code,
}

impl ReplyHead {
    /// Reads the head; the rest of the message stays in the reader.
    pub fn read(r: &mut Reader<'_>) -> Result<Self, JuteError> {
        Ok(ReplyHead { xid: r.int()?, zxid: r.long()?, code: Code(r.int()?) })
    }
}

/// A watch event's path.
pub fn event_path(body: &[u8]) -> Result<String, JuteError> {
    let mut r = Reader::new(body);
    let _kind = r.int()?;
    let _state = r.int()?;
    r.string()
}

/// How a transaction went: done, or the error of the step that stopped it.
pub fn multi_outcome(body: &[u8]) -> Result<Code, JuteError> {
    let mut r = Reader::new(body);
    let mut outcome = Code::OK;
    loop {
        let kind = r.int()?;
        let done = r.bool()?;
        let _error = r.int()?;
        if done {
            return Ok(outcome);
        }
        match kind {
            OP_CREATE => {
                r.buffer()?;
            }
            OP_SET_DATA => {
                Stat::read(&mut r)?;
            }
            OP_ERROR => {
                let code = Code(r.int()?);
                if code != Code::OK && (outcome == Code::OK || outcome == Code::ROLLED_BACK) {
                    outcome = code;
                }
            }
            _ => {}
        }
    }
}

/// What is used of a node's metadata.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stat {
    /// Number of changes of the content.
    pub version: i32,
    /// The last transaction that changed the list of children.
    pub pzxid: i64,
}

impl Stat {
    /// Reads a whole stat record.
    pub fn read(r: &mut Reader<'_>) -> Result<Self, JuteError> {
        for _czxid_mzxid_ctime_mtime in 0..4 {
            r.long()?;
        }
        let version = r.int()?;
        let _cversion = r.int()?;
        let _aversion = r.int()?;
        let _owner = r.long()?;
        let _length = r.int()?;
        let _children = r.int()?;
        Ok(Stat { version, pzxid: r.long()? })
    }
}

/// A node's content and version.
pub fn data_reply(body: &[u8]) -> Result<(Vec<u8>, Stat), JuteError> {
    let mut r = Reader::new(body);
    let data = r.buffer()?.to_vec();
    Ok((data, Stat::read(&mut r)?))
}

/// The bytes of the list of children, as they came, and the node's metadata.
pub fn children_reply(body: &[u8]) -> Result<(&[u8], Stat), JuteError> {
    let mut r = Reader::new(body);
    for _child in 0..r.count()? {
        r.buffer()?;
    }
    let list = &body[..body.len() - r.rest().len()];
    Ok((list, Stat::read(&mut r)?))
}

/// The names in a list of children from [`children_reply`].
pub fn children_names(list: &[u8]) -> Result<Vec<String>, JuteError> {
    let mut r = Reader::new(list);
    (0..r.count()?).map(|_| r.string()).collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_refused_session_is_none() {
        let mut w = Writer::frame();
        w.int(0).int(0).long(0).buffer(&[0; 16]).bool(false);
        assert_eq!(connect_reply(&w.finish()[4..]), Ok(None));
        let mut w = Writer::frame();
        w.int(0).int(6000).long(77).buffer(&[5; 16]).bool(false);
        assert_eq!(connect_reply(&w.finish()[4..]), Ok(Some((Session { id: 77, password: [5; 16] }, 6000))));
    }

    #[test]
    fn the_step_that_failed_names_the_outcome() {
        let mut w = Writer::frame();
        w.int(OP_ERROR).bool(false).int(0).int(0);
        w.int(OP_ERROR).bool(false).int(-101).int(-101);
        w.int(OP_ERROR).bool(false).int(-2).int(-2);
        w.int(-1).bool(true).int(-1);
        assert_eq!(multi_outcome(&w.finish()[4..]), Ok(Code::NO_NODE));
        let mut w = Writer::frame();
        w.int(OP_CREATE).bool(false).int(0).string("/a");
        w.int(OP_DELETE).bool(false).int(0);
        w.int(-1).bool(true).int(-1);
        assert_eq!(multi_outcome(&w.finish()[4..]), Ok(Code::OK));
    }

    /// A hundred thousand messages of noise: an error or a value, never a panic, never more memory than the message has.
    #[test]
    fn noise_is_an_error_at_worst() {
        let mut state = 7u64;
        let mut draw = || {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            state >> 33
        };
        for _round in 0..100_000 {
            let length = draw() % 80;
            // Mostly small numbers, as lengths and counts have them; sometimes huge or negative ones.
            let noise: Vec<u8> =
                (0..length).map(|_| if draw() % 4 == 0 { draw() as u8 } else { (draw() % 3) as u8 }).collect();
            let list = children_reply(&noise).map(|(list, _)| list.len());
            assert!(list.is_err() || list.unwrap() <= noise.len());
            let names = children_names(&noise).map(|names| names.iter().map(String::len).sum::<usize>());
            assert!(names.is_err() || names.unwrap() <= noise.len());
            let _either = (connect_reply(&noise), multi_outcome(&noise), data_reply(&noise), event_path(&noise));
            let _head = ReplyHead::read(&mut Reader::new(&noise));
        }
    }

    #[test]
    fn a_cut_reply_is_an_error() {
        assert!(multi_outcome(&[0, 0, 0, 1]).is_err());
        assert!(children_reply(&[0, 0, 0, 1, 0, 0]).is_err());
    }
}
