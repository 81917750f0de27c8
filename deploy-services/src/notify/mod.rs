//! The port `Notify`: standard error (feature `stderr`) and signed HTTP requests (feature `webhook`).
//!
//! An adapter tries once. Put [`Outbox`](mpac_deploy_core::driver::Outbox) before it: a bounded queue that tries again, in order, and that no
//! rollout waits for. Several go together by [`Notifiers`](mpac_deploy_core::driver::Notifiers), each behind an outbox of its own.

#[cfg(feature = "stderr")]
mod lines;
#[cfg(feature = "webhook")]
mod webhook;

#[cfg(feature = "stderr")]
pub use lines::Lines;
#[cfg(feature = "webhook")]
pub use webhook::{Webhook, WebhookError};
