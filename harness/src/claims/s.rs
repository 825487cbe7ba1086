//! Part S: single points of failure.

use super::table::{Claim, files};

/// The claims of this part.
pub const CLAIMS: &[&Claim] = &[
    &Claim {
        id: "S1",
        sentence: "Two stateless proxies: messages A then B through different ones arrive reordered; pinning a conversation to one keeps order.",
        files: files!["s1-any", "s1-late", "s1-pinned"],
    },
    &Claim {
        id: "S2",
        sentence: "Primary and standby by ping: a broken link makes two primaries, both writing; decided by consensus there is one.",
        files: files!["s2-ping", "s2-consensus"],
    },
    &Claim {
        id: "S3",
        sentence: "A third party with sessions decides: there is one primary while nobody pauses; an old one that is paused past its session and wakes up is a second one, unless it is fenced.",
        files: files!["s3-sessions", "s3-paused", "s3-fenced"],
    },
    &Claim {
        id: "S4",
        sentence: "Election by consensus with a lease, renewed before others may try: never two leaders while clocks are within bound, and no needless changes; without early renewal leadership flaps.",
        files: files!["s4-lease", "s4-sweep", "s4-clocks", "s4-late", "s4-early", "s4-changes"],
    },
    &Claim {
        id: "S5",
        sentence: "Fail-over, fail-back, fail-fast and fail-safe each keep what they promise, and without the mechanism the promise is broken.",
        files: files![
            "s5-no-fail-over",
            "s5-fail-over",
            "s5-no-fail-back",
            "s5-fail-back",
            "s5-no-fail-fast",
            "s5-fail-fast",
            "s5-no-fail-safe",
            "s5-fail-safe"
        ],
    },
];
