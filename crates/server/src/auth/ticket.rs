//! Tickets: what stands for credentials in the address of one layer, for a while.
//!
//! `GetDownloadUrlForLayer` makes them. Sealed like login tokens, and bound to registry, repository
//! and digest: one is good for GET and HEAD of that blob and nothing else, as the principal who
//! asked for it, and dies with that principal's access key.

use std::{sync::Arc, time::Duration};

use http::{Method, request::Parts};
use metadata::{RegistryId, Timestamp};
use oci::{Digest, RepositoryName, Route};
use registry::Caller;

use super::{Authenticator, Login, Refusal, Token, last_moment};

/// The parameter that carries a ticket.
const PARAMETER: &str = "ticket=";

impl Authenticator {
    /// Makes a ticket for a blob; `None` for nobody in particular.
    pub(crate) fn issue_ticket(
        &self,
        caller: &Caller,
        repository: &RepositoryName,
        digest: &Digest,
        now: Timestamp,
        life: Duration,
    ) -> Option<String> {
        let life_ms = i64::try_from(life.as_millis()).unwrap_or(i64::MAX);
        let token = Token {
            principal: caller.principal.clone(),
            region: caller.registry.region.clone(),
            expires_at: last_moment(&caller.principal, now, life_ms),
        };
        token.seal(&self.keyring, &context(repository, digest))
    }

    /// Returns who made the ticket of a request; `None` where it carries none.
    ///
    /// # Errors
    /// What is wrong with it.
    pub(super) fn redeem(
        &self,
        head: &Parts,
        now: Timestamp,
    ) -> Result<Option<Arc<Login>>, Refusal> {
        let Some(query) = head.uri.query() else { return Ok(None) };
        let Some(ticket) = query.split('&').find_map(|part| part.strip_prefix(PARAMETER)) else {
            return Ok(None);
        };
        let Ok(Route::Blob(repository, digest)) = Route::parse(head.uri.path()) else {
            return Ok(None);
        };
        if head.method != Method::GET && head.method != Method::HEAD {
            return Err(Refusal::TicketInvalid);
        }
        let opened = Token::open(&self.keyring, &context(&repository, &digest), ticket);
        let token = opened.map_err(|_| Refusal::TicketInvalid)?;
        if now >= token.expires_at {
            return Err(Refusal::TicketExpired);
        }
        let Token { principal, region, expires_at } = token;
        let account = self.alive(&principal).map_err(|_| Refusal::TicketInvalid)?;
        let registry = RegistryId { account: account.clone(), region };
        let caller = Caller { registry, principal };
        Ok(Some(Arc::new(Login { caller, expires_at: Some(expires_at) })))
    }
}

/// What the seal of a ticket is bound to; the registry is inside.
fn context(repository: &RepositoryName, digest: &Digest) -> String {
    format!("layer-download:{repository}@{digest}")
}
