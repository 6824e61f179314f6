//! Rules that are declared rather than stored: `--rule PREFIX=UPSTREAM_URL` and `[[rule]]`.

use metadata::{EcrRepositoryPrefix, RegistryId, Rule, RuleCredentials, Timestamp};
use registry::DeclaredRule;
use upstream::{Address, AddressError};

use super::{
    ConfigError,
    file::Entry,
    setting::{Given, Origin, Values},
};

/// Reads every declared rule; they belong to the default registry and count as created at `now`.
pub(crate) fn read(
    values: &Values,
    tables: &[Entry],
    registry: &RegistryId,
    plain_http_hosts: &[String],
    now: Timestamp,
) -> Result<Vec<DeclaredRule>, ConfigError> {
    let mut rules = Vec::new();
    let check_url = |given: &Given, url: &str| match Address::parse(url, plain_http_hosts) {
        Ok(_) => Ok(()),
        Err(error @ AddressError::PlainHttp { .. }) => {
            Err(given.reject(format!("{error} (upstream.plain-http in cistern.toml)")))
        }
        Err(error) => Err(given.reject(error)),
    };
    for given in values.all("rule") {
        let (prefix, url) = given.parse(|text| match text.split_once('=') {
            Some((prefix, url)) if !prefix.is_empty() && !url.is_empty() => {
                Ok((prefix.to_owned(), url.to_owned()))
            }
            _ => Err("expected PREFIX=UPSTREAM_URL, such as docker-hub=registry-1.docker.io"),
        })?;
        let prefix = EcrRepositoryPrefix::parse(&prefix).map_err(|error| given.reject(error))?;
        check_url(given, &url)?;
        let rule = bare_rule(prefix, url, now);
        push(&mut rules, registry, rule, source_of(given), false)?;
    }
    for table in tables {
        let prefix = table.require("prefix")?.parse(EcrRepositoryPrefix::parse)?;
        let url = table.require("upstream-registry-url")?;
        check_url(&url, &url.text)?;
        let text = |key| Ok(table.get(key)?.map(|given| given.text));
        let mut rule = bare_rule(prefix, url.text, now);
        rule.upstream_registry = text("upstream-registry")?;
        rule.upstream_repository_prefix = table
            .get("upstream-repository-prefix")?
            .map(|given| given.parse(EcrRepositoryPrefix::parse))
            .transpose()?;
        rule.credentials = RuleCredentials {
            credential_arn: text("credential-arn")?,
            custom_role_arn: text("custom-role-arn")?,
        };
        rule.policy = table.policy()?;
        let anonymous_pull = table
            .get("anonymous-pull")?
            .map(|given| given.parse(|text| text.parse::<bool>().map_err(|_| "true or false")))
            .transpose()?;
        let source = table.path().display().to_string();
        push(&mut rules, registry, rule, source, anonymous_pull.unwrap_or(false))?;
    }
    Ok(rules)
}

fn bare_rule(prefix: EcrRepositoryPrefix, upstream_registry_url: String, now: Timestamp) -> Rule {
    Rule {
        ecr_repository_prefix: prefix,
        upstream_registry_url,
        upstream_registry: None,
        upstream_repository_prefix: None,
        credentials: RuleCredentials::default(),
        policy: None,
        created_at: now,
        updated_at: now,
    }
}

fn source_of(given: &Given) -> String {
    match &given.origin {
        Origin::File(path, _) => path.display().to_string(),
        flag_or_variable => flag_or_variable.to_string(),
    }
}

fn push(
    rules: &mut Vec<DeclaredRule>,
    registry: &RegistryId,
    rule: Rule,
    source: String,
    anonymous_pull: bool,
) -> Result<(), ConfigError> {
    let key = rule.ecr_repository_prefix.key();
    let same = |declared: &&DeclaredRule| declared.rule.ecr_repository_prefix.key() == key;
    if let Some(first) = rules.iter().find(same) {
        return Err(ConfigError::Contradiction {
            first: format!("the rule of {}", first.source),
            second: format!("the rule of {source}"),
            reason: format!("prefix {key} is declared twice: remove one of them"),
        });
    }
    rules.push(DeclaredRule { registry: registry.clone(), rule, source, anonymous_pull });
    Ok(())
}
