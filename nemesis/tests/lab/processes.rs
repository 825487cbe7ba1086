//! Processes on hosts: started, killed, paused.

use crate::runner::{Skip, Test, eventually, lab, runs};
use nemesis::linux::{LabError, ProcessSpec};
use std::time::Duration;

pub const TESTS: &[Test] = &[
    ("processes::start_where_they_should", start_where_they_should),
    ("processes::kill_takes_the_group", kill_takes_the_group),
    ("processes::pause_and_resume", pause_and_resume),
    ("processes::outlive_the_thread_that_asked", outlive_the_thread_that_asked),
    ("processes::the_lab_takes_strays_along", the_lab_takes_strays_along),
    ("processes::missing_program", missing_program),
];

fn start_where_they_should() -> Result<(), Skip> {
    let lab = lab("where", &["n1"])?;
    let folder = lab.temporary_folder("out").unwrap();
    let output = folder.join("log");
    let script = "echo $COLOUR; pwd; sed -n 's/^ *\\(.*\\):.*/\\1/p' /proc/net/dev; ls /sys/fs/cgroup | wc -l; exit 3";
    let spec = ProcessSpec::new("sh").args(["-c", script]).env("COLOUR", "red").cwd(&folder).output(&output);
    let mut process = lab.spawn("n1", &spec).unwrap();
    assert_eq!(process.wait(Duration::from_secs(10)).unwrap().unwrap().code(), Some(3));
    let text = std::fs::read_to_string(&output).unwrap();
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines[..2], ["red", folder.to_str().unwrap()]);
    assert!(lines.contains(&"eth0") && lines.contains(&"lo"), "{text}");
    let visible = std::fs::read_dir("/sys/fs/cgroup").unwrap().count();
    assert_eq!(lines.last().unwrap().trim(), visible.to_string(), "control groups are as visible as outside");
    assert!(matches!(process.pause(), Err(LabError::Gone { .. })));
    process.kill().unwrap();
    Ok(())
}

fn kill_takes_the_group() -> Result<(), Skip> {
    let lab = lab("kill", &["n1"])?;
    let output = lab.temporary_folder("out").unwrap().join("log");
    let spec = ProcessSpec::new("sh").args(["-c", "sleep 1000 & echo $!; wait"]).output(&output);
    let mut process = lab.spawn("n1", &spec).unwrap();
    eventually("the child is known", || std::fs::read_to_string(&output).unwrap().ends_with('\n'));
    let child: i32 = std::fs::read_to_string(&output).unwrap().trim().parse().unwrap();
    assert!(runs(child) && process.is_running());
    process.kill().unwrap();
    assert!(!process.is_running());
    eventually("the child is gone", || !runs(child));
    let mut again = lab.spawn("n1", &spec).unwrap();
    assert!(again.is_running() && again.pid() != process.pid());
    Ok(())
}

fn pause_and_resume() -> Result<(), Skip> {
    let lab = lab("pause", &["n1"])?;
    let output = lab.temporary_folder("out").unwrap().join("log");
    let spec = ProcessSpec::new("sh").args(["-c", "while :; do echo x; sleep 0.01; done"]).output(&output);
    let mut process = lab.spawn("n1", &spec).unwrap();
    let size = || std::fs::metadata(&output).unwrap().len();
    eventually("it works", || size() > 4);
    process.pause().unwrap();
    // Whether it says "stopped": not if it waits for a stopped child after vfork. That it does nothing is what counts.
    assert!(process.is_running());
    std::thread::sleep(Duration::from_millis(50));
    let still = size();
    std::thread::sleep(Duration::from_millis(200));
    assert_eq!(size(), still, "it stands still");
    process.resume().unwrap();
    eventually("it works again", || size() > still + 4);
    assert!(!process.is_paused());
    process.pause().unwrap();
    process.kill().unwrap();
    assert!(!process.is_running(), "a paused process can be killed");
    Ok(())
}

fn outlive_the_thread_that_asked() -> Result<(), Skip> {
    let lab = lab("thread", &["n1"])?;
    let spec = ProcessSpec::new("sleep").arg("1000");
    let asked = std::thread::scope(|scope| scope.spawn(|| lab.spawn("n1", &spec).unwrap()).join());
    let mut process = asked.unwrap();
    assert_eq!(process.wait(Duration::from_millis(200)).unwrap(), None);
    Ok(())
}

fn the_lab_takes_strays_along() -> Result<(), Skip> {
    let lab = lab("stray", &["n1"])?;
    let output = lab.temporary_folder("out").unwrap().join("log");
    let spec = ProcessSpec::new("sh").args(["-c", "setsid sleep 1000 & echo $!"]).output(&output);
    let mut process = lab.spawn("n1", &spec).unwrap();
    assert!(process.wait(Duration::from_secs(10)).unwrap().unwrap().success());
    let stray: i32 = std::fs::read_to_string(&output).unwrap().trim().parse().unwrap();
    assert!(runs(stray), "it left its group and its parent");
    lab.remove().unwrap();
    assert!(!runs(stray));
    Ok(())
}

fn missing_program() -> Result<(), Skip> {
    let lab = lab("missing", &["n1"])?;
    let error = lab.spawn("n1", &ProcessSpec::new("/no/such/program")).unwrap_err();
    assert!(error.to_string().contains("/no/such/program on n1"), "{error}");
    Ok(())
}
