//! A lock for fakes.

use std::sync::{Mutex, MutexGuard, PoisonError};

/// A lock that does not mind a test that panicked while it held it.
#[derive(Debug, Default)]
pub(crate) struct Lock<T>(Mutex<T>);

impl<T> Lock<T> {
    pub(crate) const fn new(inner: T) -> Self {
        Self(Mutex::new(inner))
    }

    pub(crate) fn get(&self) -> MutexGuard<'_, T> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
