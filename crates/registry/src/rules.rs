//! Pull through cache rules: made, listed, changed, tried, removed; stored ones and declared ones.
//!
//! ECR API reference, `CreatePullThroughCacheRule` and its siblings; DESIGN 4 says where extended
//! and strict mode part.

use std::sync::Arc;

use metadata::{
    EcrRepositoryPrefix, MetadataStore, Page, PageRequest, PrefixError, RegistryId, Rule,
    RuleCredentials,
};
use upstream::{Address, EcrHost, Kind};

use crate::{
    Action, Caller, Registry, Resource, RuleError, SecretArn, SecretError, SecretSelector,
    Settings, StartError,
    matching::{BookedRule, RuleBook},
    registry::Inner,
    rule_policies,
};

mod update;
mod validate;

pub use validate::{RuleFailure, RuleValidation};

/// ECR's service limit for rules of one registry.
const STRICT_RULES_MAX: u32 = 50;
/// What is wrong with an upstream that is the registry that would pull from it.
const OWN: &str = "it is this registry itself";

/// A rule as a caller wants it: plain text, checked here.
#[derive(Clone, Debug, Default)]
pub struct NewRule {
    /// `ecrRepositoryPrefix`.
    pub ecr_repository_prefix: String,
    /// `upstreamRegistryUrl`.
    pub upstream_registry_url: String,
    /// `upstreamRegistry`.
    pub upstream_registry: Option<String>,
    /// `upstreamRepositoryPrefix`.
    pub upstream_repository_prefix: Option<String>,
    /// `credentialArn`.
    pub credential_arn: Option<String>,
    /// `customRoleArn`.
    pub custom_role_arn: Option<String>,
}

/// A rule as it is shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RuleView {
    /// The rule.
    pub rule: Rule,
    /// The kind of upstream: as sent, else inferred from the address, else absent.
    pub upstream_registry: Option<String>,
    /// Where it is kept.
    pub source: RuleSource,
}

/// Where a rule is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RuleSource {
    /// In the metadata store: callers may change it.
    Stored,
    /// Where this says: it is changed there only.
    Declared(String),
}

impl RuleView {
    pub(crate) fn new(rule: Rule, source: RuleSource) -> Self {
        let inferred =
            || upstream::kind_of(&rule.upstream_registry_url).map(|k| k.as_str().to_owned());
        let upstream_registry = rule.upstream_registry.clone().or_else(inferred);
        Self { rule, upstream_registry, source }
    }
}

impl Registry {
    /// Makes a rule. Contacts no upstream.
    ///
    /// # Errors
    /// A [`RuleError`] that names the field.
    pub async fn create_rule(&self, caller: &Caller, new: NewRule) -> Result<RuleView, RuleError> {
        let action = Action::Operation("ecr:CreatePullThroughCacheRule");
        self.inner.authorize(caller, action, Resource::Registry)?;
        let inner = &self.inner;
        let registry = &caller.registry;
        let prefix = parse_prefix("ecrRepositoryPrefix", &new.ecr_repository_prefix)?;
        let upstream_prefix = new.upstream_repository_prefix.as_deref();
        let upstream_prefix = upstream_prefix
            .map(|text| parse_prefix("upstreamRepositoryPrefix", text))
            .transpose()?;
        check_upstream(&new, registry, &inner.settings)?;
        let book = inner.book(registry).await?;
        if book.get(prefix.key()).is_some() {
            let prefix = new.ecr_repository_prefix;
            return Err(RuleError::AlreadyExists { prefix, registry: registry.clone() });
        }
        check_roots(&prefix, upstream_prefix.as_ref(), &inner.settings)?;
        if let Some(arn) = &new.credential_arn {
            inner.check_secret(registry, arn).await?;
        }
        let url = &new.upstream_registry_url;
        check_role(url, new.custom_role_arn.as_deref(), registry, &inner.settings)?;
        let now = inner.clock.now();
        let rule = Rule {
            ecr_repository_prefix: prefix,
            upstream_registry_url: new.upstream_registry_url,
            upstream_registry: new.upstream_registry,
            upstream_repository_prefix: upstream_prefix,
            credentials: RuleCredentials {
                credential_arn: new.credential_arn,
                custom_role_arn: new.custom_role_arn,
            },
            policy: None,
            created_at: now,
            updated_at: now,
        };
        let limit = inner.settings.strict_ecr.then_some(STRICT_RULES_MAX);
        let limit = inner.settings.rules_max.or(limit);
        inner.metadata.create_rule(registry, &rule, limit).await.map_err(|error| match error {
            metadata::Error::AlreadyExists => RuleError::AlreadyExists {
                prefix: rule.ecr_repository_prefix.to_string(),
                registry: registry.clone(),
            },
            metadata::Error::LimitExceeded { limit } => RuleError::LimitExceeded { limit },
            error => error.into(),
        })?;
        inner.forget_rules(registry);
        Ok(RuleView::new(rule, RuleSource::Stored))
    }

