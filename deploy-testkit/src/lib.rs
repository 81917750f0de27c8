//! Simulated world, recordings, fakes, strategies and invariants.

pub mod backtest;
pub mod recording;
pub mod reference;
pub mod strategies;
