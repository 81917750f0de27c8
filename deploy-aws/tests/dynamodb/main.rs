//! The journal in DynamoDB through the real SDK, over a socket, against the simulated AWS.

#![allow(clippy::unwrap_used, clippy::panic, reason = "helpers of tests, outside a test function")]

mod append;
mod contract;
mod crashes;
mod history;
mod interleavings;
mod lease;
mod outside;
mod race;
mod records;
mod rig;
mod rollout;
mod simulator;
