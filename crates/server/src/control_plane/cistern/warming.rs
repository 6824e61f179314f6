//! Warmings of the cache.

use aws::{
    Exception, Timestamp,
    cistern::{
        CacheImage, CacheWarming, CancelCacheWarmingRequest, DescribeCacheWarmingRequest,
        Operation, StartCacheWarmingRequest, WarmedCacheImage,
    },
    exception::EcrException,
    json,
};
use oci::{Digest, Platform, Reference, RepositoryName, Tag};
use registry::{
    NewWarming, WarmError, WarmedImage, WarmingError, WarmingFailure, WarmingState, WarmingView,
};

use super::super::{Call, Failure, Outcome, validate};
use crate::data_plane::{pull_text, stale_text};

/// The whole registry, as a resource.
const RESOURCE: &str = "*";
/// Platforms that one request may name.
const PLATFORMS_MAX: usize = 100;

/// `StartCacheWarming`.
pub(super) fn start(call: &Call<'_>) -> Outcome {
    let request: StartCacheWarmingRequest = call.cistern()?;
    call.require_own(request.registry_id.as_deref(), Operation::StartCacheWarming, RESOURCE)?;
    let images = request.images.iter().enumerate().map(|(at, image)| parse(at, image));
    let platforms = request.platforms.unwrap_or_default();
    validate::length("platforms", platforms.len(), 0..=PLATFORMS_MAX)?;
    let platform = |text: &String| {
        Platform::parse(text).map_err(|error| {
            validate::violation("platforms", &format!("{error}; {text:?} is none"))
        })
    };
    let new = NewWarming {
        images: images.collect::<Result<_, _>>()?,
        platforms: platforms.iter().map(platform).collect::<Result<_, _>>()?,
        referrers: request.include_referrers.unwrap_or_default(),
    };
    let started = call.registry().start_warming(call.caller(), new).map_err(failure)?;
    Ok(render(call, started))
}

/// `DescribeCacheWarming`.
pub(super) fn describe(call: &Call<'_>) -> Outcome {
    let request: DescribeCacheWarmingRequest = call.cistern()?;
    call.require_own(request.registry_id.as_deref(), Operation::DescribeCacheWarming, RESOURCE)?;
    let found = call.registry().warming(call.caller(), &request.warming_id);
    Ok(render(call, found.map_err(failure)?))
}

/// `CancelCacheWarming`.
pub(super) fn cancel(call: &Call<'_>) -> Outcome {
    let request: CancelCacheWarmingRequest = call.cistern()?;
    call.require_own(request.registry_id.as_deref(), Operation::CancelCacheWarming, RESOURCE)?;
    let canceled = call.registry().cancel_warming(call.caller(), &request.warming_id);
    Ok(render(call, canceled.map_err(failure)?))
}

/// Reads an image; `at` is its place in the list.
fn parse(at: usize, image: &CacheImage) -> Result<(RepositoryName, Reference), Exception> {
    let member = |name: &str| format!("images[{at}].{name}");
    let name = validate::parse_repository(&member("repositoryName"), &image.repository_name)?;
    let wrong = |name: &str, error: &dyn std::fmt::Display| {
        validate::violation(&member(name), &error.to_string())
    };
    let reference = match (&image.image_tag, &image.image_digest) {
        (Some(tag), None) => {
            Reference::Tag(Tag::parse(tag).map_err(|error| wrong("imageTag", &error))?)
        }
        (None, Some(digest)) => {
            Reference::Digest(Digest::parse(digest).map_err(|error| wrong("imageDigest", &error))?)
        }
        _ => {
            let text = "an image is named by imageTag or by imageDigest, and by one of them only";
            return Err(wrong("imageTag", &text));
        }
    };
    Ok((name, reference))
}

fn failure(error: WarmingError) -> Failure {
    let failure = match error {
        WarmingError::Denied(denied) => return denied.into(),
        WarmingError::Failure(failure) => failure,
    };
    match &failure {
        WarmingFailure::Images { .. } => validate::violation("images", &failure.to_string()).into(),
        WarmingFailure::TooMany { .. } => {
            let text = format!("Too many: {failure}; wait for one of them, or cancel it.");
            Exception::new(EcrException::LimitExceeded, text).into()
        }
        WarmingFailure::NotFound { .. } => validate::violation(
            "warmingId",
            &format!("{failure}; start it again: what is cached costs only a question"),
        )
        .into(),
    }
}

fn render(call: &Call<'_>, view: WarmingView) -> Vec<u8> {
    let moment = |at: metadata::Timestamp| Timestamp::from_milliseconds(at.0);
    let has =
        |state: fn(&WarmingState) -> bool| view.images.iter().any(|image| state(&image.state));
    let status = if view.ended_at.is_none() {
        "IN_PROGRESS"
    } else if has(|state| matches!(state, WarmingState::Failed(_))) {
        "FAILED"
    } else if has(|state| matches!(state, WarmingState::Canceled)) {
        "CANCELED"
    } else {
        "COMPLETE"
    };
    json::render(&CacheWarming {
        registry_id: Some(call.registry_id().account.to_string()),
        warming_id: Some(view.id),
        status: Some(status.to_owned()),
        started_at: Some(moment(view.started_at)),
        ended_at: view.ended_at.map(moment),
        images: view.images.into_iter().map(described).collect(),
    })
}

fn described(image: WarmedImage) -> WarmedCacheImage {
    let (status, failure_reason) = match &image.state {
        WarmingState::Waiting => ("PENDING", None),
        WarmingState::Running => ("IN_PROGRESS", None),
        WarmingState::Complete => ("COMPLETE", None),
        WarmingState::Canceled => ("CANCELED", None),
        WarmingState::Failed(error) => ("FAILED", Some(text(error))),
    };
    let missing = image.missing_platforms.iter().map(ToString::to_string);
    WarmedCacheImage {
        repository_name: image.repository.to_string(),
        image_tag: match &image.reference {
            Reference::Tag(tag) => Some(tag.to_string()),
            Reference::Digest(_) => None,
        },
        image_digest: match &image.reference {
            Reference::Digest(digest) => Some(digest.to_string()),
            Reference::Tag(_) => image.digest.map(|digest| digest.to_string()),
        },
        status: status.to_owned(),
        failure_reason,
        stale_reason: image.stale.as_ref().map(stale_text),
        missing_platforms: Some(missing.collect::<Vec<_>>()).filter(|some| !some.is_empty()),
        manifest_count: image.manifests,
        layer_count: image.blobs,
        cached_layer_count: image.blobs_here,
        size_in_bytes: image.size_bytes,
        cached_size_in_bytes: image.bytes_here,
        new_size_in_bytes: image.bytes_new,
    }
}

/// Why an image was not warmed, in words that are safe to show.
fn text(error: &WarmError) -> String {
    match error {
        WarmError::Pull(error) => pull_text(error),
        error @ (WarmError::NoPlatform { .. }
        | WarmError::TooManyManifests { .. }
        | WarmError::NotKept { .. }) => error.to_string(),
    }
}
