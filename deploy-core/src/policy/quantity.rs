//! Numbers with their units as a person writes them: `1 %`, `500 ms`, `15 min`, `10`.

use alloc::format;
use alloc::string::{String, ToString};
use core::fmt;
use core::str::FromStr;
use core::time::Duration;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use crate::metric::{InvalidSignal, Signal, Unit};

/// Text that cannot be read as what its place in the policy asks for.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidQuantity {
    /// No number, or no unit that is known.
    #[error("`{0}` is no quantity: write a number with its unit, such as `1 %`, `500 ms` or `10`")]
    Quantity(String),
    /// No duration.
    #[error("`{0}` is no duration: write whole units, such as `30 s`, `15 min` or `24 h`")]
    Duration(String),
    /// No condition.
    #[error(
        "`{0}` is no condition: write a signal, `<`, `>` or `=` (there is no `<=`), and a limit, such as `errors / requests > 1 %`"
    )]
    Condition(String),
    /// The left side of a condition is no signal.
    #[error(transparent)]
    Signal(#[from] InvalidSignal),
}

/// A limit with its unit. Percentages are read digit by digit, so that `0.1 %` is the double nearest to 0.001.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Quantity {
    /// A count or a plain number.
    Number(f64),
    /// A share from 0 to 1, written in percent.
    Share(f64),
    /// Milliseconds.
    Millis(f64),
}

impl Quantity {
    /// The bare number: a share as 0 to 1, a time in milliseconds.
    #[must_use]
    pub const fn value(self) -> f64 {
        match self {
            Self::Number(value) | Self::Share(value) | Self::Millis(value) => value,
        }
    }

    /// Whether a limit for a signal of this unit can be written so.
    #[must_use]
    pub const fn fits(self, unit: Unit) -> bool {
        matches!(
            (self, unit),
            (Self::Number(_), Unit::Count | Unit::Plain | Unit::Flag)
                | (Self::Share(_), Unit::Ratio)
                | (Self::Millis(_), Unit::Millis)
        )
    }
}

/// Splits `12.5 ms` into `12.5` and `ms`.
fn split_unit(text: &str) -> (&str, &str) {
    let text = text.trim();
    let end = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
    (&text[..end], text[end..].trim_start())
}

impl FromStr for Quantity {
    type Err = InvalidQuantity;

    fn from_str(text: &str) -> Result<Self, InvalidQuantity> {
        let invalid = || InvalidQuantity::Quantity(text.trim().to_string());
        let (digits, unit) = split_unit(text);
        // The exponent does the scaling inside the parser, so there is one rounding and not two.
        let scaled = |exponent: &str| {
            let value: f64 = format!("{digits}{exponent}").parse().map_err(|_| invalid())?;
            if value.is_finite() { Ok(value) } else { Err(invalid()) }
        };
        match unit {
            "" => scaled("").map(Self::Number),
            "%" => scaled("e-2").map(Self::Share),
            "ms" => scaled("").map(Self::Millis),
            "s" => scaled("e3").map(Self::Millis),
            _ => Err(invalid()),
        }
    }
}

impl fmt::Display for Quantity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Number(value) => write!(f, "{value}"),
            Self::Share(value) => write!(f, "{} %", percent(*value)),
            Self::Millis(value) => write!(f, "{value} ms"),
        }
    }
}

/// A share as a percentage: its shortest decimal digits with the point moved by two, so that it is read back as the same share.
pub(crate) fn percent(share: f64) -> String {
    if share == 0.0 {
        return "0".to_string();
    }
    let text = format!("{share:e}");
    let (mantissa, exponent) = text.split_once('e').unwrap_or((&text, "0"));
    let (sign, mantissa) = mantissa.strip_prefix('-').map_or(("", mantissa), |rest| ("-", rest));
    let digits = mantissa.replace('.', "");
    let point = exponent.parse::<i32>().unwrap_or(0).saturating_add(3);
    match usize::try_from(point) {
        Ok(point) if point >= digits.len() => format!("{sign}{digits:0<point$}"),
        Ok(point) if point > 0 => format!("{sign}{}.{}", &digits[..point], &digits[point..]),
        _ => format!("{sign}0.{}{digits}", "0".repeat(point.unsigned_abs() as usize)),
    }
}

impl Serialize for Quantity {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

struct QuantityVisitor;

impl de::Visitor<'_> for QuantityVisitor {
    type Value = Quantity;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a number, or text such as `1 %` or `500 ms`")
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Quantity, E> {
        text.parse().map_err(E::custom)
    }

