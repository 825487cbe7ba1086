//! Claim S3 on a real ZooKeeper ensemble: the lowest registered node leads. A leader that stands still past its session and wakes
//! up writes once more, after its successor has written: one leader in ZooKeeper, two at the resource. A fencing token
//! keeps the resource whole. The candidates are processes of their own, so that they can be stopped as a whole.
#![allow(clippy::unwrap_used, clippy::disallowed_methods)]

use checkers::facts::exclusion::fencing;
use history::Fact;
use nemesis::linux::{CLIENTS, Lab, Process, ProcessSpec};
use std::io::{BufRead, BufReader, Write};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::Path;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};
use systems::zookeeper::{Ensemble, ZooKeeperConfig};
use wire::zookeeper::connection::{Broken, Connection, Timing};
use wire::zookeeper::protocol::{Code, Message, Step, children_names, children_reply, multi_outcome};

const ELECTION: &str = "/election";
const SESSION: Duration = Duration::from_millis(2_000);
/// A leader needs so long from deciding on a write to making it: it cannot look whether it still leads in between.
const WORK: Duration = Duration::from_millis(40);
const SECOND: Duration = Duration::from_secs(1);
/// How often a leader is paused before the test gives up waiting for a late write.
const TRIES: usize = 5;

fn timing() -> Timing {
    Timing {
        session: SESSION,
        heartbeat: SESSION / 4,
        read: SESSION,
        connect: SESSION,
        request: SESSION,
        frame_bytes_max: 1 << 20,
    }
}

/// What it is that only the leader may write: it knows nothing of ZooKeeper.
#[derive(Default)]
struct Resource {
    facts: Mutex<Vec<Fact>>,
    /// Writes that were refused: the fence was needed.
    refused: AtomicU64,
    highest: AtomicI64,
}

impl Resource {
    /// Lines `takes WHO TOKEN` and `write WHO TOKEN`.
    fn hear(&self, line: &str, began: Instant, fenced: bool) {
        let words: Vec<&str> = line.split_whitespace().collect();
        let [what, who, token] = words.as_slice() else { return };
        let (node, token): (u32, i64) = (who.parse().unwrap(), token.parse().unwrap());
        // One at a time: the order of the facts is the order in which they happened.
        let mut facts = self.facts.lock().unwrap_or_else(PoisonError::into_inner);
        let at = began.elapsed().as_nanos() as u64;
        if *what == "takes" {
            facts.push(Fact { at, node, what: "takes", value: token });
            return;
        }
        let highest = self.highest.fetch_max(token, Ordering::SeqCst);
        if fenced && token < highest {
            self.refused.fetch_add(1, Ordering::SeqCst);
            return;
        }
        facts.push(Fact { at, node: 9, what: "applied", value: i64::from(node) << 32 | token });
    }

    fn serve(self: &Arc<Self>, listener: UnixListener, fenced: bool) {
        let (resource, began) = (Arc::clone(self), Instant::now());
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let resource = Arc::clone(&resource);
                std::thread::spawn(move || {
                    for line in BufReader::new(stream).lines().map_while(Result::ok) {
                        resource.hear(&line, began, fenced);
                    }
                });
            }
        });
    }

    /// Who wrote last, and how many writes each made.
    fn writers(&self) -> (Option<i64>, [usize; 2]) {
        let facts = self.facts.lock().unwrap_or_else(PoisonError::into_inner);
        let applied: Vec<i64> = facts.iter().filter(|f| f.what == "applied").map(|f| f.value >> 32).collect();
        let count = |who| applied.iter().filter(|writer| **writer == who).count();
        (applied.last().copied(), [count(0), count(1)])
    }
}

