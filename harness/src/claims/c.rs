//! Part C: systems built on consensus.

use super::table::{Claim, files};

/// The claims of this part.
pub const CLAIMS: &[&Claim] = &[
    &Claim {
        id: "C1",
        sentence: "Leader election and locks need consensus: by heartbeats or gossip they break under partition; a lock used across a pause needs a fencing token as well.",
        files: files!["c1-heartbeats", "c1-gossip", "c1-consensus", "c1-paused", "c1-fenced"],
    },
    &Claim {
        id: "C2",
        sentence: "Replicated logs: every member sees the same messages in the same order; when each sender sends to all, they do not.",
        files: files!["c2-naive", "c2-naive-crash", "c2-consensus", "c2-leader-dies"],
    },
    &Claim {
        id: "C3",
        sentence: "A queue is a single point of failure unless replicated; under leases a unit may be delivered twice and is never forgotten.",
        files: files!["c3-single", "c3-replicated", "c3-no-leases", "c3-leases", "c3-twice", "c3-calm", "c3-forgets"],
    },
    &Claim {
        id: "C4",
        sentence: "Nobody passes a barrier before the condition is met; on one coordinator it stops for ever when that dies, on a replicated state machine it does not.",
        files: files!["c4-coordinator", "c4-counting", "c4-consensus"],
    },
    &Claim {
        id: "C5",
        sentence: "A fail-over between the record of a launch and the launch is resolved by idempotent launches or by asking for the state; otherwise one chooses between doubled and skipped ones; many jobs at midnight are a herd, and spread they are not.",
        files: files![
            "c5-named",
            "c5-ask",
            "c5-again",
            "c5-again-runs",
            "c5-skip",
            "c5-skip-once",
            "c5-kinds",
            "c5-kinds-skip",
            "c5-midnight",
            "c5-spread",
            "c5-midnight-load",
            "c5-spread-load"
        ],
    },
    &Claim {
        id: "C6",
        sentence: "A work distributor commits each unit once through a configuration barrier, leases, uniquely named outputs and a server token; each dropped alone fails in its own way.",
        files: files!["c6-all", "c6-no-barrier", "c6-no-lease", "c6-shared-names", "c6-no-token"],
    },
    &Claim {
        id: "C7",
        sentence: "Reads by a consensus operation, from a replica known to be up to date, or under a quorum lease are linearizable, and a read from any replica may be stale; under quorum leases reads are fast, and writes wait for a holder that is gone.",
        files: files![
            "c7-any",
            "c7-log",
            "c7-up-to-date",
            "c7-quorum-lease",
            "c7-calm-log",
            "c7-calm-lease",
            "c7-calm-up-to-date",
            "c7-wait"
        ],
    },
    &Claim {
        id: "C8",
        sentence: "Retries without growing, jittered delay make a herd; a canary release limits the damage of a bad version.",
        files: files![
            "c8-fixed",
            "c8-growing",
            "c8-jittered",
            "c8-load-fixed",
            "c8-load-jitter",
            "c8-load-growing",
            "c8-load-both",
            "c8-at-once",
            "c8-canary",
            "c8-damage-at-once",
            "c8-damage-canary"
        ],
    },
    &Claim {
        id: "C9",
        sentence: "Three replicas survive one loss, five two, six still two; replicas in one failure domain fall together; a lying node breaks three replicas and not four.",
        files: files![
            "c9-three",
            "c9-four",
            "c9-five",
            "c9-six",
            "c9-one-rack",
            "c9-three-racks",
            "c9-liar-three",
            "c9-liar-four",
            "c9-liar-unsigned",
            "c9-liar-five",
            "c9-broadcast-three",
            "c9-broadcast-four"
        ],
    },
    &Claim {
        id: "C10",
        sentence: "Proposers that keep pre-empting each other make no progress; a random back-off or a stable leader ends it.",
        files: files!["c10-at-once", "c10-back-off", "c10-leader", "c10-effort"],
    },
];
