//! What is said when a store failed, or the secret of a rule cannot be used.
//!
//! Room that is used up is told apart from what is broken: the one passes, the other needs a
//! person.

use blobs::Error as BlobsError;
use http::{HeaderValue, header};
use metadata::Error as MetadataError;
use oci::ErrorCode;
use registry::{SecretError, StorageError};
use serde_json::json;

use super::{Failure, upstream};

/// A rule whose secret cannot be used is, for the client, an upstream that refuses.
pub(super) fn credentials(prefix: &str, error: &SecretError) -> Failure {
    let reason = match error {
        SecretError::Denied(_) => "it may not be read",
        SecretError::NotFound { .. } => "it does not exist",
        SecretError::VersionNotFound { .. } => "it has no value",
        SecretError::ScheduledForDeletion { .. } => "it is scheduled for deletion",
        SecretError::Unusable { reason, .. } => reason,
        SecretError::Sealed { .. } => "it cannot be decrypted",
        SecretError::AlreadyExists { .. }
        | SecretError::TokenInUse { .. }
        | SecretError::LimitExceeded { .. }
        | SecretError::MalformedPolicy { .. }
        | SecretError::PublicPolicy
        | SecretError::Contended { .. }
        | SecretError::Invalid { .. } => "it cannot be read",
        SecretError::Storage(error) => return failure(error),
    };
    upstream::refused().with_detail(json!({
        "ecrRepositoryPrefix": prefix,
        "hint": format!("the secret of the pull through cache rule cannot be used: {reason}"),
    }))
}

/// The table of the stores.
pub(super) fn failure(error: &StorageError) -> Failure {
    if error.is_full() {
        let text = "the registry's disk is full: nothing new can be stored until there is room";
        return Failure::new(ErrorCode::Unavailable, text);
    }
    match error {
        StorageError::Metadata(error) => match error {
            MetadataError::Full(_) | MetadataError::Unavailable(_) => ErrorCode::Unavailable.into(),
            MetadataError::NotFound
            | MetadataError::AlreadyExists
            | MetadataError::LimitExceeded { .. }
            | MetadataError::NotEmpty
            | MetadataError::TagImmutable { .. }
            | MetadataError::TagMoved { .. }
            | MetadataError::PartMissing { .. }
            | MetadataError::Referenced { .. }
            | MetadataError::Archived
            | MetadataError::NewerSchema { .. }
            | MetadataError::Corrupt { .. } => ErrorCode::Unknown.into(),
        },
        StorageError::Blobs(error) => match error {
            BlobsError::StagingFull { .. } => Failure::new(
                ErrorCode::Unavailable,
                "the registry has no room for more transfers right now: try again later",
            )
            .with_header(header::RETRY_AFTER, HeaderValue::from_static("30")),
            // A digest that does not fit is the upstream's doing: ours are checked as they go in.
            BlobsError::DigestMismatch { .. } | BlobsError::SizeMismatch { .. } => Failure::new(
                ErrorCode::BadGateway,
                "the upstream registry sent bytes that are not what their digest says",
            ),
            BlobsError::Busy => ErrorCode::Unavailable.into(),
            BlobsError::NotFound(_) | BlobsError::Truncated { .. } | BlobsError::Io { .. } => {
                ErrorCode::Unknown.into()
            }
        },
    }
}
