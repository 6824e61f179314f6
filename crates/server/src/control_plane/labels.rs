//! Tags of repositories as resources.

use aws::{
    Arn, Exception,
    ecr::{
        ListTagsForResourceRequest, ListTagsForResourceResponse, Operation, TagResourceRequest,
        TagResourceResponse, UntagResourceRequest, UntagResourceResponse,
    },
    json,
};
use metadata::RegistryId;
use oci::RepositoryName;

use super::{Call, Outcome, setting_failure::setting, settings, validate};

/// `TagResource`.
pub(super) async fn tag(call: &Call<'_>) -> Outcome {
    let request: TagResourceRequest = call.ecr()?;
    let name = named(call, &request.resource_arn, Operation::TagResource)?;
    let tags = settings::pairs(request.tags);
    let tagged = call.registry().tag_repository(call.caller(), &name, &tags).await;
    tagged.map_err(|error| setting(error, call))?;
    Ok(json::render(&TagResourceResponse {}))
}

/// `UntagResource`.
pub(super) async fn untag(call: &Call<'_>) -> Outcome {
    let request: UntagResourceRequest = call.ecr()?;
    let name = named(call, &request.resource_arn, Operation::UntagResource)?;
    let keys = &request.tag_keys;
    let untagged = call.registry().untag_repository(call.caller(), &name, keys).await;
    untagged.map_err(|error| setting(error, call))?;
    Ok(json::render(&UntagResourceResponse {}))
}

/// `ListTagsForResource`.
pub(super) async fn list(call: &Call<'_>) -> Outcome {
    let request: ListTagsForResourceRequest = call.ecr()?;
    let name = named(call, &request.resource_arn, Operation::ListTagsForResource)?;
    let tags = call.registry().repository_tags(call.caller(), &name).await;
    let tags = settings::tags(tags.map_err(|error| setting(error, call))?);
    Ok(json::render(&ListTagsForResourceResponse { tags }))
}

/// Reads the repository that an ARN names, which must be of the registry that is asked.
fn named(call: &Call<'_>, arn: &str, operation: Operation) -> Result<RepositoryName, Exception> {
    const MEMBER: &str = "resourceArn";
    let invalid = || validate::violation(MEMBER, "Invalid ARN");
    let parsed: Arn = arn.parse().map_err(|_| invalid())?;
    let name = parsed.repository_name().ok_or_else(invalid)?;
    let account = validate::account(MEMBER, &parsed.account_id)?;
    let RegistryId { region, .. } = call.registry_id();
    if parsed.region != region.as_str() {
        let text = format!("The repository is in {}, this is {region}", parsed.region);
        return Err(validate::violation(MEMBER, &text));
    }
    call.require_own(Some(account.as_str()), operation, &format!("repository/{name}"))?;
    validate::parse_repository(MEMBER, name)
}
