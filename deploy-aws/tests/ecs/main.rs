//! The ECS adapter through the real SDK, over a socket, against the simulated AWS.

#![allow(clippy::unwrap_used, clippy::panic, reason = "helpers of tests, outside a test function")]

#[path = "../common/mod.rs"]
mod common;

mod archive;
mod calls;
mod contract;
mod fencing;
mod health;
mod outside;
mod provision;
mod retire;
mod rig;
mod rollout;
#[cfg(feature = "autoscaling")]
mod scaling;
mod simulator;
mod soak;
mod world;
