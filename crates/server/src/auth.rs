//! Who asks: login tokens and access keys on `/v2/`, signatures on `POST /`.
//!
//! A token names a principal, the Host names the registry, and the registry's policy decides:
//! nothing is allowed or denied here. What a header proved once is remembered by its hash, so
//! that a warm request costs one look-up; nothing that could be used again is kept.

mod basic;
mod session;
mod sigv4;
mod ticket;
mod token;

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
};

use http::{HeaderValue, header::AUTHORIZATION, request::Parts};
use metadata::{AccountId, RegistryId, Timestamp};
use quick_cache::sync::Cache;
use registry::{Caller, Keyring, Principal};
use secrecy::{ExposeSecret as _, SecretString};
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;

pub(crate) use token::Token;

use crate::doors::{DoorSettings, registry_of};

/// How many proven headers are remembered.
const REMEMBERED_MAX: usize = 10_000;

/// Who asks which registry, proven.
#[derive(Debug)]
pub(crate) struct Login {
    /// The registry and the principal.
    pub(crate) caller: Caller,
    /// When the proof ends; `None` for an access key.
    expires_at: Option<Timestamp>,
}

/// Why a request to the data plane is not let in.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Refusal {
    /// It carries no credentials.
    #[error("no credentials")]
    Missing,
    /// It carries something else than Basic credentials.
    #[error("the authorization header does not hold Basic credentials")]
    NotBasic,
    /// The user is neither `AWS` nor an access key.
    #[error("the user is neither AWS nor a known access key id")]
    UnknownUser,
    /// An access key where only tokens are taken.
    #[error("access keys are not accepted as passwords under --strict-ecr")]
    TokenRequired,
    /// The secret is not that of the access key.
    #[error("wrong secret for access key {access_key_id}")]
    WrongSecret {
        /// The access key.
        access_key_id: String,
    },
    /// The token was not made here, or is damaged.
    #[error("the login token cannot be opened")]
    TokenInvalid,
    /// The token's time is over.
    #[error("the login token has expired")]
    TokenExpired,
    /// The access key that the token was made for is gone.
    #[error("the access key {access_key_id} of the login token is gone")]
    TokenOrphaned {
        /// The access key.
        access_key_id: String,
    },
    /// The ticket of a download address was not made here, or for something else.
    #[error("the download ticket cannot be opened for this address")]
    TicketInvalid,
    /// The ticket's time is over.
    #[error("the download ticket has expired")]
    TicketExpired,
    /// The role of the session that the token was made for is gone.
    #[error("the role {role_arn} of the login token is gone")]
    RoleGone {
        /// The role.
        role_arn: String,
    },
    /// Nobody can say what the role of the session may do.
    #[error("the metadata store does not answer")]
    Unavailable,
    /// The Host names an account that this process does not serve.
    #[error("account {account} is not served here")]
    UnknownAccount {
        /// The account.
        account: AccountId,
    },
}

/// An access key.
struct AccessKey {
    account: AccountId,
    secret: SecretString,
}

/// Everything that can be proven.
pub(crate) struct Authenticator {
    keys: HashMap<String, AccessKey>,
    accounts: HashSet<AccountId>,
    keyring: Arc<Keyring>,
    strict_ecr: bool,
    default_registry: RegistryId,
    anonymous: Option<Arc<Login>>,
    remembered: Cache<[u8; 32], Arc<Login>>,
}

impl Authenticator {
    /// Knows the access keys of `settings`; `keyring` seals the tokens.
    pub(crate) fn new(keyring: Arc<Keyring>, settings: &DoorSettings) -> Self {
        let keys = settings.roots.iter().map(|root| {
            let account = root.account.clone();
            (
                root.access_key_id.clone(),
                AccessKey { account, secret: root.secret_access_key.clone() },
            )
        });
        let anonymous =
            Caller { registry: settings.default_registry.clone(), principal: Principal::Anonymous };
        Self {
            keys: keys.collect(),
            accounts: settings.accounts.iter().cloned().collect(),
            keyring,
            strict_ecr: settings.strict_ecr,
            default_registry: settings.default_registry.clone(),
            anonymous: settings
                .anonymous_pull
                .then(|| Arc::new(Login { caller: anonymous, expires_at: None })),
            remembered: Cache::new(REMEMBERED_MAX),
        }
    }

    /// Returns who asks on the data plane, and which registry.
    ///
    /// # Errors
    /// A [`Refusal`] that says what is wrong with the credentials.
    pub(crate) fn log_in(
        &self,
        head: &Parts,
        host: Option<&str>,
        now: Timestamp,
    ) -> Result<Arc<Login>, Refusal> {
        // Whoever follows a download address may send credentials too: they are not meant for it.
        if let Some(login) = self.redeem(head, now)? {
            return Ok(login);
        }
        let Some(header) = head.headers.get(AUTHORIZATION) else { return self.anonymous(host) };
        let fingerprint = fingerprint(host, header);
        if let Some(login) = self.remembered.get(&fingerprint) {
            return if login.is_good_at(now) { Ok(login) } else { Err(Refusal::TokenExpired) };
        }
        let Some(credentials) = basic::parse(header)? else { return self.anonymous(host) };
        let (principal, own_registry, expires_at) = self.prove(&credentials, now)?;
        let registry = self.registry(host, own_registry)?;
        let login = Arc::new(Login { caller: Caller { registry, principal }, expires_at });
        self.remembered.insert(fingerprint, Arc::clone(&login));
        Ok(login)
    }

