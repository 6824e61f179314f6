//! `cistern repository`: repositories, their settings and policies.

mod preview;
mod update;

use aws::ecr::{
    CreateRepositoryRequest, CreateRepositoryResponse, DeleteRepositoryRequest,
    DeleteRepositoryResponse, DescribeRepositoriesRequest, DescribeRepositoriesResponse,
    EncryptionConfiguration, GetLifecyclePolicyRequest, GetLifecyclePolicyResponse,
    GetRepositoryPolicyRequest, GetRepositoryPolicyResponse, ImageScanningConfiguration,
    ListTagsForResourceRequest, ListTagsForResourceResponse, Operation, Repository, Tag,
};
use serde::Serialize;

use super::settings::{SettingArgs, mutability_words, tag_lines};
use crate::{
    error::Error,
    output::{Record, Table, moment, optional},
    session::{Session, pages},
};

/// What to do with repositories.
#[derive(Debug, clap::Subcommand)]
pub(crate) enum RepositoryCommand {
    /// Add a repository
    Add {
        /// Its name
        name: String,
        #[command(flatten)]
        settings: SettingArgs,
        /// Scan images when they are pushed (a Cistern keeps this and scans nothing)
        #[arg(long)]
        scan_on_push: bool,
    },
    /// List repositories
    #[command(visible_alias = "ls")]
    List {
        /// Only those whose name begins so
        prefix: Option<String>,
    },
    /// Show a repository with its tags and policies
    Show {
        /// Its name
        name: String,
    },
    /// Change a repository's settings, tags and policies; what is not named stays
    Update(update::UpdateArgs),
    /// Say which images a lifecycle policy would expire
    Preview(preview::PreviewArgs),
    /// Remove a repository
    #[command(visible_alias = "rm")]
    Remove {
        /// Its name
        name: String,
        /// With its images
        #[arg(long)]
        force: bool,
    },
}

/// A repository and what other operations say about it.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Whole {
    #[serde(flatten)]
    repository: Repository,
    #[serde(skip_serializing_if = "Option::is_none")]
    tags: Option<Vec<Tag>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    policy_text: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    lifecycle_policy_text: Option<String>,
}

impl RepositoryCommand {
    /// Does it.
    pub(crate) async fn run(self, session: &Session<'_>) -> Result<(), Error> {
        match self {
            Self::Add { name, settings, scan_on_push } => {
                add(session, name, &settings, scan_on_push).await
            }
            Self::List { prefix } => list(session, prefix).await,
            Self::Show { name } => show(session, &name).await,
            Self::Update(args) => update::run(session, args).await,
            Self::Preview(args) => preview::run(session, args).await,
            Self::Remove { name, force } => remove(session, name, force).await,
        }
    }
}

async fn repositories(
    session: &Session<'_>,
    names: Option<Vec<String>>,
) -> Result<Vec<Repository>, Error> {
    pages(async |next_token| {
        let request = DescribeRepositoriesRequest {
            repository_names: names.clone(),
            next_token,
            ..Default::default()
        };
        let page: DescribeRepositoriesResponse =
            session.client.ecr(Operation::DescribeRepositories, &request).await?;
        Ok((page.repositories, page.next_token))
    })
    .await
}

async fn repository(session: &Session<'_>, name: &str) -> Result<Repository, Error> {
    let found = repositories(session, Some(vec![name.to_owned()])).await?;
    found.into_iter().next().ok_or_else(|| Error::Absent {
        what: format!("a repository {name}"),
        way_out: "`cistern repository list` shows those of this region",
    })
}

async fn add(
    session: &Session<'_>,
    name: String,
    settings: &SettingArgs,
    scan_on_push: bool,
) -> Result<(), Error> {
    // What cannot be read is said before anything is made.
    let (policy, lifecycle_policy) = (settings.policy()?, settings.lifecycle_policy()?);
    let (image_tag_mutability, image_tag_mutability_exclusion_filters) = settings.mutability();
    let request = CreateRepositoryRequest {
        registry_id: None,
        repository_name: name,
        tags: settings.tags(),
        image_tag_mutability,
        image_tag_mutability_exclusion_filters,
        image_scanning_configuration: scan_on_push
            .then_some(ImageScanningConfiguration { scan_on_push: Some(true) }),
        encryption_configuration: settings.encryption.map(|encryption| EncryptionConfiguration {
            encryption_type: encryption.name().to_owned(),
            kms_key: settings.kms_key.clone(),
        }),
    };
    let _: CreateRepositoryResponse =
        session.client.ecr(Operation::CreateRepository, &request).await?;
    let name = &request.repository_name;
    if let Err(error) = update::set_policies(session, name, policy, lifecycle_policy).await {
        return Err(take_back(session, error, name).await);
    }
    show(session, name).await
}

