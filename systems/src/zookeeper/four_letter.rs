//! ZooKeeper's four letter words: what a node says about itself.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// What a node does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// It leads.
    Leader,
    /// It follows a leader.
    Follower,
    /// It runs, but serves nobody.
    NotServing,
}

/// What a node answers to `srvr`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Status {
    /// What it does.
    pub mode: Mode,
    /// Its version, if it tells.
    pub version: Option<String>,
}

/// Asks a node for one word; none of it may take longer than `patience`.
pub async fn ask(address: SocketAddr, word: &str, patience: Duration) -> io::Result<String> {
    let conversation = async {
        let mut stream = TcpStream::connect(address).await?;
        stream.write_all(word.as_bytes()).await?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await?;
        Ok(answer)
    };
    tokio::time::timeout(patience, conversation).await.unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()))
}

/// Asks a node what it does.
pub async fn status(address: SocketAddr, patience: Duration) -> io::Result<Status> {
    Ok(parse(&ask(address, "srvr", patience).await?))
}

fn parse(answer: &str) -> Status {
    let field = |name: &str| answer.lines().find_map(|line| line.strip_prefix(name)).map(str::trim);
    let mode = match field("Mode:") {
        Some("leader") => Mode::Leader,
        // A single server is its own leader; as part of an ensemble given by address it still serves.
        Some("standalone") => Mode::Leader,
        Some("follower" | "observer") => Mode::Follower,
        _ => Mode::NotServing,
    };
    let number = |text: &str| text.split(['-', ',']).next().unwrap_or(text).to_owned();
    Status { mode, version: field("Zookeeper version:").map(number) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_are_read() {
        let leader = parse("Zookeeper version: 3.8.0-${mvngit.commit.id}, built on 2024-12-29\nMode: leader\n");
        assert_eq!(leader, Status { mode: Mode::Leader, version: Some("3.8.0".to_owned()) });
        assert_eq!(parse("Mode: follower\n").mode, Mode::Follower);
        assert_eq!(parse("This ZooKeeper instance is not currently serving requests\n").mode, Mode::NotServing);
        assert_eq!(parse("").mode, Mode::NotServing);
    }
}
