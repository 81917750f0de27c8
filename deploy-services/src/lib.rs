//! mpac-deploy outside AWS: the ports of `mpac-deploy-core` on services that an embedder is likely to have, one feature each.
//!
//! | feature | brings |
//! |---|---|
//! | `checks` | [`checks`]: pre-production checks and probes, as HTTP requests, commands and connections |
//! | `http-status` | [`status`]: a page with all rollouts, live, and the commands of a person |
//! | `stderr` | [`notify::Lines`]: notices as lines |
//! | `webhook` | [`notify::Webhook`]: notices as signed HTTP requests |
//! | `sqlite` | [`sqlite`]: the journal in one file, for one machine |
#![cfg_attr(docsrs, feature(doc_cfg))]

#[cfg(feature = "checks")]
pub mod checks;
#[cfg(any(feature = "checks", feature = "webhook"))]
mod http;
#[cfg(any(feature = "stderr", feature = "webhook"))]
pub mod notify;
#[cfg(feature = "sqlite")]
pub mod sqlite;
#[cfg(feature = "http-status")]
pub mod status;
