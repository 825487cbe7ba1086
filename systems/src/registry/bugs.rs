//! Planted bugs. Each alters one transition inside a node; what clients report stays true. With none of them the
//! registry is right.

/// A planted bug.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Bug {
    /// A registration that is still on its way to data when its connection ends is not taken back.
    GhostFastDisconnect,
    /// The index of a connection's registrations holds the last one only.
    GhostIndexOverwritten,
    /// The late clean-up of an old connection takes the new one's registration with it.
    LateCleanUp,
    /// The pushed version advances when a push is sent, not when it is acknowledged.
    VersionBeforePush,
    /// The first fetch of a new subscription is not repeated when it is refused.
    EmptyFirstFetch,
    /// Contents are read from any replica and not compared with what was pushed before.
    AnyReplica,
    /// A new leader counts versions from its own.
    VersionReset,
    /// Answers to fetches are taken in the order of the questions.
    AnswersInOrder,
    /// A republished value is put beside the old one.
    RepublishAppends,
    /// Half of a content is from an earlier instant.
    TornContent,
    /// The digest sync only adds.
    SyncOnlyAdds,
    /// A slot serves while it is still Migrating.
    ServeMigrating,
    /// A session that only sends heartbeats is given up by data.
    LeaseNotRenewed,
}

impl Bug {
    /// All of them.
    pub const ALL: [Bug; 13] = [
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
    ];

    /// Its name on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Bug::GhostFastDisconnect => "ghost-fast-disconnect",
            Bug::GhostIndexOverwritten => "ghost-index-overwritten",
            Bug::LateCleanUp => "late-clean-up",
            Bug::VersionBeforePush => "version-before-push",
            Bug::EmptyFirstFetch => "empty-first-fetch",
            Bug::AnyReplica => "any-replica",
            Bug::VersionReset => "version-reset",
            Bug::AnswersInOrder => "answers-in-order",
            Bug::RepublishAppends => "republish-appends",
            Bug::TornContent => "torn-content",
            Bug::SyncOnlyAdds => "sync-only-adds",
            Bug::ServeMigrating => "serve-migrating",
            Bug::LeaseNotRenewed => "lease-not-renewed",
        }
    }

    /// What is wrong, in a sentence.
    pub fn about(self) -> &'static str {
        match self {
            Bug::GhostFastDisconnect => {
                "session: when a connection ends, a registration whose write is not acknowledged by data yet is forgotten \
                 by the clean-up and stays for ever"
            }
            Bug::GhostIndexOverwritten => {
                "session: a publish overwrites the connection's index of registrations, so that only the last one is \
                 taken back when the connection ends"
            }
            Bug::LateCleanUp => {
                "data: the clean-up of an ended connection is applied without comparing versions, so that it removes \
                 what the client's next connection has registered"
            }
            Bug::VersionBeforePush => {
                "session: the pushed version is recorded when the push is sent, so that a push that gets lost is never \
                 repeated"
            }
            Bug::EmptyFirstFetch => {
                "session: a new subscription whose first fetch is refused waits for ever for its first push"
            }
            Bug::AnyReplica => {
                "session and data: contents are fetched from any replica, which counts versions of its own, and pushed \
                 without comparing them"
            }
            Bug::VersionReset => {
                "data: a new slot leader does not raise versions above its predecessor's, so that sessions take its \
                 contents for old"
            }
            Bug::AnswersInOrder => {
                "session: an answer to a fetch is taken for the oldest open question, so that subscribers are shown \
                 another dataId"
            }
            Bug::RepublishAppends => "data: a republished value is stored beside the old one instead of replacing it",
            Bug::TornContent => "data: half of a content comes from a cache that is refreshed at another instant",
            Bug::SyncOnlyAdds => {
                "data: the digest sync adds what is missing but never removes what the session gave up"
            }
            Bug::ServeMigrating => "data: a slot serves while it is Migrating, before it has heard every session",
            Bug::LeaseNotRenewed => "data: only writes renew a session's lease, heartbeats and digests do not",
        }
    }

    /// The kind of violation that it causes, in the checkers' words.
    pub fn kind(self) -> &'static str {
        match self {
            Bug::GhostFastDisconnect | Bug::GhostIndexOverwritten => "ghost",
            Bug::LateCleanUp | Bug::ServeMigrating | Bug::LeaseNotRenewed => "incomplete",
            Bug::VersionBeforePush | Bug::EmptyFirstFetch | Bug::VersionReset => "stale",
            Bug::AnyReplica => "backwards",
            Bug::AnswersInOrder => "phantom",
            Bug::RepublishAppends => "duplicate",
            Bug::TornContent => "torn",
            Bug::SyncOnlyAdds => "wrong-at-end",
        }
    }

    /// Where something like it happened: SOFARegistry's own issue, where there is one.
    pub fn source(self) -> &'static str {
        match self {
            Bug::GhostFastDisconnect => "SOFARegistry #37",
            Bug::GhostIndexOverwritten => "SOFARegistry #137, #138",
            Bug::LateCleanUp => "SOFARegistry #74",
            Bug::VersionBeforePush => "SOFARegistry #21",
            Bug::EmptyFirstFetch => "SOFARegistry #36",
            Bug::AnyReplica => "SOFARegistry #73",
            Bug::VersionReset => "classic: version reset on fail-over",
            Bug::AnswersInOrder => "classic: answers without request ids (compare SOFARegistry #111)",
            Bug::RepublishAppends => "classic: double counting of reconnects",
            Bug::TornContent => "classic: half-applied batch",
            Bug::SyncOnlyAdds => "SOFARegistry: a write retry that burns out",
            Bug::ServeMigrating => "SOFARegistry: serving while Migrating (compare #23)",
            Bug::LeaseNotRenewed => "SOFARegistry #57",
        }
    }
}
