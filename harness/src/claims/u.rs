//! Part U: updating a service while it runs.

use super::table::{Claim, files};

/// The claims of this part.
pub const CLAIMS: &[&Claim] = &[
    &Claim {
        id: "U1",
        sentence: "Blue/green, naive: half of the agents go down with a write in flight, the client retries it on the other half and overwrites it, then the first attempt lands; draining first does not help when an agent crashes or the network is slow.",
        files: files!["u1-naive", "u1-drained", "u1-crash", "u1-remedied"],
    },
    &Claim {
        id: "U2",
        sentence: "Blue/green with its steps swapped lets a read through an old agent miss a write through a new one; in the right order it costs availability, and an agent that is cut off goes on writing.",
        files: files!["u2-unchanged", "u2-swapped", "u2-right", "u2-cut-off"],
    },
    &Claim {
        id: "U3",
        sentence: "Configuration pushed to all agents at once leaves them different for a while; making every agent wait a second makes violations rarer, not impossible.",
        files: files!["u3-pushed", "u3-waiting", "u3-remedied"],
    },
    &Claim {
        id: "U4",
        sentence: "Leased configuration keeps agents agreed while clock errors add up to at most twice epsilon; a late write in flight needs request numbers or compare-and-set as well.",
        files: files!["u4-alone", "u4-ids", "u4-cookies", "u4-clocks", "u4-sweep", "u4-adrift", "u4-fenced"],
    },
    &Claim {
        id: "U5",
        sentence: "Leases cost availability while the last of them ends; revoking actively and issuing in batches shorten the gap; waiting for the last deadline minus epsilon is unsafe.",
        files: files!["u5-plain", "u5-revoked", "u5-batched", "u5-minus", "u5-plus"],
    },
    &Claim { id: "U6", sentence: "Blue/green by leased switches is correct.", files: files!["u6-leased-switches"] },
    &Claim {
        id: "U7",
        sentence: "A request of unknown outcome may still happen: a tracker, growing request numbers and compare-and-set cookies each work within their conditions, retrying without any does not, and each breaks where its condition is dropped.",
        files: files![
            "u7-none",
            "u7-tracker",
            "u7-tracker-forgets",
            "u7-ids",
            "u7-ids-increments",
            "u7-ids-pipelined",
            "u7-ids-two-writers",
            "u7-cookies",
            "u7-cookies-two-keys",
            "u7-cookies-fresh"
        ],
    },
    &Claim {
        id: "U8",
        sentence: "Moving a store A to B is correct with leased configuration, reads that merge B over A, tombstones, and a copy by compare-and-set or under a lock; without tombstones deleted keys come back, a plain copy loses updates, and without leases some agent still writes A.",
        files: files!["u8-all", "u8-locked", "u8-no-tombstones", "u8-plain-copy", "u8-not-leased"],
    },
];
