//! Nothing is wrong.

use super::{Expected, Scenario};

pub(super) fn scenarios() -> Vec<Scenario> {
    vec![Scenario::new(
        "healthy",
        "A good release: it goes through canary, half and full, and blue is retired.",
        Expected::Completed,
    )]
}
