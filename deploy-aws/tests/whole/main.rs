//! The whole stack: Route 53, ECS, CloudWatch and DynamoDB over sockets, through the real SDK, before a simulated world in virtual time.

#![allow(clippy::unwrap_used, clippy::panic, reason = "helpers of tests, outside a test function")]
#![allow(clippy::print_stdout, reason = "counts are printed as the tables of the book")]

mod allowed;
mod counted;
mod pinned;
mod rig;
mod rollout;
mod soak;
