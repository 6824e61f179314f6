//! Images that are kept, deleted, referred to: `PutImage`, `BatchDeleteImage`,
//! `ListImageReferrers`.

use aws::{
    Exception,
    ecr::{
        BatchDeleteImageRequest, BatchDeleteImageResponse, Image, ImageFailure, ImageIdentifier,
        ImageReferrer, ListImageReferrersFilter, ListImageReferrersRequest,
        ListImageReferrersResponse, Operation, PutImageRequest, PutImageResponse,
    },
    exception::EcrException,
    json,
};
use metadata::Precondition;
use oci::{Digest, Referrer, RepositoryName, Tag};
use registry::{
    DeleteFailure, ImageFailure as Reason, ImageId, ListedReferrer, NewImage, WantedImage,
};

use super::{ACTIVATING, Call, Outcome, batch, error, storage_class, validate};

/// `ImageDigest`, as ECR's own errors write it.
const DIGEST_PATTERN: &str = "[a-zA-Z0-9-_+.]+:[a-fA-F0-9]+";

/// `PutImage`. As in ECR every manifest of an index must be there.
pub(in crate::control_plane) async fn put(call: &Call<'_>) -> Outcome {
    let request: PutImageRequest = call.ecr()?;
    let name = request.repository_name.as_str();
    let resource = format!("repository/{name}");
    call.require_own(request.registry_id.as_deref(), Operation::PutImage, &resource)?;
    validate::repository_name("repositoryName", name)?;
    validate::length("imageManifest", request.image_manifest.chars().count(), 1..=4_194_304)?;
    let tag = request.image_tag.as_deref().map(parse_tag).transpose()?;
    let digest = request.image_digest.as_deref().map(|text| digest("imageDigest", text));
    let repository = RepositoryName::parse(name).expect("checked above");
    let new = NewImage {
        tag,
        digest: digest.transpose()?,
        media_type: request.image_manifest_media_type,
        bytes: request.image_manifest.clone().into(),
        whole: true,
        precondition: Precondition::default(),
    };
    let pushed = call.registry().push_manifest(call.caller(), &repository, new).await;
    let pushed = pushed.map_err(|error| error::push_image(&error, name))?;
    if pushed.was_there {
        let tag = request.image_tag.as_deref().unwrap_or("null");
        let text = format!(
            "Image with digest '{}' and tag '{tag}' already exists in the repository with name \
             '{name}' in registry with id '{}'",
            pushed.digest,
            call.registry_id().account
        );
        return Err(Exception::new(EcrException::ImageAlreadyExists, text).into());
    }
    Ok(json::render(&PutImageResponse {
        image: Some(Image {
            registry_id: Some(call.registry_id().account.to_string()),
            repository_name: Some(name.to_owned()),
            image_id: Some(ImageIdentifier {
                image_digest: Some(pushed.digest.to_string()),
                image_tag: request.image_tag,
            }),
            image_manifest: Some(request.image_manifest),
            image_manifest_media_type: Some(pushed.media_type),
        }),
    }))
}

fn parse_tag(text: &str) -> Result<Tag, Exception> {
    validate::length("imageTag", text.chars().count(), 1..=300)?;
    Tag::parse(text).map_err(|_| {
        validate::violation(
            "imageTag",
            "must satisfy regular expression '[a-zA-Z0-9_][a-zA-Z0-9._-]{0,127}'",
        )
    })
}

fn digest(member: &str, text: &str) -> Result<Digest, Exception> {
    Digest::parse(text).map_err(|_| validate::pattern(member, DIGEST_PATTERN))
}

/// `BatchDeleteImage`.
pub(in crate::control_plane) async fn batch_delete(call: &Call<'_>) -> Outcome {
    let request: BatchDeleteImageRequest = call.ecr()?;
    let name = request.repository_name.as_str();
    let resource = format!("repository/{name}");
    call.require_own(request.registry_id.as_deref(), Operation::BatchDeleteImage, &resource)?;
    validate::repository_name("repositoryName", name)?;
    validate::length("imageIds", request.image_ids.len(), 1..=100)?;
    let wanted: Vec<_> = request
        .image_ids
        .into_iter()
        .map(|id| WantedImage { tag: id.image_tag, digest: id.image_digest })
        .collect();
    let deleted = call.registry().batch_delete_image(call.caller(), name, &wanted).await;
    let account = call.registry_id().account.as_str();
    let deleted = deleted.map_err(|error| error::describe(error, account))?;
    let mut response = BatchDeleteImageResponse::default();
    for (wanted, outcome) in wanted.into_iter().zip(deleted) {
        match outcome {
            Ok(ids) => response.image_ids.extend(ids.into_iter().map(identifier)),
            Err(failure) => {
                let (code, reason) = kept(failure);
                response.failures.push(ImageFailure {
                    image_id: Some(ImageIdentifier {
                        image_digest: wanted.digest,
                        image_tag: wanted.tag,
                    }),
                    failure_code: Some(code.to_owned()),
                    failure_reason: Some(reason),
                });
            }
        }
    }
    Ok(json::render(&response))
}

