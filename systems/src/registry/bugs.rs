//! Planted bugs. Each alters one transition inside a node; what clients report stays true. With none of them the
//! registry is right.

/// What is known of a planted bug.
#[derive(Clone, Copy, Debug)]
struct Facts {
    name: &'static str,
    kind: &'static str,
    source: &'static str,
    about: &'static str,
}

/// A planted bug: what it does is in [`Bug::about`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[allow(missing_docs)]
pub enum Bug {
    GhostFastDisconnect,
    GhostIndexOverwritten,
    LateCleanUp,
    VersionBeforePush,
    EmptyFirstFetch,
    AnyReplica,
    VersionReset,
    AnswersInOrder,
    RepublishAppends,
    TornContent,
    SyncOnlyAdds,
    ServeMigrating,
    LeaseNotRenewed,
    SnapshotsOverwrite,
    VersionBySessionClock,
    RequestedVersionRecorded,
    ClientOffNotReady,
    TableComparedWithItself,
    UnpublishAbsentRaises,
    WriteBurnsOut,
    TombstoneCompactedEarly,
    AckBeforeWrite,
    PromotedWithoutSync,
    EpochNotCompared,
    AnswerWithoutId,
    LostUnpublish,
    LeaseWithoutClock,
    TwoMetaLeaders,
    NoRelease,
    UnsubscribeTakesAll,
    ScanIgnored,
    DigestCountsOnly,
    BatchCutShort,
    LostWakeUp,
    ArrivalOrder,
}

impl Bug {
    /// All of them.
    pub const ALL: [Bug; 35] = [
        Bug::GhostFastDisconnect,
        Bug::GhostIndexOverwritten,
        Bug::LateCleanUp,
        Bug::VersionBeforePush,
        Bug::EmptyFirstFetch,
        Bug::AnyReplica,
        Bug::VersionReset,
        Bug::AnswersInOrder,
        Bug::RepublishAppends,
        Bug::TornContent,
        Bug::SyncOnlyAdds,
        Bug::ServeMigrating,
        Bug::LeaseNotRenewed,
        Bug::SnapshotsOverwrite,
        Bug::VersionBySessionClock,
        Bug::RequestedVersionRecorded,
        Bug::ClientOffNotReady,
        Bug::TableComparedWithItself,
        Bug::UnpublishAbsentRaises,
        Bug::WriteBurnsOut,
        Bug::TombstoneCompactedEarly,
        Bug::AckBeforeWrite,
        Bug::PromotedWithoutSync,
        Bug::EpochNotCompared,
        Bug::AnswerWithoutId,
        Bug::LostUnpublish,
        Bug::LeaseWithoutClock,
        Bug::TwoMetaLeaders,
        Bug::NoRelease,
        Bug::UnsubscribeTakesAll,
        Bug::ScanIgnored,
        Bug::DigestCountsOnly,
        Bug::BatchCutShort,
        Bug::LostWakeUp,
        Bug::ArrivalOrder,
    ];

    /// Its name on the command line.
    pub fn name(self) -> &'static str {
        self.facts().name
    }

    /// What is wrong, in a sentence; begins with the node that has it.
    pub fn about(self) -> &'static str {
        self.facts().about
    }

    /// The kind of violation that it causes, in the checkers' words.
    pub fn kind(self) -> &'static str {
        self.facts().kind
    }

    /// Where something like it happened: SOFARegistry's own issue, where there is one.
    pub fn source(self) -> &'static str {
        self.facts().source
    }

    fn facts(self) -> Facts {
        FACTS[self as usize]
    }
}

