//! `cistern repository update`: what a repository is from now on.

use aws::ecr::{
    DeleteLifecyclePolicyRequest, DeleteRepositoryPolicyRequest, ImageScanningConfiguration,
    Operation, PutImageScanningConfigurationRequest, PutImageTagMutabilityRequest,
    PutLifecyclePolicyRequest, SetRepositoryPolicyRequest, TagResourceRequest,
    UntagResourceRequest,
};

use super::{repository, show};
use crate::{client::Done, commands::settings::SettingArgs, error::Error, session::Session};

/// Which repository, and what changes about it.
#[derive(Debug, clap::Args)]
pub(crate) struct UpdateArgs {
    /// Its name
    name: String,
    #[command(flatten)]
    settings: SettingArgs,
    /// Whether images are scanned when they are pushed
    #[arg(long, value_name = "true|false", hide_possible_values = true)]
    scan_on_push: Option<bool>,
    /// Tag of the resource to remove, by its key; may be repeated
    #[arg(long, value_name = "KEY")]
    remove_tag: Vec<String>,
    /// Remove the repository policy
    #[arg(long, conflicts_with = "policy_file")]
    remove_policy: bool,
    /// Remove the lifecycle policy
    #[arg(long, conflicts_with = "lifecycle_policy_file")]
    remove_lifecycle_policy: bool,
}

/// Updates a repository: one call for each kind of change, the first refusal ends it.
pub(super) async fn run(session: &Session<'_>, args: UpdateArgs) -> Result<(), Error> {
    let UpdateArgs { name, settings, .. } = &args;
    if let Some(encryption) = settings.encryption {
        return Err(Error::Misused {
            argument: "--encryption",
            text: encryption.name().to_owned(),
            reason: "a repository keeps the encryption that it was made with".to_owned(),
        });
    }
    // What cannot be read is said before anything is changed.
    let (policy, lifecycle_policy) = (settings.policy()?, settings.lifecycle_policy()?);
    set_mutability_and_scanning(session, &args).await?;
    set_tags(session, &args).await?;
    set_policies(session, name, policy, lifecycle_policy).await?;
    remove_policies(session, &args).await?;
    show(session, name).await
}

async fn set_mutability_and_scanning(
    session: &Session<'_>,
    args: &UpdateArgs,
) -> Result<(), Error> {
    if let (Some(image_tag_mutability), filters) = args.settings.mutability() {
        let request = PutImageTagMutabilityRequest {
            registry_id: None,
            repository_name: args.name.clone(),
            image_tag_mutability,
            image_tag_mutability_exclusion_filters: filters,
        };
        let _: Done = session.client.ecr(Operation::PutImageTagMutability, &request).await?;
    }
    if let Some(scan_on_push) = args.scan_on_push {
        let scan_on_push = Some(scan_on_push);
        let request = PutImageScanningConfigurationRequest {
            registry_id: None,
            repository_name: args.name.clone(),
            image_scanning_configuration: ImageScanningConfiguration { scan_on_push },
        };
        let operation = Operation::PutImageScanningConfiguration;
        let _: Done = session.client.ecr(operation, &request).await?;
    }
    Ok(())
}

async fn set_tags(session: &Session<'_>, args: &UpdateArgs) -> Result<(), Error> {
    let tags = args.settings.tags();
    if tags.is_none() && args.remove_tag.is_empty() {
        return Ok(());
    }
    let resource_arn = repository(session, &args.name).await?.repository_arn.unwrap_or_default();
    if !args.remove_tag.is_empty() {
        let tag_keys = args.remove_tag.clone();
        let request = UntagResourceRequest { resource_arn: resource_arn.clone(), tag_keys };
        let _: Done = session.client.ecr(Operation::UntagResource, &request).await?;
    }
    if let Some(tags) = tags {
        let request = TagResourceRequest { resource_arn, tags };
        let _: Done = session.client.ecr(Operation::TagResource, &request).await?;
    }
    Ok(())
}

/// Sets the policies that are given.
pub(super) async fn set_policies(
    session: &Session<'_>,
    name: &str,
    policy: Option<String>,
    lifecycle_policy: Option<String>,
) -> Result<(), Error> {
    if let Some(policy_text) = policy {
        let request = SetRepositoryPolicyRequest {
            registry_id: None,
            repository_name: name.to_owned(),
            policy_text,
            force: None,
        };
        let _: Done = session.client.ecr(Operation::SetRepositoryPolicy, &request).await?;
    }
    if let Some(lifecycle_policy_text) = lifecycle_policy {
        let request = PutLifecyclePolicyRequest {
            registry_id: None,
            repository_name: name.to_owned(),
            lifecycle_policy_text,
        };
        let _: Done = session.client.ecr(Operation::PutLifecyclePolicy, &request).await?;
    }
    Ok(())
}

async fn remove_policies(session: &Session<'_>, args: &UpdateArgs) -> Result<(), Error> {
    let repository_name = || args.name.clone();
    if args.remove_policy {
        let request =
            DeleteRepositoryPolicyRequest { registry_id: None, repository_name: repository_name() };
        let _: Done = session.client.ecr(Operation::DeleteRepositoryPolicy, &request).await?;
    }
    if args.remove_lifecycle_policy {
        let request =
            DeleteLifecyclePolicyRequest { registry_id: None, repository_name: repository_name() };
        let _: Done = session.client.ecr(Operation::DeleteLifecyclePolicy, &request).await?;
    }
    Ok(())
}
