//! `cargo xtask bench checkers`: our checkers beside Porcupine and adya on the same histories.
//!
//! The histories come from the seeded generators of our benchmarks; the peers are built from `bench/peers`, outside of the
//! workspace, Porcupine where Go is installed. All have one processor, Porcupine limits of time and memory, too. Reading files is
//! measured for transactions only, by itself. Times are those of a processor, so that other work on the machine does not count.

use std::path::Path;
use std::process::Command;

/// How long the peer may take for a history, seconds.
const SECONDS_MAX: u32 = 30;
/// How much memory it may hold, bytes.
const BYTES_MAX: u64 = 6 << 30;

/// A history that our own checker has judged.
struct Ours {
    name: String,
    file: String,
    processor_s: f64,
    verdict: String,
}

/// What the peer says.
struct Theirs {
    processor_s: f64,
    verdict: String,
    bytes: u64,
}

/// Runs all and prints the tables.
pub fn compare(root: &Path) -> Result<(), String> {
    let folder = root.join("target/peers");
    std::fs::create_dir_all(&folder).map_err(|e| format!("{} cannot be made: {e}", folder.display()))?;
    linearizability(root, &folder)?;
    transactions(root, &folder)
}

/// Transactions, beside adya.
fn transactions(root: &Path, folder: &Path) -> Result<(), String> {
    let adya = adya(root, folder).inspect_err(|why| println!("adya is left out: {why}")).ok();
    println!("| history | ours: reading | checking | verdict | memory | adya: reading | checking | verdict | memory |");
    println!("|---|---|---|---|---|---|---|---|---|");
    for line in bench(root, "transactions", folder)?.lines() {
        let [name, file, workload, model, read, check, verdict, bytes] = line.split('\t').collect::<Vec<_>>()[..]
        else {
            continue;
        };
        let theirs = match &adya {
            Some(adya) => {
                let output = Command::new(adya).args([file, workload, model]).output();
                let output = output.map_err(|e| format!("adya cannot be run: {e}"))?;
                String::from_utf8_lossy(&output.stdout).trim().to_owned()
            }
            None => String::new(),
        };
        let theirs = match theirs.split('\t').collect::<Vec<_>>()[..] {
            [read, check, verdict, bytes] => format!("{read} s | {check} s | {verdict} | {} MB", megabytes(bytes)),
            _ => "not run | | |".to_owned(),
        };
        println!("| {name} | {read} s | {check} s | {verdict} | {} MB | {theirs} |", megabytes(bytes));
    }
    Ok(())
}

fn megabytes(bytes: &str) -> u64 {
    bytes.parse::<u64>().unwrap_or(0) / 1_000_000
}

/// Builds adya; its path.
fn adya(root: &Path, folder: &Path) -> Result<std::path::PathBuf, String> {
    let program = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let target = folder.join("adya");
    let mut build = Command::new(program);
    build.args(["build", "--release"]).current_dir(root.join("bench/peers/adya")).env("CARGO_TARGET_DIR", &target);
    let status = build.status().map_err(|e| format!("cargo cannot be run ({e})"))?;
    if status.success() { Ok(target.join("release/peer-adya")) } else { Err(format!("its build failed ({status})")) }
}

/// Linearizability, beside Porcupine.
fn linearizability(root: &Path, folder: &Path) -> Result<(), String> {
    let ours = ours(root, folder)?;
    let peer = match porcupine(root, folder) {
        Ok(peer) => Some(peer),
        Err(why) => {
            println!("Porcupine is left out: {why}");
            None
        }
    };
    println!(
        "| history | verdict | ours | Porcupine | times as fast | Porcupine's memory |\n|---|---|---|---|---|---|"
    );
    for one in ours {
        let theirs = peer.as_ref().map(|peer| judge(peer, &one.file)).transpose()?;
        let (theirs, ratio, memory) = match theirs {
            None => ("not run".to_owned(), String::new(), String::new()),
            Some(Theirs { processor_s, verdict, bytes }) => {
                let (known, memory) = (verdict == one.verdict, format!("{} MB", bytes / 1_000_000));
                // What did not come to an end took at least as long.
                let ratio = format!("{}{:.0}", if known { "" } else { "> " }, processor_s / one.processor_s.max(1e-6));
                let told = if known { String::new() } else { format!(" ({verdict})") };
                (format!("{processor_s:.3} s{told}"), ratio, memory)
            }
        };
        println!("| {} | {} | {:.4} s | {theirs} | {ratio} | {memory} |", one.name, one.verdict, one.processor_s);
    }
    Ok(())
}

/// Has one of our benchmarks write its histories for peers and judge them; what it prints.
fn bench(root: &Path, name: &str, folder: &Path) -> Result<String, String> {
    let program = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut bench = Command::new(program);
    bench.args(["bench", "--package", "upheaval-checkers", "--bench", name, "--locked", "--", "--peers"]);
    let output = bench.arg(folder).current_dir(root).stderr(std::process::Stdio::inherit()).output();
    let output = output.map_err(|e| format!("cannot run cargo bench: {e}"))?;
    if !output.status.success() {
        return Err(format!("our own benchmark failed ({})", output.status));
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

/// Our verdicts on the histories for Porcupine.
fn ours(root: &Path, folder: &Path) -> Result<Vec<Ours>, String> {
    let text = bench(root, "linearizability", folder)?;
    let line = |line: &str| match line.split('\t').collect::<Vec<_>>()[..] {
        [name, file, _, processor, verdict] => {
            let processor_s = processor.parse().ok()?;
            Some(Ours { name: name.to_owned(), file: file.to_owned(), processor_s, verdict: verdict.to_owned() })
        }
        _ => None,
    };
    Ok(text.lines().filter_map(line).collect())
}

/// Builds Porcupine; its path.
fn porcupine(root: &Path, folder: &Path) -> Result<std::path::PathBuf, String> {
    let path = folder.join("porcupine");
    let mut build = Command::new("go");
    build.arg("build").arg("-o").arg(&path).arg(".").current_dir(root.join("bench/peers/porcupine"));
    let status = build.status().map_err(|e| format!("Go cannot be run ({e})"))?;
    if status.success() { Ok(path) } else { Err(format!("go build failed ({status})")) }
}

/// What the peer makes of one history.
fn judge(peer: &Path, file: &str) -> Result<Theirs, String> {
    let mut command = Command::new(peer);
    command.args([file, &SECONDS_MAX.to_string(), &BYTES_MAX.to_string()]).env("GOMAXPROCS", "1");
    let output = command.output().map_err(|e| format!("Porcupine cannot be run: {e}"))?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let parsed = match text.trim().split('\t').collect::<Vec<_>>()[..] {
        [_, processor, verdict, bytes] => processor.parse().ok().zip(bytes.parse().ok()).map(|(processor_s, bytes)| {
            let verdict = verdict.to_owned();
            Theirs { processor_s, verdict, bytes }
        }),
        _ => None,
    };
    parsed.ok_or_else(|| format!("Porcupine failed on {file}: {}", String::from_utf8_lossy(&output.stderr)))
}
