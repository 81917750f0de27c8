//! What another task can do with a running driver: command it, watch it, and stop it.

use alloc::sync::Arc;
use core::sync::atomic::{AtomicBool, Ordering};

use tokio::sync::{mpsc, oneshot, watch};

use crate::ids::CommandId;
use crate::machine::{Command, Event, Rejected, Rollout};

/// Commands that wait at once; a person sends one at a time.
pub(super) const QUEUE: usize = 16;

/// A command as an event, and whoever waits until it is obeyed.
pub(super) type Order = (Event, oneshot::Sender<Result<(), Rejected>>);

/// A way to a running driver, to be cloned freely.
#[derive(Clone, Debug)]
pub struct DriverHandle {
    commands: mpsc::Sender<Order>,
    status: watch::Receiver<Arc<Rollout>>,
    stop: watch::Sender<bool>,
    is_stored: Arc<AtomicBool>,
}

/// A command that was not obeyed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CommandError {
    /// The machine rejects it.
    #[error(transparent)]
    Rejected(#[from] Rejected),
    /// The driver has stopped.
    #[error("nobody drives the rollout any more")]
    Stopped,
}

impl DriverHandle {
    pub(super) const fn new(
        commands: mpsc::Sender<Order>,
        status: watch::Receiver<Arc<Rollout>>,
        stop: watch::Sender<bool>,
        is_stored: Arc<AtomicBool>,
    ) -> Self {
        Self { commands, status, stop, is_stored }
    }

    /// Commands the rollout, and waits until it has been obeyed or rejected. It is stored as well, unless the journal cannot be
    /// reached just then; in that case it is stored when the journal is back, and lost if the driver dies before.
    ///
    /// # Errors
    /// [`CommandError`] when it is rejected or the driver has stopped.
    pub async fn command(&self, command: Command) -> Result<(), CommandError> {
        self.order(Event::Command(command)).await
    }

    /// Commands the rollout by a command that may arrive more than once: see [`command`](Self::command).
    ///
    /// # Errors
    /// [`CommandError`] when it is rejected or the driver has stopped; [`Rejected::AlreadyObeyed`] in it is as good as obeyed.
    pub async fn posted(&self, id: CommandId, command: Command) -> Result<(), CommandError> {
        self.order(Event::Posted { id, command }).await
    }

    async fn order(&self, event: Event) -> Result<(), CommandError> {
        let (answer, obeyed) = oneshot::channel();
        self.commands.send((event, answer)).await.map_err(|_| CommandError::Stopped)?;
        obeyed.await.map_err(|_| CommandError::Stopped)?.map_err(CommandError::Rejected)
    }

    /// Asks the driver to stop at the next safe point: where no change of the weights or of a schema is under way, and a rollback that is taking the
    /// traffic back has it back. [`Driver::run`](super::Driver::run) then gives the lease up and returns the rollout without an outcome, and
    /// [`Driver::resume`](super::Driver::resume) goes on with it.
    pub fn stop(&self) {
        self.stop.send_replace(true);
    }

    /// The rollout as it stood after the latest event.
    #[must_use]
    pub fn status(&self) -> Arc<Rollout> {
        Arc::clone(&self.status.borrow())
    }

    /// Whether the journal holds everything that has happened, so that it survives this process.
    #[must_use]
    pub fn is_stored(&self) -> bool {
        self.is_stored.load(Ordering::SeqCst)
    }

    /// Whether nobody drives the rollout any more.
    #[must_use]
    pub fn has_stopped(&self) -> bool {
        self.commands.is_closed()
    }

    /// Waits for the next event; `false` once the driver has stopped.
    pub async fn changed(&mut self) -> bool {
        self.status.changed().await.is_ok()
    }
}