fn identifier(id: ImageId) -> ImageIdentifier {
    ImageIdentifier {
        image_digest: Some(id.digest.to_string()),
        image_tag: id.tag.map(|tag| tag.to_string()),
    }
}

/// What is said of an image that stays.
fn kept(failure: DeleteFailure) -> (&'static str, String) {
    match failure {
        DeleteFailure::InvalidDigest => batch::failure(Reason::InvalidDigest),
        DeleteFailure::InvalidTag => batch::failure(Reason::InvalidTag),
        DeleteFailure::MissingDigestAndTag => batch::failure(Reason::MissingDigestAndTag),
        DeleteFailure::TagDoesNotMatchDigest { actual } => {
            batch::failure(Reason::TagDoesNotMatchDigest { actual })
        }
        DeleteFailure::NotFound => ("ImageNotFound", "Requested image not found".to_owned()),
        DeleteFailure::Referenced { parent } => (
            "ImageReferencedByManifestList",
            format!("Requested image referenced by manifest list: [{parent}]"),
        ),
    }
}

/// `ListImageReferrers`.
pub(in crate::control_plane) async fn referrers(call: &Call<'_>) -> Outcome {
    let request: ListImageReferrersRequest = call.ecr()?;
    let name = request.repository_name.as_str();
    let resource = format!("repository/{name}");
    call.require_own(request.registry_id.as_deref(), Operation::ListImageReferrers, &resource)?;
    validate::repository_name("repositoryName", name)?;
    let mut page = validate::page(request.next_token.as_deref(), request.max_results)?;
    if request.max_results.is_some_and(|wanted| wanted > 50) {
        let text = "must have value less than or equal to 50";
        return Err(validate::violation("maxResults", text).into());
    }
    page.limit = page.limit.min(50);
    let subject = digest("subjectId.imageDigest", &request.subject_id.image_digest)?;
    let ListImageReferrersFilter { artifact_types, artifact_status } =
        request.filter.unwrap_or_default();
    let kinds = artifact_types.unwrap_or_default();
    validate::length("filter.artifactTypes", kinds.len(), 0..=5)?;
    for kind in &kinds {
        validate::length("filter.artifactTypes", kind.chars().count(), 1..=255)?;
    }
    if let Some(status) = &artifact_status {
        let words = ["ACTIVE", "ARCHIVED", "ACTIVATING", "ANY"];
        validate::one_of("filter.artifactStatus", status, &words)?;
    }
    let repository = RepositoryName::parse(name).expect("checked above");
    let archived = storage_class::archived(artifact_status.as_deref());
    let (registry, caller) = (call.registry(), call.caller());
    let kept = registry.kept_name(caller, &repository).await;
    let repository = kept.map_err(|error| error::pull_referrers(&error))?;
    let found =
        registry.list_referrers(caller, &repository, &subject, &kinds, archived, &page).await;
    let mut found = found.map_err(|error| error::pull_referrers(&error))?.page;
    if artifact_status.as_deref() == Some(ACTIVATING) {
        (found.items, found.next) = (Vec::new(), None);
    }
    Ok(json::render(&ListImageReferrersResponse {
        referrers: found.items.into_iter().map(render).collect(),
        next_token: validate::next_token(found.next),
    }))
}

fn render(listed: ListedReferrer) -> ImageReferrer {
    let ListedReferrer { referrer, is_archived } = listed;
    let Referrer { digest, media_type, size_bytes, artifact_type, annotations } = referrer;
    ImageReferrer {
        digest: digest.to_string(),
        media_type,
        artifact_type,
        size: i64::try_from(size_bytes).unwrap_or(i64::MAX),
        annotations: (!annotations.is_empty()).then_some(annotations),
        artifact_status: Some(storage_class::status(is_archived).to_owned()),
    }
}
