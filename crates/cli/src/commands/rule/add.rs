//! `cistern rule add`: a rule, its secret where one is made for it, and whether it works.

use aws::ecr::{
    CreatePullThroughCacheRuleRequest, CreatePullThroughCacheRuleResponse, Operation,
    PullThroughCacheRule,
};

use super::{ask, record, validate};
use crate::{
    commands::{
        login,
        secret::{self, Pair},
    },
    error::Error,
    output::secret_name,
    prompt,
    session::Session,
    upstreams::KnownUpstream,
};

/// What help shows at its end.
pub(super) const EXAMPLES: &str = "Examples:\n  \
cistern rule add\n  \
cistern rule add k8s registry.k8s.io\n  \
cistern rule add hub docker-hub --username me\n  \
cistern rule add ghcr ghcr.io --username me --token-file token.txt\n\n\
Names that stand for an upstream: docker-hub, github-container-registry, quay, k8s, ecr-public,\n\
gitlab-container-registry, chainguard.";

/// What a rule shall be.
#[derive(Debug, clap::Args)]
pub(crate) struct AddArgs {
    /// Prefix of the repositories that the rule serves, such as docker-hub; ROOT serves all that
    /// no other rule does
    pub(super) prefix: Option<String>,
    /// The upstream registry: a host, a URL, or ECR's name of one, such as docker-hub
    pub(super) upstream: Option<String>,
    /// Kind of the upstream, in ECR's words [default: inferred from the host]
    #[arg(long, value_name = "KIND")]
    pub(super) upstream_registry: Option<String>,
    /// Prefix of the repositories at the upstream, put before what is pulled
    #[arg(long, value_name = "PREFIX")]
    pub(super) upstream_prefix: Option<String>,
    #[command(flatten)]
    pub(super) credentials: CredentialArgs,
    /// Do not try the rule afterwards
    #[arg(long)]
    pub(super) no_validate: bool,
}

/// What a rule shows its upstream.
#[derive(Debug, clap::Args)]
pub(crate) struct CredentialArgs {
    /// A secret that is there already, by name or ARN
    #[arg(long, value_name = "NAME|ARN", conflicts_with = "username")]
    pub(super) secret: Option<String>,
    /// User name at the upstream: a secret is made of it and a token, which is asked for
    #[arg(long, value_name = "NAME")]
    pub(super) username: Option<String>,
    /// File that holds the token of --username; - is stdin
    #[arg(long, value_name = "FILE", requires = "username")]
    pub(super) token_file: Option<String>,
    /// Role to assume for an upstream that is ECR in another account
    #[arg(long, value_name = "ARN")]
    pub(super) role_arn: Option<String>,
}

/// How a rule authenticates, decided.
#[derive(Debug)]
pub(super) enum Credential {
    /// It does not.
    None,
    /// With a secret that is there, by name or ARN.
    Secret(String),
    /// With a secret that is made for it.
    Pair(Pair),
}

/// A rule, decided.
#[derive(Debug)]
pub(super) struct Plan {
    pub(super) prefix: String,
    pub(super) upstream_url: String,
    pub(super) upstream_registry: Option<String>,
    pub(super) upstream_prefix: Option<String>,
    pub(super) credential: Credential,
    pub(super) role_arn: Option<String>,
    /// Whether somebody was asked, and can be asked again.
    pub(super) is_asked: bool,
}

impl CredentialArgs {
    /// Decides how a rule authenticates; asks for the token where that is possible.
    pub(super) fn decide(&self) -> Result<Credential, Error> {
        if let Some(secret) = &self.secret {
            return Ok(Credential::Secret(secret.clone()));
        }
        match &self.username {
            None => Ok(Credential::None),
            Some(username) => {
                let token = secret::token(username, self.token_file.as_deref())?;
                Ok(Credential::Pair(Pair { username: username.clone(), token }))
            }
        }
    }
}