/// Registers, and keeps `leads` right as far as it can: the number of the registration while it leads, otherwise 0.
async fn stand(servers: Vec<std::net::SocketAddr>, who: usize, leads: &AtomicI64) {
    // Registrations of one candidate are odd, those of the other even, and they only rise.
    let mut number = 1 + who as i64;
    loop {
        let end = lead(servers[who % servers.len()], &mut number, leads).await;
        leads.store(0, Ordering::SeqCst);
        eprintln!("candidate {who}: {end:?}");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

async fn lead(server: std::net::SocketAddr, number: &mut i64, leads: &AtomicI64) -> Result<(), Broken> {
    let bytes = Arc::new(AtomicU64::new(0));
    let Ok((mut connection, _)) = Connection::open(server, None, timing(), bytes, 0, None).await else { return Ok(()) };
    // Above everything that was ever registered and is still there.
    *number = (*number).max(highest(&mut connection).await? + 1);
    let path = format!("{ELECTION}/{number:08}");
    let create = Message::Multi(vec![Step::Create { path, data: Vec::new(), ephemeral: true }]);
    let created = multi_outcome(connection.call(&create).await?.body())?;
    let own = *number;
    *number += 1;
    if created != Code::OK {
        return Ok(());
    }
    loop {
        let lowest = registered(&mut connection).await?.into_iter().min();
        leads.store(if lowest == Some(own) { own } else { 0 }, Ordering::SeqCst);
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

async fn registered(connection: &mut Connection) -> Result<Vec<i64>, Broken> {
    let frame = connection.call(&Message::Children { path: ELECTION.to_owned(), watch: false }).await?;
    let names = children_names(children_reply(frame.body())?.0)?;
    Ok(names.iter().filter_map(|name| name.parse().ok()).collect())
}

async fn highest(connection: &mut Connection) -> Result<i64, Broken> {
    Ok(registered(connection).await?.into_iter().max().unwrap_or(0))
}

/// Not a test: what a candidate's process runs. Without the variables it is nothing.
#[test]
fn candidate() {
    let Ok(who) = std::env::var("STANDBY_CANDIDATE") else { return };
    let who: usize = who.parse().unwrap();
    let servers = std::env::var("STANDBY_SERVERS").unwrap();
    let servers = servers.split(',').map(|server| server.parse().unwrap()).collect();
    let mut resource = UnixStream::connect(std::env::var("STANDBY_RESOURCE").unwrap()).unwrap();
    let leads = Arc::new(AtomicI64::new(0));
    let known = Arc::clone(&leads);
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(stand(servers, who, &known));
    });
    let mut took = 0;
    loop {
        let token = leads.load(Ordering::SeqCst);
        if token == 0 {
            std::thread::sleep(Duration::from_millis(5));
            continue;
        }
        if token != took {
            writeln!(resource, "takes {who} {token}").unwrap();
            took = token;
        }
        std::thread::sleep(WORK);
        writeln!(resource, "write {who} {token}").unwrap();
    }
}

/// An ensemble, two candidates, and the resource.
struct Stage {
    candidates: Vec<Process>,
    resource: Arc<Resource>,
    /// Last: everything lives in it.
    ensemble: Arc<Ensemble>,
}

impl Stage {
    fn set(name: &str, fenced: bool) -> Stage {
        let config = ZooKeeperConfig {
            tick_ms: 200,
            session_timeout_ms: SESSION.as_millis() as u64,
            ..ZooKeeperConfig::default()
        };
        let id = format!("test-{}-{name}", std::process::id());
        let ensemble = Ensemble::start(&config, &id, None).unwrap();
        inside(&ensemble.lab, async {
            ensemble.serves(Duration::from_secs(60)).await.unwrap();
            let bytes = Arc::new(AtomicU64::new(0));
            let (mut connection, _) =
                Connection::open(ensemble.servers[0].address, None, timing(), bytes, 0, None).await.unwrap();
            let path = ELECTION.to_owned();
            let create = Message::Multi(vec![Step::Create { path, data: Vec::new(), ephemeral: false }]);
            assert_eq!(multi_outcome(connection.call(&create).await.unwrap().body()).unwrap(), Code::OK);
        });
        let folder = ensemble.lab.temporary_folder("resource").unwrap();
        let socket = folder.join("socket");
        let resource = Arc::new(Resource::default());
        resource.serve(UnixListener::bind(&socket).unwrap(), fenced);
        let mut stage = Stage { candidates: Vec::new(), resource, ensemble };
        for who in 0..2 {
            let process = stage.candidate(who, &socket, &folder);
            stage.candidates.push(process);
            // The first one registers first.
            stage.wait("candidate 0 leads and works", |stage| stage.resource.writers().1[0] > 3);
        }
        stage
    }

    fn candidate(&self, who: usize, socket: &Path, folder: &Path) -> Process {
        let servers: Vec<String> = self.ensemble.servers.iter().map(|server| server.address.to_string()).collect();
        let spec = ProcessSpec::new(std::env::current_exe().unwrap())
            .args(["candidate", "--exact", "--nocapture"])
            .env("STANDBY_CANDIDATE", who.to_string())
            .env("STANDBY_SERVERS", servers.join(","))
            .env("STANDBY_RESOURCE", socket)
            .output(folder.join(format!("candidate-{who}.log")));
        self.ensemble.lab.spawn(CLIENTS, &spec).unwrap()
    }

    fn wait(&self, what: &str, done: impl Fn(&Stage) -> bool) {
        let began = Instant::now();
        while !done(self) {
            assert!(began.elapsed() < 60 * SECOND, "{what}: never; writers {:?}", self.resource.writers());
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// Stops whoever leads until the other has written for a while, and lets it go on.
    fn pause_the_leader(&mut self) {
        let leader = self.resource.writers().0.unwrap() as usize;
        let other = 1 - leader;
        self.candidates[leader].pause().unwrap();
        let before = self.resource.writers().1[other];
        self.wait("the other takes over", |stage| stage.resource.writers().1[other] > before + 3);
        self.candidates[leader].resume().unwrap();
        std::thread::sleep(SECOND);
    }

    fn stale(&self) -> Option<String> {
        let facts = self.resource.facts.lock().unwrap_or_else(PoisonError::into_inner);
        let names = ["a".to_owned(), "b".to_owned()];
        fencing(&facts, &names).first().map(|finding| finding.sentence.clone())
    }
}

/// Runs in the namespace of the clients: sockets belong to the thread that opens them.
fn inside<T: Send>(lab: &Lab, work: impl Future<Output = T> + Send) -> T {
    let job = || tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(work);
    lab.namespace(CLIENTS).unwrap().run(job).unwrap()
}

#[test]
fn a_paused_leader_writes_after_its_successor_unless_it_is_fenced() {
    if let Err(why) = systems::zookeeper::doctor() {
        assert!(std::env::var_os("UPHEAVAL_REQUIRE_ALL").is_none(), "{why}");
        println!("skipped: a_paused_leader_writes_after_its_successor_unless_it_is_fenced: {why}");
        return;
    }
    let mut open = Stage::set("unfenced", false);
    let mut tries = 0;
    while open.stale().is_none() {
        tries += 1;
        assert!(tries <= TRIES, "no late write in {TRIES} pauses");
        open.pause_the_leader();
    }
    println!("unfenced: {} (pause {tries})", open.stale().unwrap());
    drop(open);

    let mut fenced = Stage::set("fenced", true);
    let refused = |stage: &Stage| stage.resource.refused.load(Ordering::SeqCst);
    for tries in 1.. {
        assert!(tries <= TRIES, "no write was refused in {TRIES} pauses: the fence was never needed");
        fenced.pause_the_leader();
        if refused(&fenced) > 0 {
            break;
        }
    }
    assert_eq!(fenced.stale(), None);
    let (_, writes) = fenced.resource.writers();
    assert!(writes.iter().all(|count| *count > 3), "both led and worked: {writes:?}");
    println!("fenced: {} late writes refused, {writes:?} applied", refused(&fenced));
}
