//! Images in batches: `BatchGetImage`, which pulls.

use aws::{
    ecr::{
        BatchGetImageRequest, BatchGetImageResponse, Image, ImageFailure, ImageIdentifier,
        Operation,
    },
    json,
};
use oci::RepositoryName;
use registry::{ImageFailure as Reason, PullError, PulledManifest, WantedImage};

use super::{Call, Outcome, error, validate};
use crate::rule_policy;

/// The code of an image that is there and is not handed out.
const INACCESSIBLE: &str = "ImageInaccessible";

/// `ImageDigest`, as ECR's own errors write it.
const DIGEST_PATTERN: &str = "[a-zA-Z0-9-_+.]+:[a-fA-F0-9]+";

/// `BatchGetImage`. Each image is pulled as `docker pull` would: a rule that matches brings it.
pub(in crate::control_plane) async fn get(call: &Call<'_>) -> Outcome {
    let request: BatchGetImageRequest = call.ecr()?;
    let name = request.repository_name.as_str();
    let resource = format!("repository/{name}");
    call.require_own(request.registry_id.as_deref(), Operation::BatchGetImage, &resource)?;
    validate::repository_name("repositoryName", name)?;
    validate::length("imageIds", request.image_ids.len(), 1..=100)?;
    let accepted = request.accepted_media_types;
    if let Some(accepted) = &accepted {
        validate::length("acceptedMediaTypes", accepted.len(), 1..=100)?;
    }
    let repository = RepositoryName::parse(name).expect("checked above");
    let wanted = request
        .image_ids
        .into_iter()
        .map(|id| WantedImage { tag: id.image_tag, digest: id.image_digest });
    let pulled = call
        .registry()
        .batch_get_image(
            call.caller(),
            &repository,
            wanted.collect(),
            &accepted.unwrap_or_default(),
        )
        .await
        .map_err(|error| error::pull_image(&error))?;
    let mut response = BatchGetImageResponse::default();
    let kept = pulled.repository.as_str();
    for (wanted, outcome) in pulled.images {
        match outcome.map_err(failure).and_then(|pulled| image(call, kept, &wanted, &pulled)) {
            Ok(image) => response.images.push(image),
            Err((code, reason)) => response.failures.push(ImageFailure {
                image_id: Some(ImageIdentifier {
                    image_digest: wanted.digest,
                    image_tag: wanted.tag,
                }),
                failure_code: Some(code.to_owned()),
                failure_reason: Some(reason),
            }),
        }
    }
    Ok(json::render(&response))
}

/// A code of the model's `ImageFailureCode`, and a sentence.
type Said = (&'static str, String);

fn image(
    call: &Call<'_>,
    name: &str,
    wanted: &WantedImage,
    pulled: &PulledManifest,
) -> Result<Image, Said> {
    // JSON has no other bytes: a manifest that it cannot carry is not handed out changed.
    let manifest = String::from_utf8(pulled.bytes.to_vec()).map_err(|_| {
        (INACCESSIBLE, "The manifest is not UTF-8: pull it with a client.".to_owned())
    })?;
    Ok(Image {
        registry_id: Some(call.registry_id().account.to_string()),
        repository_name: Some(name.to_owned()),
        image_id: Some(ImageIdentifier {
            image_digest: Some(pulled.digest.to_string()),
            image_tag: wanted.tag.clone(),
        }),
        image_manifest: Some(manifest),
        image_manifest_media_type: Some(pulled.media_type.to_string()),
    })
}

/// What is said of an image that is left out.
pub(super) fn failure(reason: Reason) -> Said {
    const NOT_FOUND: &str = "ImageNotFound";
    match reason {
        Reason::InvalidDigest => (
            "InvalidImageDigest",
            format!(
                "Invalid request parameters: image digest should satisfy the regex \
                 '{DIGEST_PATTERN}'"
            ),
        ),
        Reason::InvalidTag => (
            "InvalidImageTag",
            "Invalid request parameters: image tag should have 1 to 128 letters, digits, '_', '.' \
             and '-', and start with none of the last two"
                .to_owned(),
        ),
        Reason::MissingDigestAndTag => (
            "MissingDigestAndTag",
            "Invalid request parameters: both tag and digest cannot be null".to_owned(),
        ),
        Reason::TagDoesNotMatchDigest { actual } => (
            "ImageTagDoesNotMatchDigest",
            format!("The image tag names the image with digest {actual}"),
        ),
        Reason::NotAccepted { media_type } => (
            NOT_FOUND,
            format!(
                "Requested image not found in an accepted media type: its manifest is of type \
                 {media_type}"
            ),
        ),
        Reason::Pull(error) => upstream(&error),
    }
}

fn upstream(error: &PullError) -> Said {
    use ::upstream::Error;
    let unavailable = |host: &str| {
        ("UpstreamUnavailable", format!("The upstream registry {host} could not bring the image"))
    };
    match error {
        PullError::Upstream(error) => match &**error {
            Error::Unauthorized { host, .. } | Error::Denied { host, .. } => (
                "UpstreamAccessDenied",
                format!("The upstream registry {host} denied access to the image"),
            ),
            Error::Login { failure, .. } => ("UpstreamAccessDenied", failure.to_string()),
            Error::RateLimited { host, .. } => (
                "UpstreamTooManyRequests",
                format!("The upstream registry {host} limits the rate of requests"),
            ),
            Error::NotFound { host }
            | Error::Circle { host, .. }
            | Error::Status { host, .. }
            | Error::Invalid { host, .. }
            | Error::DigestMismatch { host, .. }
            | Error::TooLarge { host, .. }
            | Error::Timeout { host, .. }
            | Error::Transport { host, .. }
            | Error::Refused { host, .. } => unavailable(host),
        },
        PullError::BadManifest { host, .. } => unavailable(host),
        PullError::NotLetIn { .. } => (INACCESSIBLE, format!("The {error}.")),
        PullError::TooYoung { rule, repository, reference, minimum, until } => {
            (INACCESSIBLE, rule_policy::too_young(rule, repository, reference, *minimum, *until))
        }
        // ECR answers a pull with 404, and its failure codes have none for the archive.
        PullError::Archived { .. } => (
            "ImageNotFound",
            "Requested image not found: it is archived, restore it with UpdateImageStorageClass \
             or push it again"
                .to_owned(),
        ),
        PullError::ManifestUnknown { .. }
        | PullError::BlobUnknown { .. }
        | PullError::NameUnknown { .. }
        | PullError::Denied(_)
        | PullError::Credentials { .. }
        | PullError::Template { .. }
        | PullError::Storage(_)
        | PullError::Fill(_)
        | PullError::Abandoned => ("ImageNotFound", "Requested image not found".to_owned()),
    }
}
