//! Names that must not be mistaken for one another.

use alloc::string::String;
use core::fmt;

use serde::{Deserialize, Serialize};

macro_rules! text_id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
        #[serde(transparent)]
        pub struct $name(String);

        impl $name {
            /// Wraps the text as it is.
            #[must_use]
            pub fn new(text: impl Into<String>) -> Self {
                Self(text.into())
            }

            /// The text.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl From<&str> for $name {
            fn from(text: &str) -> Self {
                Self(text.into())
            }
        }
    };
}

text_id! {
    /// One rollout of one release; unique for all time, since the ids of its effects begin with it.
    RolloutId
}
text_id! {
    /// What a side runs: an image tag or a task definition revision.
    Revision
}
text_id! {
    /// The DNS record (or listener rule) whose weights are moved: one rollout at a time per record (semantics 5.6).
    RecordName
}
text_id! {
    /// A named pre-production check: `smoke`, `integration`, `database`, `auth`.
    CheckName
}

text_id! {
    /// A service that has a schema of its own: `svc-portal`.
    ServiceName
}
text_id! {
    /// The version of a schema, as the migration tool names it: a revision of Alembic, a number of golang-migrate.
    SchemaVersion
}
text_id! {
    /// A feature flag.
    FlagName
}
text_id! {
    /// A person's command, named by whoever posts it and never used again, so that it is obeyed once however often it arrives.
    CommandId
}

/// The id of an effect: the rollout and a number that is never used again. It stays the same when the effect is issued
/// again after a failure, a time-out or a crash (semantics 5.4).
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct EffectId {
    /// The rollout that wants the effect.
    pub rollout: RolloutId,
    /// Counts the effects of the rollout from 1.
    pub number: u64,
}

impl fmt::Display for EffectId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}#{}", self.rollout, self.number)
    }
}

/// Grows with every new holder of a lease, so that a store can refuse whoever held it before (semantics 5.6).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct FencingToken(pub u64);

impl fmt::Display for FencingToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}
