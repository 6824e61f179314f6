//! Repositories.

use aws::{
    Arn, Timestamp,
    ecr::{
        DescribeRepositoriesRequest, DescribeRepositoriesResponse, EncryptionConfiguration,
        ImageScanningConfiguration, Operation, Repository,
    },
    json,
};
use metadata::RegistryId;
use registry::RepositoryFilter;

use super::{Call, Outcome, error, validate};

/// `DescribeRepositories`.
pub(super) async fn describe(call: &Call<'_>) -> Outcome {
    let request: DescribeRepositoriesRequest = call.ecr()?;
    let operation = Operation::DescribeRepositories;
    call.require_own(request.registry_id.as_deref(), operation, "repository/*")?;
    let page = validate::page(request.next_token.as_deref(), request.max_results)?;
    if let Some(names) = &request.repository_names {
        validate::length("repositoryNames", names.len(), 1..=100)?;
        for name in names {
            validate::repository_name("repositoryNames", name)?;
        }
    }
    let filter = RepositoryFilter { names: request.repository_names.unwrap_or_default() };
    let account = call.registry_id().account.as_str();
    let found = call
        .registry()
        .describe_repositories(call.caller(), &filter, &page)
        .await
        .map_err(|error| error::describe(error, account))?;
    Ok(json::render(&DescribeRepositoriesResponse {
        repositories: found.items.iter().map(|repository| render(call, repository)).collect(),
        next_token: validate::next_token(found.next),
    }))
}

/// Writes a repository, with ECR's defaults for what a pull does not set.
fn render(call: &Call<'_>, repository: &metadata::Repository) -> Repository {
    let own @ RegistryId { account, region } = call.registry_id();
    let name = repository.name.as_str();
    let endpoint = call.endpoint(own);
    let host = endpoint.split_once("://").map_or(endpoint.as_str(), |(_, host)| host);
    Repository {
        repository_arn: Some(Arn::repository(region.as_str(), account.as_str(), name).to_string()),
        registry_id: Some(account.to_string()),
        repository_name: Some(name.to_owned()),
        repository_uri: Some(format!("{host}/{name}")),
        created_at: Some(Timestamp::from_milliseconds(repository.created_at.0)),
        image_tag_mutability: Some("MUTABLE".to_owned()),
        image_tag_mutability_exclusion_filters: None,
        image_scanning_configuration: Some(ImageScanningConfiguration {
            scan_on_push: Some(false),
        }),
        encryption_configuration: Some(EncryptionConfiguration {
            encryption_type: "AES256".to_owned(),
            kms_key: None,
        }),
    }
}
