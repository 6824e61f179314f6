//! `cistern secret`: the credentials for upstreams.

mod value;

use aws::{
    Sensitive,
    ecr::PullThroughCacheRule,
    secrets_manager::{
        CreateSecretRequest, CreateSecretResponse, DeleteSecretRequest, DeleteSecretResponse,
        DescribeSecretRequest, DescribeSecretResponse, Filter, GetSecretValueRequest,
        GetSecretValueResponse, ListSecretsRequest, ListSecretsResponse, Operation,
        PutSecretValueRequest, PutSecretValueResponse, RestoreSecretRequest, RestoreSecretResponse,
        UpdateSecretRequest, UpdateSecretResponse,
    },
};

use crate::{
    commands::rule,
    error::Error,
    output::{Record, Table, moment, optional, secret_name},
    session::{Session, pages},
};
use value::ValueArgs;
pub(super) use value::{Pair, read_file, token};

/// How the names of secrets begin that ECR takes for a rule.
pub(super) const ECR_PREFIX: &str = "ecr-pullthroughcache/";

/// What to do with secrets.
#[derive(Debug, clap::Subcommand)]
pub(crate) enum SecretCommand {
    /// Add a secret; its value is asked for without echo, or read from a file
    Add {
        /// Its name; a rule of ECR takes only those that begin with ecr-pullthroughcache/
        name: String,
        #[command(flatten)]
        value: ValueArgs,
        /// A sentence about it
        #[arg(long, value_name = "TEXT")]
        description: Option<String>,
    },
    /// List secrets
    #[command(visible_alias = "ls")]
    List {
        /// Only those whose name begins so
        name: Option<String>,
        /// Those too that are scheduled for deletion
        #[arg(long)]
        all: bool,
    },
    /// Show a secret, without its value
    Show {
        /// Name or ARN
        name: String,
        /// Show the value as well
        #[arg(long)]
        reveal: bool,
    },
    /// Give a secret a new value; the rules that use it stay as they are
    Update {
        /// Name or ARN
        name: String,
        #[command(flatten)]
        value: ValueArgs,
        /// Another sentence about it
        #[arg(long, value_name = "TEXT")]
        description: Option<String>,
    },
    /// Remove a secret, for a while to be restored, or at once
    #[command(visible_alias = "rm")]
    Remove {
        /// Name or ARN
        name: String,
        /// Days until it is gone, 7 to 30 [default: 30]
        #[arg(long, value_name = "DAYS", conflicts_with = "force")]
        recovery_days: Option<i64>,
        /// At once, for good
        #[arg(long)]
        force: bool,
    },
    /// Take back a removal
    Restore {
        /// Name or ARN
        name: String,
    },
}

impl SecretCommand {
    /// Does it.
    pub(crate) async fn run(self, session: &Session<'_>) -> Result<(), Error> {
        match self {
            Self::Add { name, value, description } => add(session, name, &value, description).await,
            Self::List { name, all } => list(session, name, all).await,
            Self::Show { name, reveal: false } => show(session, name).await,
            Self::Show { name, reveal: true } => reveal(session, name).await,
            Self::Update { name, value, description } => {
                update(session, name, &value, description).await
            }
            Self::Remove { name, recovery_days, force } => {
                remove(session, name, recovery_days, force).await
            }
            Self::Restore { name } => restore(session, name).await,
        }
    }
}

async fn describe(session: &Session<'_>, name: &str) -> Result<DescribeSecretResponse, Error> {
    let request = DescribeSecretRequest { secret_id: name.to_owned() };
    session.client.secrets(Operation::DescribeSecret, &request).await
}

/// The ARN of a secret that is named by ARN or name, with or without [`ECR_PREFIX`].
pub(super) async fn arn_of(session: &Session<'_>, name: &str) -> Result<String, Error> {
    if name.starts_with("arn:") {
        return Ok(name.to_owned());
    }
    let found = match describe(session, name).await {
        Err(error)
            if error.class() == Some("ResourceNotFoundException")
                && !name.starts_with(ECR_PREFIX) =>
        {
            // The name as given is what the error is about, where neither is there.
            describe(session, &format!("{ECR_PREFIX}{name}")).await.map_err(|_| error)?
        }
        found => found?,
    };
    found.arn.ok_or_else(|| Error::Absent {
        what: format!("an ARN of the secret {name}"),
        way_out: "give the ARN itself",
    })
}

