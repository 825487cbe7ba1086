//! Clocks of live processes. The victims print what they see: wall clock and monotonic clock, in nanoseconds. The
//! difference of the two is constant, so a step of it is the skew, whatever the load of the machine.

use crate::runner::{Skip, Test, eventually, runs, state_folder};
use nemesis::linux::{ClockSkew, LabError};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

pub const TESTS: &[Test] = &[
    ("clocks::a_python_process", a_python_process),
    ("clocks::a_java_process", a_java_process),
    ("clocks::a_busy_process_survives", a_busy_process_survives),
    ("clocks::dropped_skew_is_restored", dropped_skew_is_restored),
    ("clocks::a_paused_process_stays_paused", a_paused_process_stays_paused),
    ("clocks::mistakes_are_refused", mistakes_are_refused),
];

const PYTHON: &str = "import time
while True:
    print(time.clock_gettime_ns(0), time.monotonic_ns(), time.clock_gettime_ns(5), flush=True)
    time.sleep(0.005)
";

/// Reads the clock all the time, in several threads of machine code, and prints now and then.
const JAVA: &str = "public class Victim {
    static volatile long sink;
    public static void main(String[] args) throws Exception {
        for (int i = 0; i < 3; i++) {
            Thread busy = new Thread(() -> { while (true) sink = System.currentTimeMillis(); });
            busy.setDaemon(true);
            busy.start();
        }
        while (true) {
            long now = System.currentTimeMillis() * 1000000;
            System.out.println(now + \" \" + System.nanoTime() + \" \" + now);
            Thread.sleep(5);
        }
    }
}
";

/// How far a measured step may be off: one tick of the coarse clock, Java's milliseconds, a lost time slice.
const TOLERANCE_MS: i64 = 30;

/// A process that prints its clocks to a file.
struct Victim {
    child: Child,
    log: PathBuf,
    /// Wall clock minus monotonic clock at the beginning.
    base_ms: i64,
}

impl Victim {
    fn python(name: &str) -> Result<Victim, Skip> {
        let mut command = Command::new("python3");
        command.args(["-c", PYTHON]);
        Victim::start(name, command)
    }

    fn java(name: &str) -> Result<Victim, Skip> {
        let folder = state_folder();
        std::fs::create_dir_all(&folder).unwrap();
        let source = folder.join("Victim.java");
        std::fs::write(&source, JAVA).unwrap();
        let compiler = Command::new("java").args(["--list-modules"]).output();
        if !compiler.is_ok_and(|output| String::from_utf8_lossy(&output.stdout).contains("jdk.compiler")) {
            return Err(Skip("no java that can run a source file (a JDK, version 11 or later)".into()));
        }
        let mut command = Command::new("java");
        command.args(["-Xmx64m", "-XX:+UseSerialGC"]).arg(source);
        Victim::start(name, command)
    }

    fn start(name: &str, mut command: Command) -> Result<Victim, Skip> {
        if cfg!(not(target_arch = "x86_64")) {
            return Err(Skip("x86_64 only".into()));
        }
        std::fs::create_dir_all(state_folder()).unwrap();
        let log = state_folder().join(format!("clock-{name}"));
        command.stdin(Stdio::null()).stdout(std::fs::File::create(&log).unwrap());
        let Ok(child) = command.spawn() else { return Err(Skip(format!("{command:?} cannot be started"))) };
        let mut victim = Victim { child, log, base_ms: 0 };
        eventually("the process prints its clock", || victim.lines() > 10);
        victim.base_ms = victim.difference_ms(0);
        let now_ms = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis() as i64;
        assert!((victim.wall_ms() - now_ms).abs() < 2000, "it begins with the true time");
        Ok(victim)
    }

    fn pid(&self) -> i32 {
        self.child.id() as i32
    }

    fn lines(&self) -> usize {
        std::fs::read_to_string(&self.log).unwrap().matches('\n').count()
    }

    /// All lines that are whole, from one on: wall, monotonic, coarse.
    fn samples(&self, from: usize) -> Vec<[i64; 3]> {
        let text = std::fs::read_to_string(&self.log).unwrap();
        let whole = &text[..text.rfind('\n').map_or(0, |end| end + 1)];
        let numbers = |line: &str| {
            let numbers: Vec<i64> = line.split_whitespace().map(|number| number.parse().unwrap()).collect();
            numbers.try_into().unwrap()
        };
        whole.lines().skip(from).map(numbers).collect()
    }

    fn wall_ms(&self) -> i64 {
        self.samples(0).last().unwrap()[0] / 1_000_000
    }

    /// Median difference of the wall clock to the monotonic clock, from a line on.
    fn difference_ms(&self, from: usize) -> i64 {
        let mut steps: Vec<i64> = self.samples(from).iter().map(|[wall, steady, _]| wall - steady).collect();
        steps.sort_unstable();
        steps[steps.len() / 2] / 1_000_000
    }

