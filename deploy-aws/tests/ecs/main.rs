//! The ECS adapter through the real SDK, over a socket, against the simulated AWS.

#![allow(clippy::unwrap_used, clippy::panic, reason = "helpers of tests, outside a test function")]

mod rig;
mod simulator;
mod world;
