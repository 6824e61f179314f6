//! Repositories.

use aws::{
    Arn, Timestamp,
    ecr::{
        CreateRepositoryRequest, CreateRepositoryResponse, DeleteRepositoryRequest,
        DeleteRepositoryResponse, DescribeRepositoriesRequest, DescribeRepositoriesResponse,
        EncryptionConfiguration, ImageScanningConfiguration, Operation,
        PutImageScanningConfigurationRequest, PutImageScanningConfigurationResponse,
        PutImageTagMutabilityRequest, PutImageTagMutabilityResponse, Repository,
    },
    json,
};
use metadata::{RegistryId, RepositorySettings};
use oci::RepositoryName;
use registry::RepositoryFilter;

use super::{Call, Outcome, error, error::Failure, setting_failure::setting, settings, validate};

/// `CreateRepository`.
pub(super) async fn create(call: &Call<'_>) -> Outcome {
    let request: CreateRepositoryRequest = call.ecr()?;
    let operation = Operation::CreateRepository;
    let name = named(call, request.registry_id.as_deref(), operation, &request.repository_name)?;
    let encryption_is_set = request.encryption_configuration.is_some();
    let encryption = request.encryption_configuration.map(|sent| {
        let EncryptionConfiguration { encryption_type, kms_key } = sent;
        settings::encryption("encryptionConfiguration", &encryption_type, kms_key)
    });
    let scanning = request.image_scanning_configuration.unwrap_or_default();
    let settings = RepositorySettings {
        tag_mutability: settings::tag_mutability(
            request.image_tag_mutability.as_deref(),
            request.image_tag_mutability_exclusion_filters,
        )?,
        scan_on_push: scanning.scan_on_push.unwrap_or_default(),
        encryption: encryption.transpose()?.unwrap_or_default(),
        tags: settings::pairs(request.tags.unwrap_or_default()),
        encryption_is_set,
        ..RepositorySettings::default()
    };
    let created = call.registry().create_repository(call.caller(), &name, settings).await;
    let created = created.map_err(|error| setting(error, call))?;
    let repository = Some(render(call, &created));
    Ok(json::render(&CreateRepositoryResponse { repository }))
}

/// `DeleteRepository`.
pub(super) async fn delete(call: &Call<'_>) -> Outcome {
    let request: DeleteRepositoryRequest = call.ecr()?;
    let operation = Operation::DeleteRepository;
    let name = named(call, request.registry_id.as_deref(), operation, &request.repository_name)?;
    let force = request.force.unwrap_or_default();
    let deleted = call.registry().delete_repository(call.caller(), &name, force).await;
    let deleted = deleted.map_err(|error| setting(error, call))?;
    let repository = Some(render(call, &deleted));
    Ok(json::render(&DeleteRepositoryResponse { repository }))
}

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

/// `PutImageTagMutability`.
pub(super) async fn put_tag_mutability(call: &Call<'_>) -> Outcome {
    let request: PutImageTagMutabilityRequest = call.ecr()?;
    let operation = Operation::PutImageTagMutability;
    let name = named(call, request.registry_id.as_deref(), operation, &request.repository_name)?;
    let mutability = settings::tag_mutability(
        Some(&request.image_tag_mutability),
        request.image_tag_mutability_exclusion_filters,
    )?;
    let set = call.registry().set_tag_mutability(call.caller(), &name, mutability).await;
    let set = set.map_err(|error| setting(error, call))?.settings.tag_mutability;
    Ok(json::render(&PutImageTagMutabilityResponse {
        registry_id: Some(call.registry_id().account.to_string()),
        repository_name: Some(request.repository_name),
        image_tag_mutability: Some(set.to_string()),
        image_tag_mutability_exclusion_filters: settings::exclusion_filters(&set),
    }))
}

/// `PutImageScanningConfiguration`.
pub(super) async fn put_scanning(call: &Call<'_>) -> Outcome {
    let request: PutImageScanningConfigurationRequest = call.ecr()?;
    let operation = Operation::PutImageScanningConfiguration;
    let name = named(call, request.registry_id.as_deref(), operation, &request.repository_name)?;
    let scan_on_push = request.image_scanning_configuration.scan_on_push.unwrap_or_default();
    let set = call.registry().set_scan_on_push(call.caller(), &name, scan_on_push).await;
    let scan_on_push = Some(set.map_err(|error| setting(error, call))?.settings.scan_on_push);
    Ok(json::render(&PutImageScanningConfigurationResponse {
        registry_id: Some(call.registry_id().account.to_string()),
        repository_name: Some(request.repository_name),
        image_scanning_configuration: Some(ImageScanningConfiguration { scan_on_push }),
    }))
}

/// Reads the repository that an operation is about.
pub(super) fn named(
    call: &Call<'_>,
    registry_id: Option<&str>,
    operation: Operation,
    name: &str,
) -> Result<RepositoryName, Failure> {
    call.require_own(registry_id, operation, &format!("repository/{name}"))?;
    Ok(validate::parse_repository("repositoryName", name)?)
}

/// Writes a repository with its settings.
fn render(call: &Call<'_>, repository: &metadata::Repository) -> Repository {
    let own = call.registry_id();
    describe_one(own, &call.endpoint(own), repository)
}

/// Writes a repository of a registry that clients reach at `endpoint`.
pub(super) fn describe_one(
    own: &RegistryId,
    endpoint: &str,
    repository: &metadata::Repository,
) -> Repository {
    let RegistryId { account, region } = own;
    let name = repository.name.as_str();
    let host = endpoint.split_once("://").map_or(endpoint, |(_, host)| host);
    let settings = &repository.settings;
    Repository {
        repository_arn: Some(Arn::repository(region.as_str(), account.as_str(), name).to_string()),
        registry_id: Some(account.to_string()),
        repository_name: Some(name.to_owned()),
        repository_uri: Some(format!("{host}/{name}")),
        created_at: Some(Timestamp::from_milliseconds(repository.created_at.0)),
        image_tag_mutability: Some(settings.tag_mutability.to_string()),
        image_tag_mutability_exclusion_filters: settings::exclusion_filters(
            &settings.tag_mutability,
        ),
        image_scanning_configuration: Some(ImageScanningConfiguration {
            scan_on_push: Some(settings.scan_on_push),
        }),
        encryption_configuration: Some(EncryptionConfiguration {
            encryption_type: settings.encryption.as_str().to_owned(),
            kms_key: settings.encryption.kms_key().map(str::to_owned),
        }),
    }
}
