//! The pure core of mpac-deploy.
#![no_std]
extern crate alloc;
#[cfg(feature = "std")]
extern crate std;

pub mod metric;
pub mod time;
