//! Notifiers made of others.

use alloc::boxed::Box;
use alloc::sync::Arc;
use alloc::vec::Vec;

use async_trait::async_trait;

use crate::decision::{Decision, Severity};
use crate::ids::RolloutId;
use crate::port::{Notify, PortError};

/// Several notifiers as one: each is told, whatever becomes of the others.
pub struct Notifiers(Vec<Arc<dyn Notify>>);

impl Notifiers {
    /// These; none at all tells nobody, and is no error.
    #[must_use]
    pub fn new(all: impl IntoIterator<Item = Arc<dyn Notify>>) -> Self {
        Self(all.into_iter().collect())
    }
}

#[async_trait]
impl Notify for Notifiers {
    /// The first error of those that failed, after all were tried.
    async fn notify(&self, rollout: &RolloutId, decision: &Decision) -> Result<(), PortError> {
        let told = self.0.iter().map(|notifier| notifier.notify(rollout, decision));
        futures::future::join_all(told).await.into_iter().collect()
    }
}

/// A notifier that is told only of what is urgent enough.
pub struct AtLeast {
    severity: Severity,
    to: Arc<dyn Notify>,
}

impl AtLeast {
    /// Tells `to` of decisions of this severity and of graver ones. Put it before the [`Outbox`](super::Outbox): what nobody is told of needs no room there.
    #[must_use]
    pub fn new(severity: Severity, to: Arc<dyn Notify>) -> Self {
        Self { severity, to }
    }
}

#[async_trait]
impl Notify for AtLeast {
    async fn notify(&self, rollout: &RolloutId, decision: &Decision) -> Result<(), PortError> {
        if decision.severity() < self.severity { Ok(()) } else { self.to.notify(rollout, decision).await }
    }
}
