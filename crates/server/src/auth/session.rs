//! The credentials of sessions of roles: the session token that goes with a temporary access key.
//!
//! Stateless and sealed, as login tokens are: it says who the session is and carries the secret of
//! its access key, so that any replica with the keyring can verify a signature. It ends with its
//! time, with its role, and with the access key of the root user that began it.

use aws::sigv4::Presented;
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use http::{HeaderMap, header::AUTHORIZATION};
use metadata::{AccountId, Timestamp};
use registry::{AssumedRole, Keyring, NewSession, Permissions};
use secrecy::{ExposeSecret as _, SecretString};
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use super::Authenticator;

/// What the seal of a session token is bound to.
const CONTEXT: &str = "session-token";
/// A longer text is no token of ours, and is not worth opening: names and paths have limits.
const LENGTH_MAX: usize = 4096;

/// A session of a role, as what is sealed holds it.
#[derive(Serialize, Deserialize)]
pub(super) struct RoleContent<'a> {
    arn: &'a str,
    id: &'a str,
    session: &'a str,
    parent: &'a str,
    until: i64,
}

#[derive(Serialize, Deserialize)]
struct Content<'a> {
    account: &'a str,
    key: &'a str,
    secret: &'a str,
    #[serde(borrow)]
    role: RoleContent<'a>,
}

/// An opened session token.
pub(super) struct Session {
    pub(super) role: AssumedRole,
    pub(super) secret: SecretString,
}

impl<'a> RoleContent<'a> {
    pub(super) fn of(role: &'a AssumedRole) -> Self {
        Self {
            arn: &role.role_arn,
            id: &role.role_id,
            session: &role.session_name,
            parent: &role.parent_access_key_id,
            until: role.expires_at.0,
        }
    }

    /// Reads the session; what its role may do is not in it.
    pub(super) fn read(&self, account: AccountId, access_key_id: &str) -> AssumedRole {
        AssumedRole {
            account,
            role_arn: self.arn.to_owned(),
            role_id: self.id.to_owned(),
            session_name: self.session.to_owned(),
            access_key_id: access_key_id.to_owned(),
            parent_access_key_id: self.parent.to_owned(),
            expires_at: Timestamp(self.until),
            permissions: Permissions::default(),
        }
    }
}

impl Authenticator {
    /// Writes the session token of a session.
    pub(crate) fn session_token(&self, session: &NewSession) -> String {
        let role = &session.principal;
        let content = Content {
            account: role.account.as_str(),
            key: &role.access_key_id,
            secret: session.secret_access_key.expose_secret(),
            role: RoleContent::of(role),
        };
        let plain = Zeroizing::new(serde_json::to_vec(&content).expect("strings and numbers"));
        URL_SAFE_NO_PAD.encode(self.keyring.seal(CONTEXT, &plain))
    }

    /// Opens the session token of a temporary access key, whether its time is over or not. `None`
    /// where it was not made here, for another access key, or by one that is gone.
    pub(super) fn session(&self, access_key_id: &str, token: &str) -> Option<Session> {
        let session = open(&self.keyring, token)?;
        let is_its_own = session.role.access_key_id == access_key_id;
        let has_parent = self.keys.contains_key(&session.role.parent_access_key_id);
        (is_its_own && has_parent).then_some(session)
    }

    /// Tells whether an Authorization header names an access key that is known. Proves nothing.
    pub(crate) fn names_key(&self, headers: &HeaderMap) -> bool {
        let text = |name| headers.get(name).and_then(|value| value.to_str().ok());
        let named = text(AUTHORIZATION.as_str()).and_then(|text| text.split_once("Credential="));
        let Some(key) = named.and_then(|(_, rest)| rest.split('/').next()) else { return false };
        match text("x-amz-security-token") {
            None => self.keys.contains_key(key),
            Some(token) => self.session(key, token).is_some(),
        }
    }

    /// Opens the session token that a signature presents.
    pub(super) fn presented_session(&self, presented: &Presented) -> Option<Session> {
        self.session(presented.access_key_id(), presented.session_token()?)
    }
}

fn open(keyring: &Keyring, text: &str) -> Option<Session> {
    if text.len() > LENGTH_MAX {
        return None;
    }
    let sealed = URL_SAFE_NO_PAD.decode(text).ok()?;
    let plain = Zeroizing::new(keyring.open(CONTEXT, &sealed).ok()?);
    let content: Content<'_> = serde_json::from_slice(&plain).ok()?;
    let account = AccountId::parse(content.account).ok()?;
    let role = content.role.read(account, content.key);
    Some(Session { role, secret: content.secret.into() })
}
