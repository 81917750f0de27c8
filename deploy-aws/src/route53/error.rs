//! What can be wrong, by its meaning.

use std::error::Error;

use aws_sdk_route53::config::http::HttpResponse;
use aws_sdk_route53::error::{DisplayErrorContext, ProvideErrorMetadata, SdkError};
use mpac_deploy_core::effect::ObservedWeights;
use mpac_deploy_core::ids::{EffectId, FencingToken, RecordName};
use mpac_deploy_core::port::PortError;

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
        "{name} has no record of type A with the set identifier `{set}` (there is: {found}): create it, or name the right one"
    )]
    Missing {
        /// The record's name.
        name: String,
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

/// Why a call failed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CallError {
    /// The limit of the account is used up; nothing was done.
    #[error("{call}: throttled: {message}")]
    Throttled {
        /// The call.
        call: &'static str,
        /// What AWS says.
        message: String,
    },
    /// Route 53 still works at another change of the zone; nothing was done.
    #[error("{call}: the zone is busy with another change: {message}")]
    PriorRequestNotComplete {
        /// The call.
        call: &'static str,
        /// What AWS says.
        message: String,
    },
    /// Not reached, timed out, cut off, or an error of the server: whether it was done is unknown.
    #[error("{call}: no answer, the outcome is unknown: {message}")]
    NoAnswer {
        /// The call.
        call: &'static str,
        /// What happened.
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
    /// The credentials or the signature have expired; the next attempt has new ones.
    #[error("{call}: expired: {message}")]
    Expired {
        /// The call.
        call: &'static str,
        /// What AWS says.
        message: String,
    },
    /// The credentials do not allow it.
    #[error("{call}: not allowed: {message}")]
    AccessDenied {
        /// The call.
        call: &'static str,
        /// What AWS says.
        message: String,
    },
    /// Refused for another reason.
    #[error("{call}: refused with {code}: {message}")]
    Refused {
        /// The call.
        call: &'static str,
        /// AWS's code.
        code: String,
        /// What AWS says.
        message: String,
    },
}

impl CallError {
    /// Whether nothing can have been done.
    #[must_use]
    pub const fn did_nothing(&self) -> bool {
        !matches!(self, Self::NoAnswer { .. })
    }

    /// The meaning of an SDK's error.
    pub(super) fn of<E>(call: &'static str, error: SdkError<E, HttpResponse>) -> Self
    where
        E: ProvideErrorMetadata + Error + 'static,
    {
        let status = error.raw_response().map_or(0, |response| response.status().as_u16());
        match &error {
            SdkError::ServiceError(refusal) => {
                let told = refusal.err();
                let message =
                    told.message().map_or_else(|| DisplayErrorContext(told).to_string(), str::to_owned);
                Self::of_code(call, status, told.code().unwrap_or("no code"), message)
            }
            SdkError::ConstructionFailure(_) => Self::Refused {
                call,
                code: "an invalid request".into(),
                message: DisplayErrorContext(&error).to_string(),
            },
            SdkError::TimeoutError(_) | SdkError::DispatchFailure(_) | SdkError::ResponseError(_) | _ => {
                Self::NoAnswer { call, message: DisplayErrorContext(&error).to_string() }
            }
        }
    }

    fn of_code(call: &'static str, status: u16, code: &str, message: String) -> Self {
        match code {
            "Throttling" | "ThrottlingException" | "ThrottledException" | "TooManyRequestsException" => {
                Self::Throttled { call, message }
            }
            "PriorRequestNotComplete" => Self::PriorRequestNotComplete { call, message },
            "NoSuchHostedZone" => Self::NoSuchHostedZone { call, message },
            "NoSuchChange" => Self::NoSuchChange { call, message },
            "InvalidChangeBatch" | "InvalidInput" => Self::InvalidChangeBatch { call, message },
            "AccessDenied" | "AccessDeniedException" => Self::AccessDenied { call, message },
            "ExpiredToken" | "ExpiredTokenException" | "RequestExpired" => Self::Expired { call, message },
            _ if status >= 500 => Self::NoAnswer { call, message: format!("{code} ({status}): {message}") },
            _ => Self::Refused { call, code: code.into(), message },
        }
    }
}

impl From<Route53Error> for PortError {
    fn from(error: Route53Error) -> Self {
        let text = error.to_string();
        match error {
            Route53Error::Call(
                CallError::Throttled { .. }
                | CallError::PriorRequestNotComplete { .. }
                | CallError::Expired { .. }
                | CallError::NoAnswer { .. },
            ) => Self::Unavailable(text),
            Route53Error::Record(RecordError::Missing { .. })
            | Route53Error::OtherRecord { .. }
            | Route53Error::UnknownChange(_)
            | Route53Error::Call(CallError::NoSuchHostedZone { .. } | CallError::NoSuchChange { .. }) => {
                Self::NotFound(text)
            }
            Route53Error::Record(
                RecordError::Third { .. }
                | RecordError::NotWeighted { .. }
                | RecordError::NotAlias { .. }
                | RecordError::HealthCheck { .. }
                | RecordError::TrafficPolicy { .. }
                | RecordError::Weight { .. }
                | RecordError::SomebodyElse { .. },
            )
            | Route53Error::Fenced { .. }
            | Route53Error::Call(
                CallError::InvalidChangeBatch { .. }
                | CallError::AccessDenied { .. }
                | CallError::Refused { .. },
            ) => Self::Refused(text),
        }
    }
}
