//! The AWS credential chain of this process: the usual sources in the usual order.
//!
//! AWS SDKs and Tools reference guide, "Understand the credential provider chain". A source that is
//! set up and fails ends the search: falling through to another identity would be a surprise. No
//! source is asked before it is needed, and the network of the machine last.

use std::{fmt::Display, sync::Arc, time::Duration};

use reqsign_aws_core::{
    AssumeRoleWithWebIdentityCredentialProvider, Credential, ECSCredentialProvider,
    EnvCredentialProvider, IMDSv2CredentialProvider, ProcessCredentialProvider,
    ProfileCredentialProvider, SSOCredentialProvider,
};
use reqsign_core::{Context, ProvideCredential};

use super::{
    EcrHost,
    call::{Keys, Services},
    fetch,
    profile::{self, Role, Source},
    session,
};
use crate::{Error, Surroundings, answer::shorten, error::LoginFailure};

/// How long a source on the machine may take: metadata is next door or not there at all.
const LOCAL_DEADLINE: Duration = Duration::from_secs(2);
/// How long a source elsewhere may take.
const REMOTE_DEADLINE: Duration = Duration::from_secs(10);
/// How many profiles may lean on one another.
const PROFILES_MAX: usize = 8;

/// Where the credentials of this process come from.
#[derive(Debug)]
pub(super) struct Chain {
    context: Context,
    services: Services,
}

/// What came of asking a source.
enum Outcome {
    Found(Keys),
    /// It is not set up.
    Absent,
    Failed(String),
}

/// What was looked at, for whoever has to set something up.
#[derive(Default)]
struct Search {
    tried: Vec<String>,
}

impl Chain {
    pub(super) fn new(services: Services, surroundings: &Surroundings) -> Self {
        let context = fetch::context(Arc::clone(&services.wire), surroundings);
        Self { context, services }
    }

    /// Finds the credentials of this process, for a registry at `host`: a profile's role is assumed
    /// in its region.
    pub(super) async fn find(&self, host: &EcrHost<'_>) -> Result<Keys, Error> {
        let mut search = Search::default();
        let outcome = self.search(host, &mut search).await?;
        outcome.ok_or_else(|| {
            let failure = LoginFailure::NoCredentials { tried: search.tried.join("; ") };
            Error::Login { host: host.api_host(), failure }
        })
    }

    async fn search(&self, host: &EcrHost<'_>, search: &mut Search) -> Result<Option<Keys>, Error> {
        let environment = self.environment().await;
        if let Some(end) = search.note("AWS_ACCESS_KEY_ID and its companions", environment) {
            return Ok(end);
        }
        let name = profile::selected(&self.context);
        let outcome = self.profile(host, &name).await?;
        if let Some(end) = search.note(&format!("profile '{name}'"), outcome) {
            return Ok(end);
        }
        let web = AssumeRoleWithWebIdentityCredentialProvider::new()
            .with_region(host.region().to_owned())
            .with_regional_sts_endpoint();
        let web = self.ask(REMOTE_DEADLINE, &web).await;
        if let Some(end) = search.note("AWS_WEB_IDENTITY_TOKEN_FILE", web) {
            return Ok(end);
        }
        let container = self.container().await;
        if let Some(end) = search.note("container credentials (AWS_CONTAINER_…)", container) {
            return Ok(end);
        }
        let instance = self.instance().await;
        Ok(search.note("instance metadata", instance).flatten())
    }

    async fn environment(&self) -> Outcome {
        self.ask(LOCAL_DEADLINE, &EnvCredentialProvider::new()).await
    }

