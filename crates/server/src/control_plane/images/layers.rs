//! Layers: whether they are here, and where they can be downloaded.

use aws::{
    Exception,
    ecr::{
        BatchCheckLayerAvailabilityRequest, BatchCheckLayerAvailabilityResponse,
        GetDownloadUrlForLayerRequest, GetDownloadUrlForLayerResponse, Layer, LayerFailure,
        Operation,
    },
    exception::CommonException,
    json,
};
use oci::{Digest, RepositoryName};
use registry::LayerState;

use super::{Call, Outcome, error, validate};

/// `LayerDigest`, as the model writes it.
const DIGEST_PATTERN: &str = "[a-zA-Z0-9-_+.]+:[a-fA-F0-9]+";

/// `BatchCheckLayerAvailability`.
pub(in crate::control_plane) async fn check(call: &Call<'_>) -> Outcome {
    let request: BatchCheckLayerAvailabilityRequest = call.ecr()?;
    let name = request.repository_name.as_str();
    let resource = format!("repository/{name}");
    let operation = Operation::BatchCheckLayerAvailability;
    call.require_own(request.registry_id.as_deref(), operation, &resource)?;
    validate::repository_name("repositoryName", name)?;
    let digests = request.layer_digests;
    validate::length("layerDigests", digests.len(), 1..=100)?;
    for digest in &digests {
        validate::length("layerDigests", digest.chars().count(), 0..=1000)?;
    }
    let states = call
        .registry()
        .check_layers(call.caller(), name, &digests)
        .await
        .map_err(|error| error::describe(error, call.registry_id().account.as_str()))?;
    let mut response = BatchCheckLayerAvailabilityResponse::default();
    for (digest, state) in digests.into_iter().zip(states) {
        match state {
            LayerState::Available { size_bytes, media_type } => {
                response.layers.push(layer(digest, "AVAILABLE", size_bytes, media_type));
            }
            LayerState::Archived { size_bytes, media_type } => {
                response.layers.push(layer(digest, "ARCHIVED", size_bytes, media_type));
            }
            LayerState::Unavailable => response.layers.push(Layer {
                layer_digest: Some(digest),
                layer_availability: Some("UNAVAILABLE".to_owned()),
                ..Layer::default()
            }),
            LayerState::InvalidDigest => response.failures.push(failure(digest)),
        }
    }
    Ok(json::render(&response))
}

fn layer(digest: String, availability: &str, size_bytes: u64, media_type: Option<String>) -> Layer {
    Layer {
        layer_digest: Some(digest),
        layer_availability: Some(availability.to_owned()),
        layer_size: Some(i64::try_from(size_bytes).unwrap_or(i64::MAX)),
        media_type,
    }
}

fn failure(digest: String) -> LayerFailure {
    let (code, reason) = if digest.is_empty() {
        ("MissingLayerDigest", "Invalid request parameters: layer digest is missing".to_owned())
    } else {
        let text = format!(
            "Invalid request parameters: layer digest should satisfy the regex '{DIGEST_PATTERN}'"
        );
        ("InvalidLayerDigest", text)
    };
    LayerFailure {
        layer_digest: Some(digest),
        failure_code: Some(code.to_owned()),
        failure_reason: Some(reason),
    }
}

/// `GetDownloadUrlForLayer`: an address on this server that needs no credentials for a while.
pub(in crate::control_plane) async fn download_url(call: &Call<'_>) -> Outcome {
    let request: GetDownloadUrlForLayerRequest = call.ecr()?;
    let name = request.repository_name.as_str();
    let resource = format!("repository/{name}");
    let operation = Operation::GetDownloadUrlForLayer;
    call.require_own(request.registry_id.as_deref(), operation, &resource)?;
    validate::repository_name("repositoryName", name)?;
    let repository = RepositoryName::parse(name).expect("checked above");
    let digest = Digest::parse(&request.layer_digest)
        .map_err(|_| validate::pattern("layerDigest", DIGEST_PATTERN))?;
    let kept = call.registry().kept_name(call.caller(), &repository).await;
    let repository = kept.map_err(|error| error::pull_layer(&error))?;
    call.registry()
        .offer_layer(call.caller(), &repository, &digest)
        .await
        .map_err(|error| error::pull_layer(&error))?;
    let life = call.doors.settings.download_url_life;
    let ticket = call
        .doors
        .authenticator
        .issue_ticket(call.caller(), &repository, &digest, call.now(), life)
        .ok_or_else(|| Exception::from(CommonException::MissingAuthenticationToken))?;
    let endpoint = call.endpoint(call.registry_id());
    Ok(json::render(&GetDownloadUrlForLayerResponse {
        download_url: Some(format!("{endpoint}/v2/{repository}/blobs/{digest}?ticket={ticket}")),
        layer_digest: Some(digest.to_string()),
    }))
}
