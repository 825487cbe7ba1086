//! Commands before and after: run with a time limit, killed with everything that they started when it is over.

use super::suite::Hook;
use reports::gate::{Build, Decision, GateHook};
use std::io::Read;
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

const POLL: Duration = Duration::from_millis(20);
const TAIL_CHARS: usize = 2_000;

/// What a hook is told, as environment variables.
pub struct Told<'a> {
    /// `UPHEAVAL_BUILD`, `UPHEAVAL_VERSION`, `UPHEAVAL_ARTEFACT`.
    pub build: Option<&'a Build>,
    /// `UPHEAVAL_VERDICT`; none before the first run.
    pub decision: Option<Decision>,
    /// `UPHEAVAL_SUITE`.
    pub suite: &'a str,
    /// `UPHEAVAL_REPORT`: the folder with page, JSON and JUnit.
    pub report: &'a str,
}

/// Runs a hook. What it writes goes to a file, so that a grandchild that keeps standard output open cannot hold us up.
pub fn call(name: &str, hook: &Hook, told: &Told<'_>) -> GateHook {
    let began = Instant::now();
    let (ok, says) = match run(hook, told) {
        Ok((ended, tail)) => {
            let how = match ended {
                Some(status) if status.success() => "ended well".to_owned(),
                Some(status) => status.to_string(),
                None => format!("killed after {} s: its time was over", hook.time_s_max),
            };
            let says = if tail.is_empty() { how } else { format!("{how}: {tail}") };
            (ended.is_some_and(|status| status.success()), says)
        }
        Err(error) => (false, format!("{}: {error}", hook.command[0])),
    };
    let wall_ms = began.elapsed().as_millis() as u64;
    GateHook { name: name.to_owned(), command: hook.command.clone(), ok, says, wall_ms }
}

fn run(hook: &Hook, told: &Told<'_>) -> std::io::Result<(Option<std::process::ExitStatus>, String)> {
    let path =
        std::env::temp_dir().join(format!("upheaval-hook-{}-{:?}", std::process::id(), std::thread::current().id()));
    let file = std::fs::File::create(&path)?;
    let build = told.build.cloned().unwrap_or_default();
    let mut command = Command::new(&hook.command[0]);
    command.args(&hook.command[1..]).stdin(Stdio::null()).stdout(file.try_clone()?).stderr(file).process_group(0);
    command.env("UPHEAVAL_SUITE", told.suite).env("UPHEAVAL_REPORT", told.report);
    command.env("UPHEAVAL_BUILD", build.name).env("UPHEAVAL_VERSION", build.version);
    command.env("UPHEAVAL_ARTEFACT", build.artefact);
    command.env("UPHEAVAL_VERDICT", told.decision.map_or("", Decision::name));
    let started = command.spawn().and_then(|mut child| wait(&mut child, Duration::from_secs(hook.time_s_max)));
    let mut text = String::new();
    let read = std::fs::File::open(&path).and_then(|mut file| file.read_to_string(&mut text));
    let _ = std::fs::remove_file(&path);
    let ended = started?;
    if read.is_err() {
        text = "(what it wrote is no text)".to_owned();
    }
    let text = text.trim();
    let tail: String = text.chars().skip(text.chars().count().saturating_sub(TAIL_CHARS)).collect();
    Ok((ended, tail))
}

/// None if it had to be killed.
fn wait(child: &mut Child, time: Duration) -> std::io::Result<Option<std::process::ExitStatus>> {
    let deadline = Instant::now() + time;
    loop {
        if let Some(status) = child.try_wait()? {
            return Ok(Some(status));
        }
        if Instant::now() >= deadline {
            // It leads a group of its own that nobody else is in.
            let group = nix::unistd::Pid::from_raw(child.id() as i32);
            let _ = nix::sys::signal::killpg(group, nix::sys::signal::Signal::SIGKILL);
            child.wait()?;
            return Ok(None);
        }
        std::thread::sleep(POLL);
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn sh(script: &str, time_s_max: u64) -> GateHook {
        let hook = Hook { command: ["sh", "-c", script].map(str::to_owned).to_vec(), time_s_max };
        let build = Build { name: "r".into(), version: "7".into(), artefact: "a.jar".into() };
        let told = Told { build: Some(&build), decision: Some(Decision::Pass), suite: "s", report: "runs/x" };
        call("promote", &hook, &told)
    }

    #[test]
    fn it_is_told_what_it_needs_and_its_end_is_known() {
        let hook = sh("echo $UPHEAVAL_VERDICT $UPHEAVAL_VERSION $UPHEAVAL_ARTEFACT", 10);
        assert!(hook.ok && hook.says.contains("pass 7 a.jar"), "{hook:?}");
        let hook = sh("echo no; exit 3", 10);
        assert!(!hook.ok && hook.says.contains("exit status: 3") && hook.says.contains("no"), "{hook:?}");
    }

    #[test]
    fn it_is_killed_with_its_children_when_its_time_is_over() {
        let marker = std::env::temp_dir().join(format!("upheaval-hook-alive-{}", std::process::id()));
        let script = format!("(sleep 2; touch {}) & sleep 30", marker.display());
        let hook = sh(&script, 1);
        assert!(!hook.ok && hook.says.contains("killed after 1 s"), "{hook:?}");
        assert!(hook.wall_ms < 10_000);
        std::thread::sleep(Duration::from_millis(1_800));
        assert!(!marker.exists(), "its child lived on");
    }

    #[test]
    fn a_program_that_is_not_there_is_said() {
        let hook = Hook { command: vec!["/nonexistent/deploy".to_owned()], time_s_max: 1 };
        let told = Told { build: None, decision: None, suite: "s", report: "" };
        let hook = call("deploy", &hook, &told);
        assert!(!hook.ok && hook.says.contains("/nonexistent/deploy"), "{hook:?}");
    }
}
