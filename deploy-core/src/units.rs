//! Weights and shares as types of their own.

use core::fmt;
use core::num::NonZeroU8;

use serde::{Deserialize, Serialize};

use crate::metric::Side;

/// The two weights of a blue-green pair, each an integer from 0 to 255 as Route 53 takes it, never both 0.
///
/// Two records that are both at 0 share the traffic equally instead of getting none, so that state cannot be written
/// down: at least one side holds a [`NonZeroU8`] (semantics 5.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "RawWeights", into = "RawWeights")]
pub enum Weights {
    /// Everything goes to blue.
    Blue(NonZeroU8),
    /// Both sides get traffic.
    Shared {
        /// Blue's weight.
        blue: NonZeroU8,
        /// Green's weight.
        green: NonZeroU8,
    },
    /// Everything goes to green.
    Green(NonZeroU8),
}

/// Both weights are 0, which would split the traffic equally.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "blue and green are both at weight 0, which splits the traffic equally: give at least one side a weight from 1 to 255"
)]
pub struct BothZero;

impl Weights {
    /// The weights for blue and green.
    ///
    /// # Errors
    /// [`BothZero`] when both are 0.
    pub const fn new(blue: u8, green: u8) -> Result<Self, BothZero> {
        match (NonZeroU8::new(blue), NonZeroU8::new(green)) {
            (Some(blue), Some(green)) => Ok(Self::Shared { blue, green }),
            (Some(blue), None) => Ok(Self::Blue(blue)),
            (None, Some(green)) => Ok(Self::Green(green)),
            (None, None) => Err(BothZero),
        }
    }

    /// Everything to blue, with the weight 100 of the strategy's rollback.
    pub const ALL_BLUE: Self = Self::Blue(NonZeroU8::MIN.saturating_add(99));

    /// Blue's weight, 0 to 255.
    #[must_use]
    pub const fn blue(self) -> u8 {
        match self {
            Self::Blue(blue) | Self::Shared { blue, .. } => blue.get(),
            Self::Green(_) => 0,
        }
    }

    /// Green's weight, 0 to 255.
    #[must_use]
    pub const fn green(self) -> u8 {
        match self {
            Self::Green(green) | Self::Shared { green, .. } => green.get(),
            Self::Blue(_) => 0,
        }
    }

    /// The weight of one side, 0 to 255.
    #[must_use]
    pub const fn of(self, side: Side) -> u8 {
        match side {
            Side::Blue => self.blue(),
            Side::Green => self.green(),
        }
    }

    /// Whether green's share of the traffic is larger than under `other`; exact, by cross-multiplication.
    #[must_use]
    pub fn gives_green_more_than(self, other: Self) -> bool {
        let total = |weights: Self| u32::from(weights.blue()) + u32::from(weights.green());
        u32::from(self.green()) * total(other) > u32::from(other.green()) * total(self)
    }

    /// Whether all traffic goes to one side.
    #[must_use]
    pub const fn is_all(self, side: Side) -> bool {
        matches!((self, side), (Self::Blue(_), Side::Blue) | (Self::Green(_), Side::Green))
    }
}

impl fmt::Display for Weights {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "blue {} / green {}", self.blue(), self.green())
    }
}

/// The form in which weights are written.
#[derive(Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub(crate) struct RawWeights {
    blue: u8,
    green: u8,
}

impl TryFrom<RawWeights> for Weights {
    type Error = BothZero;

    fn try_from(raw: RawWeights) -> Result<Self, BothZero> {
        Self::new(raw.blue, raw.green)
    }
}

impl From<Weights> for RawWeights {
    fn from(weights: Weights) -> Self {
        Self { blue: weights.blue(), green: weights.green() }
    }
}

#[cfg(feature = "schema")]
impl schemars::JsonSchema for Weights {
    fn schema_name() -> alloc::borrow::Cow<'static, str> {
        "Weights".into()
    }

    fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
        RawWeights::json_schema(generator)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_at_zero_is_refused() {
        assert_eq!(Weights::new(0, 0), Err(BothZero));
        assert!(serde_json::from_str::<Weights>(r#"{"blue":0,"green":0}"#).is_err());
        assert!(serde_json::from_str::<Weights>(r#"{"blue":256,"green":0}"#).is_err());
    }

    #[test]
    fn a_share_is_compared_and_not_a_weight() {
        let weights = |blue, green| Weights::new(blue, green).unwrap();
        assert!(weights(50, 50).gives_green_more_than(weights(95, 5)));
        assert!(!weights(10, 10).gives_green_more_than(weights(50, 50)));
        assert!(weights(0, 1).gives_green_more_than(weights(1, 255)));
    }
}
