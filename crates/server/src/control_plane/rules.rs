//! Pull through cache rules.

use aws::{
    Timestamp,
    ecr::{
        CreatePullThroughCacheRuleRequest, CreatePullThroughCacheRuleResponse,
        DeletePullThroughCacheRuleRequest, DeletePullThroughCacheRuleResponse,
        DescribePullThroughCacheRulesRequest, DescribePullThroughCacheRulesResponse, Operation,
        PullThroughCacheRule, UpdatePullThroughCacheRuleRequest,
        UpdatePullThroughCacheRuleResponse, ValidatePullThroughCacheRuleRequest,
        ValidatePullThroughCacheRuleResponse,
    },
    json,
};
use metadata::{Rule, RuleCredentials};
use registry::{NewRule, RuleError, RuleValidation, RuleView};

use super::{Call, Failure, Outcome, error, rule_failure, validate};
use registry::chain;

/// Every rule of a registry, as a resource.
const RESOURCE: &str = "*";

/// `CreatePullThroughCacheRule`.
pub(super) async fn create(call: &Call<'_>) -> Outcome {
    let request: CreatePullThroughCacheRuleRequest = call.ecr()?;
    let operation = Operation::CreatePullThroughCacheRule;
    call.require_own(request.registry_id.as_deref(), operation, RESOURCE)?;
    validate::prefix("ecrRepositoryPrefix", &request.ecr_repository_prefix)?;
    if let Some(prefix) = &request.upstream_repository_prefix {
        validate::prefix("upstreamRepositoryPrefix", prefix)?;
    }
    if let Some(arn) = &request.custom_role_arn {
        validate::length("customRoleArn", arn.chars().count(), 0..=2048)?;
    }
    let new = NewRule {
        ecr_repository_prefix: request.ecr_repository_prefix,
        upstream_registry_url: request.upstream_registry_url,
        upstream_registry: request.upstream_registry,
        upstream_repository_prefix: request.upstream_repository_prefix,
        credential_arn: request.credential_arn,
        custom_role_arn: request.custom_role_arn,
    };
    let view = call.registry().create_rule(call.caller(), new).await.map_err(failure(call))?;
    let PullThroughCacheRule {
        ecr_repository_prefix,
        upstream_registry_url,
        created_at,
        registry_id,
        credential_arn,
        custom_role_arn,
        upstream_repository_prefix,
        upstream_registry,
        updated_at: _,
    } = render(call, view);
    Ok(json::render(&CreatePullThroughCacheRuleResponse {
        ecr_repository_prefix,
        upstream_registry_url,
        created_at,
        registry_id,
        upstream_registry,
        credential_arn,
        custom_role_arn,
        upstream_repository_prefix,
    }))
}

/// `DescribePullThroughCacheRules`.
pub(super) async fn describe(call: &Call<'_>) -> Outcome {
    let request: DescribePullThroughCacheRulesRequest = call.ecr()?;
    let operation = Operation::DescribePullThroughCacheRules;
    call.require_own(request.registry_id.as_deref(), operation, RESOURCE)?;
    let page = validate::page(request.next_token.as_deref(), request.max_results)?;
    validate::prefixes(request.ecr_repository_prefixes.as_deref())?;
    let prefixes = request.ecr_repository_prefixes.unwrap_or_default();
    let found =
        call.registry().rules(call.caller(), &prefixes, &page).await.map_err(failure(call))?;
    Ok(json::render(&DescribePullThroughCacheRulesResponse {
        pull_through_cache_rules: found.items.into_iter().map(|view| render(call, view)).collect(),
        next_token: validate::next_token(found.next),
    }))
}

/// `UpdatePullThroughCacheRule`.
pub(super) async fn update(call: &Call<'_>) -> Outcome {
    let request: UpdatePullThroughCacheRuleRequest = call.ecr()?;
    let operation = Operation::UpdatePullThroughCacheRule;
    call.require_own(request.registry_id.as_deref(), operation, RESOURCE)?;
    let prefix = &request.ecr_repository_prefix;
    validate::prefix("ecrRepositoryPrefix", prefix)?;
    if let Some(arn) = &request.custom_role_arn {
        validate::length("customRoleArn", arn.chars().count(), 0..=2048)?;
    }
    let credentials = RuleCredentials {
        credential_arn: request.credential_arn,
        custom_role_arn: request.custom_role_arn,
    };
    let updated = call.registry().update_rule(call.caller(), prefix, credentials).await;
    let PullThroughCacheRule {
        ecr_repository_prefix,
        upstream_registry_url: _,
        created_at: _,
        registry_id,
        credential_arn,
        custom_role_arn,
        upstream_repository_prefix,
        upstream_registry: _,
        updated_at,
    } = render(call, updated.map_err(failure(call))?);
    Ok(json::render(&UpdatePullThroughCacheRuleResponse {
        ecr_repository_prefix,
        registry_id,
        updated_at,
        credential_arn,
        custom_role_arn,
        upstream_repository_prefix,
    }))
}

