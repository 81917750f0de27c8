//! mpac-deploy outside AWS: the ports of `mpac-deploy-core` on services that an embedder is likely to have, one feature each.
//!
//! | feature | brings |
//! |---|---|
//! | `checks` | [`checks`]: pre-production checks and probes, as HTTP requests, commands and connections |
//! | `sqlite` | [`sqlite`]: the journal in one file, for one machine |
#![cfg_attr(docsrs, feature(doc_cfg))]

#[cfg(feature = "checks")]
pub mod checks;
#[cfg(feature = "sqlite")]
pub mod sqlite;
