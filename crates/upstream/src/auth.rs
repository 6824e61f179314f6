//! How this registry shows an upstream who asks.
//!
//! What an upstream once asked for is remembered by repository, so that later requests are
//! authenticated at the first try.

use std::sync::Arc;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Method, header};
use moka::sync::Cache;
use secrecy::ExposeSecret as _;

use url::Url;

use crate::{
    Credentials, EcrHost, Error, Limits, Settings, Target,
    answer::refusal,
    challenge::{Challenge, Challenges},
    dial::Reach,
    ecr::EcrLogin,
    endpoint::{Endpoint, is_same_origin},
    issue::TokenAnswer,
    realm::may_see_credentials,
    redirect::is_step_down,
    token::{Token, TokenKey, Tokens},
    wire::{Request, Wire, read_rest},
};

/// How many repositories' challenges are remembered; one that is forgotten costs a request.
const CHALLENGES_MAX: u64 = 10_000;

/// Authenticates requests to upstreams.
#[derive(Debug)]
pub(crate) struct Authenticator {
    wire: Arc<Wire>,
    limits: Limits,
    trusted_realm_hosts: Vec<String>,
    remembered: Cache<(Url, Arc<str>), Remembered>,
    tokens: Tokens,
    ecr: EcrLogin,
}

/// What a repository's upstream asks for.
#[derive(Clone, Debug)]
struct Remembered {
    challenge: Challenge,
    /// How far its realm may lie: as far as the upstream that named it grants.
    granted: Reach,
}

/// Whose request, and about what: an empty repository is the registry itself.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Asker<'a> {
    pub(crate) endpoint: &'a Endpoint,
    pub(crate) target: &'a Target,
    pub(crate) repository: &'a Arc<str>,
}

impl Authenticator {
    pub(crate) fn new(wire: Arc<Wire>, settings: Settings) -> Self {
        Self {
            ecr: EcrLogin::new(Arc::clone(&wire), &settings),
            wire,
            limits: settings.limits,
            trusted_realm_hosts: settings.trusted_realm_hosts,
            remembered: Cache::new(CHALLENGES_MAX),
            tokens: Tokens::default(),
        }
    }

    /// Returns the `Authorization` that an earlier challenge asked for, if there was one.
    pub(crate) async fn known(&self, asker: Asker<'_>) -> Result<Option<HeaderValue>, Error> {
        match self.remembered.get(&asker.key()) {
            Some(remembered) => self.meet(asker, &remembered, None).await,
            None => Ok(None),
        }
    }

    /// Returns the `Authorization` that a 401 asks for, other than the one it refused; `None`
    /// where there is nothing better to send. `granted` is how far a realm may lie.
    pub(crate) async fn answer(
        &self,
        asker: Asker<'_>,
        headers: &HeaderMap,
        granted: Reach,
        refused: Option<&HeaderValue>,
    ) -> Result<Option<HeaderValue>, Error> {
        let challenges = Challenges::parse(headers);
        let Some(challenge) = challenges.best() else { return Ok(None) };
        let remembered = Remembered { challenge: challenge.clone(), granted };
        let met = self.meet(asker, &remembered, refused).await?;
        if met.is_some() {
            self.remembered.insert(asker.key(), remembered);
        }
        Ok(met.filter(|authorization| Some(authorization) != refused))
    }

    async fn meet(
        &self,
        asker: Asker<'_>,
        remembered: &Remembered,
        refused: Option<&HeaderValue>,
    ) -> Result<Option<HeaderValue>, Error> {
        let Challenge::Bearer { realm, service, scope } = &remembered.challenge else {
            return match &asker.target.credentials {
                Some(credentials) => Ok(Some(basic(credentials))),
                None => self.log_in_to_ecr(asker, refused).await,
            };
        };
        let key = TokenKey {
            origin: asker.endpoint.origin().clone(),
            identity: asker.target.identity.clone(),
            realm: realm.clone(),
            service: service.clone(),
            scope: asker.scope(scope.as_deref()),
        };
        let fetch = || self.fetch(asker, &key, remembered.granted);
        let token = self.tokens.get(&key, refused, fetch).await?;
        Ok(Some(token.authorization().clone()))
    }