    /// Makes a login token for a principal, or `None` for nobody in particular.
    pub(crate) fn issue(&self, caller: &Caller, now: Timestamp) -> Option<(String, Timestamp)> {
        let expires_at = last_moment(&caller.principal, now, token::LIFE_MS);
        let region = caller.registry.region.clone();
        let token = Token { principal: caller.principal.clone(), region, expires_at };
        Some((token.seal(&self.keyring, token::CONTEXT)?, expires_at))
    }

    /// Returns the account of a principal whose access key still exists, or for a session of a role
    /// the one that began it.
    fn alive<'p>(&self, principal: &'p Principal) -> Result<&'p AccountId, Refusal> {
        let orphaned = |access_key_id: &str| {
            Err(Refusal::TokenOrphaned { access_key_id: access_key_id.to_owned() })
        };
        match principal {
            Principal::Root { account, access_key_id } => match self.keys.get(access_key_id) {
                Some(key) if key.account == *account => Ok(account),
                Some(_) | None => orphaned(access_key_id),
            },
            Principal::AssumedRole(role) => {
                let parent = &role.parent_access_key_id;
                if self.keys.contains_key(parent) { Ok(&role.account) } else { orphaned(parent) }
            }
            Principal::Anonymous => Err(Refusal::TokenInvalid),
        }
    }

    fn anonymous(&self, host: Option<&str>) -> Result<Arc<Login>, Refusal> {
        let anonymous = self.anonymous.as_ref().ok_or(Refusal::Missing)?;
        match host.and_then(registry_of) {
            Some(registry) if registry != anonymous.caller.registry => {
                let caller = Caller { registry, principal: Principal::Anonymous };
                Ok(Arc::new(Login { caller, expires_at: None }))
            }
            Some(_) | None => Ok(Arc::clone(anonymous)),
        }
    }

    /// The principal behind credentials, the registry they are for, and how long.
    fn prove(
        &self,
        credentials: &basic::Credentials,
        now: Timestamp,
    ) -> Result<(Principal, RegistryId, Option<Timestamp>), Refusal> {
        let basic::Credentials { user, password } = credentials;
        if user == basic::TOKEN_USER {
            let token = Token::open(&self.keyring, token::CONTEXT, password)?;
            if now >= token.expires_at {
                return Err(Refusal::TokenExpired);
            }
            let Token { principal, region, expires_at } = token;
            let registry = RegistryId { account: self.alive(&principal)?.clone(), region };
            return Ok((principal, registry, Some(expires_at)));
        }
        let (access_key_id, key) = self.keys.get_key_value(user).ok_or(Refusal::UnknownUser)?;
        if self.strict_ecr {
            return Err(Refusal::TokenRequired);
        }
        let access_key_id = access_key_id.clone();
        if !bool::from(key.secret.expose_secret().as_bytes().ct_eq(password.as_bytes())) {
            return Err(Refusal::WrongSecret { access_key_id });
        }
        let account = key.account.clone();
        let region = self.default_registry.region.clone();
        let registry = RegistryId { account: account.clone(), region };
        Ok((Principal::Root { account, access_key_id }, registry, None))
    }

    /// The registry that the Host names, else the one the credentials are for.
    fn registry(&self, host: Option<&str>, own: RegistryId) -> Result<RegistryId, Refusal> {
        match host.and_then(registry_of) {
            Some(RegistryId { account, .. }) if !self.accounts.contains(&account) => {
                Err(Refusal::UnknownAccount { account })
            }
            Some(registry) => Ok(registry),
            None => Ok(own),
        }
    }
}

impl Login {
    /// The same proof, of a caller whose permissions are known.
    pub(crate) fn of(self: &Arc<Self>, caller: Caller) -> Arc<Self> {
        if caller == self.caller {
            return Arc::clone(self);
        }
        Arc::new(Self { caller, expires_at: self.expires_at })
    }

    /// Tells whether the proof still holds.
    fn is_good_at(&self, now: Timestamp) -> bool {
        self.expires_at.is_none_or(|expires_at| now < expires_at)
    }
}

/// When what is made now for a principal ends: after its life, or with the principal's session.
fn last_moment(principal: &Principal, now: Timestamp, life_ms: i64) -> Timestamp {
    let at = Timestamp(now.0.saturating_add(life_ms));
    match principal {
        Principal::AssumedRole(role) => at.min(role.expires_at),
        Principal::Root { .. } | Principal::Anonymous => at,
    }
}

/// What a proof is remembered by: the hash of the header and of the host it was sent to.
fn fingerprint(host: Option<&str>, header: &HeaderValue) -> [u8; 32] {
    let mut hash = Sha256::new();
    hash.update(host.unwrap_or_default());
    hash.update([0]);
    hash.update(header.as_bytes());
    hash.finalize().into()
}

#[cfg(test)]
mod tests;
