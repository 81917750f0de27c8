//! The port `Schema` on a real PostgreSQL, by real Alembic, and by `migrate`: the real one where it is on the search path, else the
//! stand-in in `tests/stand-in`.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "helpers of tests, outside a test function"
)]

mod contract;
mod dirty;
mod locks;
mod place;
mod rehearse;
mod rollout;
mod secrets;
mod stops;
mod unjudged;
mod uv;
mod written;
