//! `sim-aws`, `run` and `plan` as processes of their own, and the simulated AWS seen from outside by a client that is none of ours.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "helpers of tests, outside a test function"
)]
#![allow(clippy::print_stdout, reason = "the figures of the kills are printed for the book")]

#[path = "../common/database.rs"]
mod database;
mod killed;
mod migrations;
mod notices;
mod outside;
mod page;
mod person;
mod plan;
mod rig;
mod run;
mod stop;
mod whole;
