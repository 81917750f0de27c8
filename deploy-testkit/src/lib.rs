//! Simulated world, recordings, fakes, strategies and invariants.

pub mod recording;
