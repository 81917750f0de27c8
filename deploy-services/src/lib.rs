//! mpac-deploy outside AWS: the ports of `mpac-deploy-core` on services that an embedder is likely to have, one feature each.
//!
//! | feature | brings |
//! |---|---|
//! | `sqlite` | [`sqlite`]: the journal in one file, for one machine |
#![cfg_attr(docsrs, feature(doc_cfg))]

#[cfg(feature = "sqlite")]
pub mod sqlite;
