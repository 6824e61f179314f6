//! The credential scope, and the key that is derived for it.

use std::fmt;

use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest, Sha256};

use super::ALGORITHM;

/// What a signing key is good for: one service of one region on one day.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scope {
    /// The day, `20150830`.
    pub date: String,
    /// The region, `us-east-1`.
    pub region: String,
    /// The service's signing name, `ecr`.
    pub service: String,
}

impl fmt::Display for Scope {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}/{}/{}/aws4_request", self.date, self.region, self.service)
    }
}

impl Scope {
    /// The signature, in lower-case hexadecimal, that `secret` gives a canonical request signed at
    /// `time` (ISO 8601 basic).
    pub(super) fn signature(&self, secret: &str, time: &str, canonical_request: &[u8]) -> String {
        let digest = sha256_hex(canonical_request);
        let string_to_sign = format!("{ALGORITHM}\n{time}\n{self}\n{digest}");
        hex::encode(hmac(&self.signing_key(secret), string_to_sign.as_bytes()))
    }

    fn signing_key(&self, secret: &str) -> [u8; 32] {
        let key = hmac(format!("AWS4{secret}").as_bytes(), self.date.as_bytes());
        let key = hmac(&key, self.region.as_bytes());
        let key = hmac(&key, self.service.as_bytes());
        hmac(&key, b"aws4_request")
    }
}

fn hmac(key: &[u8], message: &[u8]) -> [u8; 32] {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("HMAC takes keys of every length");
    mac.update(message);
    mac.finalize().into_bytes().into()
}

/// SHA-256 in lower-case hexadecimal.
pub(super) fn sha256_hex(bytes: &[u8]) -> String {
    hex::encode(Sha256::digest(bytes))
}
