//! `upheaval replay RUN|PLAN --until T`, `--step`, `--trace NODE`: a walk through a virtual run.

use super::{ReplayArgs, print, print_json};
use crate::error::Error;
use crate::plan::Plan;
use crate::walk::{Goal, Item, Moment, walk as walk_through};
use history::{MILLI, Nanos};
use reports::format;
use serde::Serialize;
use std::io::BufRead;
use systems::NodeState;
use systems::world::TracedMessage;

/// Version of [`Stop`].
const SCHEMA: u32 = 1;
/// So much of the past is shown where nobody asked for a node.
const LAST: usize = 20;
/// Lists longer than this are cut short where nobody asked for their node.
const LIST: usize = 6;

/// What pipelines read: the run as it is at one instant.
#[derive(Serialize)]
struct Stop {
    schema: u32,
    time_ms: f64,
    /// True if the run ended before.
    over: bool,
    nodes: Vec<NodeState>,
    /// What happened until then, concerning the nodes that were asked for.
    trail: Vec<Line>,
    /// What is on its way.
    under_way: Vec<Line>,
}

/// One message or event.
#[derive(Serialize)]
struct Line {
    time_ms: f64,
    /// sent, arrived, lost or recorded.
    what: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    from: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    to: Option<String>,
    says: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    arrives_ms: Option<f64>,
}

/// An instant of a run: 450ms, 3.2s, 3.
pub(super) fn instant(text: &str) -> Result<Nanos, String> {
    let wrong = || format!("{text}: expected a time in the run, for example 3.2s or 450ms");
    let (digits, unit) = match text.strip_suffix("ms") {
        Some(digits) => (digits, 1.0),
        None => (text.strip_suffix('s').unwrap_or(text), 1_000.0),
    };
    let number: f64 = digits.trim().parse().map_err(|_| wrong())?;
    let ms = number * unit;
    if !(0.0..=1e12).contains(&ms) {
        return Err(wrong());
    }
    Ok((ms * MILLI as f64).round() as Nanos)
}

/// Walks as the arguments say.
pub(super) fn walk(plan: &Plan, arguments: &ReplayArgs) -> Result<u8, Error> {
    let watched = &arguments.trace;
    if arguments.step {
        let first = arguments.until.map_or(Goal::At(0), Goal::At);
        let mut guide = Guide { watched: watched.clone(), left: 0, lines: std::io::stdin().lock().lines() };
        print(HELP)?;
        walk_through(plan, watched, first, &mut |moment| guide.at(moment))?;
        return Ok(0);
    }
    let end = arguments.until.unwrap_or(Nanos::MAX);
    walk_through(plan, watched, Goal::At(end), &mut |moment| {
        if arguments.session.json {
            print_json(&stop(moment, watched))?;
        } else {
            print(&page(moment, watched))?;
        }
        Ok(Goal::Leave)
    })?;
    Ok(0)
}

const HELP: &str = "\
Enter or n [COUNT]  go on to what happens next       t TIME  go on to a time: t 3.2s
s [NODE]            what the nodes hold, or one      m       what is on its way
q                   leave                            ?       this help";

/// Reads where to go.
struct Guide<L> {
    watched: Vec<String>,
    /// Steps that were asked for and not made.
    left: u32,
    lines: L,
}

impl<L: Iterator<Item = std::io::Result<String>>> Guide<L> {
    fn at(&mut self, moment: &Moment<'_>) -> Result<Goal, Error> {
        let skipped = moment.passed.len().saturating_sub(LAST);
        if skipped > 0 {
            print(&format!("... {} messages and events before", format::count(skipped as u64)))?;
        }
        for item in &moment.passed[skipped..] {
            print(&line(item))?;
        }
        if moment.over {
            print(&format!("the run is over at {}", format::instant(moment.now)))?;
            return Ok(Goal::Leave);
        }
        if self.left > 0 {
            self.left -= 1;
            return Ok(Goal::Seen);
        }
        self.ask(moment)
    }

    fn ask(&mut self, moment: &Moment<'_>) -> Result<Goal, Error> {
        loop {
            eprint!("{} > ", format::instant(moment.now));
            let command = match self.lines.next() {
                Some(Ok(command)) => command,
                Some(Err(error)) => return Err(Error::usage(format!("standard input: {error}"))),
                None => return Ok(Goal::Leave),
            };
            let mut words = command.split_whitespace();
            match (words.next().unwrap_or("n"), words.next()) {
                ("q", None) => return Ok(Goal::Leave),
                ("n", None) => return Ok(Goal::Seen),
                ("n", Some(count)) => match count.parse::<u32>() {
                    Ok(count) if count > 0 => {
                        self.left = count - 1;
                        return Ok(Goal::Seen);
                    }
                    _ => print(&format!("{count}: expected a number of steps"))?,
                },
                ("t", Some(time)) => match instant(time) {
                    Ok(time) if time > moment.now => return Ok(Goal::At(time)),
                    Ok(_) => print("time does not go back: leave, and begin again with --until TIME --step")?,
                    Err(why) => print(&why)?,
                },
                ("s", Some(name)) => {
                    let states = (moment.states)();
                    match states.iter().find(|state| state.node == name) {
                        Some(state) => print(&described(state, usize::MAX))?,
                        None => print(&format!("{name}: no such node, and no client that connected"))?,
                    }
                }
                ("s", None) => print(&nodes(&(moment.states)(), &self.watched))?,
                ("m", None) => {
                    let lines: Vec<String> = moment.under_way.iter().map(line).collect();
                    print(
                        if lines.is_empty() { "nothing is on its way".to_owned() } else { lines.join("\n") }.as_str(),
                    )?;
                }
                _ => print(HELP)?,
            }
        }
    }
}

