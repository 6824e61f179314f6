//! What is drawn at random: suffixes, ids, passwords. The generator is the thread's own, which is
//! good enough for secrets.

use rand::{Rng as _, seq::IndexedRandom as _, seq::SliceRandom as _};
use zeroize::Zeroizing;

/// Letters and digits, as Secrets Manager ends its ARNs.
pub(crate) fn letters_and_digits(chars: usize) -> String {
    rand::rng().sample_iter(rand::distr::Alphanumeric).take(chars).map(char::from).collect()
}

/// Capitals and the digits 2 to 7, as IAM makes its ids.
pub(crate) fn capitals_and_digits(chars: usize) -> String {
    const ALPHABET: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
    let mut rng = rand::rng();
    (0..chars).map(|_| char::from(ALPHABET[rng.random_range(0..ALPHABET.len())])).collect()
}

/// A text of `length` characters, one of each of `required` and the rest from `pool`, in any
/// order. None where there is nothing to draw from, or no room for what is required.
pub(crate) fn password(
    length: usize,
    required: &[Vec<char>],
    pool: &[char],
) -> Option<Zeroizing<String>> {
    let mut rng = rand::rng();
    let rest = length.checked_sub(required.len())?;
    let mut drawn = Zeroizing::new(Vec::with_capacity(length));
    for alphabet in required {
        drawn.push(*alphabet.choose(&mut rng)?);
    }
    for _ in 0..rest {
        drawn.push(*pool.choose(&mut rng)?);
    }
    drawn.shuffle(&mut rng);
    // Room for all of it at once: a text that grows leaves copies behind.
    let mut password = Zeroizing::new(String::with_capacity(length * 4));
    password.extend(drawn.iter());
    Some(password)
}

/// A number below `limit`, which is not zero.
pub(crate) fn below(limit: u64) -> u64 {
    rand::rng().random_range(0..limit)
}

/// A random UUID (RFC 9562, version 4), as Secrets Manager names versions.
pub(crate) fn uuid() -> String {
    let bits: u128 = rand::rng().random();
    let bits = bits & !(0xf << 76) & !(0x3 << 62) | (0x4 << 76) | (0x2 << 62);
    let hex = format!("{bits:032x}");
    format!("{}-{}-{}-{}-{}", &hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..])
}
