//! Seeded chance: a stream of its own for every purpose, so that one more draw somewhere shifts nothing elsewhere.

use std::time::Duration;

use rand::RngExt;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;

/// What chance is drawn for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// How long a change of the weights stays pending.
    Pending = 1,
    /// How long a task takes to start.
    Start = 2,
    /// How long targets take to drain.
    Drain = 3,
    /// The numbers of a side in a period.
    Blue = 4,
    /// See `Blue`.
    Green = 5,
    /// How late a period is published.
    Publication = 6,
    /// How long a call to a port takes.
    Latency = 7,
    /// Whether a rule strikes a call.
    Strike = 8,
}

/// The source of all chance in a world.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Dice {
    seed: u64,
}

impl Dice {
    pub(crate) const fn new(seed: u64) -> Self {
        Self { seed }
    }

    /// The stream of a purpose, told from others of the same purpose by two numbers.
    pub(crate) fn stream(self, purpose: Purpose, a: u64, b: u64) -> ChaCha8Rng {
        let mut key = [0; 32];
        for (part, word) in key.chunks_exact_mut(8).zip([self.seed, purpose as u64, a, b]) {
            part.copy_from_slice(&word.to_le_bytes());
        }
        ChaCha8Rng::from_seed(key)
    }

    /// A time between two, to the millisecond.
    pub(crate) fn between(self, purpose: Purpose, a: u64, b: u64, range: [u64; 2]) -> Duration {
        Duration::from_millis(self.stream(purpose, a, b).random_range(range[0]..=range[1]))
    }

    /// A share from 0 to 1.
    pub(crate) fn share(self, purpose: Purpose, a: u64, b: u64) -> f64 {
        self.stream(purpose, a, b).random()
    }
}
