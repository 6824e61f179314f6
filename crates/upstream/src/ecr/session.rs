//! Roles that are assumed: sessions, kept until shortly before they end.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, SystemTime},
};

use aws::{
    query,
    sts::{self, AssumeRoleRequest, AssumeRoleResult},
};

use super::{
    EcrHost,
    call::{Call, Keys, Reply, Services},
    profile::Role,
};
use crate::{Error, Identity, error::LoginFailure, issue::parse_rfc3339};

/// What our sessions are called, in the upstream's logs.
const SESSION_NAME: &str = "cistern-pull-through-cache";
/// How long before its end a session is left alone.
const MARGIN: Duration = Duration::from_secs(5 * 60);
/// A session of unreadable end is used for so long: shorter than any that can be asked for.
const SHORT_LIFE: Duration = Duration::from_secs(10 * 60);
/// How many sessions are kept. Their number grows with the rules' roles.
const SESSIONS_MAX: usize = 1024;

type Slot = Arc<tokio::sync::Mutex<Option<Keys>>>;

/// The sessions that are known, by STS, identity and role.
#[derive(Debug, Default)]
pub(super) struct Sessions {
    slots: Mutex<HashMap<(String, Identity, String), Slot>>,
}

impl Sessions {
    /// Returns a session of a role that is good for a while, begun by `begin` where none is known.
    /// Of those who ask at the same time one begins it.
    pub(super) async fn get<F>(
        &self,
        sts_host: String,
        identity: &Identity,
        role: &str,
        now: SystemTime,
        begin: impl FnOnce() -> F,
    ) -> Result<Keys, Error>
    where
        F: Future<Output = Result<Keys, Error>>,
    {
        let key = (sts_host, identity.clone(), role.to_owned());
        let slot = {
            let mut slots = self.slots.lock().unwrap_or_else(PoisonError::into_inner);
            if slots.len() >= SESSIONS_MAX && !slots.contains_key(&key) {
                slots.clear();
            }
            Arc::clone(slots.entry(key).or_default())
        };
        let mut known = slot.lock().await;
        let soon = now + MARGIN;
        let is_good = |keys: &&Keys| keys.expires_at.is_none_or(|end| soon < end);
        if let Some(keys) = known.as_ref().filter(is_good) {
            return Ok(keys.clone());
        }
        let keys = begin().await?;
        *known = Some(keys.clone());
        Ok(keys)
    }
}

/// Assumes a role at the STS of an upstream's region.
pub(super) async fn assume(
    services: &Services,
    host: &EcrHost<'_>,
    role: &Role,
    keys: &Keys,
) -> Result<Keys, Error> {
    let sts_host = host.sts_host();
    let request = AssumeRoleRequest {
        role_arn: role.arn.clone(),
        role_session_name: role.session_name.clone().unwrap_or_else(|| SESSION_NAME.to_owned()),
        duration_seconds: None,
        external_id: role.external_id.clone(),
        policy: None,
        source_identity: None,
    };
    let call = Call {
        host: &sts_host,
        region: host.region(),
        signing_name: sts::SIGNING_NAME,
        content_type: query::FORM_CONTENT_TYPE,
        target: None,
        body: query::form("AssumeRole", sts::VERSION, &request.parameters()),
    };
    match call.make(services, keys).await? {
        Reply::Done(body, _) => {
            session(&body, services.clock.now()).ok_or_else(|| Error::Invalid {
                host: sts_host,
                reason: "it answered AssumeRole without credentials".to_owned(),
            })
        }
        Reply::Refused(refusal) => {
            let failure = if refusal.is_of_credentials() {
                LoginFailure::CredentialsRefused { reason: refusal.reason }
            } else {
                LoginFailure::RoleRefused { role: role.arn.clone(), reason: refusal.reason }
            };
            Err(Error::Login { host: sts_host, failure })
        }
    }
}

fn session(body: &[u8], now: SystemTime) -> Option<Keys> {
    let credentials = AssumeRoleResult::read(body)?.credentials;
    let end = parse_rfc3339(&credentials.expiration);
    Some(Keys {
        access_key_id: credentials.access_key_id,
        secret_access_key: credentials.secret_access_key.into_string().into(),
        session_token: Some(credentials.session_token.into_string().into()),
        expires_at: Some(end.unwrap_or(now + SHORT_LIFE)),
    })
}
