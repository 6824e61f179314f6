//! Previews of lifecycle policies.

use aws::{
    Exception, Timestamp,
    ecr::{
        GetLifecyclePolicyPreviewRequest, GetLifecyclePolicyPreviewResponse, ImageIdentifier,
        LifecyclePolicyPreviewResult, LifecyclePolicyPreviewSummary, LifecyclePolicyRuleAction,
        Operation, StartLifecyclePolicyPreviewRequest, StartLifecyclePolicyPreviewResponse,
        TransitioningImageTotalCount,
    },
    exception::EcrException,
    json,
};
use metadata::PreviewResult;
use registry::{LifecyclePreviewView, PreviewState, PreviewedImages};

use super::{Call, Outcome, repositories::named, setting_failure::setting, validate};

/// `LifecyclePreviewMaxResults`: the longest page.
const PAGE_MAX: i32 = 100;

/// `StartLifecyclePolicyPreview`.
pub(super) async fn start_preview(call: &Call<'_>) -> Outcome {
    let request: StartLifecyclePolicyPreviewRequest = call.ecr()?;
    let operation = Operation::StartLifecyclePolicyPreview;
    let name = named(call, request.registry_id.as_deref(), operation, &request.repository_name)?;
    let text = request.lifecycle_policy_text.as_deref();
    let started = call.registry().start_lifecycle_preview(call.caller(), &name, text).await;
    Ok(json::render(&StartLifecyclePolicyPreviewResponse {
        registry_id: Some(call.registry_id().account.to_string()),
        repository_name: Some(request.repository_name),
        lifecycle_policy_text: Some(started.map_err(|error| setting(error, call))?),
        status: Some(status(PreviewState::InProgress).to_owned()),
    }))
}

/// `GetLifecyclePolicyPreview`.
pub(super) async fn get_preview(call: &Call<'_>) -> Outcome {
    let request: GetLifecyclePolicyPreviewRequest = call.ecr()?;
    let operation = Operation::GetLifecyclePolicyPreview;
    let name = named(call, request.registry_id.as_deref(), operation, &request.repository_name)?;
    if request.max_results.is_some_and(|limit| limit > PAGE_MAX) {
        let text = format!("must have value less than or equal to {PAGE_MAX}");
        return Err(validate::violation("maxResults", &text).into());
    }
    let page = validate::page(request.next_token.as_deref(), request.max_results)?;
    let has_page = request.next_token.is_some() || request.max_results.is_some();
    if request.image_ids.is_some() && has_page {
        return Err(Exception::new(
            EcrException::InvalidParameter,
            "Invalid request parameters: nextToken and maxResults cannot be used with imageIds",
        )
        .into());
    }
    let tag_status = request.filter.and_then(|filter| filter.tag_status);
    let wanted = wanted(request.image_ids, tag_status.as_deref())?;
    let found = call.registry().lifecycle_preview(call.caller(), &name, &wanted, &page).await;
    let LifecyclePreviewView { policy, state, expiring, transitioning, results } =
        found.map_err(|error| setting(error, call))?;
    let is_complete = state == PreviewState::Complete;
    Ok(json::render(&GetLifecyclePolicyPreviewResponse {
        registry_id: Some(call.registry_id().account.to_string()),
        repository_name: Some(request.repository_name),
        lifecycle_policy_text: Some(policy),
        status: Some(status(state).to_owned()),
        next_token: validate::next_token(results.next),
        preview_results: results.items.into_iter().map(render).collect(),
        summary: is_complete.then(|| summary(expiring, transitioning)),
    }))
}

fn wanted(
    image_ids: Option<Vec<ImageIdentifier>>,
    tag_status: Option<&str>,
) -> Result<PreviewedImages, Exception> {
    if let Some(status) = tag_status {
        validate::one_of("filter.tagStatus", status, &["TAGGED", "UNTAGGED", "ANY"])?;
    }
    let tagged = match tag_status {
        Some("TAGGED") => Some(true),
        Some("UNTAGGED") => Some(false),
        _ => None,
    };
    let images = image_ids.map(super::images::identify).transpose()?.unwrap_or_default();
    Ok(PreviewedImages { images, tagged })
}

fn status(state: PreviewState) -> &'static str {
    match state {
        PreviewState::InProgress => "IN_PROGRESS",
        PreviewState::Complete => "COMPLETE",
        PreviewState::Expired => "EXPIRED",
        PreviewState::Failed => "FAILED",
    }
}

fn render(result: PreviewResult) -> LifecyclePolicyPreviewResult {
    let PreviewResult { digest, tags, pushed_at, priority, is_transition, is_archived } = result;
    let kind = if is_transition { "TRANSITION" } else { "EXPIRE" };
    LifecyclePolicyPreviewResult {
        image_tags: Some(tags.iter().map(ToString::to_string).collect()),
        image_digest: Some(digest.to_string()),
        image_pushed_at: Some(Timestamp::from_milliseconds(pushed_at.0)),
        action: Some(LifecyclePolicyRuleAction {
            kind: Some(kind.to_owned()),
            target_storage_class: is_transition.then(|| "ARCHIVE".to_owned()),
        }),
        applied_rule_priority: i64::try_from(priority).ok(),
        storage_class: Some(if is_archived { "ARCHIVE" } else { "STANDARD" }.to_owned()),
    }
}

fn summary(expiring: u64, transitioning: u64) -> LifecyclePolicyPreviewSummary {
    let count = |count: u64| Some(i64::try_from(count).unwrap_or(i64::MAX));
    let moved = TransitioningImageTotalCount {
        target_storage_class: Some("ARCHIVE".to_owned()),
        image_total_count: count(transitioning),
    };
    LifecyclePolicyPreviewSummary {
        expiring_image_total_count: count(expiring),
        transitioning_image_total_counts: (transitioning > 0).then(|| vec![moved]),
    }
}
