//! Moments as AWS writes them: epoch seconds in JSON, calendar forms in signatures.
//!
//! Nothing here reads a clock.

mod calendar;

use std::fmt;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// A moment, in milliseconds since 1970-01-01T00:00:00Z.
///
/// On the wire of the JSON protocols it is a number of seconds with at most three fractional
/// digits (botocore: `timestampFormat` of the json protocol is `unixTimestamp`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(i64);

/// Why a text is not a moment.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{text:?} is not a date of the form 20150830T123600Z or of RFC 9110")]
pub struct TimestampError {
    /// What was read.
    pub text: String,
}

impl Timestamp {
    /// The moment `milliseconds` after the epoch; negative ones lie before it.
    pub const fn from_milliseconds(milliseconds: i64) -> Self {
        Self(milliseconds)
    }

    /// The moment `seconds` after the epoch.
    pub const fn from_seconds(seconds: i64) -> Self {
        Self(seconds.saturating_mul(1000))
    }

    /// The moment a clock shows, to the millisecond below.
    pub fn from_system_time(time: SystemTime) -> Self {
        let milliseconds =
            |duration: Duration| i64::try_from(duration.as_millis()).unwrap_or(i64::MAX);
        match time.duration_since(UNIX_EPOCH) {
            Ok(after) => Self(milliseconds(after)),
            Err(before) => Self(milliseconds(before.duration()).saturating_neg()),
        }
    }

    /// Milliseconds since the epoch.
    pub const fn as_milliseconds(self) -> i64 {
        self.0
    }

    /// Whole seconds since the epoch, rounded down.
    pub const fn as_seconds(self) -> i64 {
        self.0.div_euclid(1000)
    }

    /// The moment `duration` later.
    #[must_use]
    pub fn plus(self, duration: Duration) -> Self {
        Self(self.0.saturating_add(i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)))
    }

    /// The moment `duration` earlier.
    #[must_use]
    pub fn minus(self, duration: Duration) -> Self {
        Self(self.0.saturating_sub(i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)))
    }

    /// ISO 8601's basic form, `20150830T123600Z`, as in `X-Amz-Date`. The fraction is dropped.
    pub fn to_basic_format(self) -> String {
        calendar::write_basic(self.as_seconds())
    }

    /// ISO 8601's extended form with milliseconds, `2015-08-30T12:36:00.000Z`.
    pub fn to_extended_format(self) -> String {
        calendar::write_extended(self.0)
    }

    /// Reads ISO 8601's basic form.
    ///
    /// # Errors
    /// The text has another form, or no calendar has that day.
    pub fn parse_basic_format(text: &str) -> Result<Self, TimestampError> {
        let error = || TimestampError { text: text.to_owned() };
        calendar::read_basic(text).map(Self::from_seconds).ok_or_else(error)
    }

    /// Reads the date form of HTTP's `Date` header, `Sun, 30 Aug 2015 12:36:00 GMT` (RFC 9110
    /// 5.6.7, the preferred form only).
    ///
    /// # Errors
    /// The text has another form, or no calendar has that day.
    pub fn parse_http_date(text: &str) -> Result<Self, TimestampError> {
        let error = || TimestampError { text: text.to_owned() };
        calendar::read_http(text).map(Self::from_seconds).ok_or_else(error)
    }
}

impl From<SystemTime> for Timestamp {
    fn from(time: SystemTime) -> Self {
        Self::from_system_time(time)
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.to_extended_format())
    }
}

impl Serialize for Timestamp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if self.0 % 1000 == 0 {
            return serializer.serialize_i64(self.0 / 1000);
        }
        // A double holds every millisecond of the years that matter: 2^53 ms are 285 millennia.
        #[expect(clippy::cast_precision_loss, reason = "exact below 2^53 milliseconds")]
        serializer.serialize_f64(self.0 as f64 / 1000.0)
    }
}

impl<'de> Deserialize<'de> for Timestamp {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Seconds;

        impl de::Visitor<'_> for Seconds {
            type Value = Timestamp;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("a timestamp")
            }

            fn visit_i64<E: de::Error>(self, seconds: i64) -> Result<Timestamp, E> {
                Ok(Timestamp::from_seconds(seconds))
            }

            fn visit_u64<E: de::Error>(self, seconds: u64) -> Result<Timestamp, E> {
                Ok(Timestamp::from_seconds(i64::try_from(seconds).unwrap_or(i64::MAX)))
            }

            fn visit_f64<E: de::Error>(self, seconds: f64) -> Result<Timestamp, E> {
                // `as` saturates, so a number out of range becomes the furthest moment.
                #[expect(clippy::cast_possible_truncation, reason = "rounded and saturating")]
                Ok(Timestamp((seconds * 1000.0).round() as i64))
            }
        }

        deserializer.deserialize_any(Seconds)
    }
}

#[cfg(test)]
mod tests;
