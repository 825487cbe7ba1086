//! One ZooKeeper server on loopback that speaks TLS only and asks everybody for a certificate.

use crate::authority::Authority;
use std::fs;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

pub struct Server {
    child: Child,
    address: SocketAddr,
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

const JARS: [&str; 3] =
    ["/usr/share/java/zookeeper.jar", "/usr/share/java/slf4j-simple.jar", "/usr/share/java/netty-handler.jar"];
/// They come with netty-handler (Debian: libnetty-java, with ZooKeeper).
const NETTY: [&str; 6] = ["codec", "transport", "common", "buffer", "resolver", "transport-native-unix-common"];

impl Server {
    /// None, with a line that says why, where something is missing.
    pub fn start(test: &str, authority: &Authority) -> Option<Server> {
        let path = std::env::var("PATH").unwrap_or_default();
        let java = path.split(':').any(|folder| Path::new(folder).join("java").exists());
        let lacking = if java { JARS.into_iter().find(|jar| !Path::new(jar).exists()) } else { Some("java") };
        if let Some(lacking) = lacking {
            assert!(std::env::var_os("UPHEAVAL_REQUIRE_ALL").is_none(), "{test}: {lacking} is not installed");
            println!("skipped: {test}: {lacking} is not installed");
            return None;
        }
        let address = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let folder = &authority.folder;
        let identity = authority.sign("127.0.0.1");
        let both = folder.join("server.pem");
        let pem = [&identity.key, &identity.certificate].map(|file| fs::read_to_string(file).unwrap()).concat();
        fs::write(&both, pem).unwrap();
        let text = format!(
            "tickTime=500\ndataDir={}\nsecureClientPortAddress=127.0.0.1\nsecureClientPort={}\nadmin.enableServer=false\n\
             serverCnxnFactory=org.apache.zookeeper.server.NettyServerCnxnFactory\nforceSync=no\nextendedTypesEnabled=true\n\
             ssl.keyStore.location={}\nssl.keyStore.type=PEM\nssl.trustStore.location={}\nssl.trustStore.type=PEM\n",
            folder.join("data").display(),
            address.port(),
            both.display(),
            authority.ca().display()
        );
        fs::write(folder.join("zoo.cfg"), text).unwrap();
        let log = fs::File::create(folder.join("server.log")).unwrap();
        let netty = NETTY.map(|part| format!("/usr/share/java/netty-{part}.jar")).join(":");
        let classes = format!("{}:{netty}", JARS.join(":"));
        let child = Command::new("java")
            .args(["-Xmx128m", "-XX:+UseSerialGC", "-Dznode.container.checkIntervalMs=2000", "-cp", &classes])
            .arg("org.apache.zookeeper.server.ZooKeeperServerMain")
            .arg(folder.join("zoo.cfg"))
            .stdout(log.try_clone().unwrap())
            .stderr(log)
            .stdin(Stdio::null())
            .spawn()
            .unwrap();
        let mut server = Server { child, address };
        let began = Instant::now();
        while TcpStream::connect(address).is_err() {
            let log = fs::read_to_string(folder.join("server.log")).unwrap();
            assert!(server.child.try_wait().unwrap().is_none() && began.elapsed().as_secs() < 60, "{log}");
            std::thread::sleep(Duration::from_millis(100));
        }
        Some(server)
    }

    /// `host:port`.
    pub fn address(&self) -> String {
        self.address.to_string()
    }
}