    #[allow(clippy::cast_precision_loss, reason = "a limit beyond 2^53 is rounded as every JSON reader does")]
    fn visit_u64<E: de::Error>(self, value: u64) -> Result<Quantity, E> {
        Ok(Quantity::Number(value as f64))
    }

    fn visit_i64<E: de::Error>(self, value: i64) -> Result<Quantity, E> {
        u64::try_from(value)
            .map_err(|_| E::custom(format!("`{value}` is below 0: a limit is 0 or more")))
            .and_then(|value| self.visit_u64(value))
    }

    fn visit_f64<E: de::Error>(self, value: f64) -> Result<Quantity, E> {
        if value.is_finite() && value >= 0.0 {
            Ok(Quantity::Number(value))
        } else {
            Err(E::custom(format!("`{value}` is no limit: it must be a finite number of 0 or more")))
        }
    }
}

impl<'de> Deserialize<'de> for Quantity {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(QuantityVisitor)
    }
}

/// How a value is compared with its limit; all are strict (semantics 3.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Comparison {
    /// `>`: holds above the limit, not at it.
    Above,
    /// `<`: holds below the limit, not at it.
    Below,
    /// `=`: holds at the limit only.
    Equal,
}

impl Comparison {
    /// Whether `value` compared with `limit` holds. NaN never does.
    #[must_use]
    #[allow(clippy::float_cmp, reason = "`=` means exactly the limit: it is for sums of counts")]
    pub fn holds(self, value: f64, limit: f64) -> bool {
        match self {
            Self::Above => value > limit,
            Self::Below => value < limit,
            Self::Equal => value == limit,
        }
    }

    const fn symbol(self) -> char {
        match self {
            Self::Above => '>',
            Self::Below => '<',
            Self::Equal => '=',
        }
    }
}

/// A signal against a limit: `errors / requests > 1 %`.
#[derive(Clone, Debug, PartialEq)]
pub struct Condition {
    /// What is looked at.
    pub signal: Signal,
    /// The comparison.
    pub comparison: Comparison,
    /// The limit, in the signal's unit.
    pub limit: Quantity,
}

impl FromStr for Condition {
    type Err = InvalidQuantity;

    fn from_str(text: &str) -> Result<Self, InvalidQuantity> {
        let (at, comparison) = text
            .char_indices()
            .find_map(|(at, c)| match c {
                '>' => Some((at, Comparison::Above)),
                '<' => Some((at, Comparison::Below)),
                '=' => Some((at, Comparison::Equal)),
                _ => None,
            })
            .ok_or_else(|| InvalidQuantity::Condition(text.to_string()))?;
        let limit = &text[at + 1..];
        if limit.starts_with(['=', '<', '>']) {
            return Err(InvalidQuantity::Condition(text.to_string()));
        }
        Ok(Self { signal: text[..at].parse()?, comparison, limit: limit.parse()? })
    }
}

impl fmt::Display for Condition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} {}", self.signal, self.comparison.symbol(), self.limit)
    }
}

impl Serialize for Condition {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Condition {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = <alloc::borrow::Cow<'de, str>>::deserialize(deserializer)?;
        text.parse().map_err(de::Error::custom)
    }
}

/// A duration in whole seconds: `30 s`, `15 min`, `24 h`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Span(u64);

impl Span {
    /// From seconds.
    #[must_use]
    pub const fn seconds(seconds: u64) -> Self {
        Self(seconds)
    }

    /// From minutes.
    #[must_use]
    pub const fn minutes(minutes: u32) -> Self {
        Self(minutes as u64 * 60)
    }

    /// As a duration.
    #[must_use]
    pub const fn duration(self) -> Duration {
        Duration::from_secs(self.0)
    }

    /// The number of 60-second periods, if it is a whole one.
    #[must_use]
    pub fn periods(self) -> Option<u32> {
        if self.0.is_multiple_of(60) { u32::try_from(self.0 / 60).ok() } else { None }
    }
}

impl FromStr for Span {
    type Err = InvalidQuantity;

    fn from_str(text: &str) -> Result<Self, InvalidQuantity> {
        let invalid = || InvalidQuantity::Duration(text.to_string());
        let (digits, unit) = split_unit(text);
        let count: u64 = digits.parse().map_err(|_| invalid())?;
        let factor = match unit {
            "s" => 1,
            "min" => 60,
            "h" => 3600,
            _ => return Err(invalid()),
        };
        count.checked_mul(factor).map(Self).ok_or_else(invalid)
    }
}

impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0 != 0 && self.0.is_multiple_of(3600) && self.0 > 3600 {
            write!(f, "{} h", self.0 / 3600)
        } else if self.0 != 0 && self.0.is_multiple_of(60) && self.0 > 60 {
            write!(f, "{} min", self.0 / 60)
        } else {
            write!(f, "{} s", self.0)
        }
    }
}

impl Serialize for Span {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Span {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_str(SpanVisitor)
    }
}

struct SpanVisitor;

impl de::Visitor<'_> for SpanVisitor {
    type Value = Span;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a duration such as `15 min` or `30 s`")
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Span, E> {
        text.parse().map_err(E::custom)
    }
}

#[cfg(feature = "schema")]
mod schema {
    use alloc::borrow::Cow;

    use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};

    use super::{Condition, Quantity, Span};
    use crate::metric::{Metric, Signal};

    macro_rules! text_schema {
        ($type:ty, $name:literal, $schema:tt) => {
            impl JsonSchema for $type {
                fn schema_name() -> Cow<'static, str> {
                    $name.into()
                }

                fn json_schema(_: &mut SchemaGenerator) -> Schema {
                    json_schema!($schema)
                }
            }
        };
    }

    text_schema!(Quantity, "Quantity", {
        "description": "A number, or a number with its unit: `1 %`, `500 ms`, `2 s`",
        "oneOf": [
            { "type": "number", "minimum": 0 },
            { "type": "string", "pattern": r"^\s*[0-9]+(\.[0-9]+)?\s*(%|ms|s)?\s*$" }
        ]
    });
    text_schema!(Condition, "Condition", {
        "description": "A signal against a limit: `errors / requests > 1 %`",
        "type": "string",
        "pattern": r"^.+[<>=]\s*[0-9]+(\.[0-9]+)?\s*(%|ms|s)?\s*$"
    });
    text_schema!(Span, "Span", {
        "description": "A duration in whole units: `30 s`, `15 min`, `24 h`",
        "type": "string",
        "pattern": r"^\s*[0-9]+\s*(s|min|h)\s*$"
    });
    text_schema!(Metric, "Metric", {
        "description": "The name of a metric",
        "type": "string",
        "pattern": r"^[^\s/,]+$"
    });
    text_schema!(Signal, "Signal", {
        "description": "A metric, a rate `part / whole`, or its complement `1 - part / whole`",
        "type": "string"
    });
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    #[allow(clippy::float_cmp, reason = "exactness is the point")]
    fn a_percentage_is_the_nearest_double() {
        assert_eq!("0.1 %".parse(), Ok(Quantity::Share(0.001)));
        assert_eq!("99.9%".parse(), Ok(Quantity::Share(0.999)));
        assert_eq!("2 s".parse(), Ok(Quantity::Millis(2000.0)));
        assert_eq!("10".parse(), Ok(Quantity::Number(10.0)));
    }

    #[test]
    fn what_is_no_quantity_says_so() {
        for text in ["", "%", "1 percent", "-1 %", "1e5", "1..2", "NaN", "ms 5", "5 min"] {
            assert!(text.parse::<Quantity>().is_err(), "{text}");
        }
        for text in ["", "5", "1.5 h", "-3 s", "5 minutes", "99999999999999999999 h"] {
            assert!(text.parse::<Span>().is_err(), "{text}");
        }
    }

    #[test]
    fn comparisons_are_strict() {
        let condition: Condition = "errors / requests > 1 %".parse().unwrap();
        assert!(!condition.comparison.holds(0.01, condition.limit.value()));
        assert!(condition.comparison.holds(0.010_000_001, condition.limit.value()));
        assert!(!Comparison::Below.holds(f64::NAN, 1.0));
        let error = "http_5xx >= 10".parse::<Condition>().unwrap_err();
        assert!(error.to_string().contains("there is no `<=`"), "{error}");
    }

    #[test]
    fn a_percentage_is_short() {
        for (share, text) in [
            (0.0, "0"),
            (0.001, "0.1"),
            (0.05, "5"),
            (0.999, "99.9"),
            (1.0, "100"),
            (1.3, "130"),
            (1e-7, "0.00001"),
        ] {
            assert_eq!(percent(share), text);
        }
    }

    proptest! {
        #[test]
        fn a_share_is_read_back_as_it_was_written(share in 0.0..=1.0_f64) {
            let text = Quantity::Share(share).to_string();
            prop_assert_eq!(text.parse::<Quantity>().unwrap(), Quantity::Share(share), "{}", text);
        }

        #[test]
        fn a_span_is_read_back_as_it_was_written(seconds in 0..10_000_000_u64) {
            let span = Span::seconds(seconds);
            prop_assert_eq!(span.to_string().parse::<Span>().unwrap(), span);
        }
    }
}
