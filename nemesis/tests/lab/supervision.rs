//! What happens when the owner of a lab is killed.

use crate::runner::{Skip, Test, eventually, interfaces, lab, namespaces, run_name, runs, state_folder};
use nemesis::linux::{Lab, LabError, ProcessSpec, sweep};
use std::io::{BufRead, BufReader, Read};
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

pub const TESTS: &[Test] = &[
    ("supervision::after_kill_of_the_owner", after_kill_of_the_owner),
    ("supervision::after_kill_of_the_group", after_kill_of_the_group),
    ("supervision::deaf_to_the_terminal", deaf_to_the_terminal),
    ("supervision::sweep_after_kill_of_both", sweep_after_kill_of_both),
    ("supervision::leftover_of_the_same_name", leftover_of_the_same_name),
    ("supervision::killed_at_any_moment", killed_at_any_moment),
    ("supervision::a_failed_start_leaves_nothing", a_failed_start_leaves_nothing),
    ("supervision::live_runs_are_not_swept", live_runs_are_not_swept),
];

/// The other side of these tests: makes a lab with a process and a stray, says what it has, and waits to be killed.
pub fn hold(args: &[String]) -> i32 {
    // Started from a shell's background job it would ignore Ctrl-C, and its children with it.
    // SAFETY: a plain system call with a default action.
    unsafe { libc::signal(libc::SIGINT, libc::SIG_DFL) };
    let lab = Lab::create(&args[0], &["n1", "n2"]).unwrap();
    let folder = lab.temporary_folder("data").unwrap();
    let process = lab.spawn("n1", &ProcessSpec::new("sleep").arg("1000")).unwrap();
    let output = folder.join("stray");
    let spec = ProcessSpec::new("sh").args(["-c", "setsid sleep 1000 & echo $!"]).output(&output);
    let mut parent = lab.spawn("n2", &spec).unwrap();
    assert!(parent.wait(Duration::from_secs(10)).unwrap().unwrap().success());
    let stray = std::fs::read_to_string(&output).unwrap();
    let mut cut = lab.cut(&[("n1", "n2")]).unwrap();
    let supervisor = children().into_iter().find(|pid| command_line(*pid).contains("__supervise")).unwrap();
    println!("{} {} {supervisor} {}", process.pid(), stray.trim(), folder.display());
    std::thread::sleep(Duration::from_secs(1000));
    cut.lift().unwrap();
    0
}

fn children() -> Vec<i32> {
    let own = std::process::id();
    let text = std::fs::read_to_string(format!("/proc/{own}/task/{own}/children")).unwrap();
    text.split_whitespace().map(|pid| pid.parse().unwrap()).collect()
}

fn command_line(pid: i32) -> String {
    std::fs::read_to_string(format!("/proc/{pid}/cmdline")).unwrap()
}

/// An owner that runs, and what it has.
struct Victim {
    run: String,
    child: Child,
    process: i32,
    stray: i32,
    supervisor: i32,
    folder: PathBuf,
    before: (Vec<String>, Vec<String>),
}

impl Victim {
    fn start(test: &str) -> Result<Victim, Skip> {
        lab(test, &[])?.remove().unwrap();
        let before = (namespaces(), interfaces());
        let run = run_name(test);
        let mut command = Command::new(std::env::current_exe().unwrap());
        let mut child = command.args(["hold", &run]).stdout(Stdio::piped()).process_group(0).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let words: Vec<&str> = line.split_whitespace().collect();
        let [process, stray, supervisor, folder] = words[..] else { panic!("{line:?}") };
        let [process, stray, supervisor] = [process, stray, supervisor].map(|pid| pid.parse().unwrap());
        let victim = Victim { run, child, process, stray, supervisor, folder: folder.into(), before };
        assert!([process, stray, supervisor].into_iter().all(runs) && victim.folder.exists());
        assert_eq!(namespaces().len(), victim.before.0.len() + 4);
        Ok(victim)
    }

    fn signal(&mut self, signal: i32, pid: i32) {
        // SAFETY: a plain system call on processes that this test made.
        assert_eq!(unsafe { libc::kill(pid, signal) }, 0);
    }

    fn is_all_gone(&self) -> bool {
        let lives = [self.process, self.stray, self.supervisor].into_iter().any(runs);
        let left = self.folder.exists() || state_folder().join(&self.run).exists();
        !lives && !left && (namespaces(), interfaces()) == self.before
    }
}

