//! Images: manifests with their tags.

mod batch;
pub(super) mod layers;
mod list;
mod put;
mod storage_class;
pub(super) mod uploads;

pub(super) use batch::get as batch_get;
pub(super) use list::list;
pub(super) use put::{batch_delete, put, referrers};
pub(super) use storage_class::update as update_storage_class;

use aws::{
    Exception, Timestamp,
    ecr::{
        DescribeImagesFilter, DescribeImagesRequest, DescribeImagesResponse, ImageDetail,
        ImageIdentifier, Operation,
    },
    exception::EcrException,
    json,
};
use metadata::{Image, ManifestFact};
use oci::{RepositoryName, media_type};
use registry::{ImageFilter, ListFilter};

use super::{Call, Failure, Outcome, error, validate};

/// `DescribeImages`.
pub(super) async fn describe(call: &Call<'_>) -> Outcome {
    let request: DescribeImagesRequest = call.ecr()?;
    let name = request.repository_name.as_str();
    let resource = format!("repository/{name}");
    call.require_own(request.registry_id.as_deref(), Operation::DescribeImages, &resource)?;
    validate::repository_name("repositoryName", name)?;
    let page = validate::page(request.next_token.as_deref(), request.max_results)?;
    let wanted = request.filter.unwrap_or_default();
    validate::image_filter(&wanted)?;
    let images = request.image_ids.map(identify).transpose()?.unwrap_or_default();
    let mut like = like(&wanted);
    if !images.is_empty() && wanted.image_status.is_none() {
        // Who names an image is told its status: that is how one waits for it.
        like.archived = None;
    }
    let filter = ImageFilter { images, like };
    let name = &kept_name(call, name).await?;
    let account = call.registry_id().account.as_str();
    let mut found = call
        .registry()
        .describe_images(call.caller(), name, &filter, &page)
        .await
        .map_err(|error| error::describe(error, account))?;
    if wanted.image_status.as_deref() == Some(ACTIVATING) {
        (found.items, found.next) = (Vec::new(), None);
    }
    Ok(json::render(&DescribeImagesResponse {
        image_details: found.items.into_iter().map(|image| render(account, name, image)).collect(),
        next_token: validate::next_token(found.next),
    }))
}

/// Returns the name that a repository is kept under which is read by this one: a pull would find
/// Docker Hub's official images by their short names too.
async fn kept_name(call: &Call<'_>, name: &str) -> Result<String, Failure> {
    let name = RepositoryName::parse(name).expect("checked before");
    let kept = call.registry().kept_name(call.caller(), &name).await;
    Ok(kept.map_err(|error| error::pull_image(&error))?.to_string())
}

pub(super) type Identified = Vec<(Option<String>, Option<String>)>;

pub(super) fn identify(ids: Vec<ImageIdentifier>) -> Result<Identified, Exception> {
    validate::length("imageIds", ids.len(), 1..=100)?;
    ids.into_iter()
        .map(|ImageIdentifier { image_digest, image_tag }| match (image_tag, image_digest) {
            (None, None) => Err(Exception::new(
                EcrException::InvalidParameter,
                "Invalid request parameters: image ID must have either a tag or a digest",
            )),
            pair => Ok(pair),
        })
        .collect()
}

/// The status that no image has: a restored one is active at once.
const ACTIVATING: &str = "ACTIVATING";

fn like(filter: &DescribeImagesFilter) -> ListFilter {
    let tagged = match filter.tag_status.as_deref() {
        Some("TAGGED") => Some(true),
        Some("UNTAGGED") => Some(false),
        _ => None,
    };
    ListFilter { tagged, archived: storage_class::archived(filter.image_status.as_deref()) }
}

fn render(account: &str, repository: &str, image: Image) -> ImageDetail {
    let Image { manifest, tags } = image;
    let tags: Vec<String> = tags.iter().map(ToString::to_string).collect();
    let moment = |at: metadata::Timestamp| Timestamp::from_milliseconds(at.0);
    ImageDetail {
        registry_id: Some(account.to_owned()),
        repository_name: Some(repository.to_owned()),
        image_digest: Some(manifest.digest.to_string()),
        image_tags: (!tags.is_empty()).then_some(tags),
        image_size_in_bytes: size_bytes(&manifest),
        image_pushed_at: Some(moment(manifest.pushed_at)),
        image_manifest_media_type: Some(manifest.media_type),
        artifact_media_type: manifest.artifact_type,
        last_recorded_pull_time: manifest.last_pulled_at.map(moment),
        subject_manifest_digest: manifest.subject.map(|digest| digest.to_string()),
        image_status: Some(storage_class::status(manifest.storage.is_archived).to_owned()),
        last_archived_at: manifest.storage.archived_at.map(moment),
        last_activated_at: manifest.storage.activated_at.map(moment),
        ..ImageDetail::default()
    }
}

/// The size of an image is that of its config and layers. An index has none of its own, and ECR
/// leaves the member out.
fn size_bytes(manifest: &ManifestFact) -> Option<i64> {
    if media_type::is_index(&manifest.media_type) {
        return None;
    }
    let total =
        manifest.references().fold(0_u64, |total, part| total.saturating_add(part.size_bytes));
    Some(i64::try_from(total).unwrap_or(i64::MAX))
}