/// Makes a secret and returns its ARN.
pub(super) async fn create(
    session: &Session<'_>,
    name: &str,
    value: Sensitive,
    description: Option<String>,
) -> Result<String, Error> {
    let made = send_create(session, name, value, description).await?;
    Ok(made.arn.unwrap_or_else(|| name.to_owned()))
}

async fn send_create(
    session: &Session<'_>,
    name: &str,
    value: Sensitive,
    description: Option<String>,
) -> Result<CreateSecretResponse, Error> {
    let request = CreateSecretRequest {
        name: name.to_owned(),
        client_request_token: Some(value::request_token()),
        description,
        secret_string: Some(value),
        ..Default::default()
    };
    session.client.secrets(Operation::CreateSecret, &request).await
}

/// Gives a secret a new value.
pub(super) async fn put(
    session: &Session<'_>,
    name: &str,
    value: Sensitive,
) -> Result<PutSecretValueResponse, Error> {
    let request = PutSecretValueRequest {
        secret_id: name.to_owned(),
        client_request_token: Some(value::request_token()),
        secret_string: Some(value),
        ..Default::default()
    };
    session.client.secrets(Operation::PutSecretValue, &request).await
}

/// Removes a secret at once.
pub(super) async fn destroy(session: &Session<'_>, name: &str) -> Result<(), Error> {
    let request = DeleteSecretRequest {
        secret_id: name.to_owned(),
        recovery_window_in_days: None,
        force_delete_without_recovery: Some(true),
    };
    let _: DeleteSecretResponse = session.client.secrets(Operation::DeleteSecret, &request).await?;
    Ok(())
}

async fn add(
    session: &Session<'_>,
    name: String,
    value: &ValueArgs,
    description: Option<String>,
) -> Result<(), Error> {
    let value = value.read(&name, async || Ok(None)).await?;
    let made = send_create(session, &name, value, description).await?;
    session.output.done(&made, &format!("added the secret {name}"))?;
    if !name.starts_with(ECR_PREFIX) {
        session.output.note(&format!(
            "ECR takes only secrets named {ECR_PREFIX}… for a rule; a Cistern without --strict-ecr \
             takes any"
        ));
    }
    Ok(())
}

async fn list(session: &Session<'_>, name: Option<String>, all: bool) -> Result<(), Error> {
    let filter =
        name.map(|name| vec![Filter { key: Some("name".to_owned()), values: Some(vec![name]) }]);
    let found = pages(async |next_token| {
        let request = ListSecretsRequest {
            include_planned_deletion: all.then_some(true),
            next_token,
            filters: filter.clone(),
            sort_by: None,
            ..Default::default()
        };
        let page: ListSecretsResponse =
            session.client.secrets(Operation::ListSecrets, &request).await?;
        Ok((page.secret_list, page.next_token))
    })
    .await?;
    let header = ["NAME", "DESCRIPTION", "CHANGED (UTC)", "REMOVED (UTC)"];
    let mut table = Table::new("secrets", if all { &header } else { &header[..3] });
    for secret in &found {
        let name = optional(secret.name.as_deref());
        let description = optional(secret.description.as_deref());
        let changed = moment(secret.last_changed_date.or(secret.created_date));
        if all {
            table.row([name, description, changed, moment(secret.deleted_date)]);
        } else {
            table.row([name, description, changed]);
        }
    }
    session.output.list(&ListSecretsResponse { secret_list: found, next_token: None }, &table)
}

async fn show(session: &Session<'_>, name: String) -> Result<(), Error> {
    let found = describe(session, &name).await?;
    let versions = found.version_ids_to_stages.iter().flatten();
    let versions: Vec<String> =
        versions.map(|(id, stages)| format!("{id} {}", stages.join(", "))).collect();
    let tags = found.tags.iter().flatten();
    let tags: Vec<String> = tags
        .map(|tag| format!("{}={}", optional(tag.key.as_deref()), optional(tag.value.as_deref())))
        .collect();
    let record = Record::default()
        .line("Name", optional(found.name.as_deref()))
        .line("ARN", optional(found.arn.as_deref()))
        .maybe("Description", found.description.clone())
        .line("Created (UTC)", moment(found.created_date))
        .maybe("Changed (UTC)", found.last_changed_date.map(|changed| moment(Some(changed))))
        .maybe("Removed (UTC)", found.deleted_date.map(|deleted| moment(Some(deleted))))
        .maybe("Tags", (!tags.is_empty()).then(|| tags.join("\n")))
        .line("Versions", versions.join("\n"));
    session.output.record(&found, &record)
}

