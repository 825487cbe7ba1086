//! A TCP stream, plain or under TLS, read and written without waiting once it is ready.
//!
//! TLS is driven by hand: what was sent and received is only ever changed in [`Stream::try_read`] and [`Stream::try_write`], so a
//! future that waits for readiness can be dropped at any time and nothing is lost.

use crate::tls::Tls;
use rustls::ClientConnection;
use rustls::pki_types::ServerName;
use std::io::{self, Read, Write};
use std::net::SocketAddr;
use tokio::io::{Interest, Ready};
use tokio::net::TcpStream;

/// A connected stream.
#[derive(Debug)]
pub struct Stream {
    tcp: TcpStream,
    tls: Option<Box<ClientConnection>>,
    /// The last read filled the buffer: more may wait that the socket knows nothing of.
    more: bool,
}

impl Stream {
    /// Connects; closing it discards what was not sent yet.
    pub async fn connect(address: SocketAddr) -> io::Result<Stream> {
        let tcp = TcpStream::connect(address).await?;
        tcp.set_nodelay(true)?;
        tcp.set_zero_linger()?;
        Ok(Stream { tcp, tls: None, more: false })
    }

    /// Goes over to TLS, with a server of this name; returns when both sides have agreed.
    pub async fn secure(mut self, tls: &Tls, name: ServerName<'static>) -> io::Result<Stream> {
        let session = ClientConnection::new(tls.config(), name).map_err(io::Error::other)?;
        let session = &mut **self.tls.insert(Box::new(session));
        loop {
            while session.wants_write() {
                self.tcp.writable().await?;
                send(session, &self.tcp)?;
            }
            if !session.is_handshaking() {
                return Ok(self);
            }
            self.tcp.readable().await?;
            if let Err(error) = receive(session, &self.tcp) {
                // The server learns why, if it can still be told.
                let _told = send(session, &self.tcp);
                return Err(error);
            }
        }
    }

    /// Waits until it may be read from (or, with `write`, written to).
    pub async fn ready(&self, write: bool) -> io::Result<Ready> {
        if self.more {
            return Ok(Ready::READABLE);
        }
        let write = write || self.tls.as_ref().is_some_and(|session| session.wants_write());
        self.tcp.ready(if write { Interest::READABLE | Interest::WRITABLE } else { Interest::READABLE }).await
    }

    /// Reads what is there: 0 bytes at the end of the stream, `WouldBlock` where there is nothing yet.
    pub fn try_read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let Some(session) = &mut self.tls else { return self.tcp.try_read(buffer) };
        loop {
            match session.reader().read(buffer) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => self.more = false,
                done => {
                    self.more = done.as_ref().is_ok_and(|bytes| *bytes == buffer.len());
                    return done;
                }
            }
            if receive(session, &self.tcp)? == 0 {
                return Ok(0);
            }
            // Keys may have to be renewed.
            send(session, &self.tcp)?;
        }
    }

    /// Writes what it can: the number of bytes that need not be offered again.
    pub fn try_write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let Some(session) = &mut self.tls else { return self.tcp.try_write(bytes) };
        send(session, &self.tcp)?;
        let taken = session.writer().write(bytes)?;
        send(session, &self.tcp)?;
        if taken == 0 && !bytes.is_empty() { Err(io::ErrorKind::WouldBlock.into()) } else { Ok(taken) }
    }

    /// Sends what TLS holds back; nothing to do for a plain stream.
    pub fn flush(&mut self) -> io::Result<()> {
        self.tls.as_mut().map_or(Ok(()), |session| send(session, &self.tcp))
    }
}

/// Sends what the session wants to send, as far as the system takes it.
fn send(session: &mut ClientConnection, tcp: &TcpStream) -> io::Result<()> {
    while session.wants_write() {
        match session.write_tls(&mut Direct(tcp)) {
            Ok(_) => {}
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(()),
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

/// Takes in what has come: how many bytes, 0 at the end of the stream.
fn receive(session: &mut ClientConnection, tcp: &TcpStream) -> io::Result<usize> {
    match session.read_tls(&mut Direct(tcp)) {
        Err(error) if error.kind() == io::ErrorKind::WouldBlock && session.is_handshaking() => Ok(1),
        Err(error) => Err(error),
        Ok(bytes) => {
            session.process_new_packets().map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error))?;
            match bytes {
                0 if session.is_handshaking() => Err(io::ErrorKind::UnexpectedEof.into()),
                bytes => Ok(bytes),
            }
        }
    }
}

/// The system's own calls, without waiting.
struct Direct<'a>(&'a TcpStream);

impl Read for Direct<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.0.try_read(buffer)
    }
}

impl Write for Direct<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.try_write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
