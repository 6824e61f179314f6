//! One keyring for everything that is sealed: login tokens, secrets, keys of access keys.
//!
//! A seal is XChaCha20-Poly1305 under the primary key, bound to its context (an ARN, a key id, a
//! use), and names the key that made it, so that keys can be rotated: the first key seals, every
//! key opens.

use std::fmt;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use chacha20poly1305::{
    KeyInit as _, XChaCha20Poly1305, XNonce,
    aead::{Aead as _, Payload},
};
use hmac::Mac as _;
use rand::Rng as _;
use zeroize::Zeroizing;

const FORMAT: u8 = 1;
const ID_BYTES: usize = 4;
const NONCE_BYTES: usize = 24;

/// The keys, primary first.
pub struct Keyring(Vec<Key>);

struct Key {
    id: [u8; ID_BYTES],
    bytes: Zeroizing<[u8; 32]>,
}

/// Why a keyring cannot be read, or a seal not opened.
#[derive(Debug, thiserror::Error, PartialEq, Eq, Clone, Copy)]
pub enum KeyringError {
    /// The text is no keyring.
    #[error(
        "a keyring has one key per line, written <8 hexadecimal digits>:<44 base64 characters>"
    )]
    Malformed,
    /// No key at all.
    #[error("the keyring has no key")]
    Empty,
    /// The seal is damaged, was made for another context, or by a key that is not here.
    #[error("the seal cannot be opened with this keyring")]
    Sealed,
}

impl Keyring {
    /// Makes a keyring of one fresh key.
    pub fn generate() -> Self {
        let mut random = rand::rng();
        let mut bytes = Zeroizing::new([0; 32]);
        random.fill(bytes.as_mut_slice());
        Self(vec![Key { id: random.random(), bytes }])
    }

    /// Reads a keyring: one `id:base64` per line, the primary key first; blank lines and lines
    /// that start with `#` are skipped.
    ///
    /// # Errors
    /// [`KeyringError::Malformed`], [`KeyringError::Empty`].
    pub fn parse(text: &str) -> Result<Self, KeyringError> {
        let lines = text.lines().map(str::trim).filter(|l| !l.is_empty() && !l.starts_with('#'));
        let keys = lines.map(Key::parse).collect::<Result<Vec<_>, _>>()?;
        if keys.is_empty() { Err(KeyringError::Empty) } else { Ok(Self(keys)) }
    }

    /// Writes the keyring as [`Keyring::parse`] reads it.
    pub fn to_text(&self) -> Zeroizing<String> {
        let mut text = Zeroizing::new(String::new());
        for key in &self.0 {
            for byte in key.id {
                text.push_str(&format!("{byte:02x}"));
            }
            text.push(':');
            STANDARD.encode_string(key.bytes.as_slice(), &mut text);
            text.push('\n');
        }
        text
    }

    /// Seals `plain` for `context`.
    pub fn seal(&self, context: &str, plain: &[u8]) -> Vec<u8> {
        let key = &self.0[0];
        let mut nonce = [0; NONCE_BYTES];
        rand::rng().fill(&mut nonce);
        let ciphertext = key
            .cipher()
            .encrypt(&XNonce::from(nonce), Payload { msg: plain, aad: context.as_bytes() })
            .expect("sealing in memory only fails beyond 256 GiB");
        [&[FORMAT][..], &key.id, &nonce, &ciphertext].concat()
    }

    /// Opens what [`Keyring::seal`] made for the same context.
    ///
    /// # Errors
    /// [`KeyringError::Sealed`].
    pub fn open(&self, context: &str, sealed: &[u8]) -> Result<Vec<u8>, KeyringError> {
        let rest = sealed.strip_prefix(&[FORMAT]).ok_or(KeyringError::Sealed)?;
        let (id, rest) = rest.split_first_chunk::<ID_BYTES>().ok_or(KeyringError::Sealed)?;
        let (nonce, ciphertext) =
            rest.split_first_chunk::<NONCE_BYTES>().ok_or(KeyringError::Sealed)?;
        let key = self.0.iter().find(|key| key.id == *id).ok_or(KeyringError::Sealed)?;
        key.cipher()
            .decrypt(&XNonce::from(*nonce), Payload { msg: ciphertext, aad: context.as_bytes() })
            .map_err(|_| KeyringError::Sealed)
    }

    /// Returns a fingerprint of `parts` that says nothing about them without the keyring: equal
    /// parts give equal fingerprints on every replica.
    pub(crate) fn fingerprint(&self, parts: &[&[u8]]) -> String {
        let mut mac = hmac::Hmac::<sha2::Sha256>::new_from_slice(self.0[0].bytes.as_slice())
            .expect("HMAC takes a key of any length");
        for part in parts {
            mac.update(&(part.len() as u64).to_be_bytes());
            mac.update(part);
        }
        let tag = mac.finalize().into_bytes();
        tag[..16].iter().map(|byte| format!("{byte:02x}")).collect()
    }
}

impl Key {
    fn parse(line: &str) -> Result<Self, KeyringError> {
        let (id, key) = line.split_once(':').ok_or(KeyringError::Malformed)?;
        let id = u32::from_str_radix(id, 16).ok().filter(|_| id.len() == 8);
        let id = id.ok_or(KeyringError::Malformed)?.to_be_bytes();
        let decoded = Zeroizing::new(STANDARD.decode(key).map_err(|_| KeyringError::Malformed)?);
        let bytes =
            <[u8; 32]>::try_from(decoded.as_slice()).map_err(|_| KeyringError::Malformed)?;
        Ok(Self { id, bytes: Zeroizing::new(bytes) })
    }

    fn cipher(&self) -> XChaCha20Poly1305 {
        XChaCha20Poly1305::new((&*self.bytes).into())
    }
}

impl fmt::Debug for Keyring {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Keyring of {}", self.0.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seal_opens_in_its_context_only() {
        let keyring = Keyring::generate();
        let sealed = keyring.seal("arn:x", b"value");
        assert_eq!(keyring.open("arn:x", &sealed).as_deref(), Ok(&b"value"[..]));
        assert_eq!(keyring.open("arn:y", &sealed), Err(KeyringError::Sealed));
        assert_eq!(Keyring::generate().open("arn:x", &sealed), Err(KeyringError::Sealed));
        for at in 0..sealed.len() {
            let mut broken = sealed.clone();
            broken[at] ^= 1;
            assert_eq!(keyring.open("arn:x", &broken), Err(KeyringError::Sealed), "byte {at}");
        }
    }

    #[test]
    fn a_rotated_keyring_opens_old_seals() {
        let old = Keyring::generate();
        let sealed = old.seal("c", b"v");
        let text = format!("{}{}", *Keyring::generate().to_text(), *old.to_text());
        let rotated = Keyring::parse(&text).unwrap();
        assert_eq!(rotated.open("c", &sealed).as_deref(), Ok(&b"v"[..]));
        assert_eq!(old.open("c", &rotated.seal("c", b"v")), Err(KeyringError::Sealed));
    }

    #[test]
    fn what_is_no_keyring_is_refused() {
        assert_eq!(Keyring::parse("# none\n").unwrap_err(), KeyringError::Empty);
        for text in ["x", "0:AA", "00000000:AA==", "0000000g:AAAA"] {
            assert_eq!(Keyring::parse(text).unwrap_err(), KeyringError::Malformed, "{text}");
        }
    }
}