/// In the order of [`Bug::ALL`].
const FACTS: [Facts; 35] = [
    Facts {
        name: "ghost-fast-disconnect",
        kind: "ghost",
        source: "SOFARegistry #37",
        about: "session: when a connection ends, a registration whose write is not acknowledged by data yet \
                is forgotten by the clean-up and stays for ever",
    },
    Facts {
        name: "ghost-index-overwritten",
        kind: "ghost",
        source: "SOFARegistry #137, #138",
        about: "session: a publish overwrites the connection's index of registrations, so that only the last \
                one is taken back when the connection ends",
    },
    Facts {
        name: "late-clean-up",
        kind: "incomplete",
        source: "SOFARegistry #74",
        about: "data: the clean-up of an ended connection is applied without comparing versions, so that it \
                removes what the client's next connection has registered",
    },
    Facts {
        name: "version-before-push",
        kind: "stale",
        source: "SOFARegistry #21",
        about: "session: the pushed version is recorded when the push is sent, so that a push that gets lost \
                is never repeated",
    },
    Facts {
        name: "empty-first-fetch",
        kind: "stale",
        source: "SOFARegistry #36",
        about: "session: a new subscription whose first fetch is refused waits for ever for its first push",
    },
    Facts {
        name: "any-replica",
        kind: "backwards",
        source: "SOFARegistry #73",
        about: "session and data: contents are fetched from any replica, which counts versions of its own, \
                and pushed without comparing them",
    },
    Facts {
        name: "version-reset",
        kind: "stale",
        source: "classic: version reset on fail-over",
        about: "data: a new slot leader does not raise versions above its predecessor's, so that sessions \
                take its contents for old",
    },
    Facts {
        name: "answers-in-order",
        kind: "phantom",
        source: "classic: answers without request ids",
        about: "session: an answer to a fetch is taken for the oldest open question, so that subscribers are \
                shown another dataId",
    },
    Facts {
        name: "republish-appends",
        kind: "duplicate",
        source: "classic: double counting of reconnects",
        about: "data: a republished value is stored beside the old one instead of replacing it",
    },
    Facts {
        name: "torn-content",
        kind: "torn",
        source: "classic: half of a content from a cache",
        about: "data: half of a content comes from a cache that is refreshed at another instant",
    },
    Facts {
        name: "sync-only-adds",
        kind: "wrong-at-end",
        source: "classic: anti-entropy that never deletes",
        about: "data: the digest sync adds what is missing but never removes what the session gave up",
    },
    Facts {
        name: "serve-migrating",
        kind: "incomplete",
        source: "SOFARegistry: serving while Migrating",
        about: "data: a slot serves while it is Migrating, before it has heard every session",
    },
    Facts {
        name: "lease-not-renewed",
        kind: "incomplete",
        source: "SOFARegistry #57",
        about: "data: only writes renew a session's lease, heartbeats and digests do not",
    },
    Facts {
        name: "snapshots-overwrite",
        kind: "incomplete",
        source: "SOFARegistry #111, #117",
        about: "data: a session's snapshot replaces everything of each client that ever wrote through it, so \
                that the snapshots of two sessions that know the same client overwrite each other for ever",
    },
    Facts {
        name: "version-by-session-clock",
        kind: "stale",
        source: "SOFARegistry #56",
        about: "data: a content's version is made by the clock of the session that sent the write, before \
                the write, so that a large one hides a later change",
    },
    Facts {
        name: "requested-version-recorded",
        kind: "stale",
        source: "SOFARegistry #76, #89",
        about: "session: the version that was asked for is recorded although the fetch was not answered, so that what \
                is held looks new",
    },
    Facts {
        name: "client-off-not-ready",
        kind: "stale",
        source: "SOFARegistry #23",
        about: "data: the clean-up of an ended connection is acknowledged by a node that does not serve the \
                slot, and forgotten",
    },
    Facts {
        name: "table-compared-with-itself",
        kind: "ghost",
        source: "SOFARegistry: slot table compared with itself",
        about: "data: the new list of sessions is compared with itself, so that what an earlier life of a \
                session node held is never dropped",
    },
    Facts {
        name: "unpublish-absent-raises",
        kind: "stale",
        source: "SOFARegistry: an unpublish of absent data raises the version",
        about: "data: an unpublish of what is not there raises the content's version, above those of the \
                next epochs",
    },
    Facts {
        name: "write-burns-out",
        kind: "stale",
        source: "SOFARegistry: a write retry that burns out",
        about: "session: a write that the slot's leader refused is dropped as if it were written; only the \
                next digest sync carries it",
    },
    Facts {
        name: "tombstone-compacted-early",
        kind: "backwards",
        source: "SOFARegistry: an old publish after tombstone compaction",
        about: "data: tombstones are compacted at once, so that an old registration that a session still \
                holds for a lost connection brings the dead back",
    },
    Facts {
        name: "ack-before-write",
        kind: "stale",
        source: "classic: acknowledge before replicate",
        about: "session: a publish is acknowledged before the leader of its slot has applied it",
    },
    Facts {
        name: "promoted-without-sync",
        kind: "stale",
        source: "classic: follower promoted without catching up",
        about: "data: a follower that comes to lead serves its copy without asking the sessions for what it \
                lacks",
    },
    Facts {
        name: "epoch-not-compared",
        kind: "stale",
        source: "classic: epoch not compared",
        about: "data: a leader that released its slot to the leader of a later epoch serves on until it \
                knows the table",
    },
    Facts {
        name: "answer-without-id",
        kind: "stale",
        source: "classic: retry without request id",
        about: "session: the late answer to an earlier attempt is taken for the answer to the write under \
                way",
    },
    Facts {
        name: "lost-unpublish",
        kind: "stale",
        source: "classic: lost unpublish",
        about: "session: an unpublish that was not answered is not sent again, and taken for done",
    },
    Facts {
        name: "lease-without-clock",
        kind: "stale",
        source: "classic: lease without clock margin",
        about: "session and data: a node goes on serving until it is told that its lease is over, and does \
                not look at its clock",
    },
    Facts {
        name: "two-meta-leaders",
        kind: "stale",
        source: "classic: two leaders",
        about: "meta: a leader whose lease on the database's row ran out goes on confirming heartbeats until \
                it is told",
    },
    Facts {
        name: "no-release",
        kind: "stale",
        source: "classic: new leader before the old one has stopped",
        about: "data: a new slot leader does not wait until the old one has stopped serving",
    },
    Facts {
        name: "unsubscribe-takes-all",
        kind: "stale",
        source: "classic: wrong reference count",
        about: "session: the end of one subscription ends the watch for everybody who watches the dataId on \
                this node",
    },
    Facts {
        name: "scan-ignored",
        kind: "stale",
        source: "classic: no repair of lost notices",
        about: "session: the version scan finds a newer version and does nothing, so that a lost notice \
                stays lost",
    },
    Facts {
        name: "digest-counts-only",
        kind: "stale",
        source: "classic: a digest that is too weak",
        about: "session and data: digests count registrations, so that a changed value looks the same",
    },
    Facts {
        name: "batch-cut-short",
        kind: "stale",
        source: "classic: half-applied batch",
        about: "data: a batch of more than two writes is cut short and acknowledged as a whole",
    },
    Facts {
        name: "lost-wake-up",
        kind: "stale",
        source: "classic: lost wake-up",
        about: "session: a notice that arrives while a fetch is under way is forgotten",
    },
    Facts {
        name: "arrival-order",
        kind: "backwards",
        source: "classic: an old write wins by arriving late",
        about: "data: registrations replace each other in the order of their arrival, not of their versions",
    },
];
