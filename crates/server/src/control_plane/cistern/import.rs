//! Images that were carried here.

use aws::{
    Exception,
    cistern::{
        ImportCacheImageRequest, ImportCacheImageResponse, ImportCacheLayerRequest,
        ImportCacheLayerResponse, Operation,
    },
    exception::EcrException,
    json,
};
use metadata::Precondition;
use oci::{Digest, Tag};
use registry::{ImportError, NewImage};

use super::super::{Call, Failure, Outcome, error, validate};

/// `ImportCacheLayer`.
pub(super) async fn layer(call: &Call<'_>) -> Outcome {
    let request: ImportCacheLayerRequest = call.cistern()?;
    let name = request.repository_name.as_str();
    let resource = format!("repository/{name}");
    call.require_own(request.registry_id.as_deref(), Operation::ImportCacheLayer, &resource)?;
    let repository = validate::parse_repository("repositoryName", name)?;
    let digest = parse_digest("layerDigest", &request.layer_digest)?;
    let imported = call
        .registry()
        .import_blob(call.caller(), &repository, &request.upload_id, &digest)
        .await
        .map_err(|error| failure(error, |error| error::push_layer(error, name)))?;
    Ok(json::render(&ImportCacheLayerResponse {
        registry_id: Some(call.registry_id().account.to_string()),
        layer_digest: Some(imported.digest.to_string()),
        layer_size: Some(imported.size_bytes),
        repository_name: Some(request.repository_name),
    }))
}

/// `ImportCacheImage`.
pub(super) async fn image(call: &Call<'_>) -> Outcome {
    let request: ImportCacheImageRequest = call.cistern()?;
    let name = request.repository_name.as_str();
    let resource = format!("repository/{name}");
    call.require_own(request.registry_id.as_deref(), Operation::ImportCacheImage, &resource)?;
    let repository = validate::parse_repository("repositoryName", name)?;
    let tag = request.image_tag.as_deref().map(Tag::parse).transpose();
    let new = NewImage {
        tag: tag.map_err(|error| validate::violation("imageTag", &error.to_string()))?,
        digest: Some(parse_digest("imageDigest", &request.image_digest)?),
        media_type: request.image_manifest_media_type,
        bytes: request.image_manifest.into(),
        whole: false,
        precondition: Precondition::default(),
    };
    let imported = call
        .registry()
        .import_manifest(call.caller(), &repository, new)
        .await
        .map_err(|error| failure(error, |error| error::push_image(error, name)))?;
    Ok(json::render(&ImportCacheImageResponse {
        registry_id: Some(call.registry_id().account.to_string()),
        image_digest: Some(imported.digest.to_string()),
        tagged_digest: imported.tagged.map(|digest| digest.to_string()),
        repository_name: Some(request.repository_name),
    }))
}

fn parse_digest(member: &str, text: &str) -> Result<Digest, Exception> {
    Digest::parse(text).map_err(|error| validate::violation(member, &error.to_string()))
}

fn failure(failed: ImportError, push: impl FnOnce(&registry::PushError) -> Failure) -> Failure {
    let exception = match &failed {
        ImportError::Denied(denied) => return denied.clone().into(),
        ImportError::Push(error) => return push(error),
        ImportError::NoRule { .. } => Exception::new(
            EcrException::PullThroughCacheRuleNotFound,
            format!("What is imported is kept for a rule, and {failed}: create one first."),
        ),
        ImportError::BlobsMissing { .. } => Exception::new(
            EcrException::LayersNotFound,
            format!("Import its layers first: {failed}."),
        ),
        ImportError::Empty => Exception::new(
            EcrException::ReferencedImagesNotFound,
            format!("Import some of its manifests first: {failed}."),
        ),
    };
    Failure::from(exception).with_cause(failed)
}