impl Drop for Victim {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn after_kill_of_the_owner() -> Result<(), Skip> {
    let mut victim = Victim::start("owner")?;
    victim.child.kill().unwrap();
    victim.child.wait().unwrap();
    eventually("the supervisor removed everything", || victim.is_all_gone());
    Ok(())
}

fn after_kill_of_the_group() -> Result<(), Skip> {
    let mut victim = Victim::start("group")?;
    let group = -(victim.child.id() as i32);
    victim.signal(libc::SIGKILL, group);
    victim.child.wait().unwrap();
    eventually("the supervisor removed everything", || victim.is_all_gone());
    Ok(())
}

fn deaf_to_the_terminal() -> Result<(), Skip> {
    let mut victim = Victim::start("terminal")?;
    let supervisor = victim.supervisor;
    // SAFETY: plain system calls.
    let (session, group) = unsafe { (libc::getsid(supervisor), libc::getpgid(supervisor)) };
    assert_eq!((session, group), (supervisor, supervisor), "a session of its own: Ctrl-C does not reach it");
    for signal in [libc::SIGINT, libc::SIGTERM, libc::SIGHUP, libc::SIGQUIT] {
        victim.signal(signal, supervisor);
    }
    victim.signal(libc::SIGINT, -(victim.child.id() as i32));
    victim.child.wait().unwrap();
    eventually("the supervisor removed everything", || victim.is_all_gone());
    Ok(())
}

fn sweep_after_kill_of_both() -> Result<(), Skip> {
    let mut victim = kill_both("both")?;
    assert!(!victim.is_all_gone() && runs(victim.stray) && victim.folder.exists());
    let swept = sweep();
    let ours = swept.iter().find(|swept| swept.run == victim.run).unwrap();
    assert!(ours.outcome.is_ok(), "{swept:?}");
    assert!(victim.is_all_gone());
    victim.child.wait().unwrap();
    assert!(sweep().is_empty(), "nothing is left to sweep");
    Ok(())
}

fn leftover_of_the_same_name() -> Result<(), Skip> {
    let victim = kill_both("same")?;
    assert!(runs(victim.stray));
    let lab = lab("same", &["n1", "n2"])?;
    assert!(!runs(victim.stray) && !victim.folder.exists(), "the leftover is gone");
    assert_eq!(namespaces().len(), victim.before.0.len() + 4);
    lab.remove().unwrap();
    assert!(victim.is_all_gone());
    Ok(())
}

fn kill_both(test: &str) -> Result<Victim, Skip> {
    let mut victim = Victim::start(test)?;
    let (supervisor, stray) = (victim.supervisor, victim.stray);
    victim.signal(libc::SIGKILL, supervisor);
    victim.child.kill().unwrap();
    victim.child.wait().unwrap();
    eventually("both are gone", || !runs(supervisor) && !runs(victim.process));
    assert!(runs(stray));
    Ok(victim)
}

fn killed_at_any_moment() -> Result<(), Skip> {
    lab("moment", &[])?.remove().unwrap();
    let before = (namespaces(), interfaces());
    let mut early = 0;
    for round in 0..30 {
        let run = run_name(&format!("moment-{round}"));
        let mut command = Command::new(std::env::current_exe().unwrap());
        let mut child = command.args(["hold", &run]).stdout(Stdio::piped()).spawn().unwrap();
        std::thread::sleep(Duration::from_millis(round * 4));
        child.kill().unwrap();
        let mut said = String::new();
        child.stdout.take().unwrap().read_to_string(&mut said).unwrap();
        early += u32::from(said.is_empty());
        child.wait().unwrap();
    }
    assert!(early > 5, "many were killed while they made the lab: {early}");
    // Killed before it had a supervisor, a run leaves a folder for the next sweep.
    let folders = || std::fs::read_dir(state_folder()).unwrap().flatten().filter(|entry| entry.path().is_dir()).count();
    eventually("nothing is left", || {
        assert!(sweep().iter().all(|swept| swept.outcome.is_ok()));
        folders() == 0 && (namespaces(), interfaces()) == before
    });
    std::thread::sleep(Duration::from_millis(300));
    assert_eq!((folders(), namespaces(), interfaces()), (0, before.0, before.1), "and nothing comes back");
    Ok(())
}

/// A tool that fails, in front of the real one.
fn a_failed_start_leaves_nothing() -> Result<(), Skip> {
    lab("fails", &[])?.remove().unwrap();
    let before = (namespaces(), interfaces());
    let tools = state_folder().join("tools");
    std::fs::create_dir_all(&tools).unwrap();
    std::fs::write(tools.join("nft"), "#!/bin/sh\necho no filters today >&2\nexit 7\n").unwrap();
    std::fs::set_permissions(tools.join("nft"), std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    let run = run_name("fails");
    let path = format!("{}:{}", tools.display(), std::env::var("PATH").unwrap());
    let mut command = Command::new(std::env::current_exe().unwrap());
    let output = command.args(["hold", &run]).env("PATH", path).output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(!output.status.success() && said.contains("no filters today") && said.contains("nft -f -"), "{said}");
    assert_eq!((namespaces(), interfaces()), before);
    assert!(!state_folder().join(&run).exists());
    std::fs::remove_dir_all(&tools).unwrap();
    Ok(())
}

fn live_runs_are_not_swept() -> Result<(), Skip> {
    let mut victim = Victim::start("live")?;
    assert!(!sweep().iter().any(|swept| swept.run == victim.run));
    assert!(matches!(Lab::create(&victim.run, &[]), Err(LabError::Busy { .. })));
    assert!(runs(victim.process) && runs(victim.stray));
    victim.child.kill().unwrap();
    victim.child.wait().unwrap();
    eventually("the supervisor removed everything", || victim.is_all_gone());
    Ok(())
}
