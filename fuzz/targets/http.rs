//! What anybody may send to the probe's HTTP server: answered or hung up on, and never with a file of the host.
#![no_main]

use libfuzzer_sys::fuzz_target;
use probe::config::{Config, Secrets};
use probe::engine::Engine;
use probe::http::{App, Board, Gate, router};
use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::sync::{Arc, LazyLock};
use std::time::Duration;

const CONFIG: &str = "[registry]\nkind = \"zookeeper\"\naddresses = [\"127.0.0.1:1\"]\nnamespace = \"/upheaval-probe\"\n\
                      [evidence]\nfolder = \"/etc\"\n";

static SERVER: LazyLock<SocketAddr> = LazyLock::new(|| {
    let config = Config::parse("fuzz", CONFIG).expect("the configuration is sound");
    let engine = Engine::new(config.clone(), "i-0123456789ab", 0, Vec::new());
    let app = Arc::new(App::new(engine.figures.clone(), config, Secrets::default()));
    app.show(Board { status: engine.status(), ..Board::default() });
    let (sender, receiver) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        runtime.block_on(async {
            let gate = Gate::bind(SocketAddr::from(([127, 0, 0, 1], 0)), None).await.expect("a port");
            sender.send(gate.address()).expect("somebody waits");
            axum::serve(gate, router(app)).await
        })
    });
    receiver.recv().expect("the server starts")
});

fuzz_target!(|bytes: &[u8]| {
    let mut stream = TcpStream::connect(*SERVER).expect("the server lives");
    stream.set_read_timeout(Some(Duration::from_secs(5))).expect("a timeout can be set");
    // The server may hang up in the middle.
    let _hung_up = stream.write_all(bytes).and_then(|()| stream.shutdown(Shutdown::Write));
    let mut answer = Vec::new();
    let _hung_up = stream.read_to_end(&mut answer);
    assert!(answer.is_empty() || answer.starts_with(b"HTTP/1."), "{}", String::from_utf8_lossy(&answer));
    assert!(!String::from_utf8_lossy(&answer).contains("root:x:"), "a file of the host");
});