    /// Returns a login for a private ECR registry; `None` where the upstream is none.
    async fn log_in_to_ecr(
        &self,
        asker: Asker<'_>,
        refused: Option<&HeaderValue>,
    ) -> Result<Option<HeaderValue>, Error> {
        let (endpoint, target) = (asker.endpoint, asker.target);
        let Some(host) = EcrHost::parse(endpoint.public_host()) else { return Ok(None) };
        let api = self.wire.endpoints.service(&host.api_host());
        let key = TokenKey {
            origin: endpoint.origin().clone(),
            identity: target.identity.clone(),
            realm: api.root(),
            service: Some(endpoint.public_host().to_owned()),
            scope: target.role.as_deref().map(str::to_owned),
        };
        let fetch = || self.ecr.token(&host, &target.identity, target.role.as_deref());
        let token = self.tokens.get(&key, refused, fetch).await?;
        Ok(Some(token.authorization().clone()))
    }

    /// Asks a realm for a token. Redirects of a realm are not followed.
    async fn fetch(
        &self,
        asker: Asker<'_>,
        key: &TokenKey,
        granted: Reach,
    ) -> Result<Token, Error> {
        let endpoint = asker.endpoint;
        let host = || endpoint.name().to_string();
        let request = self.token_request(asker, key, granted)?;
        let (mut answer, _) = self.wire.send(endpoint, request).await?;
        let status = answer.status();
        if !status.is_success() {
            let body = read_rest(&mut answer, self.limits.error_bytes_max).await;
            // A realm that is not there says nothing about what was asked for.
            return Err(match asker.target.credentials.as_ref() {
                _ if status == http::StatusCode::NOT_FOUND => {
                    Error::Status { host: host(), status: status.as_u16(), retry_after: None }
                }
                credentials => {
                    refusal(endpoint.name(), status, answer.headers(), &body, credentials)
                }
            });
        }
        let headers = answer.headers().clone();
        let body = self.wire.read(endpoint, answer, self.limits.token_bytes_max).await?;
        TokenAnswer::parse(&body, &headers)
            .and_then(|answer| Token::new(&answer.token, answer.lifetime))
            .ok_or_else(|| Error::Invalid {
                host: host(),
                reason: "its token endpoint answered without a token".to_owned(),
            })
    }

    fn token_request(
        &self,
        asker: Asker<'_>,
        key: &TokenKey,
        granted: Reach,
    ) -> Result<Request, Error> {
        let endpoint = asker.endpoint;
        let refused = |reason| Error::Refused {
            host: endpoint.name().to_string(),
            destination: key.realm.host_str().unwrap_or_default().to_owned(),
            reason,
        };
        let replacement = self.wire.endpoints.replacement(&key.realm, endpoint.origin());
        let is_replaced = replacement.is_some();
        let mut url = replacement.unwrap_or_else(|| key.realm.clone());
        if !is_replaced && is_step_down(endpoint.origin(), &url) {
            return Err(refused("the token realm of an https upstream must be https"));
        }
        let mut headers = HeaderMap::new();
        if let Some(credentials) = &asker.target.credentials {
            if !may_see_credentials(endpoint, &key.realm, &self.trusted_realm_hosts) {
                return Err(refused(
                    "as a token realm it would be sent credentials and is not known to belong to \
                     the upstream (upstream.token-realms permits it)",
                ));
            }
            headers.insert(header::AUTHORIZATION, basic(credentials));
        }
        let reach = if is_replaced || is_same_origin(&url, endpoint.origin()) {
            Reach::Any
        } else {
            self.wire.reach(&url, granted)
        };
        let parameters = [("service", &key.service), ("scope", &key.scope)];
        for (name, value) in parameters {
            if let Some(value) = value {
                url.query_pairs_mut().append_pair(name, value);
            }
        }
        Ok(Request { method: Method::GET, url, headers, body: Bytes::new(), reach })
    }
}

impl Asker<'_> {
    fn key(&self) -> (Url, Arc<str>) {
        (self.endpoint.origin().clone(), Arc::clone(self.repository))
    }

    /// Returns the scope to ask for: what the challenge says, else to pull from the repository.
    /// For the registry itself it is none: some name a sample repository there, and refuse it.
    fn scope(&self, challenged: Option<&str>) -> Option<String> {
        if self.repository.is_empty() {
            let is_repository = |scope: &&str| scope.starts_with("repository:");
            return challenged.filter(|scope| !is_repository(scope)).map(String::from);
        }
        let pull = || format!("repository:{}:pull", self.repository);
        Some(challenged.map_or_else(pull, String::from))
    }
}

/// RFC 7617.
fn basic(credentials: &Credentials) -> HeaderValue {
    let pair = format!("{}:{}", credentials.username, credentials.secret.expose_secret());
    let text = format!("Basic {}", STANDARD.encode(pair));
    let mut value = HeaderValue::from_str(&text).expect("base64 is a header value");
    value.set_sensitive(true);
    value
}