/// Removes a repository that was made a moment ago and cannot be what it should: all or nothing.
async fn take_back(session: &Session<'_>, error: Error, name: &str) -> Error {
    let request = DeleteRepositoryRequest {
        registry_id: None,
        repository_name: name.to_owned(),
        force: None,
    };
    let removed: Result<DeleteRepositoryResponse, Error> =
        session.client.ecr(Operation::DeleteRepository, &request).await;
    match removed {
        Ok(_) => error,
        Err(cause) => Error::Left {
            error: Box::new(error),
            left: format!("the repository {name}"),
            cause: Box::new(cause),
        },
    }
}

async fn list(session: &Session<'_>, prefix: Option<String>) -> Result<(), Error> {
    let mut found = repositories(session, None).await?;
    if let Some(prefix) = &prefix {
        let begins = |name: &String| name.starts_with(prefix.as_str());
        found.retain(|repository| repository.repository_name.as_ref().is_some_and(begins));
    }
    let mut table = Table::new("repositories", &["NAME", "URI", "TAGS ARE", "CREATED (UTC)"]);
    for repository in &found {
        table.row([
            optional(repository.repository_name.as_deref()),
            optional(repository.repository_uri.as_deref()),
            mutability(repository),
            moment(repository.created_at),
        ]);
    }
    session
        .output
        .list(&DescribeRepositoriesResponse { repositories: found, next_token: None }, &table)
}

fn mutability(repository: &Repository) -> String {
    mutability_words(
        repository.image_tag_mutability.as_deref(),
        repository.image_tag_mutability_exclusion_filters.as_ref(),
    )
}

/// What an operation answers, or nothing where there is nothing to answer: no such policy, an
/// endpoint that does not offer the operation, a caller who may not ask.
fn where_known<T>(answer: Result<T, Error>) -> Result<Option<T>, Error> {
    const NOTHING: [&str; 4] = [
        "RepositoryPolicyNotFoundException",
        "LifecyclePolicyNotFoundException",
        "UnknownOperationException",
        "AccessDeniedException",
    ];
    match answer {
        Ok(answer) => Ok(Some(answer)),
        Err(error) if error.class().is_some_and(|class| NOTHING.contains(&class)) => Ok(None),
        Err(error) => Err(error),
    }
}

async fn show(session: &Session<'_>, name: &str) -> Result<(), Error> {
    let client = &session.client;
    let repository = repository(session, name).await?;
    let tags: Option<ListTagsForResourceResponse> = match repository.repository_arn.clone() {
        Some(resource_arn) => {
            let request = ListTagsForResourceRequest { resource_arn };
            where_known(client.ecr(Operation::ListTagsForResource, &request).await)?
        }
        None => None,
    };
    let request =
        GetRepositoryPolicyRequest { registry_id: None, repository_name: name.to_owned() };
    let policy: Option<GetRepositoryPolicyResponse> =
        where_known(client.ecr(Operation::GetRepositoryPolicy, &request).await)?;
    let request = GetLifecyclePolicyRequest { registry_id: None, repository_name: name.to_owned() };
    let lifecycle: Option<GetLifecyclePolicyResponse> =
        where_known(client.ecr(Operation::GetLifecyclePolicy, &request).await)?;
    let whole = Whole {
        repository,
        tags: tags.map(|answer| answer.tags),
        policy_text: policy.and_then(|answer| answer.policy_text),
        lifecycle_policy_text: lifecycle.and_then(|answer| answer.lifecycle_policy_text),
    };
    session.output.record(&whole, &record(&whole))
}

fn record(whole: &Whole) -> Record {
    let repository = &whole.repository;
    let scanning = repository.image_scanning_configuration.as_ref();
    let scanning = scanning.and_then(|scanning| scanning.scan_on_push);
    let encryption = repository.encryption_configuration.as_ref().map(|encryption| {
        let key = encryption.kms_key.as_ref().map(|key| format!(" {key}")).unwrap_or_default();
        format!("{}{key}", encryption.encryption_type)
    });
    Record::default()
        .line("Name", optional(repository.repository_name.as_deref()))
        .line("URI", optional(repository.repository_uri.as_deref()))
        .line("ARN", optional(repository.repository_arn.as_deref()))
        .line("Tags are", mutability(repository))
        .maybe("Scan on push", scanning.map(|scanned| if scanned { "yes" } else { "no" }))
        .maybe("Encryption", encryption)
        .maybe("Resource tags", tag_lines(whole.tags.as_ref()))
        .maybe("Policy", whole.policy_text.as_deref().map(str::trim))
        .maybe("Lifecycle policy", whole.lifecycle_policy_text.as_deref().map(str::trim))
        .line("Created (UTC)", moment(repository.created_at))
}

async fn remove(session: &Session<'_>, name: String, force: bool) -> Result<(), Error> {
    let request = DeleteRepositoryRequest {
        registry_id: None,
        repository_name: name,
        force: force.then_some(true),
    };
    let removed: DeleteRepositoryResponse =
        session.client.ecr(Operation::DeleteRepository, &request).await?;
    let name = &request.repository_name;
    session.output.done(&removed, &format!("removed the repository {name}"))
}
