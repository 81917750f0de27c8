//! The documents, and what the check says of them and of others.

#![allow(clippy::unwrap_used, clippy::panic, reason = "helpers of tests, outside a test function")]

#[path = "../alb/rig.rs"]
#[allow(dead_code, reason = "the other tests use the rest")]
mod alb_rig;
mod check;
#[path = "../common/mod.rs"]
mod common;
mod described;
mod descriptions;
mod golden;
mod outside;
mod policy;
#[path = "../route53/rig.rs"]
#[allow(dead_code, reason = "the other tests use the rest")]
mod rig;
mod zone;
