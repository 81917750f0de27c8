//! The Route 53 adapter through the real SDK, over a socket, against the simulated AWS.

#![allow(clippy::unwrap_used, clippy::panic, reason = "helpers of tests, outside a test function")]

#[path = "../common/mod.rs"]
mod common;

mod bridge;
mod calls;
mod contract;
mod dual;
mod fencing;
mod outside;
mod records;
mod restart;
mod rig;
mod rollback;
mod rollout;
mod simulator;
mod soak;
mod traps;
