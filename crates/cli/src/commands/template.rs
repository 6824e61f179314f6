//! `cistern template`: repository creation templates.

use aws::ecr::{
    CreateRepositoryCreationTemplateRequest, CreateRepositoryCreationTemplateResponse,
    DeleteRepositoryCreationTemplateRequest, DeleteRepositoryCreationTemplateResponse,
    DescribeRepositoryCreationTemplatesRequest, DescribeRepositoryCreationTemplatesResponse,
    EncryptionConfigurationForRepositoryCreationTemplate, Operation, RepositoryCreationTemplate,
    UpdateRepositoryCreationTemplateRequest, UpdateRepositoryCreationTemplateResponse,
};
use clap::ValueEnum;

use super::settings::{SettingArgs, mutability_words, tag_lines};
use crate::{
    error::Error,
    output::{Record, Table, joined, moment, optional},
    session::{Session, pages},
};

/// What brings a repository into being, in ECR's words.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum AppliedFor {
    /// The first pull through a rule
    PullThroughCache,
    /// The first push
    CreateOnPush,
    /// Replication from another registry
    Replication,
}

impl AppliedFor {
    fn name(self) -> &'static str {
        match self {
            Self::PullThroughCache => "PULL_THROUGH_CACHE",
            Self::CreateOnPush => "CREATE_ON_PUSH",
            Self::Replication => "REPLICATION",
        }
    }
}

/// What to do with templates.
#[derive(Debug, clap::Subcommand)]
pub(crate) enum TemplateCommand {
    /// Add a template
    Add(TemplateArgs),
    /// List the templates
    #[command(visible_alias = "ls")]
    List,
    /// Show a template
    Show {
        /// Prefix of the template
        prefix: String,
    },
    /// Change a template; what is not named stays
    Update(TemplateArgs),
    /// Remove a template; repositories that it made stay as they are
    #[command(visible_alias = "rm")]
    Remove {
        /// Prefix of the template
        prefix: String,
    },
}

/// What a template shall be.
#[derive(Debug, clap::Args)]
pub(crate) struct TemplateArgs {
    /// Prefix of the repositories that it is for; ROOT is for all that no other template is for
    prefix: String,
    /// What it is applied for: pull-through-cache, create-on-push, replication; may be repeated
    /// [default of a new one: pull-through-cache]
    #[arg(
        long,
        value_enum,
        value_name = "CAUSE",
        value_delimiter = ',',
        hide_possible_values = true
    )]
    applied_for: Vec<AppliedFor>,
    /// A sentence about it
    #[arg(long, value_name = "TEXT")]
    description: Option<String>,
    #[command(flatten)]
    settings: SettingArgs,
    /// Role that gives repositories their tags and keys
    #[arg(long, value_name = "ARN")]
    role_arn: Option<String>,
}

impl TemplateArgs {
    fn applied_for(&self) -> Option<Vec<String>> {
        let names = || self.applied_for.iter().map(|cause| cause.name().to_owned()).collect();
        (!self.applied_for.is_empty()).then(names)
    }

    fn encryption(&self) -> Option<EncryptionConfigurationForRepositoryCreationTemplate> {
        self.settings.encryption.map(|encryption| {
            EncryptionConfigurationForRepositoryCreationTemplate {
                encryption_type: encryption.name().to_owned(),
                kms_key: self.settings.kms_key.clone(),
            }
        })
    }
}

impl TemplateCommand {
    /// Does it.
    pub(crate) async fn run(self, session: &Session<'_>) -> Result<(), Error> {
        match self {
            Self::Add(args) => add(session, args).await,
            Self::List => list(session).await,
            Self::Show { prefix } => {
                let found = templates(session, Some(vec![prefix.clone()])).await?;
                let template = found.into_iter().next().ok_or_else(|| Error::Absent {
                    what: format!("a template for {prefix}"),
                    way_out: "`cistern template list` shows those that are there",
                })?;
                session.output.record(&template, &record(&template))
            }
            Self::Update(args) => update(session, args).await,
            Self::Remove { prefix } => remove(session, prefix).await,
        }
    }
}

async fn templates(
    session: &Session<'_>,
    prefixes: Option<Vec<String>>,
) -> Result<Vec<RepositoryCreationTemplate>, Error> {
    pages(async |next_token| {
        let request = DescribeRepositoryCreationTemplatesRequest {
            prefixes: prefixes.clone(),
            next_token,
            max_results: None,
        };
        let page: DescribeRepositoryCreationTemplatesResponse =
            session.client.ecr(Operation::DescribeRepositoryCreationTemplates, &request).await?;
        Ok((page.repository_creation_templates, page.next_token))
    })
    .await
}

