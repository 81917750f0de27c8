//! What the benchmarks share: the preset on a healthy recording, a rollout in a world without a fault, and the same rules as
//! expressions of a peer.
//!
//! `cargo xtask bench` runs them; what they showed stands in the book, page "Performance".

pub mod migrations;
mod peer;
mod preset;
mod world;

pub use peer::{CEL_ALERTS_AND_TRIGGERS, CEL_GATES, CelRules, CelSample};
pub use preset::{Preset, Stage};
pub use world::{perfect_rollout, perfect_rollout_with, release};
