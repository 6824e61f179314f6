//! `ListImages`.

use aws::{
    ecr::{
        DescribeImagesFilter, ImageIdentifier, ListImagesFilter, ListImagesRequest,
        ListImagesResponse, Operation,
    },
    json,
};
use registry::ImageId;

use super::{ACTIVATING, Call, Outcome, error, kept_name, like, validate};

/// `ListImages`: an id for each tag, and one for each image without any.
pub(in crate::control_plane) async fn list(call: &Call<'_>) -> Outcome {
    let request: ListImagesRequest = call.ecr()?;
    let name = request.repository_name.as_str();
    let resource = format!("repository/{name}");
    call.require_own(request.registry_id.as_deref(), Operation::ListImages, &resource)?;
    validate::repository_name("repositoryName", name)?;
    let page = validate::page(request.next_token.as_deref(), request.max_results)?;
    let ListImagesFilter { tag_status, image_status } = request.filter.unwrap_or_default();
    let wanted = DescribeImagesFilter { tag_status, image_status };
    validate::image_filter(&wanted)?;
    let name = &kept_name(call, name).await?;
    let mut found = call
        .registry()
        .list_images(call.caller(), name, like(&wanted), &page)
        .await
        .map_err(|error| error::describe(error, call.registry_id().account.as_str()))?;
    if wanted.image_status.as_deref() == Some(ACTIVATING) {
        (found.items, found.next) = (Vec::new(), None);
    }
    let render = |ImageId { digest, tag }| ImageIdentifier {
        image_digest: Some(digest.to_string()),
        image_tag: tag.map(|tag| tag.to_string()),
    };
    Ok(json::render(&ListImagesResponse {
        image_ids: found.items.into_iter().map(render).collect(),
        next_token: validate::next_token(found.next),
    }))
}
