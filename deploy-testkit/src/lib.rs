//! Simulated world, recordings, fakes, strategies and invariants.
