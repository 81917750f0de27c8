//! The runtime of commands that reach a real world.

use tokio::runtime::{Builder, Runtime};

use crate::reply::Failure;

/// Two threads: one rollout waits most of the time, and a slow program that it started must not hold it up.
const THREADS: usize = 2;

pub(crate) fn start() -> Result<Runtime, Failure> {
    let runtime = Builder::new_multi_thread().worker_threads(THREADS).enable_all().build();
    runtime.map_err(|error| Failure::World(error.to_string()))
}
