//! `cargo xtask bench curves [FILE]`: how the cost of linearizability grows, measured by our benchmark, or before (FILE holds what
//! it printed then), and drawn into docs/cost.svg.

use plotters::prelude::*;
use std::path::Path;
use std::process::Command;

const WIDTH: u32 = 1200;
const HEIGHT: u32 = 420;
/// Shorter times are left out: the system books a processor's time in pieces of milliseconds.
const SECONDS_MIN: f64 = 2e-3;
/// One part of the picture each, with its title and what stands below.
const PARTS: [(&str, &str, &str); 3] = [
    ("operations", "10 in flight, one key", "operations"),
    ("in flight", "10,000 operations, one key", "operations in flight"),
    ("keys", "1,000,000 operations, 5 in flight a key", "keys"),
];
const LOADS: [(&str, RGBColor); 2] = [("uniq", RGBColor(31, 119, 180)), ("cas5", RGBColor(214, 94, 14))];

/// One measured history.
struct Point {
    part: String,
    load: String,
    at: f64,
    seconds: f64,
    decided: bool,
}

/// Measures, unless that was done before, and draws.
pub fn draw(root: &Path, before: Option<&str>) -> Result<(), String> {
    let text = match before {
        Some(file) => std::fs::read_to_string(file).map_err(|e| format!("{file} cannot be read: {e}"))?,
        None => measured(root)?,
    };
    print!("{text}");
    let points: Vec<Point> = text.lines().filter_map(point).collect();
    let path = root.join("docs/cost.svg");
    let drawn = picture(&path, &points).map_err(|e| format!("{} cannot be drawn: {e}", path.display()));
    drawn.map(|()| println!("drawn into {}", path.display()))
}

fn measured(root: &Path) -> Result<String, String> {
    let program = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut bench = Command::new(program);
    bench.args(["bench", "--package", "upheaval-checkers", "--bench", "linearizability", "--locked", "--", "--curves"]);
    let output = bench.current_dir(root).stderr(std::process::Stdio::inherit()).output();
    let output = output.map_err(|e| format!("cannot run cargo bench: {e}"))?;
    if !output.status.success() {
        return Err(format!("our own benchmark failed ({})", output.status));
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

fn point(line: &str) -> Option<Point> {
    let [part, load, at, seconds, verdict] = line.split('\t').collect::<Vec<_>>()[..] else { return None };
    let (at, seconds) = (at.parse().ok()?, seconds.parse::<f64>().ok()?);
    (seconds >= SECONDS_MIN).then(|| Point {
        part: part.to_owned(),
        load: load.to_owned(),
        at,
        seconds,
        decided: verdict == "pass",
    })
}

fn picture(path: &Path, points: &[Point]) -> Result<(), Box<dyn std::error::Error>> {
    let root = SVGBackend::new(path, (WIDTH, HEIGHT)).into_drawing_area();
    root.fill(&WHITE)?;
    let most = points.iter().map(|point| point.seconds).fold(1.0, f64::max) * 2.0;
    for (area, (part, title, below)) in root.split_evenly((1, PARTS.len())).into_iter().zip(PARTS) {
        let mine: Vec<&Point> = points.iter().filter(|point| point.part == part).collect();
        let least = mine.iter().map(|point| point.at).fold(f64::INFINITY, f64::min);
        let last = mine.iter().map(|point| point.at).fold(1.0, f64::max);
        if mine.is_empty() {
            continue;
        }
        let mut chart = ChartBuilder::on(&area)
            .caption(title, ("sans-serif", 18))
            .margin(12)
            .x_label_area_size(44)
            .y_label_area_size(64)
            .build_cartesian_2d((least..last).log_scale(), (SECONDS_MIN..most).log_scale())?;
        chart
            .configure_mesh()
            .light_line_style(TRANSPARENT)
            .x_desc(below)
            .y_desc("seconds of a processor")
            .label_style(("sans-serif", 13))
            .x_label_formatter(&|at| label(*at))
            .y_label_formatter(&|seconds| seconds.to_string())
            .draw()?;
        for (load, colour) in LOADS {
            let line = || mine.iter().filter(|point| point.load == load);
            let drawn = line().filter(|point| point.decided).map(|point| (point.at, point.seconds));
            let series = chart.draw_series(LineSeries::new(drawn, colour.stroke_width(2)))?;
            series.label(load).legend(move |(x, y)| PathElement::new([(x, y), (x + 18, y)], colour.stroke_width(2)));
            chart.draw_series(line().map(|point| {
                // Hollow: given up at the limit.
                let style = if point.decided { colour.filled() } else { colour.stroke_width(2) };
                Circle::new((point.at, point.seconds), 4, style)
            }))?;
        }
        chart
            .configure_series_labels()
            .position(SeriesLabelPosition::UpperLeft)
            .label_font(("sans-serif", 13))
            .border_style(TRANSPARENT)
            .draw()?;
    }
    root.present()?;
    Ok(())
}

/// What stands below a line of the grid: nothing where labels would run into each other.
fn label(number: f64) -> String {
    let first = number / 10f64.powf(number.log10().floor());
    let told = [1.0, 2.0, 5.0].iter().any(|digit| (first - digit).abs() < 0.01);
    if told { short(number) } else { String::new() }
}

/// 10k, 3M.
fn short(number: f64) -> String {
    match number {
        n if n >= 1e6 => format!("{}M", n / 1e6),
        n if n >= 1e3 => format!("{}k", n / 1e3),
        n => n.to_string(),
    }
}