fn stop(moment: &Moment<'_>, watched: &[String]) -> Stop {
    let mut nodes = (moment.states)();
    nodes.retain(|state| watched.is_empty() || watched.contains(&state.node));
    let (trail, under_way) = (moment.passed.iter(), moment.under_way.iter());
    let last = if watched.is_empty() { trail.len().saturating_sub(LAST) } else { 0 };
    Stop {
        schema: SCHEMA,
        time_ms: ms(moment.now),
        over: moment.over,
        nodes,
        trail: trail.skip(last).map(entry).collect(),
        under_way: under_way.map(entry).collect(),
    }
}

fn ms(time: Nanos) -> f64 {
    time as f64 / MILLI as f64
}

fn entry(item: &Item) -> Line {
    let message = |m: &TracedMessage, what| Line {
        time_ms: ms(item.time()),
        what,
        from: Some(m.from.clone()),
        to: Some(m.to.clone()),
        says: m.says.clone(),
        arrives_ms: m.arrives.map(ms),
    };
    match item {
        Item::Sent(m) => message(m, if m.arrives.is_some() { "sent" } else { "lost" }),
        Item::Arrived(m) => message(m, if m.arrives.is_some() { "arrived" } else { "lost" }),
        Item::Recorded(_, says) => Line {
            time_ms: ms(item.time()),
            what: "recorded",
            from: None,
            to: None,
            says: says.trim_start().to_owned(),
            arrives_ms: None,
        },
    }
}

fn page(moment: &Moment<'_>, watched: &[String]) -> String {
    let skipped = if watched.is_empty() { moment.passed.len().saturating_sub(LAST) } else { 0 };
    let mut lines: Vec<String> = Vec::new();
    if skipped > 0 {
        lines.push(format!(
            "... {} messages and events before; --trace NODE shows all of a node",
            format::count(skipped as u64)
        ));
    }
    lines.extend(moment.passed[skipped..].iter().map(line));
    let end = if moment.over { "the run is over" } else { "here the run stands still" };
    lines.push(format!(
        "\n{}: {end}, {} messages are on their way\n",
        format::instant(moment.now),
        moment.under_way.len()
    ));
    lines.push(nodes(&(moment.states)(), watched));
    lines.join("\n")
}

/// All nodes; of clients only those that were asked for. Lists of those that were not asked for are cut short.
fn nodes(states: &[NodeState], watched: &[String]) -> String {
    let shown = states.iter().filter(|state| match watched.is_empty() {
        true => !state.node.starts_with("client-"),
        false => watched.contains(&state.node),
    });
    let list = if watched.is_empty() { LIST } else { usize::MAX };
    let mut text = shown.map(|state| described(state, list)).collect::<Vec<_>>().join("\n");
    let clients = states.iter().filter(|state| state.node.starts_with("client-"));
    if watched.is_empty() {
        let connected = clients.clone().filter(|state| state.condition.starts_with("connected")).count();
        text.push_str(&format!("\nclients: {connected} of {} that ever connected are connected", clients.count()));
    }
    text
}

fn described(state: &NodeState, list_max: usize) -> String {
    let mut lines = vec![format!("{}: {}", state.node, state.condition)];
    for (name, list) in &state.holds {
        if let [only] = list.as_slice() {
            lines.push(format!("  {name}: {only}"));
            continue;
        }
        lines.push(format!("  {name}: {}", list.len()));
        lines.extend(list.iter().take(list_max).map(|item| format!("    {item}")));
        if list.len() > list_max {
            lines.push(format!("    and {} more", list.len() - list_max));
        }
    }
    lines.iter().map(|line| reports::names::clean_long(line)).collect::<Vec<_>>().join("\n")
}

/// One line in the columns of `upheaval history cat`.
fn line(item: &Item) -> String {
    let told = |m: &TracedMessage, arrow: &str, end: String| {
        let says = if m.says.is_empty() { "(nothing that people need)" } else { &m.says };
        let text = format!("{} {arrow} {}: {says}{end}", m.from, m.to);
        format!("{:>12}  {}", exact(item.time()), reports::names::clean_long(&text))
    };
    match item {
        Item::Sent(m) => match m.arrives {
            Some(at) => told(m, "->", format!("  (arrives {})", exact(at))),
            None => told(m, "-x", "  (never arrives)".to_owned()),
        },
        Item::Arrived(m) => match m.arrives {
            Some(_) => told(m, "=>", format!("  (sent {})", exact(m.sent))),
            None => told(m, "=x", format!("  (sent {}; nobody was there)", exact(m.sent))),
        },
        Item::Recorded(time, line) => {
            let what = line.trim_start().split_once("  ").map_or("", |(_, what)| what);
            format!("{:>12}  {what}", exact(*time))
        }
    }
}

/// To the microsecond: what happens inside a millisecond has an order.
fn exact(time: Nanos) -> String {
    format!("{}.{:06}", time / 1_000_000_000, time % 1_000_000_000 / 1_000)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn instants_are_read() {
        assert_eq!(instant("3.2s").unwrap(), 3_200 * MILLI);
        assert_eq!(instant("450ms").unwrap(), 450 * MILLI);
        assert_eq!(instant("3").unwrap(), 3_000 * MILLI);
        for wrong in ["", "s", "-1s", "later", "1h", "NaN", "inf"] {
            assert!(instant(wrong).unwrap_err().contains("3.2s"), "{wrong}");
        }
    }
}
