//! The measured effect of a fault: what a canary saw, what a node's own log says.

#![allow(clippy::disallowed_methods, reason = "an adapter to a real system lives in real time")]

use super::client::Shared;
use super::ensemble::Server;
use super::four_letter::{Mode, ask, status};
use super::tree::canary;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};
use tokio::sync::watch;
use tokio::task::JoinHandle;

/// Time between two looks at a node.
const POLL: Duration = Duration::from_millis(50);
/// A node that does not answer a look for this long does not serve.
const PATIENCE: Duration = Duration::from_millis(300);
/// The word whose answer leaves the node's time in its log; nothing else here asks it.
const CLOCK_WORD: &str = "isro";

/// Looks at a node all the time, and adds up how long it did not serve.
#[derive(Debug)]
pub struct Watchdog {
    task: JoinHandle<()>,
    silent: watch::Receiver<Duration>,
}

impl Watchdog {
    /// Begins to look.
    pub fn start(address: SocketAddr) -> Self {
        let (sender, silent) = watch::channel(Duration::ZERO);
        let task = tokio::spawn(async move {
            loop {
                let asked = Instant::now();
                let serves = status(address, PATIENCE).await.is_ok_and(|status| status.mode != Mode::NotServing);
                tokio::time::sleep(POLL).await;
                if !serves {
                    sender.send_modify(|silent| *silent += asked.elapsed());
                }
            }
        });
        Watchdog { task, silent }
    }

    /// Milliseconds without service so far; 0 if each look was answered.
    pub fn finish(self) -> u64 {
        self.task.abort();
        self.silent.borrow().as_millis() as u64
    }
}

/// Waits until the node leads or follows and a session through it works.
pub async fn serves_again(shared: &Shared, address: SocketAddr) {
    loop {
        let answers = status(address, PATIENCE).await.is_ok_and(|status| status.mode != Mode::NotServing);
        if answers && canary(shared, address).await.is_ok() {
            return;
        }
        tokio::time::sleep(POLL).await;
    }
}

/// How far the node's own clock is ahead of the true one, in milliseconds, by its log.
pub async fn clock_error_ms(server: &Server) -> Result<i64, String> {
    let from = std::fs::metadata(&server.log).map_err(|error| error.to_string())?.len() as usize;
    let before = wall_ms();
    ask(server.address, CLOCK_WORD, Duration::from_secs(2)).await.map_err(|error| error.to_string())?;
    let after = wall_ms();
    for _look in 0..20 {
        let log = std::fs::read(&server.log).map_err(|error| error.to_string())?;
        let new = String::from_utf8_lossy(log.get(from..).unwrap_or_default()).into_owned();
        let line = new.lines().find(|line| line.contains(&format!("Processing {CLOCK_WORD} command")));
        if let Some(logged) = line.and_then(log_time_ms) {
            return Ok(logged - before.midpoint(after));
        }
        tokio::time::sleep(POLL).await;
    }
    Err(format!("no line about `{CLOCK_WORD}` in its log"))
}

fn wall_ms() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}

/// The time at the start of a log line, `2026-01-02T03:04:05.678`, in milliseconds since 1970.
fn log_time_ms(line: &str) -> Option<i64> {
    let field = |from: usize, to: usize| line.get(from..to)?.parse::<i64>().ok();
    let (year, month, day) = (field(0, 4)?, field(5, 7)?, field(8, 10)?);
    let (hour, minute, second, milli) = (field(11, 13)?, field(14, 16)?, field(17, 19)?, field(20, 23)?);
    // Days since 1970 of the proleptic Gregorian calendar, with years that begin in March.
    let (y, m) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let days =
        365 * y + y.div_euclid(4) - y.div_euclid(100) + y.div_euclid(400) + (153 * m + 2) / 5 + day - 1 - 719_468;
    Some((((days * 24 + hour) * 60 + minute) * 60 + second) * 1000 + milli)
}

/// The same for several nodes, one after the other.
pub async fn all_serve_again(shared: &Arc<Shared>, addresses: &[SocketAddr]) {
    for address in addresses {
        serves_again(shared, *address).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn log_times_are_read() {
        assert_eq!(log_time_ms("1970-01-01T00:00:00.001 [main] INFO x"), Some(1));
        assert_eq!(log_time_ms("2000-03-01T00:00:00.000 ..."), Some(951_868_800_000));
        assert_eq!(log_time_ms("2026-11-22T02:53:57.446 ..."), Some(1_795_316_037_446));
        assert_eq!(log_time_ms("java.lang.Exception"), None);
    }
}
