//! Why a pull is answered as it is.

use aws::{
    Exception, Timestamp,
    cistern::{
        self, ExplainImageRequest, ExplainImageResponse, MatchedRule, Operation, PassedOverRule,
        UpstreamAnswer, UpstreamBudget,
    },
    json,
};
use oci::{Digest, Reference, Tag};
use registry::{
    CachedManifest, CachedTag, CircuitState, ExplainedRule, Explanation, LastAnswer, RuleSource,
    UpstreamState,
};
use upstream::{Allowance, Budget};

use super::super::{Call, Outcome, error, validate};

/// `ExplainImage`.
pub(super) async fn explain(call: &Call<'_>) -> Outcome {
    let request: ExplainImageRequest = call.cistern()?;
    let resource = format!("repository/{}", request.repository_name);
    call.require_own(request.registry_id.as_deref(), Operation::ExplainImage, &resource)?;
    let repository = validate::parse_repository("repositoryName", &request.repository_name)?;
    let reference = reference(&request)?;
    let ask = request.ask_upstream.unwrap_or(false);
    let explained = call.registry().explain(call.caller(), &repository, &reference, ask).await;
    let explanation = explained.map_err(|failed| error::pull_image(&failed))?;
    Ok(json::render(&render(explanation, request)))
}

fn reference(request: &ExplainImageRequest) -> Result<Reference, Exception> {
    match (&request.image_tag, &request.image_digest) {
        (Some(tag), None) => Tag::parse(tag)
            .map(Reference::Tag)
            .map_err(|_| validate::violation("imageTag", "must be the tag of an image")),
        (None, Some(digest)) => Digest::parse(digest)
            .map(Reference::Digest)
            .map_err(|_| validate::violation("imageDigest", "must be the digest of an image")),
        (Some(_), Some(_)) => {
            Err(validate::violation("imageDigest", "must not be there beside imageTag"))
        }
        (None, None) => Err(validate::violation("imageTag", "must be there, or imageDigest")),
    }
}

fn render(explanation: Explanation, request: ExplainImageRequest) -> ExplainImageResponse {
    let Explanation { registry, verdict, .. } = &explanation;
    ExplainImageResponse {
        registry_id: Some(registry.account.to_string()),
        region: Some(registry.region.to_string()),
        decision: Some(verdict.decision.as_str().to_owned()),
        reason: Some(verdict.reason.clone()),
        repository_name: Some(request.repository_name),
        image_tag: request.image_tag,
        image_digest: request.image_digest,
        rule: explanation.rule.map(rule),
        passed_over_rules: Some(
            explanation
                .passed_over
                .into_iter()
                .map(|rule| PassedOverRule {
                    ecr_repository_prefix: Some(rule.ecr_repository_prefix),
                    reason: Some(rule.reason),
                })
                .collect(),
        ),
        rule_in_region: explanation.rule_in.map(|region| region.to_string()),
        repository_exists: Some(explanation.repository_exists),
        cached_tag: explanation.tag.map(|found| tag(&found)),
        cached_manifest: explanation.manifest.map(|found| manifest(&found)),
        upstream: explanation.upstream.map(upstream_state),
    }
}

fn rule(rule: ExplainedRule) -> MatchedRule {
    MatchedRule {
        ecr_repository_prefix: Some(rule.ecr_repository_prefix),
        upstream_registry_url: Some(rule.upstream_registry_url),
        upstream_repository: Some(rule.upstream_repository),
        credential_arn: rule.credential_arn,
        declared_by: match rule.source {
            RuleSource::Stored => None,
            RuleSource::Declared(source) => Some(source),
        },
    }
}

fn tag(tag: &CachedTag) -> cistern::CachedTag {
    let moment = |at: metadata::Timestamp| Some(Timestamp::from_milliseconds(at.0));
    cistern::CachedTag {
        image_digest: Some(tag.digest.to_string()),
        origin: Some(if tag.is_pushed { "PUSHED" } else { "CACHED" }.to_owned()),
        checked_at: moment(tag.checked_at),
        updated_at: moment(tag.updated_at),
        freshness: Some(tag.freshness.as_str().to_owned()),
    }
}

fn manifest(manifest: &CachedManifest) -> cistern::CachedManifest {
    cistern::CachedManifest {
        image_digest: Some(manifest.digest.to_string()),
        image_manifest_media_type: Some(manifest.media_type.clone()),
        manifest_size_in_bytes: number(manifest.size_bytes),
        parts: number(manifest.children as u64),
        parts_here: number(manifest.children_here as u64),
        size_in_bytes: number(manifest.bytes),
        size_in_bytes_here: number(manifest.bytes_here),
    }
}

fn upstream_state(state: UpstreamState) -> cistern::UpstreamState {
    let (circuit, probe_at) = match state.circuit {
        CircuitState::Closed => ("CLOSED", None),
        CircuitState::Open { probe_at } => ("OPEN", Some(probe_at)),
    };
    let allowance = match state.allowance {
        Allowance::Free => "FREE",
        Allowance::Short { .. } => "SHORT",
        Allowance::Held { .. } => "HELD",
    };
    let moment = |at: metadata::Timestamp| Timestamp::from_milliseconds(at.0);
    cistern::UpstreamState {
        circuit: Some(circuit.to_owned()),
        probe_at: probe_at.map(moment),
        backoff_until: state.backoff_until.map(moment),
        allowance: Some(allowance.to_owned()),
        budgets: Some(state.budgets.into_iter().map(budget).collect()),
        credentials_problem: state.credentials_problem,
        last_answer: state.last.map(answer),
        answer_now: state.now.map(answer),
    }
}

fn budget(budget: Budget) -> UpstreamBudget {
    UpstreamBudget {
        endpoint: Some(budget.endpoint),
        limit: budget.limit.and_then(number),
        remaining: budget.remaining.and_then(number),
        window_in_seconds: budget.window.and_then(|window| number(window.as_secs())),
        source: budget.source,
        heard_at: Some(Timestamp::from_system_time(budget.heard_at)),
        manifests_held_until: budget.manifests_held_until.map(Timestamp::from_system_time),
        blobs_held_until: budget.blobs_held_until.map(Timestamp::from_system_time),
    }
}

fn answer(answer: LastAnswer) -> UpstreamAnswer {
    UpstreamAnswer {
        at: Some(Timestamp::from_milliseconds(answer.at.0)),
        said: Some(answer.said),
        image_digest: answer.digest.map(|digest| digest.to_string()),
    }
}

fn number(count: u64) -> Option<i64> {
    i64::try_from(count).ok()
}
