//! Where requests come in: so many connections at a time, none of them silent or open for ever, under TLS where it is configured.

#![allow(clippy::disallowed_methods, reason = "connections live in real time")]

use crate::tls::Stream;
use axum::serve::Listener;
use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc::{Receiver, Sender, channel};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::JoinHandle;
use tokio::time::{Instant, Sleep, sleep, timeout};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;

/// Connections at a time; who comes later waits in the system's queue.
pub const CONNECTIONS_MAX: usize = 64;
/// A connection on which nothing is asked is closed after this long.
const SILENCE_MAX: Duration = Duration::from_secs(30);
/// And every one after this long.
const LIFE_MAX: Duration = Duration::from_secs(600);
/// Agreeing on TLS takes no longer.
const AGREE_MAX: Duration = Duration::from_secs(10);
/// After an error of the system, such as too many open files.
const PAUSE: Duration = Duration::from_millis(200);

/// Takes connections in. Dropping it closes the port.
pub struct Gate {
    address: SocketAddr,
    taken: Receiver<(Guarded, SocketAddr)>,
    task: JoinHandle<()>,
}

impl Gate {
    /// Listens; under TLS if that is given.
    pub async fn bind(address: SocketAddr, tls: Option<Arc<ServerConfig>>) -> Result<Gate, String> {
        let listener = TcpListener::bind(address).await.map_err(|error| format!("http.listen {address}: {error}"))?;
        let address = listener.local_addr().map_err(|error| error.to_string())?;
        let (sender, taken) = channel(1);
        let task = tokio::spawn(take(listener, tls.map(TlsAcceptor::from), sender));
        Ok(Gate { address, taken, task })
    }

    /// With the port that it got.
    pub fn address(&self) -> SocketAddr {
        self.address
    }
}

impl Drop for Gate {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Listener for Gate {
    type Io = Guarded;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Guarded, SocketAddr) {
        match self.taken.recv().await {
            Some(taken) => taken,
            // The task ends with the gate only.
            None => std::future::pending().await,
        }
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        Ok(self.address)
    }
}

async fn take(listener: TcpListener, tls: Option<TlsAcceptor>, sender: Sender<(Guarded, SocketAddr)>) {
    let places = Arc::new(Semaphore::new(CONNECTIONS_MAX));
    loop {
        let Ok(place) = places.clone().acquire_owned().await else { return };
        let (tcp, from) = match listener.accept().await {
            Ok(taken) => taken,
            Err(_) => {
                sleep(PAUSE).await;
                continue;
            }
        };
        let (tls, sender) = (tls.clone(), sender.clone());
        // Who takes long to agree holds up nobody else.
        tokio::spawn(async move {
            if let Some(io) = agree(tcp, tls).await {
                // The gate was closed meanwhile: so is the connection.
                let _closed = sender.send((Guarded::new(io, place), from)).await;
            }
        });
    }
}

async fn agree(tcp: TcpStream, tls: Option<TlsAcceptor>) -> Option<Box<dyn Stream>> {
    match tls {
        None => Some(Box::new(tcp)),
        Some(tls) => Some(Box::new(timeout(AGREE_MAX, tls.accept(tcp)).await.ok()?.ok()?)),
    }
}

/// A connection that gives its place back when it ends, and ends in time.
pub struct Guarded {
    io: Box<dyn Stream>,
    silence: Pin<Box<Sleep>>,
    dies: Instant,
    _place: OwnedSemaphorePermit,
}

impl Guarded {
    fn new(io: Box<dyn Stream>, place: OwnedSemaphorePermit) -> Guarded {
        let silence = Box::pin(sleep(SILENCE_MAX));
        Guarded { io, silence, dies: Instant::now() + LIFE_MAX, _place: place }
    }
}

impl AsyncRead for Guarded {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let read = Pin::new(&mut self.io).poll_read(context, buffer);
        if read.is_ready() {
            let ends = (Instant::now() + SILENCE_MAX).min(self.dies);
            self.silence.as_mut().reset(ends);
            return read;
        }
        self.silence.as_mut().poll(context).map(|()| Err(io::ErrorKind::TimedOut.into()))
    }
}

impl AsyncWrite for Guarded {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.io).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_shutdown(context)
    }
}
