//! Content digests: `algorithm:hex`, and the incremental hash that proves them.
//!
//! OCI image-spec, "Descriptors", "Digests". Only the registered algorithms are known.

use std::{fmt, str::FromStr};

use sha2::{Digest as _, Sha256, Sha512};

/// A registered digest algorithm (OCI image-spec, "Registered Algorithms").
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Algorithm {
    /// SHA-256, 64 hexadecimal characters.
    Sha256,
    /// SHA-512, 128 hexadecimal characters.
    Sha512,
}

impl Algorithm {
    /// Returns the name as written before the colon.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Sha256 => "sha256",
            Self::Sha512 => "sha512",
        }
    }

    fn hex_len(self) -> usize {
        match self {
            Self::Sha256 => 64,
            Self::Sha512 => 128,
        }
    }
}

/// A content digest, kept as its canonical text (`sha256:` and lower-case hexadecimal).
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Digest {
    algorithm: Algorithm,
    text: Box<str>,
}

/// Why a text is not a digest.
#[derive(Debug, thiserror::Error, PartialEq, Eq, Clone)]
pub enum DigestError {
    /// No colon, or nothing around it.
    #[error("a digest is written algorithm:hex")]
    Format,
    /// A digest by the grammar, of an algorithm that is not registered.
    #[error("unknown digest algorithm '{0}', expected sha256 or sha512")]
    Algorithm(String),
    /// Wrong number of characters, or a character outside 0-9a-f.
    #[error("a {algorithm} digest has {expected} lower-case hexadecimal characters")]
    Hex {
        /// The algorithm named before the colon.
        algorithm: &'static str,
        /// How many characters belong after it.
        expected: usize,
    },
}

impl Digest {
    /// Parses `algorithm:hex`.
    ///
    /// # Errors
    /// A [`DigestError`] that says which part is wrong.
    pub fn parse(text: &str) -> Result<Self, DigestError> {
        let (name, hex) = text.split_once(':').ok_or(DigestError::Format)?;
        let algorithm = match name {
            "sha256" => Algorithm::Sha256,
            "sha512" => Algorithm::Sha512,
            other if is_algorithm(other) && is_encoded(hex) => {
                return Err(DigestError::Algorithm(other.to_owned()));
            }
            _ => return Err(DigestError::Format),
        };
        let well_formed = hex.len() == algorithm.hex_len()
            && hex.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
        if !well_formed {
            return Err(DigestError::Hex {
                algorithm: algorithm.as_str(),
                expected: algorithm.hex_len(),
            });
        }
        Ok(Self { algorithm, text: text.into() })
    }

    /// Computes the SHA-256 digest of `bytes`.
    pub fn of(bytes: &[u8]) -> Self {
        Self::of_with(Algorithm::Sha256, bytes)
    }

    /// Computes the digest of `bytes` with `algorithm`.
    pub fn of_with(algorithm: Algorithm, bytes: &[u8]) -> Self {
        let mut hasher = Hasher::new(algorithm);
        hasher.update(bytes);
        hasher.finish()
    }

    /// Returns the algorithm.
    pub fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    /// Returns the hexadecimal part.
    pub fn hex(&self) -> &str {
        &self.text[self.algorithm.as_str().len() + 1..]
    }

    /// Returns the whole text, `algorithm:hex`.
    pub fn as_str(&self) -> &str {
        &self.text
    }
}

/// Tells whether `text` is an algorithm by the grammar: components of lower-case letters and digits,
/// with one of `+._-` between two.
fn is_algorithm(text: &str) -> bool {
    let is_component = |part: &str| {
        !part.is_empty() && part.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit())
    };
    text.split(['+', '.', '_', '-']).all(is_component)
}

/// Tells whether `text` is what may stand after the colon by the grammar.
fn is_encoded(text: &str) -> bool {
    let is_word = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'=' | b'_' | b'-');
    !text.is_empty() && text.bytes().all(is_word)
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl FromStr for Digest {
    type Err = DigestError;

    fn from_str(text: &str) -> Result<Self, DigestError> {
        Self::parse(text)
    }
}

/// An incremental hash over bytes as they flow.
#[derive(Clone)]
pub struct Hasher(State);

#[derive(Clone)]
enum State {
    Sha256(Sha256),
    Sha512(Sha512),
}

impl Hasher {
    /// Starts a hash with `algorithm`.
    pub fn new(algorithm: Algorithm) -> Self {
        Self(match algorithm {
            Algorithm::Sha256 => State::Sha256(Sha256::new()),
            Algorithm::Sha512 => State::Sha512(Sha512::new()),
        })
    }

    /// Returns the algorithm.
    pub fn algorithm(&self) -> Algorithm {
        match &self.0 {
            State::Sha256(_) => Algorithm::Sha256,
            State::Sha512(_) => Algorithm::Sha512,
        }
    }

    /// Adds `bytes`.
    pub fn update(&mut self, bytes: &[u8]) {
        match &mut self.0 {
            State::Sha256(state) => state.update(bytes),
            State::Sha512(state) => state.update(bytes),
        }
    }

    /// Ends the hash.
    pub fn finish(self) -> Digest {
        let (algorithm, hex) = match self.0 {
            State::Sha256(state) => (Algorithm::Sha256, hex::encode(state.finalize())),
            State::Sha512(state) => (Algorithm::Sha512, hex::encode(state.finalize())),
        };
        Digest { algorithm, text: format!("{}:{hex}", algorithm.as_str()).into() }
    }
}

impl fmt::Debug for Hasher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Hasher")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const EMPTY: &str = "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

    #[test]
    fn known_digests() {
        assert_eq!(Digest::of(b"").as_str(), EMPTY);
        let abc = Digest::of_with(Algorithm::Sha512, b"abc");
        assert!(abc.as_str().starts_with("sha512:ddaf35a193617abacc417349ae204131"));
        assert_eq!(Digest::parse(EMPTY).unwrap().hex().len(), 64);
    }

    #[test]
    fn malformed_digests_say_what_is_wrong() {
        for (text, expected) in [
            ("", DigestError::Format),
            ("sha256", DigestError::Format),
            (":abc", DigestError::Format),
            ("md5:00", DigestError::Algorithm("md5".into())),
            ("multihash+base58:Qm_R=-z", DigestError::Algorithm("multihash+base58".into())),
            ("md5:", DigestError::Format),
            ("md5:0/0", DigestError::Format),
            ("MD5:00", DigestError::Format),
            ("a++b:00", DigestError::Format),
            ("sha256:00", DigestError::Hex { algorithm: "sha256", expected: 64 }),
        ] {
            assert_eq!(Digest::parse(text), Err(expected), "{text}");
        }
        let upper = EMPTY.to_uppercase().replace("SHA", "sha");
        assert!(Digest::parse(&upper).is_err());
    }
}
