//! Writes sample reports into a folder, to look at them: `cargo run -p upheaval-reports --example preview -- FOLDER`.

#[path = "../tests/common/mod.rs"]
mod common;

use std::path::PathBuf;

fn main() -> std::io::Result<()> {
    let folder = PathBuf::from(std::env::args().nth(1).unwrap_or_else(|| ".".to_owned()));
    std::fs::create_dir_all(&folder)?;
    let samples = [
        ("violation", common::rich::violations()),
        ("pass", common::rich::pass(61_230)),
        ("inconclusive", common::inconclusive()),
        ("hostile", common::hostile()),
    ];
    for (name, sample) in &samples {
        std::fs::write(folder.join(format!("{name}.html")), reports::html::page(&sample.run()))?;
        print!("{}", reports::terminal::opening(&sample.run(), false));
        println!("{}", reports::terminal::summary(&sample.run(), false));
    }
    Ok(())
}
