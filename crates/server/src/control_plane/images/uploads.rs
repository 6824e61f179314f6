//! Uploads of layers: `InitiateLayerUpload`, `UploadLayerPart`, `CompleteLayerUpload`.
//!
//! The same uploads as those of the data plane: one may be begun here and ended there.

use aws::{
    Exception,
    ecr::{
        CompleteLayerUploadRequest, CompleteLayerUploadResponse, InitiateLayerUploadRequest,
        InitiateLayerUploadResponse, Operation, UploadLayerPartRequest, UploadLayerPartResponse,
    },
    exception::{EcrException, ExceptionKind},
    json,
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use oci::{Digest, RepositoryName};
use registry::{Chunk, PushError};

use super::{Call, Outcome, error, validate};
use crate::control_plane::error::Failure;

/// How large parts should be (what ECR answers).
const PART_SIZE: u64 = 10 << 20;

/// `UploadId`, as the model writes it.
const UPLOAD_PATTERN: &str =
    "[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}";

/// `InitiateLayerUpload`.
pub(in crate::control_plane) async fn initiate(call: &Call<'_>) -> Outcome {
    let request: InitiateLayerUploadRequest = call.ecr()?;
    let name = request.repository_name.as_str();
    let operation = Operation::InitiateLayerUpload;
    let repository = repository(call, request.registry_id.as_deref(), operation, name)?;
    let begun = call.registry().start_upload(call.caller(), &repository).await;
    let begun = begun.map_err(|error| error::push_layer(&error, name))?;
    let part_size = PART_SIZE.min(call.doors.settings.layer_part_bytes_max);
    Ok(json::render(&InitiateLayerUploadResponse {
        upload_id: Some(begun.id),
        part_size: i64::try_from(part_size).ok(),
    }))
}

/// `UploadLayerPart`.
pub(in crate::control_plane) async fn part(call: &Call<'_>) -> Outcome {
    let request: UploadLayerPartRequest = call.ecr()?;
    let name = request.repository_name.as_str();
    let operation = Operation::UploadLayerPart;
    let repository = repository(call, request.registry_id.as_deref(), operation, name)?;
    upload_id(&request.upload_id)?;
    let number = |member: &str, value: i64| {
        let text = "must have value greater than or equal to 0";
        u64::try_from(value).map_err(|_| validate::violation(member, text))
    };
    let first_byte = number("partFirstByte", request.part_first_byte)?;
    let last_byte = number("partLastByte", request.part_last_byte)?;
    let bytes = STANDARD
        .decode(&request.layer_part_blob)
        .map_err(|_| validate::violation("layerPartBlob", "must be base64"))?;
    let bytes_max = call.doors.settings.layer_part_bytes_max;
    if bytes.len() as u64 > bytes_max {
        let text = format!("must have length less than or equal to {bytes_max}");
        return Err(validate::violation("layerPartBlob", &text).into());
    }
    if last_byte.checked_sub(first_byte).and_then(|d| d.checked_add(1)) != Some(bytes.len() as u64)
    {
        let text = format!(
            "The layer part has {} bytes, which are not those from {first_byte} to {last_byte}",
            bytes.len()
        );
        let failure = Exception::new(EcrException::InvalidLayerPart, text).into();
        return Err(of_upload(call, &repository, &request.upload_id, failure).await);
    }
    let size_bytes = bytes.len() as u64;
    let chunk = Chunk { first_byte: Some(first_byte), ..Chunk::of(bytes.into()) };
    let (registry, id) = (call.registry(), request.upload_id.as_str());
    let appended = registry.append_part(call.caller(), &repository, id, chunk, size_bytes).await;
    let appended = match appended {
        Ok(appended) => appended,
        Err(error) => {
            let failure = error::push_layer(&error, name);
            return Err(of_upload(call, &repository, id, failure).await);
        }
    };
    Ok(json::render(&UploadLayerPartResponse {
        registry_id: Some(call.registry_id().account.to_string()),
        repository_name: Some(name.to_owned()),
        upload_id: Some(appended.id),
        last_byte_received: i64::try_from(appended.size_bytes.saturating_sub(1)).ok(),
    }))
}

/// `CompleteLayerUpload`.
pub(in crate::control_plane) async fn complete(call: &Call<'_>) -> Outcome {
    let request: CompleteLayerUploadRequest = call.ecr()?;
    let name = request.repository_name.as_str();
    let operation = Operation::CompleteLayerUpload;
    let repository = repository(call, request.registry_id.as_deref(), operation, name)?;
    upload_id(&request.upload_id)?;
    validate::length("layerDigests", request.layer_digests.len(), 1..=100)?;
    let pattern = "[a-zA-Z0-9-_+.]+:[a-fA-F0-9]+";
    let digests = request.layer_digests.iter().map(|text| Digest::parse(text));
    let digests: Vec<Digest> = digests
        .collect::<Result<_, _>>()
        .map_err(|_| validate::pattern("layerDigests", pattern))?;
    let (registry, id) = (call.registry(), request.upload_id.as_str());
    let failed = |error: PushError| error::push_layer(&error, name);
    let status = registry.upload_status(call.caller(), &repository, id).await.map_err(failed)?;
    if status.size_bytes == 0 {
        return Err(Exception::from(EcrException::EmptyUpload).into());
    }
    // Elsewhere parts may be as small as the client likes.
    if registry.settings().strict_ecr && registry.has_short_part(call.caller(), id) {
        return Err(Exception::from(EcrException::LayerPartTooSmall).into());
    }
    let (digest, last) = (&digests[0], Chunk::empty());
    let finished = registry.finish_upload(call.caller(), &repository, id, digest, last).await;
    let layer = finished.map_err(failed)?;
    if layer.was_there {
        let text = format!(
            "Layer with digest '{digest}' already exists in repository '{name}' in registry with \
             id '{}'",
            call.registry_id().account
        );
        return Err(Exception::new(EcrException::LayerAlreadyExists, text).into());
    }
    Ok(json::render(&CompleteLayerUploadResponse {
        registry_id: Some(call.registry_id().account.to_string()),
        repository_name: Some(name.to_owned()),
        upload_id: Some(request.upload_id),
        layer_digest: Some(layer.digest.to_string()),
    }))
}

/// Says in an `InvalidLayerPartException` which upload it is about, and where that stands.
async fn of_upload(
    call: &Call<'_>,
    repository: &RepositoryName,
    id: &str,
    failure: Failure,
) -> Failure {
    if failure.exception.kind() != ExceptionKind::Ecr(EcrException::InvalidLayerPart) {
        return failure;
    }
    let Failure { exception, cause } = failure;
    let mut exception = exception
        .with_member("registryId", call.registry_id().account.as_str())
        .with_member("repositoryName", repository.as_str())
        .with_member("uploadId", id);
    let status = call.registry().upload_status(call.caller(), repository, id).await;
    if let Some(last) = status.ok().and_then(|status| status.size_bytes.checked_sub(1)) {
        exception = exception.with_member("lastValidByteReceived", last);
    }
    Failure { exception, cause }
}

fn repository(
    call: &Call<'_>,
    registry_id: Option<&str>,
    operation: Operation,
    name: &str,
) -> Result<RepositoryName, Exception> {
    call.require_own(registry_id, operation, &format!("repository/{name}"))?;
    validate::repository_name("repositoryName", name)?;
    Ok(RepositoryName::parse(name).expect("checked above"))
}

fn upload_id(text: &str) -> Result<(), Exception> {
    let parts: Vec<_> = text.split('-').collect();
    let is_hex = |part: &&str| part.bytes().all(|b| b.is_ascii_hexdigit());
    let lengths: Vec<_> = parts.iter().map(|part| part.len()).collect();
    if lengths == [8, 4, 4, 4, 12] && parts.iter().all(is_hex) {
        return Ok(());
    }
    Err(validate::pattern("uploadId", UPLOAD_PATTERN))
}
