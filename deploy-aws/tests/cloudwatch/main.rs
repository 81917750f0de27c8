//! The CloudWatch adapter through the real SDK, over a socket, against the simulated AWS.

#![allow(clippy::unwrap_used, clippy::panic, reason = "helpers of tests, outside a test function")]

#[path = "../common/mod.rs"]
mod common;

mod contract;
mod counted;
mod faults;
mod gathering;
mod mapping;
mod outside;
mod rig;
mod simulator;
mod soak;
mod world;
