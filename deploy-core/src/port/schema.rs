use alloc::boxed::Box;
use alloc::string::String;
use alloc::vec::Vec;

use async_trait::async_trait;

use super::PortError;
use crate::ids::{EffectId, FencingToken, SchemaVersion, ServiceName};
use crate::migration::Step;

/// The schemas of the services' databases.
///
/// Contract:
/// 1. `apply` brings a schema that is at the step's first version to its last, by the migration tool, to that version and no further;
///    of a schema that is there already it changes nothing and succeeds. At any other version it is refused, and says which.
/// 2. `undo` is the same the other way round.
/// 3. After an error the schema is at one of the two versions, or the error says in what state it was left.
/// 4. `version` is read from the database itself, not from the tool.
/// 5. Each change with a fencing token below one that was seen before is refused.
/// 6. When the call is dropped, what it started is stopped.
/// 7. `apply` and `undo` answer with what the tool printed, line by line, for the journal; where nothing was to be done, with nothing.
/// 8. No password is in an answer or an error.
#[cfg_attr(feature = "mock", mockall::automock)]
#[async_trait]
pub trait Schema: Send + Sync {
    /// The version of a service's schema.
    ///
    /// # Errors
    /// [`PortError`] when it cannot be read.
    async fn version(&self, service: &ServiceName) -> Result<SchemaVersion, PortError>;

    /// Applies a step.
    ///
    /// # Errors
    /// [`PortError`]; of [`PortError::Unavailable`] the outcome may be unknown.
    async fn apply(&self, id: &EffectId, fence: FencingToken, step: &Step) -> Result<Vec<String>, PortError>;

    /// Undoes a step.
    ///
    /// # Errors
    /// [`PortError`]; of [`PortError::Unavailable`] the outcome may be unknown.
    async fn undo(&self, id: &EffectId, fence: FencingToken, step: &Step) -> Result<Vec<String>, PortError>;

    /// Those of the step's new columns that data was written to: what undoing it would lose.
    ///
    /// # Errors
    /// [`PortError`] when the database cannot be asked.
    async fn written(&self, step: &Step) -> Result<Vec<String>, PortError>;
}

/// For releases that change no schema: whatever is asked of it is not found.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoSchema;

impl NoSchema {
    fn none<T>(service: &ServiceName) -> Result<T, PortError> {
        Err(PortError::NotFound(alloc::format!("no schema is configured for {service}")))
    }
}

#[async_trait]
impl Schema for NoSchema {
    async fn version(&self, service: &ServiceName) -> Result<SchemaVersion, PortError> {
        Self::none(service)
    }

    async fn apply(&self, _: &EffectId, _: FencingToken, step: &Step) -> Result<Vec<String>, PortError> {
        Self::none(&step.service)
    }

    async fn undo(&self, _: &EffectId, _: FencingToken, step: &Step) -> Result<Vec<String>, PortError> {
        Self::none(&step.service)
    }

    async fn written(&self, step: &Step) -> Result<Vec<String>, PortError> {
        Self::none(&step.service)
    }
}
