//! Policies of pull through cache rules.

use aws::{
    Exception,
    cistern::{
        DeletePullThroughCacheRulePolicyRequest, DeletePullThroughCacheRulePolicyResponse,
        DescribePullThroughCacheRulePoliciesRequest, DescribePullThroughCacheRulePoliciesResponse,
        DescribedRulePolicy, Operation, PullThroughCacheRulePolicy,
        PutPullThroughCacheRulePolicyRequest, PutPullThroughCacheRulePolicyResponse,
    },
    json,
};
use metadata::RulePolicy;
use registry::{RuleError, RulePolicyView, RuleSource};

use super::super::{Call, Failure, Outcome, error, validate};
use crate::rule_policy;

/// Every rule of a registry, as a resource.
const RESOURCE: &str = "*";

/// `PutPullThroughCacheRulePolicy`.
pub(super) async fn put(call: &Call<'_>) -> Outcome {
    let request: PutPullThroughCacheRulePolicyRequest = call.cistern()?;
    let operation = Operation::PutPullThroughCacheRulePolicy;
    call.require_own(request.registry_id.as_deref(), operation, RESOURCE)?;
    let prefix = &request.ecr_repository_prefix;
    validate::prefix("ecrRepositoryPrefix", prefix)?;
    let policy = rule_policy::read(&request.policy)
        .map_err(|fault| invalid("policy", fault.member, &fault.problem))?;
    let expected = expected(request.expected_policy.as_ref())?;
    let put = call.registry().put_rule_policy(call.caller(), prefix, expected.as_ref(), policy);
    let put = put.await;
    let view = put.map_err(failure(call))?;
    Ok(json::render(&PutPullThroughCacheRulePolicyResponse {
        registry_id: Some(call.registry_id().account.to_string()),
        policy: view.policy.as_ref().map(rule_policy::write),
        effective_policy: Some(rule_policy::write(&view.effective)),
        ecr_repository_prefix: Some(view.ecr_repository_prefix),
    }))
}

/// `DescribePullThroughCacheRulePolicies`.
pub(super) async fn describe(call: &Call<'_>) -> Outcome {
    let request: DescribePullThroughCacheRulePoliciesRequest = call.cistern()?;
    let operation = Operation::DescribePullThroughCacheRulePolicies;
    call.require_own(request.registry_id.as_deref(), operation, RESOURCE)?;
    let page = validate::page(request.next_token.as_deref(), request.max_results)?;
    validate::prefixes(request.ecr_repository_prefixes.as_deref())?;
    let prefixes = request.ecr_repository_prefixes.unwrap_or_default();
    let found = call.registry().rule_policies(call.caller(), &prefixes, &page).await;
    let found = found.map_err(failure(call))?;
    let policies = found.items.into_iter().map(|view| described(call, view));
    Ok(json::render(&DescribePullThroughCacheRulePoliciesResponse {
        pull_through_cache_rule_policies: policies.collect(),
        next_token: validate::next_token(found.next),
    }))
}

/// `DeletePullThroughCacheRulePolicy`.
pub(super) async fn delete(call: &Call<'_>) -> Outcome {
    let request: DeletePullThroughCacheRulePolicyRequest = call.cistern()?;
    let operation = Operation::DeletePullThroughCacheRulePolicy;
    call.require_own(request.registry_id.as_deref(), operation, RESOURCE)?;
    let prefix = &request.ecr_repository_prefix;
    validate::prefix("ecrRepositoryPrefix", prefix)?;
    let expected = expected(request.expected_policy.as_ref())?;
    let deleted = call.registry().delete_rule_policy(call.caller(), prefix, expected.as_ref());
    let had = deleted.await.map_err(failure(call))?;
    Ok(json::render(&DeletePullThroughCacheRulePolicyResponse {
        registry_id: Some(call.registry_id().account.to_string()),
        policy: had.policy.as_ref().map(rule_policy::write),
        ecr_repository_prefix: Some(had.ecr_repository_prefix),
    }))
}

fn described(call: &Call<'_>, view: RulePolicyView) -> DescribedRulePolicy {
    DescribedRulePolicy {
        registry_id: Some(call.registry_id().account.to_string()),
        declared_by: match view.source {
            RuleSource::Stored => None,
            RuleSource::Declared(source) => Some(source),
        },
        policy: view.policy.as_ref().map(rule_policy::write),
        effective_policy: Some(rule_policy::write(&view.effective)),
        ecr_repository_prefix: Some(view.ecr_repository_prefix),
    }
}

fn expected(policy: Option<&PullThroughCacheRulePolicy>) -> Result<Option<RulePolicy>, Exception> {
    let read = policy.map(rule_policy::read).transpose();
    read.map_err(|fault| invalid("expectedPolicy", fault.member, &fault.problem))
}

/// A member of a policy that is wrong.
fn invalid(policy: &str, member: &str, problem: &str) -> Exception {
    validate::violation(&format!("{policy}.{member}"), problem)
}

fn failure(call: &Call<'_>) -> impl Fn(RuleError) -> Failure {
    let strict_ecr = call.doors.settings.strict_ecr;
    move |failed| match failed {
        RuleError::Invalid { field, reason } => invalid("policy", field, &reason).into(),
        failed => error::rule(failed, strict_ecr),
    }
}
