//! Time as an argument: nothing in this crate reads a clock (semantics 1.1).

use alloc::format;
use alloc::string::String;
use core::fmt;
use core::time::Duration;

use chrono::{DateTime, SecondsFormat, Utc};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// The length of a metric period in milliseconds: 60 seconds (semantics 1.2).
pub const PERIOD_MILLIS: i64 = 60_000;

/// A moment in UTC, in whole milliseconds since the Unix epoch.
///
/// Arithmetic saturates; the text form is RFC 3339 with `Z`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Timestamp(i64);

impl Timestamp {
    /// The latest moment that this type can write as RFC 3339 (the end of the year 9999).
    pub const MAX: Self = Self(253_402_300_799_999);
    /// The earliest moment that this type can write as RFC 3339 (the start of the year 0000).
    pub const MIN: Self = Self(-62_167_219_200_000);

    /// A moment from milliseconds since the Unix epoch, clamped to the years 0000 to 9999.
    #[must_use]
    pub fn from_millis(millis: i64) -> Self {
        Self(millis.clamp(Self::MIN.0, Self::MAX.0))
    }

    /// A moment from seconds since the Unix epoch, clamped to the years 0000 to 9999.
    #[must_use]
    pub fn from_secs(secs: i64) -> Self {
        Self::from_millis(secs.saturating_mul(1000))
    }

    /// Milliseconds since the Unix epoch.
    #[must_use]
    pub const fn as_millis(self) -> i64 {
        self.0
    }

    /// The time from `earlier` to `self`; zero if `earlier` is later.
    #[must_use]
    pub fn since(self, earlier: Self) -> Duration {
        Duration::from_millis(u64::try_from(self.0.saturating_sub(earlier.0)).unwrap_or(0))
    }

    /// `self` plus a duration.
    #[must_use]
    pub fn after(self, duration: Duration) -> Self {
        let millis = i64::try_from(duration.as_millis()).unwrap_or(i64::MAX);
        Self::from_millis(self.0.saturating_add(millis))
    }

    /// Reads RFC 3339 text.
    ///
    /// # Errors
    /// [`InvalidTime`] when the text is no RFC 3339 date and time with an offset.
    pub fn parse(text: &str) -> Result<Self, InvalidTime> {
        DateTime::parse_from_rfc3339(text)
            .map(|time| Self::from_millis(time.timestamp_millis()))
            .map_err(|_| InvalidTime(text.into()))
    }
}

/// Text that is no RFC 3339 time.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no time: write RFC 3339 with an offset, such as 2026-01-28T09:00:00Z")]
pub struct InvalidTime(String);

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let time: DateTime<Utc> = DateTime::from_timestamp_millis(self.0).unwrap_or_default();
        let format = if self.0 % 1000 == 0 { SecondsFormat::Secs } else { SecondsFormat::Millis };
        f.write_str(&time.to_rfc3339_opts(format, true))
    }
}

impl Serialize for Timestamp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Timestamp {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = <alloc::borrow::Cow<'de, str>>::deserialize(deserializer)?;
        Self::parse(&text).map_err(|error| de::Error::custom(format!("{error}")))
    }
}

/// A metric period of 60 seconds, `[start, start + 60 s)`, named by its start (semantics 1.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Period(Timestamp);

impl Period {
    /// The period that contains `time`.
    #[must_use]
    pub fn containing(time: Timestamp) -> Self {
        Self(Timestamp::from_millis(time.0.div_euclid(PERIOD_MILLIS) * PERIOD_MILLIS))
    }

    /// The first period that begins at or after `time`.
    #[must_use]
    pub fn from_or_after(time: Timestamp) -> Self {
        let containing = Self::containing(time);
        if containing.0 == time { containing } else { containing.next() }
    }

    /// The start, which belongs to the period.
    #[must_use]
    pub const fn start(self) -> Timestamp {
        self.0
    }

    /// The end, which no longer belongs to the period: here it is closed.
    #[must_use]
    pub fn end(self) -> Timestamp {
        Timestamp::from_millis(self.0.0.saturating_add(PERIOD_MILLIS))
    }

    /// The following period.
    #[must_use]
    pub fn next(self) -> Self {
        Self(self.end())
    }

    /// The number of periods from `earlier` to `self`; zero if `earlier` is later.
    #[must_use]
    pub fn since(self, earlier: Self) -> u32 {
        let periods = self.0.0.saturating_sub(earlier.0.0) / PERIOD_MILLIS;
        u32::try_from(periods.max(0)).unwrap_or(u32::MAX)
    }
}

impl fmt::Display for Period {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::ToString;

    #[test]
    fn a_timestamp_is_written_as_rfc_3339_and_read_back() {
        let time = Timestamp::parse("2026-01-28T18:00:30+09:00").unwrap();
        assert_eq!(time.to_string(), "2026-01-28T09:00:30Z");
        assert_eq!(Timestamp::parse(&time.to_string()).unwrap(), time);
        assert_eq!(Timestamp::from_millis(1).to_string(), "1970-01-01T00:00:00.001Z");
    }

    #[test]
    fn extremes_are_clamped_and_still_readable() {
        for time in [Timestamp::from_millis(i64::MAX), Timestamp::from_millis(i64::MIN)] {
            assert_eq!(Timestamp::parse(&time.to_string()).unwrap(), time);
        }
    }

    #[test]
    fn a_period_contains_its_start_and_not_its_end() {
        let period = Period::containing(Timestamp::from_secs(119));
        assert_eq!(period.start(), Timestamp::from_secs(60));
        assert_eq!(Period::containing(period.end()), period.next());
        assert_eq!(Period::from_or_after(period.start()), period);
        assert_eq!(Period::from_or_after(Timestamp::from_millis(60_001)), period.next());
        assert_eq!(Period::containing(Timestamp::from_millis(-1)).start(), Timestamp::from_secs(-60));
    }
}
