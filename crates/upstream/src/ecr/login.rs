//! The login of a private registry: ECR's `GetAuthorizationToken`, asked as this process or as a
//! role that it assumes.

use std::{sync::Arc, time::Duration};

use aws::{
    Service,
    ecr::{GetAuthorizationTokenRequest, GetAuthorizationTokenResponse},
    json,
};

use super::{
    EcrHost,
    call::{Call, Keys, Reply, Services},
    chain::Chain,
    profile::Role,
    session::{self, Sessions},
};
use crate::{
    Error, Identity, Settings, answer::sent_at, error::LoginFailure, token::Token, wire::Wire,
};

/// ECR's own: a token is good for 12 hours.
const USUAL_LIFE: Duration = Duration::from_secs(12 * 60 * 60);

/// Logs in.
#[derive(Debug)]
pub(crate) struct EcrLogin {
    services: Services,
    chain: Chain,
    sessions: Sessions,
}

impl EcrLogin {
    /// Contacts nobody.
    pub(crate) fn new(wire: Arc<Wire>, settings: &Settings) -> Self {
        let services = Services { wire, clock: settings.clock.clone() };
        let chain = Chain::new(services.clone(), &settings.surroundings);
        Self { services, chain, sessions: Sessions::default() }
    }

    /// Gets a login for the registry at `host`: as `role`, where there is one.
    pub(crate) async fn token(
        &self,
        host: &EcrHost<'_>,
        identity: &Identity,
        role: Option<&str>,
    ) -> Result<Token, Error> {
        let keys = match role {
            None => self.chain.find(host).await?,
            Some(arn) => {
                let begin = || self.begin(host, arn);
                let now = self.services.clock.now();
                self.sessions.get(host.sts_host(), identity, arn, now, begin).await?
            }
        };
        self.ask(host, &keys).await
    }

    async fn begin(&self, host: &EcrHost<'_>, arn: &str) -> Result<Keys, Error> {
        let keys = self.chain.find(host).await?;
        let role = Role { arn: arn.to_owned(), external_id: None, session_name: None };
        session::assume(&self.services, host, &role, &keys).await
    }

    async fn ask(&self, host: &EcrHost<'_>, keys: &Keys) -> Result<Token, Error> {
        let api_host = host.api_host();
        let call = Call {
            host: &api_host,
            region: host.region(),
            signing_name: Service::Ecr.signing_name(),
            content_type: Service::Ecr.content_type(),
            target: Some(format!("{}.GetAuthorizationToken", Service::Ecr.target_prefix())),
            body: json::render(&GetAuthorizationTokenRequest::default()),
        };
        let (body, headers) = match call.make(&self.services, keys).await? {
            Reply::Done(body, headers) => (body, headers),
            Reply::Refused(refusal) => {
                let failure = LoginFailure::CredentialsRefused { reason: refusal.reason };
                return Err(Error::Login { host: api_host, failure });
            }
        };
        let answer: Option<GetAuthorizationTokenResponse> = json::parse(&body).ok();
        let datum = answer.and_then(|answer| answer.authorization_data.into_iter().next());
        let token = datum.and_then(|datum| {
            let now = sent_at(&headers).unwrap_or_else(|| self.services.clock.now());
            let now = aws::Timestamp::from_system_time(now);
            let end = datum.expires_at.map(aws::Timestamp::as_milliseconds);
            let left = end.map(|end| end.saturating_sub(now.as_milliseconds()));
            let life = left.map_or(USUAL_LIFE, |left| {
                Duration::from_millis(u64::try_from(left).unwrap_or_default())
            });
            Token::basic(datum.authorization_token?.as_str(), life)
        });
        token.ok_or_else(|| Error::Invalid {
            host: api_host,
            reason: "it answered GetAuthorizationToken without a token".to_owned(),
        })
    }
}
