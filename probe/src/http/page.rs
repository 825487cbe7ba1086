//! The plain pages: all incidents, and one incident with its story. No script; everything dynamic is escaped.

use super::Board;
use crate::incident::{Evidence, Incident};
use std::fmt::Write;

const STYLE: &str = include_str!("page.css");

/// Makes text safe between tags and within quoted attributes.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in reports::names::clean_long(text).chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            c => out.push(c),
        }
    }
    out
}

fn document(title: &str, refresh: bool, body: &str) -> String {
    let refresh = if refresh { "<meta http-equiv=\"refresh\" content=\"5\">" } else { "" };
    format!(
        "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">{refresh}\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\
         <meta name=\"color-scheme\" content=\"light dark\"><link rel=\"icon\" href=\"data:,\">\
         <title>{}</title><style>{STYLE}</style></head><body>{body}</body></html>\n",
        escaped(title)
    )
}

fn moment(ms: i64) -> String {
    let text = crate::webhook::rfc3339(ms - ms.rem_euclid(1_000));
    text.replace('T', " ").replace('Z', " UTC")
}

fn lasted(incident: &Incident, now_ms: i64) -> String {
    let s = (incident.closed_ms.unwrap_or(now_ms) - incident.opened_ms).max(0) / 1_000;
    match s {
        0..120 => format!("{s} s"),
        120..7_200 => format!("{} min", s / 60),
        _ => format!("{} h {} min", s / 3_600, s / 60 % 60),
    }
}

/// `/`.
pub fn index(board: &Board) -> String {
    let status = &board.status;
    let open = board.incidents.iter().filter(|one| one.is_open()).count();
    let counts = &status.counts;
    let (class, headline) = match (open, counts.views) {
        (0, 0) => ("unknown", "Nothing can be judged".to_owned()),
        (0, _) => ("good", "No incident".to_owned()),
        (1, _) => ("bad", "1 open incident".to_owned()),
        (n, _) => ("bad", format!("{n} open incidents")),
    };
    let mut body = format!("<header class=\"{class}\"><p>upheaval probe</p><h1>{headline}</h1>");
    let judged = format!("{} of {} subscriptions judged", counts.views, status.subscriptions);
    let shown = if counts.expected == 0 {
        "what subscribers are shown is unknown".to_owned()
    } else {
        format!("{} of {} expected addresses shown", counts.shown, counts.expected)
    };
    let _ = write!(body, "<p>{judged} &middot; {shown}</p>");
    if !status.why.is_empty() {
        let who = status.suspect.as_deref().map_or("Suspect: none", |_| "Suspect");
        let _ = write!(body, "<p><b>{who}</b> &middot; {}</p>", escaped(&status.why));
    }
    body.push_str("</header><main>");
    for trouble in &board.troubles {
        let _ = write!(body, "<p class=\"trouble\">{}</p>", escaped(trouble));
    }
    body.push_str("<h2>Servers</h2><table><thead><tr><th>server</th><th>canaries connected</th></tr></thead><tbody>");
    for server in &status.servers {
        let class = if server.connected == server.canaries { "" } else { " class=\"off\"" };
        let _ = write!(
            body,
            "<tr{class}><td>{}</td><td>{} of {}</td></tr>",
            escaped(&server.name),
            server.connected,
            server.canaries
        );
    }
    body.push_str("</tbody></table><h2>Incidents</h2>");
    if board.incidents.is_empty() {
        body.push_str("<p>None since the probe keeps its book.</p>");
    } else {
        table(board, &mut body);
    }
    let _ = write!(
        body,
        "</main><footer>{} &middot; <a href=\"/metrics\">metrics</a> &middot; times in UTC</footer>",
        moment(board.now_ms)
    );
    document(&format!("{headline} - upheaval probe"), true, &body)
}

