//! Login tokens: the password that `GetAuthorizationToken` gives to `docker login`.
//!
//! Stateless and sealed (DESIGN 2): they are good at every replica that has the keyring and after
//! a restart, and die with their access key. Text of the URL-safe base64 alphabet, below 2 KiB.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use metadata::{AccountId, Region, Timestamp};
use registry::{Keyring, Principal};
use serde::{Deserialize, Serialize};

use super::{Refusal, session::RoleContent};

/// How long a token is good, in milliseconds: 12 hours, as ECR's.
pub(super) const LIFE_MS: i64 = 12 * 60 * 60 * 1000;

/// What a seal of a login token is bound to.
pub(super) const CONTEXT: &str = "login-token";

/// A longer text is no token, and is not worth opening.
const LENGTH_MAX: usize = 2048;

/// Who may use a token, where, and until when.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Token {
    /// Who: a root user, or a session of a role.
    pub(crate) principal: Principal,
    /// The region it was asked in: the registry of hosts that name none.
    pub(crate) region: Region,
    /// When it ends.
    pub(crate) expires_at: Timestamp,
}

#[derive(Serialize, Deserialize)]
struct Content<'a> {
    account: &'a str,
    key: &'a str,
    region: &'a str,
    expires: i64,
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    role: Option<RoleContent<'a>>,
}

impl Token {
    /// Writes the token for one use; `None` for nobody in particular.
    pub(super) fn seal(&self, keyring: &Keyring, context: &str) -> Option<String> {
        let (account, key, role) = match &self.principal {
            Principal::Root { account, access_key_id } => (account, access_key_id, None),
            Principal::AssumedRole(role) => {
                (&role.account, &role.access_key_id, Some(RoleContent::of(role)))
            }
            Principal::Anonymous => return None,
        };
        let content = Content {
            account: account.as_str(),
            key,
            region: self.region.as_str(),
            expires: self.expires_at.0,
            role,
        };
        let plain = serde_json::to_vec(&content).expect("strings and numbers");
        Some(URL_SAFE_NO_PAD.encode(keyring.seal(context, &plain)))
    }

    /// Reads a token that [`Token::seal`] wrote for the same use.
    pub(super) fn open(keyring: &Keyring, context: &str, text: &str) -> Result<Self, Refusal> {
        let invalid = || Refusal::TokenInvalid;
        if text.len() > LENGTH_MAX {
            return Err(invalid());
        }
        let sealed = URL_SAFE_NO_PAD.decode(text).map_err(|_| invalid())?;
        let plain = keyring.open(context, &sealed).map_err(|_| invalid())?;
        let content: Content<'_> = serde_json::from_slice(&plain).map_err(|_| invalid())?;
        let account = AccountId::parse(content.account).map_err(|_| invalid())?;
        let principal = match &content.role {
            None => Principal::Root { account, access_key_id: content.key.to_owned() },
            Some(role) => Principal::AssumedRole(role.read(account, content.key)),
        };
        Ok(Self {
            principal,
            region: Region::parse(content.region).map_err(|_| invalid())?,
            expires_at: Timestamp(content.expires),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_opens_with_its_keyring_only() {
        let keyring = Keyring::generate();
        let account = AccountId::parse("111122223333").unwrap();
        let token = Token {
            principal: Principal::Root { account, access_key_id: "A".repeat(128) },
            region: Region::parse("eu-west-1").unwrap(),
            expires_at: Timestamp(1_700_000_000_000),
        };
        let text = token.seal(&keyring, CONTEXT).unwrap();
        assert!(text.len() < LENGTH_MAX);
        let is_allowed = |b: u8| b.is_ascii_alphanumeric() || b"_.=-".contains(&b);
        assert!(text.bytes().all(is_allowed), "{text}");
        let restarted = Keyring::parse(&keyring.to_text()).unwrap();
        assert_eq!(Token::open(&restarted, CONTEXT, &text), Ok(token));
        for other in ["", "x", &text[1..], &text.to_lowercase(), &"A".repeat(3000)] {
            assert_eq!(
                Token::open(&keyring, CONTEXT, other),
                Err(Refusal::TokenInvalid),
                "{other}"
            );
        }
        assert_eq!(Token::open(&Keyring::generate(), CONTEXT, &text), Err(Refusal::TokenInvalid));
    }
}
