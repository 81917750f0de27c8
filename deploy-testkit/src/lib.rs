//! Simulated world, recordings, fakes, strategies and invariants.

#[cfg(feature = "aws-sim")]
pub mod aws_sim;
pub mod backtest;
pub mod conformance;
pub mod fakes;
pub mod fault;
pub mod invariant;
pub mod mapped;
pub mod recording;
pub mod reference;
pub mod scenario;
pub mod script;
pub mod sim;
pub mod strategies;
pub mod trace;
pub mod world;

/// The book's page "Testing": its examples are compiled and run.
#[cfg(doctest)]
#[doc = include_str!("../../docs/src/testing.md")]
pub struct TestingPage;
