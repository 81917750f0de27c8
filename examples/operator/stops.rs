//! Being told to stop: by the terminal, or by whoever started the process.

#[cfg(feature = "aws")]
use mpac_deploy_core::driver::DriverHandle;
use tokio::signal::unix::{Signal, SignalKind, signal};

use crate::reply::Failure;

/// SIGTERM and SIGINT.
pub(crate) struct Stops {
    terminate: Signal,
    interrupt: Signal,
}

impl Stops {
    pub(crate) fn listen() -> Result<Self, Failure> {
        let listen = |kind| signal(kind).map_err(|error| Failure::World(format!("signals: {error}")));
        Ok(Self { terminate: listen(SignalKind::terminate())?, interrupt: listen(SignalKind::interrupt())? })
    }

    /// Waits for one of them.
    pub(crate) async fn first(&mut self) {
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
        }
    }

    /// Stops the driver at a safe point when it is asked for once, and returns when it is asked for again: then there is no waiting.
    #[cfg(feature = "aws")]
    pub(crate) async fn obey(&mut self, handle: &DriverHandle, say: impl Fn(&str)) {
        self.first().await;
        say("stopping at the next safe point; once more stops at once");
        handle.stop();
        self.first().await;
    }
}
