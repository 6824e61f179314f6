//! `UpdateImageStorageClass`, and what is said of an image's class.

use aws::{
    Exception,
    ecr::{
        ImageIdentifier, Operation, UpdateImageStorageClassRequest, UpdateImageStorageClassResponse,
    },
    exception::EcrException,
    json,
};
use metadata::StorageClass;
use registry::{StorageClassError, WantedImage};

use super::{Call, Outcome, error, identify, validate};
use crate::control_plane::error::Failure;

/// `UpdateImageStorageClass`. A restored image is `ACTIVE` at once: nothing has to be moved.
pub(in crate::control_plane) async fn update(call: &Call<'_>) -> Outcome {
    let request: UpdateImageStorageClassRequest = call.ecr()?;
    let name = request.repository_name.as_str();
    let resource = format!("repository/{name}");
    let operation = Operation::UpdateImageStorageClass;
    call.require_own(request.registry_id.as_deref(), operation, &resource)?;
    validate::repository_name("repositoryName", name)?;
    let words = ["STANDARD", "ARCHIVE"];
    validate::one_of("targetStorageClass", &request.target_storage_class, &words)?;
    identify(vec![request.image_id.clone()])?;
    let class = match request.target_storage_class.as_str() {
        "ARCHIVE" => StorageClass::Archive,
        _ => StorageClass::Standard,
    };
    let ImageIdentifier { image_tag: tag, image_digest: digest } = request.image_id;
    let wanted = WantedImage { tag, digest };
    let moved = call.registry().update_storage_class(call.caller(), name, &wanted, class).await;
    let id = moved.map_err(|error| failure(error, call))?;
    Ok(json::render(&UpdateImageStorageClassResponse {
        registry_id: Some(call.registry_id().account.to_string()),
        repository_name: Some(name.to_owned()),
        image_id: Some(ImageIdentifier {
            image_digest: Some(id.digest.to_string()),
            image_tag: id.tag.map(|tag| tag.to_string()),
        }),
        image_status: Some(status(class == StorageClass::Archive).to_owned()),
    }))
}

/// The `ImageStatus` of an image.
pub(super) fn status(is_archived: bool) -> &'static str {
    if is_archived { "ARCHIVED" } else { "ACTIVE" }
}

/// What an `ImageStatusFilter` asks for: only those that are archived, or those that are not.
/// "If not specified, only images with `ACTIVE` status are returned" (`ListImagesFilter`). None is
/// ever `ACTIVATING` here; where there is none of a status, the answer is that of no image.
pub(super) fn archived(filter: Option<&str>) -> Option<bool> {
    match filter {
        None | Some("ACTIVE") => Some(false),
        Some("ARCHIVED") => Some(true),
        Some(_) => None,
    }
}

fn failure(error: StorageClassError, call: &Call<'_>) -> Failure {
    match error {
        StorageClassError::Describe(error) => {
            error::describe(error, call.registry_id().account.as_str())
        }
        // User Guide, lifecycle policies: what a manifest list names "cannot be expired or archived
        // without the manifest list being deleted or archived first".
        StorageClassError::Referenced { parent } => Exception::new(
            EcrException::ImageStorageClassUpdateNotSupported,
            format!(
                "The requested image storage class update is not supported: the image is \
                 referenced by manifest list: [{parent}], which has to be archived first"
            ),
        )
        .into(),
    }
}