/// Adds a rule.
pub(super) async fn run(args: AddArgs, session: &Session<'_>) -> Result<(), Error> {
    let is_tried = !args.no_validate;
    let plan = plan(args, session).await?;
    let (arn, made) = match &plan.credential {
        Credential::None => (None, None),
        Credential::Secret(name) => (Some(secret::arn_of(session, name).await?), None),
        Credential::Pair(pair) => {
            let arn = make_secret(session, &plan.prefix, pair).await?;
            (Some(arn.clone()), Some(arn))
        }
    };
    let created = match create(session, &plan, arn).await {
        Ok(created) => created,
        Err(error) => return Err(take_back(session, error, made.as_deref()).await),
    };
    let rule = PullThroughCacheRule {
        ecr_repository_prefix: created.ecr_repository_prefix.clone(),
        upstream_registry_url: created.upstream_registry_url.clone(),
        created_at: created.created_at,
        registry_id: created.registry_id.clone(),
        credential_arn: created.credential_arn.clone(),
        custom_role_arn: created.custom_role_arn.clone(),
        upstream_repository_prefix: created.upstream_repository_prefix.clone(),
        upstream_registry: created.upstream_registry.clone(),
        updated_at: None,
    };
    session.output.record(&created, &record(&rule))?;
    let mut works = !is_tried || tell_whether_it_works(session, &rule).await;
    if let (false, Some(arn), true, Credential::Pair(pair)) =
        (works, &made, plan.is_asked, &plan.credential)
    {
        works = ask_again(session, &rule, arn, &pair.username).await?;
    }
    if works {
        tell_how_to_pull(session, &rule).await;
    }
    Ok(())
}

/// Decides everything, by the arguments or by asking.
async fn plan(args: AddArgs, session: &Session<'_>) -> Result<Plan, Error> {
    let (Some(prefix), Some(upstream)) = (&args.prefix, &args.upstream) else {
        if prompt::is_possible() {
            return ask::plan(args, session).await;
        }
        let what = if args.prefix.is_none() { "PREFIX" } else { "UPSTREAM" };
        return Err(Error::Missing {
            what,
            way_out: "`cistern rule add PREFIX UPSTREAM`, such as `cistern rule add k8s \
                      registry.k8s.io`; on a terminal it asks"
                .to_owned(),
        });
    };
    let upstream_url = upstream_url(upstream)?;
    Ok(Plan {
        prefix: prefix.clone(),
        upstream_url,
        credential: args.credentials.decide()?,
        upstream_registry: args.upstream_registry,
        upstream_prefix: args.upstream_prefix,
        role_arn: args.credentials.role_arn,
        is_asked: false,
    })
}

/// Turns the name of a known upstream into its host; any other text is the URL itself.
pub(super) fn upstream_url(text: &str) -> Result<String, Error> {
    match KnownUpstream::named(text) {
        None => Ok(text.to_owned()),
        Some(known) if known.has_one_host() => Ok(known.host.to_owned()),
        Some(known) => Err(Error::Misused {
            argument: "UPSTREAM",
            text: text.to_owned(),
            reason: format!("name the host itself, {}", known.host),
        }),
    }
}

async fn create(
    session: &Session<'_>,
    plan: &Plan,
    credential_arn: Option<String>,
) -> Result<CreatePullThroughCacheRuleResponse, Error> {
    let request = CreatePullThroughCacheRuleRequest {
        ecr_repository_prefix: plan.prefix.clone(),
        upstream_registry_url: plan.upstream_url.clone(),
        registry_id: None,
        upstream_registry: plan.upstream_registry.clone(),
        credential_arn,
        custom_role_arn: plan.role_arn.clone(),
        upstream_repository_prefix: plan.upstream_prefix.clone(),
    };
    session.client.ecr(Operation::CreatePullThroughCacheRule, &request).await
}

/// Makes the secret of a rule, named after its prefix, and returns its ARN.
pub(super) async fn make_secret(
    session: &Session<'_>,
    prefix: &str,
    pair: &Pair,
) -> Result<String, Error> {
    let name = format!("{}{}", secret::ECR_PREFIX, prefix.trim_end_matches('/'));
    let description = format!("Credentials of the pull through cache rule {prefix}");
    let value = pair.to_value();
    secret::create(session, &name, value, Some(description)).await
}

/// Removes the secret that was made for a rule that was refused: all or nothing. Where nobody
/// knows whether the rule was made, its secret stays.
async fn take_back(session: &Session<'_>, error: Error, made: Option<&str>) -> Error {
    let (Some(arn), Some(_)) = (made, error.class()) else { return error };
    match secret::destroy(session, arn).await {
        Ok(()) => error,
        Err(cause) => Error::Left {
            error: Box::new(error),
            left: format!("the secret {}", secret_name(arn)),
            cause: Box::new(cause),
        },
    }
}

