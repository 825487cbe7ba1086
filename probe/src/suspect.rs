//! Which server is to blame, while an incident goes on: a plain rule over what the canaries of each server see. The statistics of
//! `checkers::suspect` (R9) look at the saved window as well; the report has both.

use crate::finding::{Finding, Kind};
use history::NodeIx;
use std::collections::BTreeSet;

/// The answer, in words for people.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Opinion {
    /// The server; none where the evidence does not point at one.
    pub server: Option<NodeIx>,
    /// Why.
    pub why: String,
}

/// What is wrong now, and through which servers views can be judged at all.
pub fn suspect(
    findings: &[Finding],
    judged: &BTreeSet<NodeIx>,
    servers: usize,
    name: &dyn Fn(NodeIx) -> String,
) -> Opinion {
    let through = |wanted: &dyn Fn(Kind) -> bool| -> BTreeSet<NodeIx> {
        findings.iter().filter(|finding| wanted(finding.kind)).filter_map(|finding| finding.server).collect()
    };
    // The plainest sign first: who cannot be reached, then who does not answer, then who shows too little too late.
    let signs: [(&dyn Fn(Kind) -> bool, &str); 3] = [
        (&|kind| kind == Kind::LostConnection, "its canaries lost their connections"),
        (&|kind| kind == Kind::Silence, "it does not answer"),
        (&|kind| kind == Kind::Late, "only its subscribers are shown changes too late"),
    ];
    for (wanted, what) in signs {
        let seen = through(wanted);
        match seen.len() {
            0 => {}
            1 if servers > 1 => {
                let server = seen.first().copied();
                let why =
                    server.map(|ix| format!("{}: {what}; the other servers are well", name(ix))).unwrap_or_default();
                return Opinion { server, why };
            }
            n if n == servers => {
                let why = "all servers alike: look at what they have in common (the leader, the network, the host of this probe)";
                return Opinion { server: None, why: why.to_owned() };
            }
            _ => {
                let names: Vec<String> = seen.into_iter().map(name).collect();
                return Opinion { server: None, why: format!("{} alike, not one of them alone", names.join(" and ")) };
            }
        }
    }
    content(findings, judged, name)
}

fn content(findings: &[Finding], judged: &BTreeSet<NodeIx>, name: &dyn Fn(NodeIx) -> String) -> Opinion {
    let seen: BTreeSet<NodeIx> =
        findings.iter().filter(|finding| finding.kind.is_content()).filter_map(|finding| finding.server).collect();
    match seen.first() {
        None => Opinion::default(),
        Some(&only) if seen.len() == 1 && judged.len() > 1 => {
            let why = format!(
                "{}: only its subscribers are shown this, those of the others are shown what is right",
                name(only)
            );
            Opinion { server: Some(only), why }
        }
        Some(_) if seen.len() == judged.len() && judged.len() > 1 => {
            let why = "no server: all of them show the same, so what they hold was changed, and not by this probe (another client, or an operator)";
            Opinion { server: None, why: why.to_owned() }
        }
        Some(_) => {
            let names: Vec<String> = seen.into_iter().map(name).collect();
            Opinion { server: None, why: format!("seen through {}", names.join(" and ")) }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn finding(kind: Kind, server: NodeIx) -> Finding {
        let detail = String::new();
        Finding {
            kind,
            server: Some(server),
            data: None,
            publisher: None,
            observer: None,
            value: None,
            since: 0,
            detail,
        }
    }

    fn of(findings: &[Finding]) -> Opinion {
        suspect(findings, &BTreeSet::from([0, 1, 2]), 3, &|ix| format!("n{ix}"))
    }

    #[test]
    fn one_that_stands_out_is_named_and_nobody_else() {
        assert_eq!(of(&[]), Opinion::default());
        assert_eq!(of(&[finding(Kind::Late, 1), finding(Kind::Silence, 1)]).server, Some(1));
        assert_eq!(
            of(&[finding(Kind::LostConnection, 2), finding(Kind::Late, 0), finding(Kind::Late, 1)]).server,
            Some(2)
        );
        assert_eq!(of(&[finding(Kind::Late, 0), finding(Kind::Late, 2)]).server, None);
        assert_eq!(of(&[finding(Kind::Incomplete, 2)]).server, Some(2));
        let all: Vec<Finding> = (0..3).map(|ix| finding(Kind::Incomplete, ix)).collect();
        assert!(of(&all).server.is_none() && of(&all).why.starts_with("no server"));
        let down: Vec<Finding> = (0..3).map(|ix| finding(Kind::LostConnection, ix)).collect();
        assert!(of(&down).server.is_none() && of(&down).why.starts_with("all servers"));
    }
}
