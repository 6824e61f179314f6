//! What ECR says when a push through its API did not happen.

use aws::{Exception, exception::EcrException};
use oci::Digest;
use registry::{DescribeError, PushError};

use super::{Failure, chained, describe, pull, storage};

/// What is wrong with a layer for the repository `name`.
pub(in crate::control_plane) fn layer(error: &PushError, name: &str) -> Failure {
    failure(error, name, EcrException::InvalidLayer)
}

/// What is wrong with an image for the repository `name`.
pub(in crate::control_plane) fn image(error: &PushError, name: &str) -> Failure {
    failure(error, name, EcrException::ImageDigestDoesNotMatch)
}

/// The table.
fn failure(error: &PushError, name: &str, mismatch: EcrException) -> Failure {
    use EcrException as Kind;
    let said = |kind: Kind, text: String| Exception::new(kind, text);
    let exception = match error {
        PushError::Denied(denied) => return denied.clone().into(),
        PushError::NameUnknown { registry, repository } => {
            let (repository, registry) = (repository.to_string(), registry.clone());
            let account = registry.account.to_string();
            return describe(DescribeError::RepositoryNotFound { repository, registry }, &account);
        }
        PushError::UploadUnknown { id } => said(
            Kind::UploadNotFound,
            format!(
                "The upload with id '{id}' does not exist in the repository with name '{name}'"
            ),
        ),
        PushError::UploadBusy { .. } => said(
            Kind::InvalidLayerPart,
            "Another request is writing to the upload: try again later.".to_owned(),
        ),
        PushError::UploadsExceeded { limit } => said(
            Kind::LimitExceeded,
            format!("The registry has {limit} layer uploads already: try again later."),
        ),
        PushError::OutOfOrder { received_bytes, first_byte } => said(
            Kind::InvalidLayerPart,
            format!(
                "The layer part begins at {first_byte}, and {received_bytes} bytes of the layer \
                 have come"
            ),
        ),
        PushError::LengthMismatch { .. } | PushError::Interrupted { .. } => {
            Kind::InvalidLayerPart.into()
        }
        PushError::TooLarge { limit_bytes } => {
            said(Kind::LimitExceeded, format!("More than {limit_bytes} bytes cannot be pushed."))
        }
        PushError::DigestMismatch { .. } => mismatch.into(),
        PushError::ManifestInvalid(invalid) => said(
            Kind::InvalidParameter,
            format!(
                "Invalid parameter at 'ImageManifest' failed to satisfy constraint: 'Invalid JSON \
                 syntax': {invalid}"
            ),
        ),
        PushError::MediaTypeMismatch { .. } => said(
            Kind::InvalidParameter,
            format!("Invalid parameter at 'imageManifestMediaType': {error}"),
        ),
        PushError::BlobsUnknown { .. }
        | PushError::ManifestsUnknown { .. }
        | PushError::TagImmutable { .. }
        | PushError::TagMoved { .. } => refused_image(error, name),
        PushError::Pull(error) => return pull::image(error),
        PushError::Storage(error) => return storage(error, Kind::Server.into()),
        PushError::Abandoned => Kind::Server.into(),
    };
    Failure::from(exception).with_cause(chained(error))
}

/// A manifest that the repository does not take.
fn refused_image(error: &PushError, name: &str) -> Exception {
    use EcrException as Kind;
    let required = |what: &str, digests: &[Digest]| {
        format!(
            "{what} with digests '[{}]' required for pushing image into repository with name \
             '{name}' do not exist",
            list(digests)
        )
    };
    match error {
        PushError::BlobsUnknown { digests } => {
            Exception::new(Kind::LayersNotFound, required("Layers", digests))
        }
        PushError::ManifestsUnknown { digests } => {
            Exception::new(Kind::ReferencedImagesNotFound, required("Images", digests))
        }
        PushError::TagImmutable { tag, .. } => Exception::new(
            Kind::ImageTagAlreadyExists,
            format!(
                "The image tag '{tag}' already exists in the '{name}' repository and cannot be \
                 overwritten because the tag is immutable."
            ),
        ),
        _ => Kind::InvalidParameter.into(),
    }
}

fn list(digests: &[Digest]) -> String {
    digests.iter().map(Digest::as_str).collect::<Vec<_>>().join(", ")
}
