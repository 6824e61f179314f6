//! Why a pull is answered as it is.

use serde::{Deserialize, Serialize};

use crate::Timestamp;

/// Asks what a pull of an image would come to, and why. By tag or by digest.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ExplainImageRequest {
    /// The account of the registry, twelve digits; the caller's own when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub registry_id: Option<String>,
    /// The repository's name.
    pub repository_name: String,
    /// The tag.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub image_tag: Option<String>,
    /// The digest.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub image_digest: Option<String>,
    /// Whether to ask the upstream too, by one HEAD; not asked when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ask_upstream: Option<bool>,
}

/// What a pull would come to, and what it would look at.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ExplainImageResponse {
    /// The account of the registry, twelve digits.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub registry_id: Option<String>,
    /// The region of the registry.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub region: Option<String>,
    /// The repository's name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub repository_name: Option<String>,
    /// The tag asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub image_tag: Option<String>,
    /// The digest asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub image_digest: Option<String>,
    /// `SERVE`, `SERVE_AND_REVALIDATE`, `SERVE_STALE`, `CONFIRM`, `FETCH` or `REFUSE`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub decision: Option<String>,
    /// Why, in one sentence.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// The rule that it falls under.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rule: Option<MatchedRule>,
    /// The other rules, each with why it is not the one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub passed_over_rules: Option<Vec<PassedOverRule>>,
    /// A region of the account where a rule would match, where none does here.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rule_in_region: Option<String>,
    /// Whether the repository is there.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub repository_exists: Option<bool>,
    /// The tag that is here.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cached_tag: Option<CachedTag>,
    /// The manifest that is here.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cached_manifest: Option<CachedManifest>,
    /// How the rule's upstream stands.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub upstream: Option<UpstreamState>,
}

/// The rule that an image falls under.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct MatchedRule {
    /// Its prefix, as it was given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ecr_repository_prefix: Option<String>,
    /// Its upstream, as it was given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub upstream_registry_url: Option<String>,
    /// What the repository is called there.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub upstream_repository: Option<String>,
    /// The ARN of the secret that it uses.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub credential_arn: Option<String>,
    /// Where it is declared; absent for one that is stored.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub declared_by: Option<String>,
}

/// A rule that is not the one.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PassedOverRule {
    /// Its prefix, as it was given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ecr_repository_prefix: Option<String>,
    /// Why it is not.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// A tag that is here.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct CachedTag {
    /// What it names.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub image_digest: Option<String>,
    /// `CACHED` or `PUSHED`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub origin: Option<String>,
    /// When its upstream last confirmed it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub checked_at: Option<Timestamp>,
    /// When it last moved.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub updated_at: Option<Timestamp>,
    /// What its age allows: `FRESH`, `REVALIDATE`, `STALE` or `EXPIRED`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub freshness: Option<String>,
}

/// A manifest that is here, and how much of what it names.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct CachedManifest {
    /// Its digest.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub image_digest: Option<String>,
    /// Its media type.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub image_manifest_media_type: Option<String>,
    /// Its own size in bytes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub manifest_size_in_bytes: Option<i64>,
    /// How many blobs, or manifests of an index, it names.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub parts: Option<i64>,
    /// How many of them are here.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub parts_here: Option<i64>,
    /// Their bytes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub size_in_bytes: Option<i64>,
    /// The bytes of those that are here.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub size_in_bytes_here: Option<i64>,
}

/// How an upstream stands.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct UpstreamState {
    /// `CLOSED` where it is asked, `OPEN` where it failed a moment ago.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub circuit: Option<String>,
    /// When an open circuit is probed again.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub probe_at: Option<Timestamp>,
    /// Until when this image is not asked for, because it was refused.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub backoff_until: Option<Timestamp>,
    /// `FREE`, `SHORT` or `HELD`: what may be asked of it, as far as it said.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub allowance: Option<String>,
    /// What it said about its budget, for each endpoint.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub budgets: Option<Vec<UpstreamBudget>>,
    /// Why the rule's secret cannot be used.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub credentials_problem: Option<String>,
    /// Its last word about this image that this server heard.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_answer: Option<UpstreamAnswer>,
    /// What it says now, where it was asked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub answer_now: Option<UpstreamAnswer>,
}

/// What an upstream said about how much it may be asked.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct UpstreamBudget {
    /// The origin that is really spoken to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub endpoint: Option<String>,
    /// How many requests a window has.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub limit: Option<i64>,
    /// How many of them are left.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub remaining: Option<i64>,
    /// The length of a window.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub window_in_seconds: Option<i64>,
    /// Whom it counts for: an address or an account.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source: Option<String>,
    /// When it said so.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub heard_at: Option<Timestamp>,
    /// Until when it is not asked for manifests.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub manifests_held_until: Option<Timestamp>,
    /// Until when it is not asked for blobs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub blobs_held_until: Option<Timestamp>,
}

/// What an upstream said about an image.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct UpstreamAnswer {
    /// When.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub at: Option<Timestamp>,
    /// In words.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub said: Option<String>,
    /// The digest it named.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub image_digest: Option<String>,
}
