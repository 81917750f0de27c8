//! The pure core of mpac-deploy.
#![no_std]
extern crate alloc;
#[cfg(feature = "std")]
extern crate std;

pub mod analysis;
pub mod decision;
#[cfg(feature = "driver")]
pub mod driver;
pub mod effect;
pub mod ids;
pub mod journal;
pub mod machine;
pub mod metric;
pub mod plan;
pub mod policy;
#[cfg(feature = "driver")]
pub mod port;
pub mod time;
pub mod units;
