//! TLS streams against a server that shares nothing with them but the library: what is trusted, what is not, and large messages.
#![allow(clippy::unwrap_used)]

#[path = "support/authority.rs"]
mod authority;

use authority::Authority;
use rustls::pki_types::pem::PemObject;
use rustls::server::WebPkiClientVerifier;
use rustls::{RootCertStore, ServerConfig};
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;
use wire::stream::Stream;
use wire::tls::{Identity, Tls, provider};

/// Sends everything back; asks for a certificate of the authority where `strict`.
async fn echo(authority: &Authority, strict: bool) -> SocketAddr {
    let (chain, key) = authority.sign("registry.test").read().unwrap();
    let builder = ServerConfig::builder_with_provider(provider()).with_safe_default_protocol_versions().unwrap();
    let config = if strict {
        let mut roots = RootCertStore::empty();
        roots.add(rustls::pki_types::CertificateDer::from_pem_file(authority.ca()).unwrap()).unwrap();
        let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider()).build().unwrap();
        builder.with_client_cert_verifier(verifier).with_single_cert(chain, key).unwrap()
    } else {
        builder.with_no_client_auth().with_single_cert(chain, key).unwrap()
    };
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        loop {
            let (tcp, _) = listener.accept().await.unwrap();
            let acceptor = acceptor.clone();
            tokio::spawn(async move {
                let mut stream = acceptor.accept(tcp).await?;
                let mut buffer = vec![0; 64 << 10];
                loop {
                    match stream.read(&mut buffer).await? {
                        0 => return io::Result::Ok(()),
                        bytes => stream.write_all(&buffer[..bytes]).await?,
                    }
                    stream.flush().await?;
                }
            });
        }
    });
    address
}

async fn open(address: SocketAddr, tls: &Tls) -> io::Result<Stream> {
    let name = tls.name_of("registry.test:2281").unwrap();
    Stream::connect(address).await?.secure(tls, name).await
}

/// Sends the bytes and returns as many that came back, as a connection does it.
async fn round(stream: &mut Stream, bytes: &[u8]) -> io::Result<Vec<u8>> {
    let (mut sent, mut back) = (0, Vec::new());
    let mut buffer = [0; 1_000];
    while back.len() < bytes.len() {
        let ready = stream.ready(sent < bytes.len()).await?;
        if ready.is_writable() && sent < bytes.len() {
            match stream.try_write(&bytes[sent..]) {
                Ok(taken) => sent += taken,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                Err(error) => return Err(error),
            }
        }
        stream.flush()?;
        if ready.is_readable() || ready.is_read_closed() {
            match stream.try_read(&mut buffer) {
                Ok(0) => return Err(io::ErrorKind::UnexpectedEof.into()),
                Ok(bytes) => back.extend_from_slice(&buffer[..bytes]),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                Err(error) => return Err(error),
            }
        }
    }
    Ok(back)
}

fn patient<T>(future: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    runtime.block_on(async { tokio::time::timeout(Duration::from_secs(30), future).await.expect("it stands still") })
}

#[test]
fn small_and_large_messages_go_through() {
    let authority = Authority::new("large");
    let tls = Tls::new(&authority.ca(), None, None).unwrap();
    patient(async {
        let address = echo(&authority, false).await;
        let mut stream = open(address, &tls).await.unwrap();
        for size in [1, 999, 1_000, 16 << 10, (16 << 10) + 1, 3 << 20] {
            let bytes: Vec<u8> = (0..size).map(|at| (at % 251) as u8).collect();
            assert!(round(&mut stream, &bytes).await.unwrap() == bytes, "{size} bytes");
        }
    });
}

#[test]
fn who_is_not_trusted_gets_nothing() {
    let (authority, other) = (Authority::new("own"), Authority::new("other"));
    patient(async {
        let address = echo(&authority, false).await;
        let stranger = Tls::new(&other.ca(), None, None).unwrap();
        let error = open(address, &stranger).await.unwrap_err().to_string();
        assert!(error.contains("invalid peer certificate"), "{error}");
        let misled = Tls::new(&authority.ca(), None, Some("elsewhere.test")).unwrap();
        let error = open(address, &misled).await.unwrap_err().to_string();
        assert!(error.contains("elsewhere.test"), "{error}");
    });
}

#[test]
fn a_server_that_asks_is_shown_a_certificate() {
    let authority = Authority::new("mutual");
    patient(async {
        let address = echo(&authority, true).await;
        let nobody = Tls::new(&authority.ca(), None, None).unwrap();
        // With TLS 1.3 a client believes to be done before the server has refused it.
        let refused = match open(address, &nobody).await {
            Ok(mut stream) => round(&mut stream, b"hello").await.map(drop),
            Err(error) => Err(error),
        };
        assert!(refused.is_err());
        let known = Tls::new(&authority.ca(), Some(&authority.sign("probe.test")), None).unwrap();
        let mut stream = open(address, &known).await.unwrap();
        assert_eq!(round(&mut stream, b"hello").await.unwrap(), b"hello");
    });
}

#[test]
fn wrong_files_are_named() {
    let (authority, other) = (Authority::new("files"), Authority::new("foreign"));
    let said = |result: Result<Tls, wire::tls::TlsError>| result.unwrap_err().to_string();
    let missing = said(Tls::new(&authority.folder.join("none.pem"), None, None));
    assert!(missing.contains("none.pem"), "{missing}");
    let (mine, theirs) = (authority.sign("a.test"), other.sign("b.test"));
    let key_as_ca = said(Tls::new(&mine.key, None, None));
    assert!(key_as_ca.contains("a.test.key.pem"), "{key_as_ca}");
    let mixed = Identity { certificate: mine.certificate.clone(), key: theirs.key };
    let mixed = said(Tls::new(&authority.ca(), Some(&mixed), None));
    assert!(mixed.contains("a.test.certificate.pem"), "{mixed}");
    let name = said(Tls::new(&authority.ca(), None, Some("no name")));
    assert!(name.contains("no name"), "{name}");
}
