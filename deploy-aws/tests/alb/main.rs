//! The adapter for listener rules through the real SDK, over a socket, against the simulated AWS.

#![allow(clippy::unwrap_used, clippy::panic, reason = "helpers of tests, outside a test function")]

#[path = "../common/mod.rs"]
mod common;

mod balancers;
mod changes;
mod contract;
mod outside;
mod rig;
mod rollback;
mod rollout;
mod rules;