    /// Lists rules by prefix: the named ones, or all.
    ///
    /// # Errors
    /// [`RuleError::NotFound`] for the first of the named ones that does not exist.
    pub async fn rules(
        &self,
        caller: &Caller,
        prefixes: &[String],
        page: &PageRequest,
    ) -> Result<Page<RuleView>, RuleError> {
        let action = Action::Operation("ecr:DescribePullThroughCacheRules");
        self.inner.authorize(caller, action, Resource::Registry)?;
        let found = self.inner.booked_rules(&caller.registry, prefixes, page).await?;
        Ok(Page {
            items: found.items.iter().map(|booked| booked.view()).collect(),
            next: found.next,
        })
    }

    /// Removes a rule and returns it. What was cached through it stays.
    ///
    /// # Errors
    /// [`RuleError::NotFound`], [`RuleError::Declared`].
    pub async fn delete_rule(&self, caller: &Caller, prefix: &str) -> Result<RuleView, RuleError> {
        let action = Action::Operation("ecr:DeletePullThroughCacheRule");
        self.inner.authorize(caller, action, Resource::Registry)?;
        let registry = &caller.registry;
        self.inner.changeable_rule(registry, prefix).await?;
        let deleted = self.inner.metadata.delete_rule(registry, key_of(prefix)).await;
        let rule = deleted.map_err(|error| match error {
            metadata::Error::NotFound => not_found(prefix, registry),
            error => error.into(),
        })?;
        self.inner.forget_rules(registry);
        Ok(RuleView::new(rule, RuleSource::Stored))
    }
}

impl Inner {
    /// Finds a rule, stored or declared.
    async fn booked_rule(
        &self,
        registry: &RegistryId,
        prefix: &str,
    ) -> Result<Arc<BookedRule>, RuleError> {
        let book = self.book(registry).await?;
        book.get(key_of(prefix)).cloned().ok_or_else(|| not_found(prefix, registry))
    }

    /// Lists rules by prefix: the named ones, or all.
    pub(crate) async fn booked_rules(
        &self,
        registry: &RegistryId,
        prefixes: &[String],
        page: &PageRequest,
    ) -> Result<Page<Arc<BookedRule>>, RuleError> {
        let book = self.book(registry).await?;
        let wanted: Option<Vec<&str>> =
            (!prefixes.is_empty()).then(|| prefixes.iter().map(|prefix| key_of(prefix)).collect());
        for (key, prefix) in wanted.iter().flatten().zip(prefixes) {
            if book.get(key).is_none() {
                return Err(not_found(prefix, registry));
            }
        }
        let is_wanted = |key: &str| wanted.as_ref().is_none_or(|wanted| wanted.contains(&key));
        let rules = book.sorted();
        let mut rest = rules.into_iter().filter(|booked| {
            let key = booked.rule.ecr_repository_prefix.key();
            is_wanted(key) && page.after.as_deref().is_none_or(|after| key > after)
        });
        let items: Vec<_> = rest.by_ref().take(page.limit).cloned().collect();
        let more = rest.next().is_some();
        let last = items.last().filter(|_| more);
        let next = last.map(|booked| booked.rule.ecr_repository_prefix.key().to_owned());
        Ok(Page { items, next })
    }

    /// Finds a rule that is stored, not declared.
    pub(crate) async fn changeable_rule(
        &self,
        registry: &RegistryId,
        prefix: &str,
    ) -> Result<Arc<BookedRule>, RuleError> {
        let booked = self.booked_rule(registry, prefix).await?;
        match &booked.source {
            RuleSource::Stored => Ok(booked),
            RuleSource::Declared(source) => {
                Err(RuleError::Declared { prefix: prefix.to_owned(), source_name: source.clone() })
            }
        }
    }

