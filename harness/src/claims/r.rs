//! Part R: service registries at scale.

use super::table::{Claim, files};

/// The claims of this part.
pub const CLAIMS: &[&Claim] = &[
    &Claim {
        id: "R1",
        sentence: "A registry is eventually consistent: how long that is can be measured for each change, as a distribution, and checked against a bound.",
        files: files!["r1-eventually", "r1-bound"],
    },
    &Claim {
        id: "R2",
        sentence: "Before convergence no wrong data may be pushed: no address that nobody publishes any more, or never did.",
        files: files!["r2-phantom", "r2-ghost", "r2-correct"],
    },
    &Claim {
        id: "R3",
        sentence: "Before convergence not too little may be pushed: every push contains every publisher that never changes, whatever else happens.",
        files: files!["r3-v5", "r3-v6"],
    },
    &Claim {
        id: "R4",
        sentence: "Faults and data migration leave what is shown correct and cost delay, which is measured and bounded.",
        files: files!["r4-migration", "r4-faults", "r4-bound"],
    },
    &Claim {
        id: "R5",
        sentence: "The API may be called in every odd order: publish, unpublish, republish, subscribe twice and all others.",
        files: files!["r5-republish", "r5-unsubscribe", "r5-correct"],
    },
    &Claim {
        id: "R6",
        sentence: "Frequent connecting and disconnecting leaves no ghost and takes nothing away.",
        files: files!["r6-late-clean-up", "r6-ghost", "r6-correct"],
    },
    &Claim {
        id: "R7",
        sentence: "In V5 a session node that is cut off from meta routes by a wrong table and splits the data; V6 keeps data right while tables differ, at the price of a bounded delay.",
        files: files!["r7-split", "r7-fenced", "r7-bound"],
    },
    &Claim {
        id: "R8",
        sentence: "V5 is right while one replica of each slot lives and pushes incomplete data when several data nodes are lost at once; V6 accepts a slight extra delay instead.",
        files: files!["r8-one", "r8-mass", "r8-delayed", "r8-bound"],
    },
    &Claim {
        id: "R9",
        sentence: "The faulty node is named from what clients see alone, and nobody is accused where nothing is wrong.",
        files: files!["r9-faulty", "r9-calm"],
    },
    &Claim {
        id: "R10",
        sentence: "Clients move from interface level to application level with two registries side by side: with double subscription and an old registry that is fed nobody sees too little at any moment; without either somebody does.",
        files: files!["r10-single-subscription", "r10-not-fed", "r10-double", "r10-converted"],
    },
];
