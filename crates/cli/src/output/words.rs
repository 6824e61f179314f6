//! Values as people read them.

use aws::{Arn, Timestamp};

/// A moment to the minute; the column says that it is UTC.
pub(crate) fn moment(moment: Option<Timestamp>) -> String {
    let Some(moment) = moment else { return String::new() };
    let text = moment.to_extended_format();
    text.get(..16).map_or(text.clone(), |minute| minute.replace('T', " "))
}

/// A text, or nothing.
pub(crate) fn optional(text: Option<&str>) -> String {
    text.unwrap_or_default().to_owned()
}

/// Texts in one cell.
pub(crate) fn joined(texts: Option<&Vec<String>>) -> String {
    texts.map(|texts| texts.join(", ")).unwrap_or_default()
}

/// A size in the unit that fits, of powers of ten as ECR's console has it.
pub(crate) fn size(bytes: Option<i64>) -> String {
    const UNITS: [&str; 5] = ["B", "kB", "MB", "GB", "TB"];
    let Some(bytes) = bytes else { return String::new() };
    #[expect(clippy::cast_precision_loss, reason = "for eyes")]
    let mut size = bytes as f64;
    let mut unit = 0;
    while size >= 999.5 && unit + 1 < UNITS.len() {
        size /= 1000.0;
        unit += 1;
    }
    let digits = usize::from(unit > 0 && size < 99.95);
    format!("{size:.digits$} {}", UNITS[unit])
}

/// Seconds in the largest unit that they are a whole number of.
pub(crate) fn duration(seconds: i64) -> String {
    const UNITS: [(i64, &str); 3] = [(86_400, "d"), (3_600, "h"), (60, "m")];
    let unit = UNITS.iter().find(|(length, _)| seconds != 0 && seconds % length == 0);
    unit.map_or_else(
        || format!("{seconds}s"),
        |(length, name)| format!("{}{name}", seconds / length),
    )
}

/// A digest's first twelve digits, as docker shows them.
pub(crate) fn short_digest(digest: &str) -> String {
    match digest.split_once(':') {
        Some((algorithm, hex)) => format!("{algorithm}:{}", hex.get(..12).unwrap_or(hex)),
        None => digest.to_owned(),
    }
}

/// The name of the secret that an ARN is of, without the six characters that Secrets Manager
/// appends.
pub(crate) fn secret_name(arn: &str) -> String {
    let Ok(parsed) = arn.parse::<Arn>() else { return arn.to_owned() };
    let Some(name) = parsed.secret_name() else { return arn.to_owned() };
    match name.rsplit_once('-') {
        Some((bare, suffix))
            if suffix.len() == 6 && suffix.bytes().all(|b| b.is_ascii_alphanumeric()) =>
        {
            bare.to_owned()
        }
        _ => name.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes() {
        let sizes = [0, 999, 1000, 99_949, 999_499, 999_500, 3_421_120, 1 << 40];
        let words = sizes.map(|bytes| size(Some(bytes)));
        let expected =
            ["0 B", "999 B", "1.0 kB", "99.9 kB", "999 kB", "1.0 MB", "3.4 MB", "1.1 TB"];
        assert_eq!(words, expected);
    }

    #[test]
    fn names_of_secrets() {
        let arn = "arn:aws:secretsmanager:us-east-1:000000000000:secret:ecr-pullthroughcache/hub";
        assert_eq!(secret_name(&format!("{arn}-Ab12Cd")), "ecr-pullthroughcache/hub");
        assert_eq!(secret_name(arn), "ecr-pullthroughcache/hub");
        assert_eq!(secret_name("nonsense"), "nonsense");
    }

    #[test]
    fn moments_and_digests() {
        assert_eq!(moment(Some(Timestamp::from_seconds(1_440_938_160))), "2015-08-30 12:36");
        assert_eq!(short_digest("sha256:0123456789abcdef"), "sha256:0123456789ab");
        assert_eq!(short_digest("odd"), "odd");
    }
}
