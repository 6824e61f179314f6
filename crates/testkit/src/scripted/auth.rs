//! Whom a scripted upstream lets in, and the token endpoint.
//!
//! Docker registry v2 authentication: "Token Authentication Specification".

use std::{
    collections::HashMap,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use http::{HeaderMap, StatusCode, header, request::Parts};
use url::form_urlencoded;

/// Who may ask.
#[derive(Clone, Debug, Default)]
pub(super) enum Auth {
    #[default]
    Open,
    Basic {
        authorization: String,
    },
    Bearer {
        tokens: std::sync::Arc<Tokens>,
        realm: Realm,
    },
}

/// A token realm, as a challenge names it.
#[derive(Clone, Debug)]
pub struct Realm {
    /// The address.
    pub url: String,
    /// What it is asked for the sake of.
    pub service: String,
    /// The one scope there is; without it, to pull from the repository that is asked for.
    pub scope: Option<String>,
}

impl Realm {
    /// A realm for whatever is asked.
    pub fn at(url: &str) -> Self {
        Self { url: url.to_owned(), service: "scripted".to_owned(), scope: None }
    }
}

/// Issues tokens and knows those that are good. Two scripted upstreams may share one.
#[derive(Debug)]
pub struct Tokens {
    authorization: Option<String>,
    anonymous: bool,
    member: &'static str,
    expires_in: Option<u64>,
    issued: AtomicUsize,
    good: Mutex<HashMap<String, String>>,
}

impl Tokens {
    /// Issues tokens to anybody.
    pub fn anonymous() -> Self {
        Self {
            authorization: None,
            anonymous: true,
            member: "token",
            expires_in: Some(300),
            issued: AtomicUsize::new(0),
            good: Mutex::default(),
        }
    }

    /// Issues tokens to one user only.
    pub fn only(username: &str, password: &str) -> Self {
        let authorization = Some(basic(username, password));
        Self { authorization, anonymous: false, ..Self::anonymous() }
    }

    /// Names the token `access_token`, as OAuth 2 does.
    pub fn as_access_token(self) -> Self {
        Self { member: "access_token", ..self }
    }

    /// Announces a lifetime in seconds, or none.
    pub fn expires_in(self, seconds: Option<u64>) -> Self {
        Self { expires_in: seconds, ..self }
    }

    /// Makes every token issued so far worthless.
    pub fn revoke(&self) {
        self.good.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }

    /// Returns how many tokens were issued.
    pub fn issued(&self) -> usize {
        self.issued.load(Ordering::SeqCst)
    }

    pub(super) fn issue(&self, parts: &Parts) -> Result<String, StatusCode> {
        let sent = sent_authorization(&parts.headers);
        let is_welcome = match sent {
            None => self.anonymous,
            Some(_) => sent == self.authorization.as_deref(),
        };
        if !is_welcome {
            return Err(StatusCode::UNAUTHORIZED);
        }
        let query = parts.uri.query().unwrap_or_default();
        let scope = form_urlencoded::parse(query.as_bytes())
            .find(|(key, _)| key == "scope")
            .map(|(_, value)| value.into_owned())
            .unwrap_or_default();
        let number = self.issued.fetch_add(1, Ordering::SeqCst) + 1;
        let token = format!("token-{number}");
        self.good.lock().unwrap_or_else(PoisonError::into_inner).insert(token.clone(), scope);
        let lifetime = self
            .expires_in
            .map(|seconds| format!(r#","expires_in":{seconds}"#))
            .unwrap_or_default();
        Ok(format!(r#"{{"{}":"{token}"{lifetime}}}"#, self.member))
    }

    fn is_good(&self, token: &str, scope: &str) -> bool {
        let good = self.good.lock().unwrap_or_else(PoisonError::into_inner);
        good.get(token).is_some_and(|granted| scope.is_empty() || granted == scope)
    }
}

impl Auth {
    /// Lets a request in, or returns the challenge it is answered with.
    pub(super) fn admit(&self, parts: &Parts) -> Result<(), String> {
        let sent = sent_authorization(&parts.headers);
        match self {
            Self::Open => Ok(()),
            Self::Basic { authorization } if sent == Some(authorization) => Ok(()),
            Self::Basic { .. } => Err(r#"Basic realm="scripted""#.to_owned()),
            Self::Bearer { tokens, realm } => {
                let scope = || scope_of(parts.uri.path());
                let scope = realm.scope.clone().unwrap_or_else(scope);
                let Realm { url, service, .. } = realm;
                let token = sent.and_then(|sent| sent.strip_prefix("Bearer "));
                if token.is_some_and(|token| tokens.is_good(token, &scope)) {
                    return Ok(());
                }
                let error = if token.is_some() { r#",error="invalid_token""# } else { "" };
                let scope = if scope.is_empty() { scope } else { format!(r#",scope="{scope}""#) };
                Err(format!(r#"Bearer realm="{url}",service="{service}"{scope}{error}"#))
            }
        }
    }
}

pub(super) fn basic(username: &str, password: &str) -> String {
    format!("Basic {}", STANDARD.encode(format!("{username}:{password}")))
}

fn sent_authorization(headers: &HeaderMap) -> Option<&str> {
    headers.get(header::AUTHORIZATION)?.to_str().ok()
}

/// The scope a path needs: nothing for the base.
fn scope_of(path: &str) -> String {
    let name = path
        .strip_prefix("/v2/")
        .and_then(|rest| rest.rsplit_once("/manifests/").or_else(|| rest.rsplit_once("/blobs/")));
    name.map(|(name, _)| format!("repository:{name}:pull")).unwrap_or_default()
}
