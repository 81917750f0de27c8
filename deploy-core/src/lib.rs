//! The pure core of mpac-deploy.
#![no_std]
extern crate alloc;
#[cfg(feature = "std")]
extern crate std;

pub mod analysis;
pub mod decision;
pub mod effect;
pub mod ids;
pub mod machine;
pub mod metric;
pub mod plan;
pub mod policy;
pub mod time;
pub mod units;
