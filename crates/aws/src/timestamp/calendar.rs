//! The proleptic Gregorian calendar in UTC, as far as signatures need it.

const MONTHS: [&str; 12] =
    ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
const WEEKDAYS: [&str; 7] = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"];
const DAY_SECONDS: i64 = 86_400;

/// `20150830T123600Z`.
pub(super) fn write_basic(seconds: i64) -> String {
    let (year, month, day) = date(seconds.div_euclid(DAY_SECONDS));
    let (hour, minute, second) = clock(seconds);
    format!("{year:04}{month:02}{day:02}T{hour:02}{minute:02}{second:02}Z")
}

/// `2015-08-30T12:36:00.000Z`.
pub(super) fn write_extended(milliseconds: i64) -> String {
    let seconds = milliseconds.div_euclid(1000);
    let (year, month, day) = date(seconds.div_euclid(DAY_SECONDS));
    let (hour, minute, second) = clock(seconds);
    let fraction = milliseconds.rem_euclid(1000);
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{fraction:03}Z")
}

/// Seconds since the epoch of `20150830T123600Z`.
pub(super) fn read_basic(text: &str) -> Option<i64> {
    if text.len() != 16 || text.as_bytes()[8] != b'T' || text.as_bytes()[15] != b'Z' {
        return None;
    }
    let part = |range| text.get(range).and_then(digits);
    let days = days(part(0..4)?, part(4..6)?, part(6..8)?)?;
    join(days, part(9..11)?, part(11..13)?, part(13..15)?)
}

/// Seconds since the epoch of `Sun, 30 Aug 2015 12:36:00 GMT`.
pub(super) fn read_http(text: &str) -> Option<i64> {
    let (weekday, rest) = text.split_once(", ")?;
    let rest = rest.strip_suffix(" GMT")?;
    if rest.len() != 20 || !rest.is_ascii() {
        return None;
    }
    let month = MONTHS.iter().position(|name| *name == &rest[3..6])?;
    let spaced = [2, 6, 11].iter().all(|at| rest.as_bytes()[*at] == b' ');
    let colons = [14, 17].iter().all(|at| rest.as_bytes()[*at] == b':');
    let days = days(digits(&rest[7..11])?, i64::try_from(month).ok()? + 1, digits(&rest[0..2])?)?;
    let named = WEEKDAYS[usize::try_from(days.rem_euclid(7)).ok()?];
    if !spaced || !colons || weekday != named {
        return None;
    }
    join(days, digits(&rest[12..14])?, digits(&rest[15..17])?, digits(&rest[18..20])?)
}

fn digits(text: &str) -> Option<i64> {
    if text.bytes().all(|byte| byte.is_ascii_digit()) { text.parse().ok() } else { None }
}

fn join(days: i64, hour: i64, minute: i64, second: i64) -> Option<i64> {
    let valid = hour < 24 && minute < 60 && second < 60;
    valid.then_some(days * DAY_SECONDS + hour * 3600 + minute * 60 + second)
}

fn clock(seconds: i64) -> (i64, i64, i64) {
    let of_day = seconds.rem_euclid(DAY_SECONDS);
    (of_day / 3600, of_day / 60 % 60, of_day % 60)
}

/// Days from the epoch to a date, none for a date no calendar has.
///
/// The year is counted from March, so that the leap day is its last; 400 such years have
/// 146,097 days and the epoch lies 719,468 days after 0000-03-01.
fn days(year: i64, month: i64, day: i64) -> Option<i64> {
    if !(1..=12).contains(&month) || day < 1 {
        return None;
    }
    let shifted = if month <= 2 { year - 1 } else { year };
    let (era, of_era) = (shifted.div_euclid(400), shifted.rem_euclid(400));
    let of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    let days = era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468;
    (date(days) == (year, month, day)).then_some(days)
}

/// The date that lies `days` after the epoch: the inverse of [`days`].
fn date(days: i64) -> (i64, i64, i64) {
    let since = days + 719_468;
    let (era, of_era) = (since.div_euclid(146_097), since.rem_euclid(146_097));
    let years = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * years + years / 4 - years / 100);
    let from_march = (5 * of_year + 2) / 153;
    let day = of_year - (153 * from_march + 2) / 5 + 1;
    let month = if from_march < 10 { from_march + 3 } else { from_march - 9 };
    let year = years + era * 400 + i64::from(month <= 2);
    (year, month, day)
}