fn table(board: &Board, body: &mut String) {
    body.push_str("<table class=\"incidents\"><thead><tr><th>began</th><th>what</th><th>lasted</th><th>suspect</th></tr></thead><tbody>");
    for incident in &board.incidents {
        let (class, state) = if incident.is_open() { ("open", "open, ") } else { ("closed", "") };
        let suspect = incident.suspect.as_deref().unwrap_or("none");
        let _ = write!(
            body,
            "<tr class=\"{class}\"><td>{}</td><td><a href=\"/incidents/{}\">{}</a><small>{}</small></td><td>{state}{}</td><td>{}</td></tr>",
            moment(incident.opened_ms),
            escaped(&incident.id),
            escaped(&incident.headline()),
            escaped(incident.details.first().map_or("", String::as_str)),
            lasted(incident, board.now_ms),
            escaped(suspect)
        );
    }
    body.push_str("</tbody></table>");
}

/// `/incidents/ID`.
pub fn incident(incident: &Incident, story: &[String]) -> String {
    let class = if incident.is_open() { "bad" } else { "closed" };
    let mut body = format!(
        "<header class=\"{class}\"><p><a href=\"/\">upheaval probe</a></p><h1>{}</h1><p>{} &middot; {}</p></header><main><dl>",
        escaped(&incident.headline()),
        moment(incident.opened_ms),
        incident.closed_ms.map_or_else(|| "open".to_owned(), |ms| format!("over at {}", moment(ms)))
    );
    let mut row = |name: &str, value: &str| {
        if !value.is_empty() {
            let _ = write!(body, "<dt>{name}</dt><dd>{}</dd>", escaped(value));
        }
    };
    let servers: Vec<&str> = incident.servers.iter().map(String::as_str).collect();
    row("seen through", &servers.join(", "));
    row("dataId", incident.data.as_deref().unwrap_or_default());
    row("publisher", incident.publisher.as_deref().unwrap_or_default());
    let values: Vec<&str> = incident.values.iter().map(String::as_str).collect();
    row("values", &values.join("\n"));
    row("suspect", incident.suspect.as_deref().unwrap_or("nobody"));
    row("because", &incident.why);
    body.push_str("</dl><h2>What was seen</h2><ul>");
    for detail in &incident.details {
        let _ = write!(body, "<li>{}</li>", escaped(detail));
    }
    body.push_str("</ul><h2>The story</h2>");
    if story.is_empty() {
        body.push_str("<p>It is told as soon as it is recorded.</p>");
    } else {
        body.push_str("<pre>");
        story.iter().for_each(|line| body.push_str(&(escaped(line) + "\n")));
        body.push_str("</pre><p class=\"hint\">Times count from the beginning of the incident.</p>");
    }
    body.push_str("<h2>Evidence</h2>");
    body.push_str(&evidence(incident));
    body.push_str("</main>");
    document(&format!("{} - upheaval probe", incident.headline()), incident.is_open(), &body)
}

fn evidence(incident: &Incident) -> String {
    match &incident.evidence {
        Evidence::Saved { .. } => {
            let id = escaped(&incident.id);
            format!(
                "<ul><li><a href=\"/incidents/{id}/report.html\">report</a>: the checkers' verdict on the minutes around it, in full</li>\
                 <li><a href=\"/incidents/{id}/history.jsonl.zst\">history</a>: for <code>upheaval check</code> and <code>zstdcat | jq</code></li>\
                 <li><a href=\"/incidents/{id}/verdict.json\">verdict</a></li></ul>"
            )
        }
        Evidence::Pending => "<p>It is saved as soon as the aftermath is recorded, too.</p>".to_owned(),
        Evidence::Failed { why } => format!("<p class=\"trouble\">It could not be saved: {}</p>", escaped(why)),
        Evidence::Removed => "<p>It was removed to make room for newer incidents.</p>".to_owned(),
        Evidence::Off => "<p>None is kept: <code>evidence.folder</code> is not set.</p>".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_from_outside_becomes_a_tag() {
        assert_eq!(escaped("<a href='x' b=\"y\">&"), "&lt;a href=&#39;x&#39; b=&quot;y&quot;&gt;&amp;");
        assert!(!escaped("\u{202e}\u{1b}[31m").contains(['\u{202e}', '\u{1b}']));
    }
}
