//! What is said when a push did not happen. The texts are ECR's where it has some.

use http::{HeaderValue, StatusCode, header};
use oci::{Digest, ErrorCode};
use registry::PushError;
use serde_json::json;

use super::{Failure, Subject, pull, storage};

/// The table.
pub(in crate::data_plane) fn push(error: PushError) -> Failure {
    let failure = match &error {
        PushError::Denied(denied) => return denied.clone().into(),
        PushError::NameUnknown { registry, repository } => Failure::new(
            ErrorCode::NameUnknown,
            format!(
                "The repository with name '{repository}' does not exist in the registry with id \
                 '{}'",
                registry.account
            ),
        ),
        PushError::UploadUnknown { .. } => ErrorCode::BlobUploadUnknown.into(),
        PushError::UploadBusy { .. } => Failure::new(
            ErrorCode::BlobUploadInvalid,
            "another request is writing to this upload: ask where it stands, and go on there",
        )
        .with_status(StatusCode::CONFLICT),
        PushError::UploadsExceeded { limit } => Failure::new(
            ErrorCode::TooManyRequests,
            format!("the registry has {limit} uploads already: end some, or try again later"),
        )
        .with_header(header::RETRY_AFTER, HeaderValue::from_static("30")),
        PushError::OutOfOrder { received_bytes, first_byte } => Failure::new(
            ErrorCode::BlobUploadInvalid,
            format!("the upload has {received_bytes} bytes, the chunk begins at {first_byte}"),
        ),
        PushError::LengthMismatch { .. } => Failure::new(ErrorCode::SizeInvalid, error.to_string()),
        PushError::Interrupted { .. } => {
            Failure::new(ErrorCode::SizeInvalid, "the body ended before its end")
        }
        PushError::TooLarge { limit_bytes } => Failure::new(
            ErrorCode::SizeInvalid,
            format!("more than {limit_bytes} bytes cannot be pushed at once"),
        )
        .with_status(StatusCode::PAYLOAD_TOO_LARGE),
        PushError::DigestMismatch { expected, actual } => {
            Failure::new(ErrorCode::DigestInvalid, "provided digest did not match uploaded content")
                .with_detail(json!({"digest": expected.as_str(), "actual": actual.as_str()}))
        }
        PushError::ManifestInvalid(invalid) => {
            Failure::new(ErrorCode::ManifestInvalid, format!("manifest invalid: {invalid}"))
        }
        PushError::MediaTypeMismatch { .. } => {
            Failure::new(ErrorCode::ManifestInvalid, format!("manifest invalid: {error}"))
        }
        PushError::BlobsUnknown { digests } => unknown(digests),
        PushError::ManifestsUnknown { digests } => unknown(digests),
        PushError::TagImmutable { repository, tag, .. } => Failure::new(
            ErrorCode::TagInvalid,
            format!(
                "The image tag '{tag}' already exists in the '{repository}' repository and cannot \
                 be overwritten because the tag is immutable."
            ),
        ),
        PushError::TagMoved { tag, digest, .. } => Failure::new(
            ErrorCode::TagInvalid,
            match digest {
                Some(_) => format!("the tag '{tag}' names something else than it has to"),
                None => format!("the tag '{tag}' does not exist, and has to"),
            },
        )
        .with_status(StatusCode::PRECONDITION_FAILED)
        .with_detail(json!({"tag": tag.as_str(), "digest": digest.as_ref().map(Digest::as_str)})),
        PushError::Pull(error) => return pull(error.clone(), Subject::Blob),
        PushError::Abandoned => ErrorCode::Unavailable.into(),
        PushError::Storage(error) => storage::failure(error),
    };
    failure.with_cause(error)
}

/// "It MUST result in one or more `MANIFEST_BLOB_UNKNOWN` errors."
fn unknown(digests: &[Digest]) -> Failure {
    let all: Vec<_> = digests.iter().map(Digest::as_str).collect();
    Failure::from(ErrorCode::ManifestBlobUnknown)
        .with_detail(json!({"digest": all.first(), "digests": all}))
}
