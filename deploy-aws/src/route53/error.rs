//! What can be wrong, by its meaning.

use std::error::Error;

use aws_sdk_route53::config::http::HttpResponse;
use aws_sdk_route53::error::{ProvideErrorMetadata, SdkError};
use mpac_deploy_core::effect::ObservedWeights;
use mpac_deploy_core::ids::{EffectId, FencingToken, RecordName};
use mpac_deploy_core::port::PortError;

use crate::CallError;
use crate::memory::Overtaken;

/// An error of the Route 53 adapter. As a [`PortError`] it keeps its meaning and its text.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Route53Error {
    /// The records are not such that their weights could be moved.
    #[error(transparent)]
    Record(#[from] RecordError),
    /// A call failed.
    #[error(transparent)]
    Call(#[from] CallError),
    /// Route 53 refused a call for a reason of its own.
    #[error(transparent)]
    Zone(#[from] ZoneError),
    /// The adapter is for another record.
    #[error("this adapter moves the weights of {ours}, not of {asked}")]
    OtherRecord {
        /// The record of the adapter.
        ours: RecordName,
        /// The one that was asked for.
        asked: RecordName,
    },
    /// A later holder of the lease has acted already.
    #[error("the fencing token {fence} is older than {seen}: somebody else acts on the record now")]
    Fenced {
        /// The token of this call.
        fence: FencingToken,
        /// The latest one.
        seen: FencingToken,
    },
    /// No such change was made.
    #[error("no change was made by effect {0}")]
    UnknownChange(EffectId),
}

/// How the records differ from what a blue-green pair has to be.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RecordError {
    /// One of the two is not there.
    #[error(
        "{name} has no record of type {kind} with the set identifier `{set}` (there is: {found}): create it, or name the right one"
    )]
    Missing {
        /// The record's name.
        name: String,
        /// The type.
        kind: String,
        /// The set identifier.
        set: String,
        /// What there is in its place.
        found: String,
    },
    /// Another record of the name answers a share of the clients past the two weights.
    #[error(
        "{name} has a record besides blue and green: {third}; it answers a share of the clients, whatever the weights are"
    )]
    Third {
        /// The record's name.
        name: String,
        /// Type and set identifier of the third.
        third: String,
    },
    /// It is routed by something else.
    #[error("{name} `{set}` is a record with {routing} routing, and has no weight")]
    NotWeighted {
        /// The record's name.
        name: String,
        /// The set identifier; `-` for a simple record.
        set: String,
        /// How it is routed.
        routing: &'static str,
    },
    /// It has addresses of its own.
    #[error(
        "{name} `{set}` is not an alias: whoever has its answer keeps it for its TTL, which the rollout does not know"
    )]
    NotAlias {
        /// The record's name.
        name: String,
        /// The set identifier.
        set: String,
    },
    /// A health check takes it out of the answers by itself.
    #[error(
        "{name} `{set}` has the health check {check}, which moves traffic by itself: take it off, `EvaluateTargetHealth` stays"
    )]
    HealthCheck {
        /// The record's name.
        name: String,
        /// The set identifier.
        set: String,
        /// The health check.
        check: String,
    },
    /// A traffic policy owns it.
    #[error(
        "{name} `{set}` was made by the traffic policy instance {policy} and cannot be changed by itself"
    )]
    TrafficPolicy {
        /// The record's name.
        name: String,
        /// The set identifier.
        set: String,
        /// The traffic policy instance.
        policy: String,
    },
    /// The records of one type have other weights than those of the other.
    #[error(
        "{name} has the weights {ipv4} on its records of type A and {ipv6} on those of type AAAA: which side a client gets depends on its network; give both types the same weights"
    )]
    Split {
        /// The records' name.
        name: String,
        /// The weights of type A.
        ipv4: ObservedWeights,
        /// The weights of type AAAA.
        ipv6: ObservedWeights,
    },
    /// A weight that Route 53 does not have.
    #[error("{name} `{set}` has the weight {weight}, which is not from 0 to 255")]
    Weight {
        /// The record's name.
        name: String,
        /// The set identifier.
        set: String,
        /// The weight.
        weight: i64,
    },
    /// The outcome of an attempt was unknown, and by now somebody else has set other weights.
    #[error(
        "somebody else has set the weights of {name} to {found}: they were {before}, and were to become {wanted}"
    )]
    SomebodyElse {
        /// The record's name.
        name: String,
        /// The weights before the first attempt.
        before: ObservedWeights,
        /// The weights that were asked for.
        wanted: ObservedWeights,
        /// The weights now.
        found: ObservedWeights,
    },
}