/// Tries a rule and says how that went. Answers whether it works.
async fn tell_whether_it_works(session: &Session<'_>, rule: &PullThroughCacheRule) -> bool {
    let prefix = rule.ecr_repository_prefix.clone().unwrap_or_default();
    let warning = match validate::ask(session, &prefix).await {
        Ok(answer) if answer.is_valid == Some(true) => {
            session.output.note("the rule works: it was tried");
            return true;
        }
        Ok(answer) => answer.failure.unwrap_or_else(|| "nobody says why".to_owned()),
        Err(error) => error.to_string(),
    };
    let warning = warning.trim_end_matches('.');
    let way_out = match &rule.credential_arn {
        Some(arn) => format!(
            "correct the secret with `cistern secret update {}`, then `cistern rule validate \
             {prefix}`",
            secret_name(arn)
        ),
        None => format!("`cistern rule validate {prefix}` tries it again"),
    };
    session
        .output
        .warn(&format!("the rule {prefix} was added and does not work yet: {warning}: {way_out}"));
    false
}

/// Asks for another user name and token, until the rule works or somebody has had enough. Answers
/// whether it works.
async fn ask_again(
    session: &Session<'_>,
    rule: &PullThroughCacheRule,
    arn: &str,
    username: &str,
) -> Result<bool, Error> {
    let url = rule.upstream_registry_url.as_deref().unwrap_or_default();
    let mut username = username.to_owned();
    while prompt::confirm("Type the user name and the token again?", true)? {
        let pair = ask::pair(url, Some(&username))?;
        secret::put(session, arn, pair.to_value()).await?;
        if tell_whether_it_works(session, rule).await {
            return Ok(true);
        }
        username = pair.username;
    }
    Ok(false)
}

/// Prints the line to pull by. It needs the registry's name, which not everybody may ask for; then
/// there is no such line.
async fn tell_how_to_pull(session: &Session<'_>, rule: &PullThroughCacheRule) {
    if session.output.is_json() {
        return;
    }
    let Ok(login) = login::ask(session).await else { return };
    let Some(endpoint) = login.proxy_endpoint else { return };
    let host = endpoint.split_once("://").map_or(endpoint.as_str(), |(_, host)| host);
    session.output.note(&format!(
        "log in once:\n  cistern login-password | docker login --username AWS --password-stdin \
         {host}\nthen pull:\n  docker pull {host}/{}",
        sample_image(rule)
    ));
}

/// An image that a rule serves: one that is there, or the form of its name.
fn sample_image(rule: &PullThroughCacheRule) -> String {
    let sample = rule
        .upstream_registry_url
        .as_deref()
        .and_then(KnownUpstream::at)
        .and_then(|known| known.sample);
    let upstream_prefix =
        rule.upstream_repository_prefix.as_deref().filter(|prefix| *prefix != "ROOT");
    let image = match (sample, upstream_prefix) {
        (Some(sample), None) => Some(sample),
        (Some(sample), Some(prefix)) => sample
            .strip_prefix(prefix.trim_end_matches('/'))
            .and_then(|rest| rest.strip_prefix('/')),
        (None, _) => None,
    };
    let image = image.unwrap_or("REPOSITORY:TAG");
    match rule.ecr_repository_prefix.as_deref() {
        None | Some("ROOT") => image.to_owned(),
        Some(prefix) => format!("{}/{image}", prefix.trim_end_matches('/')),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn upstreams_have_short_names() {
        assert_eq!(upstream_url("docker-hub").unwrap(), "registry-1.docker.io");
        assert_eq!(upstream_url("localhost:5001").unwrap(), "localhost:5001");
        let refused = upstream_url("azure-container-registry").unwrap_err();
        assert!(refused.is_misuse());
        assert_eq!(
            refused.to_string(),
            "UPSTREAM: \"azure-container-registry\": name the host itself, NAME.azurecr.io"
        );
    }

    #[test]
    fn images_that_can_be_pulled() {
        for (prefix, url, upstream_prefix, image) in [
            ("hub", "docker.io", None, "hub/library/alpine:3.20"),
            ("hub/", "docker.io", Some("library"), "hub/alpine:3.20"),
            ("hub", "docker.io", Some("corp"), "hub/REPOSITORY:TAG"),
            ("ROOT", "registry.k8s.io", Some("ROOT"), "pause:3.10"),
            ("x", "registry.example.com", None, "x/REPOSITORY:TAG"),
        ] {
            let rule = PullThroughCacheRule {
                ecr_repository_prefix: Some(prefix.to_owned()),
                upstream_registry_url: Some(url.to_owned()),
                upstream_repository_prefix: upstream_prefix.map(str::to_owned),
                ..Default::default()
            };
            assert_eq!(sample_image(&rule), image);
        }
    }
}
