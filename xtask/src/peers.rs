//! `cargo xtask bench checkers`: our checker and Porcupine on the same histories, side by side.
//!
//! The histories come from the seeded generator of our benchmark; Porcupine is built from `bench/peers/porcupine`, outside of
//! the workspace, where Go is installed. Both have one processor, and limits of time and memory. Reading files is not measured.
//! Times are those of a processor, so that other work on the machine does not count.

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

/// Runs both and prints the table.
pub fn compare(root: &Path) -> Result<(), String> {
    let folder = root.join("target/peers");
    std::fs::create_dir_all(&folder).map_err(|e| format!("{} cannot be made: {e}", folder.display()))?;
    let ours = ours(root, &folder)?;
    let peer = match porcupine(root, &folder) {
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

/// Has our benchmark write the histories and judge them.
fn ours(root: &Path, folder: &Path) -> Result<Vec<Ours>, String> {
    let program = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut bench = Command::new(program);
    bench.args(["bench", "--package", "upheaval-checkers", "--bench", "linearizability", "--locked", "--", "--peers"]);
    let output = bench.arg(folder).current_dir(root).stderr(std::process::Stdio::inherit()).output();
    let output = output.map_err(|e| format!("cannot run cargo bench: {e}"))?;
    if !output.status.success() {
        return Err(format!("our own benchmark failed ({})", output.status));
    }
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
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