/// What Route 53 itself has against a call; nothing was done.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ZoneError {
    /// It still works at another change of the zone.
    #[error("{call}: the zone is busy with another change: {message}")]
    PriorRequestNotComplete {
        /// The call.
        call: &'static str,
        /// What AWS says.
        message: String,
    },
    /// There is no such zone.
    #[error("{call}: no such hosted zone: {message}")]
    NoSuchHostedZone {
        /// The call.
        call: &'static str,
        /// What AWS says.
        message: String,
    },
    /// There is no such change.
    #[error("{call}: no such change: {message}")]
    NoSuchChange {
        /// The call.
        call: &'static str,
        /// What AWS says.
        message: String,
    },
    /// The batch was refused as a whole.
    #[error("{call}: the change was refused as invalid: {message}")]
    InvalidChangeBatch {
        /// The call.
        call: &'static str,
        /// What AWS says.
        message: String,
    },
}

impl Route53Error {
    /// The meaning of an SDK's error.
    pub(super) fn of<E>(call: &'static str, error: SdkError<E, HttpResponse>) -> Self
    where
        E: ProvideErrorMetadata + Error + 'static,
    {
        let error = CallError::of(call, error);
        let CallError::Refused { call, code, message } = error else { return error.into() };
        match code.as_str() {
            "PriorRequestNotComplete" => ZoneError::PriorRequestNotComplete { call, message }.into(),
            "NoSuchHostedZone" => ZoneError::NoSuchHostedZone { call, message }.into(),
            "NoSuchChange" => ZoneError::NoSuchChange { call, message }.into(),
            "InvalidChangeBatch" | "InvalidInput" => ZoneError::InvalidChangeBatch { call, message }.into(),
            _ => CallError::Refused { call, code, message }.into(),
        }
    }

    /// Whether nothing can have been done.
    #[must_use]
    pub const fn did_nothing(&self) -> bool {
        match self {
            Self::Call(error) => error.did_nothing(),
            Self::Record(_)
            | Self::Zone(_)
            | Self::OtherRecord { .. }
            | Self::Fenced { .. }
            | Self::UnknownChange(_) => true,
        }
    }
}

impl From<Overtaken> for Route53Error {
    fn from(Overtaken { fence, seen }: Overtaken) -> Self {
        Self::Fenced { fence, seen }
    }
}

impl From<Route53Error> for PortError {
    fn from(error: Route53Error) -> Self {
        let text = error.to_string();
        match error {
            Route53Error::Call(error) => error.into(),
            Route53Error::Zone(ZoneError::PriorRequestNotComplete { .. }) => Self::Unavailable(text),
            Route53Error::Record(RecordError::Missing { .. })
            | Route53Error::OtherRecord { .. }
            | Route53Error::UnknownChange(_)
            | Route53Error::Zone(ZoneError::NoSuchHostedZone { .. } | ZoneError::NoSuchChange { .. }) => {
                Self::NotFound(text)
            }
            Route53Error::Record(
                RecordError::Third { .. }
                | RecordError::NotWeighted { .. }
                | RecordError::NotAlias { .. }
                | RecordError::HealthCheck { .. }
                | RecordError::TrafficPolicy { .. }
                | RecordError::Split { .. }
                | RecordError::Weight { .. }
                | RecordError::SomebodyElse { .. },
            )
            | Route53Error::Fenced { .. }
            | Route53Error::Zone(ZoneError::InvalidChangeBatch { .. }) => Self::Refused(text),
        }
    }
}
