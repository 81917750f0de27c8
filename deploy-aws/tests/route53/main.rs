//! The Route 53 adapter through the real SDK, over a socket, against the simulated AWS.

mod calls;
mod contract;
mod records;
mod restart;
mod rig;
mod rollback;
mod rollout;
mod simulator;