async fn add(session: &Session<'_>, args: TemplateArgs) -> Result<(), Error> {
    let (image_tag_mutability, image_tag_mutability_exclusion_filters) = args.settings.mutability();
    let default = || vec![AppliedFor::PullThroughCache.name().to_owned()];
    let request = CreateRepositoryCreationTemplateRequest {
        encryption_configuration: args.encryption(),
        resource_tags: args.settings.tags(),
        image_tag_mutability,
        image_tag_mutability_exclusion_filters,
        repository_policy: args.settings.policy()?,
        lifecycle_policy: args.settings.lifecycle_policy()?,
        applied_for: args.applied_for().unwrap_or_else(default),
        prefix: args.prefix,
        description: args.description,
        custom_role_arn: args.role_arn,
    };
    let added: CreateRepositoryCreationTemplateResponse =
        session.client.ecr(Operation::CreateRepositoryCreationTemplate, &request).await?;
    answer(session, added.repository_creation_template)
}

async fn update(session: &Session<'_>, args: TemplateArgs) -> Result<(), Error> {
    let (image_tag_mutability, image_tag_mutability_exclusion_filters) = args.settings.mutability();
    let request = UpdateRepositoryCreationTemplateRequest {
        encryption_configuration: args.encryption(),
        resource_tags: args.settings.tags(),
        image_tag_mutability,
        image_tag_mutability_exclusion_filters,
        repository_policy: args.settings.policy()?,
        lifecycle_policy: args.settings.lifecycle_policy()?,
        applied_for: args.applied_for(),
        prefix: args.prefix,
        description: args.description,
        custom_role_arn: args.role_arn,
    };
    let updated: UpdateRepositoryCreationTemplateResponse =
        session.client.ecr(Operation::UpdateRepositoryCreationTemplate, &request).await?;
    answer(session, updated.repository_creation_template)
}

fn answer(
    session: &Session<'_>,
    template: Option<RepositoryCreationTemplate>,
) -> Result<(), Error> {
    let template = template.unwrap_or_default();
    session.output.record(&template, &record(&template))
}

async fn list(session: &Session<'_>) -> Result<(), Error> {
    let found = templates(session, None).await?;
    let header = ["PREFIX", "APPLIED FOR", "TAGS ARE", "DESCRIPTION", "CREATED (UTC)"];
    let mut table = Table::new("templates", &header);
    for template in &found {
        table.row([
            optional(template.prefix.as_deref()),
            joined(template.applied_for.as_ref()),
            mutability(template),
            optional(template.description.as_deref()),
            moment(template.created_at),
        ]);
    }
    let shape = DescribeRepositoryCreationTemplatesResponse {
        registry_id: None,
        repository_creation_templates: found,
        next_token: None,
    };
    session.output.list(&shape, &table)
}

fn mutability(template: &RepositoryCreationTemplate) -> String {
    mutability_words(
        template.image_tag_mutability.as_deref(),
        template.image_tag_mutability_exclusion_filters.as_ref(),
    )
}

fn record(template: &RepositoryCreationTemplate) -> Record {
    let encryption = template.encryption_configuration.as_ref().map(|encryption| {
        let key = encryption.kms_key.as_ref().map(|key| format!(" {key}")).unwrap_or_default();
        format!("{}{key}", encryption.encryption_type)
    });
    Record::default()
        .line("Prefix", optional(template.prefix.as_deref()))
        .maybe("Description", template.description.clone())
        .line("Applied for", joined(template.applied_for.as_ref()))
        .maybe("Tags are", template.image_tag_mutability.as_ref().map(|_| mutability(template)))
        .maybe("Encryption", encryption)
        .maybe("Resource tags", tag_lines(template.resource_tags.as_ref()))
        .maybe("Role", template.custom_role_arn.clone())
        .maybe("Repository policy", template.repository_policy.as_deref().map(str::trim))
        .maybe("Lifecycle policy", template.lifecycle_policy.as_deref().map(str::trim))
        .line("Created (UTC)", moment(template.created_at))
        .maybe("Updated (UTC)", template.updated_at.map(|updated| moment(Some(updated))))
}

async fn remove(session: &Session<'_>, prefix: String) -> Result<(), Error> {
    let request = DeleteRepositoryCreationTemplateRequest { prefix };
    let removed: DeleteRepositoryCreationTemplateResponse =
        session.client.ecr(Operation::DeleteRepositoryCreationTemplate, &request).await?;
    session.output.done(&removed, &format!("removed the template {}", request.prefix))
}