    /// Checks that a rule's secret is there, and in strict mode named as ECR wants. Its content is
    /// looked at when it is used, as in ECR.
    async fn check_secret(&self, registry: &RegistryId, arn: &str) -> Result<(), RuleError> {
        let invalid = |reason: String| RuleError::Invalid { field: "credentialArn", reason };
        let parsed = SecretArn::parse(arn).ok_or_else(|| {
            invalid(format!("'{arn}' is not the ARN of a Secrets Manager secret"))
        })?;
        if self.settings.strict_ecr && !is_strict_secret(&parsed.name) {
            return Err(invalid("the secret's name must start with ecr-pullthroughcache/".into()));
        }
        match self.read_secret(registry, arn, &SecretSelector::default()).await {
            // A secret without a value yet is there: its value may follow.
            Ok(_) | Err(SecretError::VersionNotFound { .. }) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }

    pub(crate) fn forget_rules(&self, registry: &RegistryId) {
        self.hot.forget(Some(&[metadata::Change::Rules(registry.clone())]));
    }
}

/// Puts stored and declared rules together; a declared one wins.
pub(crate) fn book(stored: Vec<Rule>, registry: &RegistryId, settings: &Settings) -> RuleBook {
    let stored = stored.into_iter().map(|rule| BookedRule::stored(rule, settings));
    let declared = settings.declared_rules.iter().filter(|declared| declared.registry == *registry);
    let declared = declared.map(|declared| BookedRule::declared(declared, settings));
    RuleBook::new(stored.chain(declared))
}

/// Checks the declared rules by themselves and against the stored ones.
pub(crate) async fn check_declared(
    metadata: &dyn MetadataStore,
    settings: &Settings,
) -> Result<(), StartError> {
    for (at, declared) in settings.declared_rules.iter().enumerate() {
        let prefix = &declared.rule.ecr_repository_prefix;
        let url = &declared.rule.upstream_registry_url;
        let invalid = |reason| StartError::InvalidRule {
            prefix: prefix.to_string(),
            source_name: declared.source.clone(),
            reason,
        };
        let address = Address::parse(url, &settings.plain_http_hosts)
            .map_err(|error| invalid(error.to_string()))?;
        if is_own(&address, &declared.registry, settings) {
            return Err(invalid(OWN.to_owned()));
        }
        if let Some(policy) = &declared.rule.policy {
            rule_policies::check_policy(policy)
                .map_err(|fault| invalid(format!("policy: {fault}")))?;
        }
        let same_key = |other: &Rule| other.ecr_repository_prefix.key() == prefix.key();
        let earlier = settings.declared_rules[..at]
            .iter()
            .find(|other| other.registry == declared.registry && same_key(&other.rule));
        if let Some(earlier) = earlier {
            return Err(StartError::DeclaredTwice {
                prefix: prefix.to_string(),
                first: earlier.source.clone(),
                second: declared.source.clone(),
            });
        }
        let stored = metadata.rules(&declared.registry).await?;
        if let Some(stored) =
            stored.iter().find(|rule| same_key(rule) && !agrees(rule, &declared.rule))
        {
            return Err(StartError::ContradictingRule {
                prefix: prefix.to_string(),
                source_name: declared.source.clone(),
                stored_url: stored.upstream_registry_url.clone(),
            });
        }
    }
    Ok(())
}

/// Tells whether two rules of one prefix say the same, whenever they were made.
fn agrees(one: &Rule, other: &Rule) -> bool {
    one.upstream_registry_url == other.upstream_registry_url
        && one.upstream_repository_prefix == other.upstream_repository_prefix
        && one.credentials == other.credentials
}

pub(crate) fn key_of(prefix: &str) -> &str {
    prefix.strip_suffix('/').unwrap_or(prefix)
}

pub(crate) fn not_found(prefix: &str, registry: &RegistryId) -> RuleError {
    RuleError::NotFound { prefix: prefix.to_owned(), registry: registry.clone() }
}

fn parse_prefix(field: &'static str, text: &str) -> Result<EcrRepositoryPrefix, RuleError> {
    EcrRepositoryPrefix::parse(text)
        .map_err(|error: PrefixError| RuleError::Invalid { field, reason: error.to_string() })
}

/// Checks the address: any OCI registry in extended mode, ECR's list in strict mode.
fn check_upstream(
    new: &NewRule,
    registry: &RegistryId,
    settings: &Settings,
) -> Result<(), RuleError> {
    let url = &new.upstream_registry_url;
    let unsupported = |reason: String| RuleError::UnsupportedUpstream { url: url.clone(), reason };
    let address = Address::parse(url, &settings.plain_http_hosts)
        .map_err(|error| unsupported(error.to_string()))?;
    if is_own(&address, registry, settings) {
        return Err(unsupported(OWN.to_owned()));
    }
    if !settings.strict_ecr {
        return Ok(());
    }
    // Strict: a bare host, and one of the nine kinds.
    let kind = upstream::ecr_kind_of(url);
    let kind = kind.ok_or_else(|| unsupported("it is not one that ECR supports".to_owned()))?;
    check_strict_kind(new, kind)
}

fn check_strict_kind(new: &NewRule, kind: Kind) -> Result<(), RuleError> {
    if let Some(sent) = new.upstream_registry.as_deref().filter(|sent| *sent != kind.as_str()) {
        if Kind::parse(sent).is_none() {
            let reason = format!("'{sent}' is not a kind of upstream registry");
            return Err(RuleError::Invalid { field: "upstreamRegistry", reason });
        }
        let url = new.upstream_registry_url.clone();
        return Err(RuleError::KindMismatch { url, kind: sent.to_owned() });
    }
    if kind.requires_credentials() && new.credential_arn.is_none() {
        return Err(RuleError::CredentialsRequired { url: new.upstream_registry_url.clone() });
    }
    Ok(())
}

/// Tells whether an upstream is the very registry that would pull from it.
fn is_own(address: &Address, registry: &RegistryId, settings: &Settings) -> bool {
    let RegistryId { account, region } = registry;
    let host = address.host();
    let aws = format!("dkr.ecr.{region}.");
    let of_account = host.strip_prefix(account.as_str()).and_then(|rest| rest.strip_prefix('.'));
    let is_ecr = EcrHost::parse(host).is_some_and(|found| {
        found.region() == region.as_str()
            && found.account().is_none_or(|found| found == account.as_str())
    });
    is_ecr
        || of_account.unwrap_or(host).starts_with(&aws)
        || settings.own_hosts.iter().any(|own| *own == address.authority())
}

/// "You can set the upstream repository prefix only when the Amazon ECR repository prefix has a
/// non-ROOT value" (User Guide, strict mode).
fn check_roots(
    prefix: &EcrRepositoryPrefix,
    upstream_prefix: Option<&EcrRepositoryPrefix>,
    settings: &Settings,
) -> Result<(), RuleError> {
    let narrowed = upstream_prefix.is_some_and(|upstream_prefix| !upstream_prefix.is_root());
    if settings.strict_ecr && prefix.is_root() && narrowed {
        return Err(RuleError::Invalid {
            field: "upstreamRepositoryPrefix",
            reason: "it can be set only when ecrRepositoryPrefix is not ROOT".to_owned(),
        });
    }
    Ok(())
}

/// Checks a rule's role, or that it can do without one.
fn check_role(
    url: &str,
    custom_role_arn: Option<&str>,
    registry: &RegistryId,
    settings: &Settings,
) -> Result<(), RuleError> {
    let invalid =
        |reason: &str| RuleError::Invalid { field: "customRoleArn", reason: reason.to_owned() };
    let is_ecr = upstream::kind_of(url) == Some(Kind::Ecr);
    match custom_role_arn {
        Some(arn) if arn.len() > 2048 => Err(invalid("an ARN has at most 2048 characters")),
        Some(arn) if !arn.starts_with("arn:") => Err(invalid("it is not the ARN of a role")),
        Some(arn) if settings.strict_ecr => {
            if arn.split(':').nth(4) == Some(registry.account.as_str()) {
                Ok(())
            } else {
                Err(invalid("the role must be in the same account as the registry"))
            }
        }
        None if settings.strict_ecr && is_ecr => {
            let host_account = url.split('.').next().unwrap_or_default();
            let cross_account = host_account != "dkr" && host_account != registry.account.as_str();
            if cross_account {
                Err(invalid("it must be specified for an ECR registry of another account"))
            } else {
                Ok(())
            }
        }
        _ => Ok(()),
    }
}

fn is_strict_secret(name: &str) -> bool {
    name.strip_prefix("ecr-pullthroughcache/").is_some_and(|rest| !rest.is_empty())
}
