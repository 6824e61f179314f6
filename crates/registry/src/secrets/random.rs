//! What is drawn at random: suffixes and version ids.

use rand::Rng as _;

/// Letters and digits, as Secrets Manager ends its ARNs.
pub(super) fn letters_and_digits(chars: usize) -> String {
    rand::rng().sample_iter(rand::distr::Alphanumeric).take(chars).map(char::from).collect()
}

/// A random UUID (RFC 9562, version 4), as Secrets Manager names versions.
pub(super) fn uuid() -> String {
    let bits: u128 = rand::rng().random();
    let bits = bits & !(0xf << 76) & !(0x3 << 62) | (0x4 << 76) | (0x2 << 62);
    let hex = format!("{bits:032x}");
    format!("{}-{}-{}-{}-{}", &hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..])
}
