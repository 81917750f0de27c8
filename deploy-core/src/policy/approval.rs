//! Steps of a rollout that wait for a person.

use serde::{Deserialize, Serialize};

use super::Span;

/// Whether a person must approve of a step before it is made. Evidence alone never makes up for a missing approval.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Approval {
    /// The step is made as soon as what is before it allows it.
    #[default]
    NotRequired,
    /// The step waits for an approval, however long it takes.
    Required,
    /// The step waits for an approval for so long; without one the rollout is taken back.
    Within(Span),
}

impl Approval {
    /// Whether a person is waited for.
    #[must_use]
    pub const fn is_required(self) -> bool {
        match self {
            Self::NotRequired => false,
            Self::Required | Self::Within(_) => true,
        }
    }

    /// How long a person is waited for, where that has an end.
    #[must_use]
    pub const fn limit(self) -> Option<Span> {
        match self {
            Self::NotRequired | Self::Required => None,
            Self::Within(limit) => Some(limit),
        }
    }

    pub(super) const fn is_not_required(&self) -> bool {
        !self.is_required()
    }
}
