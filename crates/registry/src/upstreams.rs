//! From a rule to what is asked of its upstream: address, repository, and with which eyes.

use std::sync::Arc;

use metadata::{RegistryId, Rule};
use secrecy::SecretString;
use serde::Deserialize;
use upstream::{Address, Credentials, Identity, Kind, Neighbour, Target, Trail};
use zeroize::Zeroizing;

use crate::{Match, PullError, SecretError, SecretSelector, SecretValue, registry::Inner};

/// The credentials of a secret, and their fingerprint.
#[derive(Clone, Debug)]
pub(crate) struct Eyes {
    credentials: Credentials,
    identity: Identity,
}

/// The value of a secret: ECR User Guide, "Storing your upstream repository credentials".
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct SecretShape {
    username: String,
    access_token: String,
}

impl Eyes {
    pub(crate) fn identity(&self) -> &Identity {
        &self.identity
    }
}

impl Inner {
    /// Says what to ask of the upstream of a matching rule.
    pub(crate) async fn target(
        &self,
        registry: &RegistryId,
        matched: &Match,
    ) -> Result<Target, PullError> {
        let rule = matched.rule();
        let eyes = match &rule.credentials.credential_arn {
            None => None,
            Some(arn) => {
                Some(self.eyes(registry, arn).await.map_err(|source| PullError::Credentials {
                    prefix: rule.ecr_repository_prefix.to_string(),
                    source: Arc::new(source),
                })?)
            }
        };
        let neighbour = self.neighbour(registry, rule);
        let trail = matched.trail.then(&self.step(registry, matched));
        Ok(Target { trail, ..target_of(rule, &matched.upstream_repository, eyes, neighbour) })
    }

    /// Reads the credentials of a secret. Kept in memory until the secret changes.
    pub(crate) async fn eyes(&self, registry: &RegistryId, arn: &str) -> Result<Eyes, SecretError> {
        let key = (registry.clone(), arn.to_owned());
        if let Some(eyes) = self.hot.eyes.get(&key) {
            return Ok(eyes);
        }
        let epoch = self.hot.epoch();
        let eyes = self.stored_eyes(registry, arn).await?;
        self.hot.keep(&self.hot.eyes, epoch, key, eyes.clone());
        Ok(eyes)
    }

    /// Reads the credentials of a secret as it is stored now.
    pub(crate) async fn stored_eyes(
        &self,
        registry: &RegistryId,
        arn: &str,
    ) -> Result<Eyes, SecretError> {
        let (_, _, value) = self.read_secret(registry, arn, &SecretSelector::default()).await?;
        self.parse_eyes(arn, &value)
    }

    fn parse_eyes(&self, id: &str, value: &SecretValue) -> Result<Eyes, SecretError> {
        let unusable = |reason| SecretError::Unusable { id: id.to_owned(), reason };
        let text = value.as_text().ok_or_else(|| unusable("it is binary, not text"))?;
        // Else a list of two strings would do as well.
        let object = Some(text).filter(|text| text.trim_start().starts_with('{'));
        let shape: Option<SecretShape> = object.and_then(|text| serde_json::from_str(text).ok());
        let shape = shape.ok_or_else(|| {
            unusable("it is not a JSON object with the strings \"username\" and \"accessToken\"")
        })?;
        let token = Zeroizing::new(shape.access_token);
        let parts = [shape.username.as_bytes(), token.as_bytes()];
        let identity = Identity::fingerprint(&self.keyring.fingerprint(&parts));
        let secret = SecretString::from(token.as_str());
        Ok(Eyes { credentials: Credentials { username: shape.username, secret }, identity })
    }

    /// Writes the address of an upstream in its one spelling: rules may spell it differently and
    /// share what is fetched.
    pub(crate) fn address(&self, target: &Target) -> String {
        Address::parse(&target.registry_url, &self.settings.plain_http_hosts)
            .map_or_else(|_| target.registry_url.to_string(), |address| address.to_string())
    }

    /// Tells the circuit of an upstream how an exchange with it ended.
    pub(crate) fn note(&self, target: &Target, error: &upstream::Error) {
        if error.is_alive() {
            self.circuits.succeeded(&target.registry_url);
        } else if !is_about_content(error) && !is_unasked(error) {
            let told = error.retry_after();
            self.circuits.failed(&target.registry_url, self.clock.now(), told);
        }
    }
}

/// Says what to ask of the upstream of a rule; an empty repository is the registry itself.
pub(crate) fn target_of(
    rule: &Rule,
    repository: &str,
    eyes: Option<Eyes>,
    neighbour: Option<Neighbour>,
) -> Target {
    let url = &rule.upstream_registry_url;
    let is_ecr = upstream::kind_of(url) == Some(Kind::Ecr);
    let role = rule.credentials.custom_role_arn.as_deref().filter(|_| is_ecr);
    let (credentials, identity) = match eyes {
        Some(eyes) => (Some(eyes.credentials), eyes.identity),
        // As this process or as a role: what it may see is not what everybody may.
        None if is_ecr => {
            let who = match (&neighbour, role) {
                (_, Some(role)) => format!("aws:{role}"),
                (Some(neighbour), None) => format!("account:{}", neighbour.asker),
                (None, None) => "aws:process".to_owned(),
            };
            (None, Identity::fingerprint(&who))
        }
        None => (None, Identity::anonymous()),
    };
    Target {
        neighbour,
        trail: Trail::default(),
        registry_url: rule.upstream_registry_url.as_str().into(),
        repository: repository.into(),
        role: role.filter(|_| credentials.is_none()).map(Into::into),
        credentials,
        identity,
    }
}

/// Tells whether an upstream was not asked at all, for its own budget's sake.
pub(crate) fn is_unasked(error: &upstream::Error) -> bool {
    matches!(error, upstream::Error::RateLimited { was_asked: false, .. })
}

/// Tells whether a failure says something about one piece of content, and nothing about how its
/// upstream is.
pub(crate) fn is_about_content(error: &upstream::Error) -> bool {
    matches!(error, upstream::Error::DigestMismatch { .. } | upstream::Error::TooLarge { .. })
}