/// `ValidatePullThroughCacheRule`.
pub(super) async fn validate(call: &Call<'_>) -> Outcome {
    let request: ValidatePullThroughCacheRuleRequest = call.ecr()?;
    let operation = Operation::ValidatePullThroughCacheRule;
    call.require_own(request.registry_id.as_deref(), operation, RESOURCE)?;
    let prefix = &request.ecr_repository_prefix;
    validate::prefix("ecrRepositoryPrefix", prefix)?;
    let validation = call.registry().validate_rule(call.caller(), prefix).await;
    let RuleValidation { view, failure: found } = validation.map_err(failure(call))?;
    if let Some(found) = &found {
        let registry = call.registry_id();
        tracing::warn!(%registry, prefix, error = chain(found), "rule {prefix} is not valid");
    }
    let has_credentials = view.rule.credentials.credential_arn.is_some();
    let PullThroughCacheRule {
        ecr_repository_prefix,
        upstream_registry_url,
        created_at: _,
        registry_id,
        credential_arn,
        custom_role_arn,
        upstream_repository_prefix,
        upstream_registry: _,
        updated_at: _,
    } = render(call, view);
    Ok(json::render(&ValidatePullThroughCacheRuleResponse {
        ecr_repository_prefix,
        registry_id,
        upstream_registry_url,
        credential_arn,
        custom_role_arn,
        upstream_repository_prefix,
        is_valid: Some(found.is_none()),
        failure: found.map(|found| rule_failure::text(&found, has_credentials)),
    }))
}

/// `DeletePullThroughCacheRule`.
pub(super) async fn delete(call: &Call<'_>) -> Outcome {
    let request: DeletePullThroughCacheRuleRequest = call.ecr()?;
    let operation = Operation::DeletePullThroughCacheRule;
    call.require_own(request.registry_id.as_deref(), operation, RESOURCE)?;
    validate::prefix("ecrRepositoryPrefix", &request.ecr_repository_prefix)?;
    let deleted = call.registry().delete_rule(call.caller(), &request.ecr_repository_prefix).await;
    let PullThroughCacheRule {
        ecr_repository_prefix,
        upstream_registry_url,
        created_at,
        registry_id,
        credential_arn,
        custom_role_arn,
        upstream_repository_prefix,
        upstream_registry: _,
        updated_at: _,
    } = render(call, deleted.map_err(failure(call))?);
    Ok(json::render(&DeletePullThroughCacheRuleResponse {
        ecr_repository_prefix,
        upstream_registry_url,
        created_at,
        registry_id,
        credential_arn,
        custom_role_arn,
        upstream_repository_prefix,
    }))
}

fn failure(call: &Call<'_>) -> impl Fn(RuleError) -> Failure {
    let strict_ecr = call.doors.settings.strict_ecr;
    move |error| error::rule(error, strict_ecr)
}

/// Writes a rule. What its creator did not set is absent: Terraform replaces a rule that answers
/// with more.
fn render(call: &Call<'_>, view: RuleView) -> PullThroughCacheRule {
    let RuleView { rule, upstream_registry, source: _ } = view;
    let Rule { ecr_repository_prefix, upstream_registry_url, credentials, .. } = rule;
    PullThroughCacheRule {
        ecr_repository_prefix: Some(ecr_repository_prefix.to_string()),
        upstream_registry_url: Some(upstream_registry_url),
        created_at: Some(Timestamp::from_milliseconds(rule.created_at.0)),
        registry_id: Some(call.registry_id().account.to_string()),
        credential_arn: credentials.credential_arn,
        custom_role_arn: credentials.custom_role_arn,
        upstream_repository_prefix: rule.upstream_repository_prefix.map(|p| p.to_string()),
        upstream_registry,
        updated_at: Some(Timestamp::from_milliseconds(rule.updated_at.0)),
    }
}
