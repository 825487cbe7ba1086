//! Part G: gradual roll-out in master-worker systems.

use super::table::{Claim, files};

/// The claims of this part.
pub const CLAIMS: &[&Claim] = &[
    &Claim {
        id: "G1",
        sentence: "A service upgraded batch by batch with a bad version: the success rate drops with each batch, the roll-out halts in time and only the batches so far are hurt; a gateway's retries mask the errors, and the retry rate still shows them.",
        files: files![
            "g1-no-halt",
            "g1-halt",
            "g1-good",
            "g1-one",
            "g1-two",
            "g1-three",
            "g1-masked",
            "g1-retries",
            "g1-masked-one"
        ],
    },
    &Claim {
        id: "G2",
        sentence: "Followers of the master group are upgraded first and nothing is seen; when the leader switches, the new code speaks to every worker at once: the effect is 0 or 1.",
        files: files!["g2-switch", "g2-before", "g2-after"],
    },
    &Claim {
        id: "G3",
        sentence: "The same with one control plane over several clusters, which spreads it to all of them, and with an SDK in every process.",
        files: files!["g3-control-plane", "g3-own-control-planes", "g3-sdk", "g3-sdk-effect"],
    },
    &Claim {
        id: "G4",
        sentence: "Sharded masters, new requests in batches, and a small SDK with an agent each make the blast radius smaller, and each has its hole.",
        files: files![
            "g4-none",
            "g4-sharded",
            "g4-sharded-hole",
            "g4-batched",
            "g4-batched-holds",
            "g4-batched-hole",
            "g4-agent",
            "g4-agent-holds",
            "g4-agent-hole"
        ],
    },
    &Claim {
        id: "G5",
        sentence: "A half-dead master, its working threads stuck and its heartbeat alive, is not failed over by the consensus; a probe of real work finds it.",
        files: files!["g5-heartbeat", "g5-probe", "g5-dead", "g5-detection", "g5-slow-detection", "g5-silence"],
    },
];