async fn value_of(session: &Session<'_>, name: &str) -> Result<GetSecretValueResponse, Error> {
    let request = GetSecretValueRequest { secret_id: name.to_owned(), ..Default::default() };
    session.client.secrets(Operation::GetSecretValue, &request).await
}

async fn reveal(session: &Session<'_>, name: String) -> Result<(), Error> {
    let found = value_of(session, &name).await?;
    let text = found.secret_string.as_ref().map(Sensitive::as_str);
    let binary = found.secret_binary.as_ref().map(Sensitive::as_str);
    let record = Record::default()
        .line("Name", optional(found.name.as_deref()))
        .line("ARN", optional(found.arn.as_deref()))
        .line("Version", optional(found.version_id.as_deref()))
        .line("Created (UTC)", moment(found.created_date))
        .maybe("Value", text)
        .maybe("Value (base64)", binary);
    session.output.record(&found, &record)
}

async fn update(
    session: &Session<'_>,
    name: String,
    value: &ValueArgs,
    description: Option<String>,
) -> Result<(), Error> {
    if description.is_some() {
        let value = if value.is_given() {
            Some(value.read(&name, async || current_user(session, &name).await).await?)
        } else {
            None
        };
        let request = UpdateSecretRequest {
            secret_id: name.clone(),
            client_request_token: value.as_ref().map(|_| value::request_token()),
            description,
            secret_string: value,
            ..Default::default()
        };
        let updated: UpdateSecretResponse =
            session.client.secrets(Operation::UpdateSecret, &request).await?;
        return session.output.done(&updated, &format!("updated the secret {name}"));
    }
    let value = value.read(&name, async || current_user(session, &name).await).await?;
    let updated = put(session, &name, value).await?;
    session.output.done(&updated, &format!("updated the secret {name}"))
}

/// The user name of a secret that holds a pair.
async fn current_user(session: &Session<'_>, name: &str) -> Result<Option<String>, Error> {
    let found = value_of(session, name).await?;
    Ok(found.secret_string.as_ref().and_then(|text| Pair::username_of(text.as_str())))
}

async fn remove(
    session: &Session<'_>,
    name: String,
    recovery_days: Option<i64>,
    force: bool,
) -> Result<(), Error> {
    let request = DeleteSecretRequest {
        secret_id: name,
        recovery_window_in_days: recovery_days,
        force_delete_without_recovery: force.then_some(true),
    };
    let removed: DeleteSecretResponse =
        session.client.secrets(Operation::DeleteSecret, &request).await?;
    let name = removed.name.as_deref().unwrap_or(&request.secret_id);
    let sentence = if force {
        format!("removed the secret {name}")
    } else {
        format!(
            "removed the secret {name}: until {} UTC, `cistern secret restore {name}` takes it \
             back",
            moment(removed.deletion_date)
        )
    };
    session.output.done(&removed, &sentence)?;
    if let Some(arn) = &removed.arn {
        warn_of_rules(session, arn).await;
    }
    Ok(())
}

/// Names the rules that have lost their secret. Who may not list rules is not told.
async fn warn_of_rules(session: &Session<'_>, arn: &str) {
    let rules = rule::rules(session, None).await.unwrap_or_default();
    // A rule may name its secret without the suffix.
    let name = secret_name(arn);
    let uses = |rule: &PullThroughCacheRule| {
        rule.credential_arn.as_deref().is_some_and(|used| used == arn || secret_name(used) == name)
    };
    let prefixes: Vec<String> =
        rules.into_iter().filter(uses).filter_map(|rule| rule.ecr_repository_prefix).collect();
    if !prefixes.is_empty() {
        session.output.warn(&format!(
            "without it nothing new can be pulled through {}: give another with `cistern rule \
             update`",
            prefixes.join(", ")
        ));
    }
}

async fn restore(session: &Session<'_>, name: String) -> Result<(), Error> {
    let request = RestoreSecretRequest { secret_id: name };
    let restored: RestoreSecretResponse =
        session.client.secrets(Operation::RestoreSecret, &request).await?;
    let name = restored.name.as_deref().unwrap_or(&request.secret_id);
    session.output.done(&restored, &format!("restored the secret {name}"))
}
