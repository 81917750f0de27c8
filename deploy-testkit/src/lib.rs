//! Simulated world, recordings, fakes, strategies and invariants.

pub mod backtest;
pub mod invariant;
pub mod mapped;
pub mod recording;
pub mod reference;
pub mod script;
pub mod strategies;
pub mod trace;