    /// Checks what the process sees from now on.
    fn assert_offset(&self, offset_ms: i64) {
        // The line that is being printed right now may be of either kind.
        let from = self.lines() + 1;
        eventually("it prints more", || self.lines() > from + 10);
        let seen_ms = self.difference_ms(from) - self.base_ms;
        assert!((seen_ms - offset_ms).abs() <= TOLERANCE_MS, "sees {seen_ms} ms instead of {offset_ms} ms");
        for [wall, _, coarse] in self.samples(from) {
            let apart_ms = (wall - coarse) / 1_000_000;
            assert!(apart_ms.abs() < 1000, "the coarse clock is shifted as well: {apart_ms} ms apart");
        }
    }
}

impl Drop for Victim {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn skew_changes_and_ends(victim: &Victim, neighbour: &Victim) {
    let mut skew = ClockSkew::apply(victim.pid(), 3_600_250).unwrap();
    victim.assert_offset(3_600_250);
    neighbour.assert_offset(0);
    skew.change(-90_500).unwrap();
    assert_eq!(skew.offset_ms(), -90_500);
    victim.assert_offset(-90_500);
    skew.restore().unwrap();
    assert_eq!(skew.offset_ms(), 0);
    victim.assert_offset(0);
    skew.restore().unwrap();
    skew.change(700).unwrap();
    victim.assert_offset(700);
    skew.restore().unwrap();
    victim.assert_offset(0);
    neighbour.assert_offset(0);
}

fn a_python_process() -> Result<(), Skip> {
    let (victim, neighbour) = (Victim::python("victim")?, Victim::python("neighbour")?);
    skew_changes_and_ends(&victim, &neighbour);
    Ok(())
}

fn a_java_process() -> Result<(), Skip> {
    let (victim, neighbour) = (Victim::java("java")?, Victim::python("beside-java")?);
    skew_changes_and_ends(&victim, &neighbour);
    Ok(())
}

fn a_busy_process_survives() -> Result<(), Skip> {
    let victim = Victim::java("busy")?;
    let mut longest = Duration::ZERO;
    for round in 0..40 {
        let begin = std::time::Instant::now();
        let mut skew = ClockSkew::apply(victim.pid(), round * 100_000).unwrap();
        longest = longest.max(begin.elapsed());
        skew.change(-round * 77_000).unwrap();
        skew.restore().unwrap();
    }
    println!("      longest of 40 applications to a busy JVM: {longest:?}");
    victim.assert_offset(0);
    assert!(runs(victim.pid()));
    Ok(())
}

fn dropped_skew_is_restored() -> Result<(), Skip> {
    let victim = Victim::python("dropped")?;
    let skew = ClockSkew::apply(victim.pid(), 5_000_000).unwrap();
    victim.assert_offset(5_000_000);
    drop(skew);
    victim.assert_offset(0);
    Ok(())
}

fn a_paused_process_stays_paused() -> Result<(), Skip> {
    let victim = Victim::python("paused")?;
    let signal = |signal| {
        // SAFETY: a plain system call on a process that this test made.
        assert_eq!(unsafe { libc::kill(victim.pid(), signal) }, 0);
    };
    signal(libc::SIGSTOP);
    eventually("it stands still", || state_of(victim.pid()) == 'T');
    let mut skew = ClockSkew::apply(victim.pid(), 60_000).unwrap();
    std::thread::sleep(Duration::from_millis(100));
    assert_eq!(state_of(victim.pid()), 'T');
    signal(libc::SIGCONT);
    victim.assert_offset(60_000);
    skew.restore().unwrap();
    victim.assert_offset(0);
    Ok(())
}

fn mistakes_are_refused() -> Result<(), Skip> {
    let mut victim = Victim::python("mistakes")?;
    assert!(matches!(ClockSkew::apply(victim.pid(), i64::MIN), Err(LabError::Clock { .. })));
    let mut skew = ClockSkew::apply(victim.pid(), 1000).unwrap();
    let twice = ClockSkew::apply(victim.pid(), 2000).unwrap_err();
    assert!(twice.to_string().contains("already"), "{twice}");
    victim.child.kill().unwrap();
    victim.child.wait().unwrap();
    assert!(matches!(skew.change(5), Err(LabError::Gone { .. })));
    skew.restore().unwrap();
    assert!(matches!(ClockSkew::apply(victim.pid(), 1), Err(LabError::Gone { .. })));
    Ok(())
}

fn state_of(pid: i32) -> char {
    let text = std::fs::read_to_string(Path::new("/proc").join(pid.to_string()).join("stat")).unwrap();
    text[text.rfind(')').unwrap() + 2..].chars().next().unwrap()
}
