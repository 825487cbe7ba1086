//! One TCP connection to one server: frames in, frames out, heartbeats, and the moment when it counts as broken.
//!
//! Nothing reconnects here. A connection that broke stays broken, and dropping it discards what was not sent yet, so
//! that no request of an abandoned connection reaches a server later than it must.

#![allow(clippy::disallowed_methods, reason = "an adapter to a real system lives in real time")]

use super::jute::{JuteError, Reader};
use super::protocol::{Code, Message, ReplyHead, Session, XID_AUTH, XID_PING, connect_frame, connect_reply};
use crate::stream::Stream;
use crate::tls::Tls;
use rustls::pki_types::ServerName;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use tokio::time::{Instant, sleep_until, timeout_at};

/// What a run takes for the largest message that a server may send.
pub const FRAME_BYTES_MAX: usize = 64 << 20;
/// An empty buffer that is larger than this is given back.
const IDLE_BYTES_MAX: usize = 16 << 10;

/// Why a connection is over.
#[derive(Debug, thiserror::Error)]
pub enum Broken {
    /// The system's words.
    #[error("{0}")]
    Io(#[from] io::Error),
    /// The server closed it.
    #[error("closed by the server")]
    Closed,
    /// Nothing was heard for too long.
    #[error("nothing heard for {0} ms")]
    Silent(u64),
    /// A request got no answer in time.
    #[error("no answer within {0} ms")]
    TimedOut(u64),
    /// The server sent what is not the protocol.
    #[error("bad message: {0}")]
    Message(#[from] JuteError),
    /// The server refused, for example because the session is over or went on elsewhere.
    #[error("{0}")]
    Session(Code),
}

/// How an attempt to connect failed.
#[derive(Debug)]
pub enum Refused {
    /// No request reached a server.
    NotSent(Broken),
    /// The server may have got the request.
    Unknown(Broken),
    /// The server says that the offered session is over.
    Expired,
}

/// What a connection needs to know.
#[derive(Clone, Copy, Debug)]
pub struct Timing {
    /// Session timeout to ask for.
    pub session: Duration,
    /// Heartbeat after this long without a request.
    pub heartbeat: Duration,
    /// Broken after this long without a word.
    pub read: Duration,
    /// An attempt to connect takes no longer than this.
    pub connect: Duration,
    /// A request is unknown after this long.
    pub request: Duration,
    /// A message that is larger is taken for garbage.
    pub frame_bytes_max: usize,
}

/// One reply or event.
#[derive(Debug)]
pub struct Frame {
    /// Its head.
    pub head: ReplyHead,
    message: Vec<u8>,
}

impl Frame {
    /// What follows the head.
    pub fn body(&self) -> &[u8] {
        &self.message[16..]
    }
}

/// TLS, and the name by which the server is known.
pub type Secure<'a> = (&'a Tls, ServerName<'static>);

/// A connection with a session.
#[derive(Debug)]
pub struct Connection {
    stream: Stream,
    timing: Timing,
    bytes: Arc<AtomicU64>,
    inbox: Vec<u8>,
    outbox: Vec<u8>,
    xid: i32,
    heard: Instant,
    sent: Instant,
}

impl Connection {
    /// Connects and opens a session, or goes on with this one. `last_zxid` keeps the client from a server that is
    /// behind what the client has seen: such a server closes the connection. Bytes that arrive are added to `bytes`.
    pub async fn open(
        address: SocketAddr,
        secure: Option<Secure<'_>>,
        timing: Timing,
        bytes: Arc<AtomicU64>,
        last_zxid: i64,
        session: Option<&Session>,
    ) -> Result<(Connection, Session), Refused> {
        let deadline = Instant::now() + timing.connect;
        let late = || Broken::TimedOut(timing.connect.as_millis() as u64);
        let stream = async {
            let stream = Stream::connect(address).await?;
            match secure {
                None => Ok(stream),
                Some((tls, name)) => stream.secure(tls, name).await,
            }
        };
        let stream = match timeout_at(deadline, stream).await {
            Err(_) => return Err(Refused::NotSent(late())),
            Ok(Err(error)) => return Err(Refused::NotSent(error.into())),
            Ok(Ok(stream)) => stream,
        };
        let now = Instant::now();
        let mut connection =
            Connection { stream, timing, bytes, inbox: Vec::new(), outbox: Vec::new(), xid: 0, heard: now, sent: now };
        connection.outbox = connect_frame(last_zxid, timing.session.as_millis() as i32, session);
        let reply = match timeout_at(deadline, connection.message(Duration::MAX)).await {
            Err(_) => return Err(Refused::Unknown(late())),
            Ok(reply) => reply.map_err(Refused::Unknown)?,
        };
        match connect_reply(&reply).map_err(|e| Refused::Unknown(e.into()))? {
            None => Err(Refused::Expired),
            Some((session, _timeout)) => Ok((connection, session)),
        }
    }

    /// Puts a request into the stream; its number comes back.
    pub fn send(&mut self, message: &Message) -> i32 {
        self.xid = if self.xid == i32::MAX { 1 } else { self.xid + 1 };
        self.push(message, self.xid);
        self.xid
    }

    /// Says who this is, before anything else; the server closes the connection of who is not who he says.
    pub async fn authenticate(&mut self, message: &Message) -> Result<Code, Broken> {
        let deadline = Instant::now() + self.timing.request;
        let request_ms = self.timing.request.as_millis() as u64;
        self.push(message, XID_AUTH);
        loop {
            let frame = timeout_at(deadline, self.next()).await.map_err(|_| Broken::TimedOut(request_ms))??;
            if frame.head.xid == XID_AUTH {
                return Ok(frame.head.code);
            }
        }
    }

    fn push(&mut self, message: &Message, xid: i32) {
        self.outbox.extend_from_slice(&message.frame(xid));
        self.sent = Instant::now();
        // Usually all of it goes at once; what is left, or an error, is seen to by `next`.
        let _seen_later = self.write();
    }

    /// The next reply or event; sends heartbeats meanwhile. Nothing is lost if the future is dropped.
    pub async fn next(&mut self) -> Result<Frame, Broken> {
        loop {
            let message = self.message(self.timing.heartbeat).await?;
            let head = ReplyHead::read(&mut Reader::new(&message))?;
            if head.xid != XID_PING {
                return Ok(Frame { head, message });
            }
        }
    }

    /// Waits for this reply by itself; for connections without subscriptions.
    pub async fn call(&mut self, message: &Message) -> Result<Frame, Broken> {
        let deadline = Instant::now() + self.timing.request;
        let request_ms = self.timing.request.as_millis() as u64;
        let late = |_| Broken::TimedOut(request_ms);
        let xid = self.send(message);
        loop {
            let frame = timeout_at(deadline, self.next()).await.map_err(late)??;
            if frame.head.xid == xid {
                return Ok(frame);
            }
        }
    }

    async fn message(&mut self, heartbeat: Duration) -> Result<Vec<u8>, Broken> {
        loop {
            if let Some(message) = self.cut()? {
                return Ok(message);
            }
            let silent = self.heard + self.timing.read;
            let ping = self.sent.checked_add(heartbeat).unwrap_or(silent);
            // What came is looked at before the clock: a late master does not mistake its own delay for silence.
            tokio::select! {
                biased;
                ready = self.stream.ready(!self.outbox.is_empty()) => {
                    let ready = ready?;
                    if ready.is_writable() {
                        self.write()?;
                    }
                    if ready.is_readable() || ready.is_read_closed() || ready.is_error() {
                        self.read()?;
                    }
                }
                () = sleep_until(silent.min(ping)) => {
                    let now = Instant::now();
                    let heard = self.heard;
                    self.read()?;
                    if self.heard == heard && now >= silent {
                        return Err(Broken::Silent(self.timing.read.as_millis() as u64));
                    }
                    if now >= ping {
                        self.push(&Message::Ping, XID_PING);
                    }
                }
            }
        }
    }

    /// Takes one whole message out of the inbox.
    fn cut(&mut self) -> Result<Option<Vec<u8>>, Broken> {
        let Some((head, rest)) = self.inbox.split_first_chunk::<4>() else { return Ok(None) };
        let length = i32::from_be_bytes(*head);
        let Some(size) = usize::try_from(length).ok().filter(|size| *size <= self.timing.frame_bytes_max) else {
            return Err(JuteError::Length(length).into());
        };
        if rest.len() < size {
            return Ok(None);
        }
        let message = rest[..size].to_vec();
        self.inbox.drain(..4 + size);
        if self.inbox.is_empty() && self.inbox.capacity() > IDLE_BYTES_MAX {
            self.inbox = Vec::new();
        }
        Ok(Some(message))
    }

    fn read(&mut self) -> Result<(), Broken> {
        // One piece at a time: whole messages that came before an end of stream are handed out before it is seen.
        let mut chunk = [0; 16 << 10];
        match self.stream.try_read(&mut chunk) {
            Ok(0) => Err(Broken::Closed),
            Ok(bytes) => {
                self.heard = Instant::now();
                self.bytes.fetch_add(bytes as u64, Ordering::Relaxed);
                self.inbox.extend_from_slice(&chunk[..bytes]);
                Ok(())
            }
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => Ok(()),
            Err(error) => Err(error.into()),
        }
    }

    fn write(&mut self) -> Result<(), Broken> {
        self.stream.flush()?;
        while !self.outbox.is_empty() {
            match self.stream.try_write(&self.outbox) {
                Ok(bytes) => {
                    self.outbox.drain(..bytes);
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => break,
                Err(error) => return Err(error.into()),
            }
        }
        if self.outbox.is_empty() && self.outbox.capacity() > IDLE_BYTES_MAX {
            self.outbox = Vec::new();
        }
        Ok(())
    }
}