    async fn container(&self) -> Outcome {
        let is_set =
            ["AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "AWS_CONTAINER_CREDENTIALS_FULL_URI"]
                .iter()
                .any(|name| self.context.env_var(name).is_some());
        if !is_set {
            return Outcome::Absent;
        }
        self.ask(LOCAL_DEADLINE, &ECSCredentialProvider::new()).await
    }

    async fn instance(&self) -> Outcome {
        let is_off = self.context.env_var("AWS_EC2_METADATA_DISABLED");
        if is_off.is_some_and(|value| value.eq_ignore_ascii_case("true")) {
            return Outcome::Failed("switched off by AWS_EC2_METADATA_DISABLED".to_owned());
        }
        self.ask(LOCAL_DEADLINE, &IMDSv2CredentialProvider::new()).await
    }

    /// Finds the credentials of a profile, through the profiles it leans on.
    async fn profile(&self, host: &EcrHost<'_>, name: &str) -> Result<Outcome, Error> {
        let mut roles = Vec::new();
        let mut name = name.to_owned();
        let mut seen = Vec::new();
        let outcome = loop {
            let read = profile::read(&self.context, &name).await;
            // A profile may name itself: then its own keys are meant.
            let is_again = seen.last() == Some(&name);
            match if is_again { read.own_source() } else { read.source() } {
                Source::RoleFrom(role, next) => {
                    if seen.len() >= PROFILES_MAX || (seen.contains(&next) && next != name) {
                        let text = format!("profile '{name}' leans on itself through others");
                        return Ok(Outcome::Failed(text));
                    }
                    roles.push(role);
                    seen.push(name);
                    name = next;
                }
                Source::RoleOn(role, source) => {
                    roles.push(role);
                    break self.machine_source(&source).await;
                }
                Source::Nothing if !seen.is_empty() => {
                    break Outcome::Failed(format!(
                        "its source profile '{name}' has no credentials"
                    ));
                }
                source => break self.leaf(host, &name, source).await,
            }
        };
        self.through(host, outcome, &roles).await
    }

    async fn machine_source(&self, source: &str) -> Outcome {
        let outcome = match source {
            "Environment" => self.environment().await,
            "EcsContainer" => self.container().await,
            "Ec2InstanceMetadata" => self.instance().await,
            other => Outcome::Failed(format!("credential_source {other} is not known")),
        };
        match outcome {
            Outcome::Absent => Outcome::Failed(format!("credential_source {source} has none")),
            outcome => outcome,
        }
    }

    async fn leaf(&self, host: &EcrHost<'_>, name: &str, source: Source) -> Outcome {
        match source {
            Source::Keys => {
                self.ask(LOCAL_DEADLINE, &ProfileCredentialProvider::new().with_profile(name)).await
            }
            Source::Process(command) => {
                let process = ProcessCredentialProvider::new().with_command(command);
                self.ask(REMOTE_DEADLINE, &process).await
            }
            Source::Sso => self.sign_on(SSOCredentialProvider::new().with_profile(name)).await,
            Source::SharedSso(sso) => {
                // The library knows the older form only, whose token lies under the hash of the
                // start URL; that of a shared sign-on lies under the hash of its name.
                let provider = SSOCredentialProvider::new()
                    .with_account_id(sso.account_id)
                    .with_role_name(sso.role_name)
                    .with_region(sso.region)
                    .with_start_url(sso.session);
                self.sign_on(provider).await
            }
            Source::BadSso(reason) => Outcome::Failed(reason.to_owned()),
            Source::WebIdentity { role, token_file } => {
                let web = AssumeRoleWithWebIdentityCredentialProvider::with_config(
                    role.arn,
                    token_file.into(),
                );
                let web = web.with_region(host.region().to_owned()).with_regional_sts_endpoint();
                self.ask(REMOTE_DEADLINE, &web).await
            }
            Source::RoleAlone => Outcome::Failed(
                "it has a role_arn and neither source_profile, credential_source nor \
                 web_identity_token_file"
                    .to_owned(),
            ),
            Source::Nothing | Source::RoleFrom(..) | Source::RoleOn(..) => Outcome::Absent,
        }
    }

    /// Takes the credentials of a sign-on that was made before, by a person.
    async fn sign_on(&self, provider: SSOCredentialProvider) -> Outcome {
        match self.ask(REMOTE_DEADLINE, &provider).await {
            Outcome::Absent => Outcome::Failed("log in with `aws sso login`".to_owned()),
            outcome => outcome,
        }
    }

    /// Assumes the roles of the profiles on the way back.
    async fn through(
        &self,
        host: &EcrHost<'_>,
        outcome: Outcome,
        roles: &[Role],
    ) -> Result<Outcome, Error> {
        let Outcome::Found(mut keys) = outcome else { return Ok(outcome) };
        for role in roles.iter().rev() {
            keys = session::assume(&self.services, host, role, &keys).await?;
        }
        Ok(Outcome::Found(keys))
    }

    async fn ask(
        &self,
        deadline: Duration,
        source: &impl ProvideCredential<Credential = Credential>,
    ) -> Outcome {
        let asked = tokio::time::timeout(deadline, source.provide_credential(&self.context)).await;
        match asked {
            Ok(Ok(Some(found))) => Outcome::Found(Keys {
                access_key_id: found.access_key_id,
                secret_access_key: found.secret_access_key.into(),
                session_token: found.session_token.map(Into::into),
                expires_at: found.expires_in.map(|end| end.as_system_time()),
            }),
            Ok(Ok(None)) => Outcome::Absent,
            Ok(Err(error)) => Outcome::Failed(told(&error)),
            Err(_) => Outcome::Failed(format!("no answer within {deadline:?}")),
        }
    }
}

impl Search {
    /// Notes what came of a source; `Some` ends the search.
    fn note(&mut self, what: &str, outcome: Outcome) -> Option<Option<Keys>> {
        match outcome {
            Outcome::Found(keys) => {
                tracing::debug!(source = what, "found AWS credentials");
                Some(Some(keys))
            }
            Outcome::Absent => {
                self.tried.push(format!("{what}: none"));
                None
            }
            Outcome::Failed(reason) => {
                self.tried.push(format!("{what}: {reason}"));
                Some(None)
            }
        }
    }
}

/// An error of the library with its causes, without the context that it keeps for debugging.
fn told(error: &reqsign_core::Error) -> String {
    let mut text = error.to_string();
    let mut cause = std::error::Error::source(error);
    while let Some(error) = cause {
        push(&mut text, error);
        cause = error.source();
    }
    shorten(&text)
}

fn push(text: &mut String, more: &dyn Display) {
    let more = more.to_string();
    if !text.contains(&more) {
        text.push_str(": ");
        text.push_str(&more);
    }
}
