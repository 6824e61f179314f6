//! The policy of a pull through cache rule.

use serde::{Deserialize, Serialize};

/// What a rule says about freshness, about failures of its upstream, and about what it lets in. A
/// member that is absent is what the registry says for every rule.
///
/// How long something lasts is a text such as `90s`, `24h` or `30d`, `0` or `forever`. In a pattern
/// `*` stands for any characters, `/` and none included.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PullThroughCacheRulePolicy {
    /// How long a cached tag is served without asking the upstream.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fresh_for: Option<String>,
    /// The same for tags that a pattern matches: the first that does.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fresh_for_tags: Option<Vec<TagFreshness>>,
    /// How long, after that, a cached tag is served at once while the upstream is asked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stale_while_revalidate: Option<String>,
    /// How long, after that, a cached tag may be served where the upstream fails.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stale_on_error: Option<String>,
    /// How long the upstream is waited for where a cached tag may be served.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stale_deadline: Option<String>,
    /// How long a tag that the upstream does not have is not asked for again.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub missing_for: Option<String>,
    /// Patterns of tags that stay as they were cached.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pinned_tags: Option<Vec<String>>,
    /// Patterns of the repositories that may be pulled, by their names upstream.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub allowed_repositories: Option<Vec<String>>,
    /// Patterns of the repositories that may not, which is stronger.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub denied_repositories: Option<Vec<String>>,
    /// Patterns of the tags that may be pulled.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub allowed_tags: Option<Vec<String>>,
    /// Patterns of the tags that may not, which is stronger.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub denied_tags: Option<Vec<String>>,
    /// How old an image must be before it is let in.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub minimum_age: Option<String>,
    /// What its age is counted from: `created`, `first-seen`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub age_from: Option<String>,
}

/// How long tags of a pattern are fresh.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct TagFreshness {
    /// The pattern.
    pub tag: String,
    /// How long they are served without asking the upstream.
    pub fresh_for: String,
}

/// Sets the policy of a rule, in place of the one that it has.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PutPullThroughCacheRulePolicyRequest {
    /// The account of the registry, twelve digits; the caller's own when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub registry_id: Option<String>,
    /// The prefix of the rule.
    pub ecr_repository_prefix: String,
    /// The policy.
    pub policy: PullThroughCacheRulePolicy,
    /// The policy that the rule is expected to have, an empty one where it is to have none: another
    /// is left as it is. Whatever it has is replaced when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expected_policy: Option<PullThroughCacheRulePolicy>,
}

/// The policy as it is now.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PutPullThroughCacheRulePolicyResponse {
    /// The account of the registry, twelve digits.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub registry_id: Option<String>,
    /// The prefix of the rule, as it was given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ecr_repository_prefix: Option<String>,
    /// The policy of the rule.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub policy: Option<PullThroughCacheRulePolicy>,
    /// What holds, with everything that the rule leaves to the registry.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub effective_policy: Option<PullThroughCacheRulePolicy>,
}

/// Asks for the policies of rules.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct DescribePullThroughCacheRulePoliciesRequest {
    /// The account of the registry, twelve digits; the caller's own when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub registry_id: Option<String>,
    /// The prefixes of the rules; every rule when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ecr_repository_prefixes: Option<Vec<String>>,
    /// Where the previous page ended.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_token: Option<String>,
    /// The longest page, 1 to 1000.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_results: Option<i32>,
}

/// Policies of rules.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct DescribePullThroughCacheRulePoliciesResponse {
    /// The policies, one for each rule, by prefix.
    #[serde(default)]
    pub pull_through_cache_rule_policies: Vec<DescribedRulePolicy>,
    /// Where the next page begins.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_token: Option<String>,
}

/// The policy of a rule.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct DescribedRulePolicy {
    /// The account of the registry, twelve digits.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub registry_id: Option<String>,
    /// The prefix of the rule, as it was given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ecr_repository_prefix: Option<String>,
    /// Where the rule is declared and can be changed; absent for one that is stored.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub declared_by: Option<String>,
    /// The policy of the rule; absent where it has none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub policy: Option<PullThroughCacheRulePolicy>,
    /// What holds, with everything that the rule leaves to the registry.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub effective_policy: Option<PullThroughCacheRulePolicy>,
}

/// Takes the policy of a rule away.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct DeletePullThroughCacheRulePolicyRequest {
    /// The account of the registry, twelve digits; the caller's own when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub registry_id: Option<String>,
    /// The prefix of the rule.
    pub ecr_repository_prefix: String,
    /// The policy that the rule is expected to have, an empty one where it is to have none: another
    /// is left as it is. Whatever it has is taken away when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expected_policy: Option<PullThroughCacheRulePolicy>,
}

/// The policy as it was.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct DeletePullThroughCacheRulePolicyResponse {
    /// The account of the registry, twelve digits.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub registry_id: Option<String>,
    /// The prefix of the rule, as it was given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ecr_repository_prefix: Option<String>,
    /// The policy that the rule had; absent where it had none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub policy: Option<PullThroughCacheRulePolicy>,
}
