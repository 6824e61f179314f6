//! `AWS::ECR::PullThroughCacheRule`.
//!
//! What its creator set comes back, the properties included that the schema calls write-only: a
//! client that compares would otherwise replace the rule for nothing.

use aws::Exception;
use metadata::{Page, PageRequest, RuleCredentials};
use registry::{NewRule, RuleError, RuleView};

use super::{Failure, Held, Model, Session, error, present, text};

const PREFIX: &str = "EcrRepositoryPrefix";
const URL: &str = "UpstreamRegistryUrl";
const CREDENTIAL: &str = "CredentialArn";
const ROLE: &str = "CustomRoleArn";

/// "There is always an assumed `/` applied to the end of the prefix" (ECR API reference).
pub(super) fn subject(model: &Model) -> Option<String> {
    let prefix = text(model, PREFIX)?;
    Some(prefix.strip_suffix('/').unwrap_or(&prefix).to_owned())
}

/// Tells whether a property that differs can be changed in place, other than under `--strict-ecr`.
/// ECR has no way to take a secret or a role away.
pub(super) fn is_updatable(property: &str, after: &Model) -> bool {
    [CREDENTIAL, ROLE].contains(&property) && after.contains_key(property)
}

pub(super) async fn create(session: &Session, model: &Model) -> Result<Held, Failure> {
    let required = |property: &str, member: &str| {
        text(model, property)
            .ok_or_else(|| Exception::invalid_parameter(member, "must not be null"))
    };
    let new = NewRule {
        ecr_repository_prefix: required(PREFIX, "ecrRepositoryPrefix")?,
        upstream_registry_url: required(URL, "upstreamRegistryUrl")?,
        upstream_registry: text(model, "UpstreamRegistry"),
        upstream_repository_prefix: text(model, "UpstreamRepositoryPrefix"),
        credential_arn: text(model, CREDENTIAL),
        custom_role_arn: text(model, ROLE),
    };
    let created = session.registry.create_rule(&session.caller, new).await;
    created.map(held).map_err(failure(session))
}

pub(super) async fn read(session: &Session, identifier: &str) -> Result<Held, Failure> {
    let (prefixes, page) = ([identifier.to_owned()], PageRequest::first(1));
    let found = session.registry.rules(&session.caller, &prefixes, &page).await;
    let rule = found.map_err(failure(session))?.items.pop();
    rule.map(held).ok_or_else(|| {
        let registry = session.caller.registry.clone();
        failure(session)(RuleError::NotFound { prefix: identifier.to_owned(), registry })
    })
}

pub(super) async fn update(
    session: &Session,
    before: &Held,
    after: &Model,
) -> Result<Held, Failure> {
    let changed = |property: &str| {
        text(after, property).filter(|_| before.model.get(property) != after.get(property))
    };
    let credentials =
        RuleCredentials { credential_arn: changed(CREDENTIAL), custom_role_arn: changed(ROLE) };
    if credentials == RuleCredentials::default() {
        return Ok(before.clone());
    }
    let prefix = &before.identifier;
    let updated = session.registry.update_rule(&session.caller, prefix, credentials).await;
    updated.map(held).map_err(failure(session))
}

pub(super) async fn delete(session: &Session, identifier: &str) -> Result<(), Failure> {
    let deleted = session.registry.delete_rule(&session.caller, identifier).await;
    deleted.map(drop).map_err(failure(session))
}

pub(super) async fn list(session: &Session, page: &PageRequest) -> Result<Page<Held>, Failure> {
    let found = session.registry.rules(&session.caller, &[], page).await;
    let Page { items, next } = found.map_err(failure(session))?;
    Ok(Page { items: items.into_iter().map(held).collect(), next })
}

fn failure(session: &Session) -> impl Fn(RuleError) -> Failure {
    let strict_ecr = session.strict_ecr;
    move |error| error::rule(error, strict_ecr)
}

/// A rule's properties: as they were set, none that was inferred.
fn held(view: RuleView) -> Held {
    let rule = view.rule;
    let model = present([
        (PREFIX, Some(rule.ecr_repository_prefix.as_str().into())),
        (URL, Some(rule.upstream_registry_url.into())),
        ("UpstreamRegistry", rule.upstream_registry.map(Into::into)),
        (
            "UpstreamRepositoryPrefix",
            rule.upstream_repository_prefix.map(|prefix| prefix.as_str().into()),
        ),
        (CREDENTIAL, rule.credentials.credential_arn.map(Into::into)),
        (ROLE, rule.credentials.custom_role_arn.map(Into::into)),
    ]);
    Held { identifier: rule.ecr_repository_prefix.to_string(), model }
}
