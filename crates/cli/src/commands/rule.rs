//! `cistern rule`: pull through cache rules.

mod add;
mod ask;
mod policy;
mod update;
mod validate;

use aws::ecr::{
    DeletePullThroughCacheRuleRequest, DeletePullThroughCacheRuleResponse,
    DescribePullThroughCacheRulesRequest, DescribePullThroughCacheRulesResponse, Operation,
    PullThroughCacheRule,
};

use crate::{
    error::Error,
    output::{Record, Table, moment, optional, secret_name},
    session::{Session, pages},
};

/// What to do with rules.
#[derive(Debug, clap::Subcommand)]
pub(crate) enum RuleCommand {
    /// Add a rule, and try it; on a terminal, asks for what is missing
    #[command(after_help = add::EXAMPLES)]
    Add(add::AddArgs),
    /// List the rules
    #[command(visible_alias = "ls")]
    List,
    /// Show a rule
    Show {
        /// Prefix of the rule
        prefix: String,
    },
    /// Change the credentials of a rule in place
    Update(update::UpdateArgs),
    /// Remove a rule; its repositories and its secret stay
    #[command(visible_alias = "rm")]
    Remove {
        /// Prefix of the rule
        prefix: String,
    },
    /// What a rule says about freshness, failures and what it lets in
    #[command(subcommand)]
    Policy(policy::PolicyCommand),
    /// Try rules for real: is the secret readable, does the upstream take it
    Validate {
        /// Prefixes of the rules [default: all rules]
        #[arg(value_name = "PREFIX")]
        prefixes: Vec<String>,
    },
}

impl RuleCommand {
    /// Does it.
    pub(crate) async fn run(self, session: &Session<'_>) -> Result<(), Error> {
        match self {
            Self::Add(args) => add::run(args, session).await,
            Self::List => list(session).await,
            Self::Show { prefix } => {
                let rule = rule(session, &prefix).await?;
                session.output.record(&rule, &record(&rule))
            }
            Self::Update(args) => update::run(args, session).await,
            Self::Policy(command) => command.run(session).await,
            Self::Remove { prefix } => remove(session, prefix).await,
            Self::Validate { prefixes } => validate::run(session, prefixes).await,
        }
    }
}

/// Every rule, or those of some prefixes.
pub(super) async fn rules(
    session: &Session<'_>,
    prefixes: Option<Vec<String>>,
) -> Result<Vec<PullThroughCacheRule>, Error> {
    pages(async |next_token| {
        let request = DescribePullThroughCacheRulesRequest {
            ecr_repository_prefixes: prefixes.clone(),
            next_token,
            ..Default::default()
        };
        let page: DescribePullThroughCacheRulesResponse =
            session.client.ecr(Operation::DescribePullThroughCacheRules, &request).await?;
        Ok((page.pull_through_cache_rules, page.next_token))
    })
    .await
}

/// The rule of a prefix.
async fn rule(session: &Session<'_>, prefix: &str) -> Result<PullThroughCacheRule, Error> {
    let found = rules(session, Some(vec![prefix.to_owned()])).await?;
    found.into_iter().next().ok_or_else(|| Error::Absent {
        what: format!("a rule for {prefix}"),
        way_out: "`cistern rule list` shows the rules of this region",
    })
}

async fn list(session: &Session<'_>) -> Result<(), Error> {
    let found = rules(session, None).await?;
    let header = ["PREFIX", "UPSTREAM", "KIND", "UPSTREAM PREFIX", "CREDENTIALS", "CREATED (UTC)"];
    let mut table = Table::new("rules", &header);
    for rule in &found {
        table.row([
            optional(rule.ecr_repository_prefix.as_deref()),
            optional(rule.upstream_registry_url.as_deref()),
            optional(rule.upstream_registry.as_deref()),
            optional(rule.upstream_repository_prefix.as_deref()),
            credentials(rule),
            moment(rule.created_at),
        ]);
    }
    let shape =
        DescribePullThroughCacheRulesResponse { pull_through_cache_rules: found, next_token: None };
    session.output.list(&shape, &table)
}

/// What a rule shows its upstream, in one cell.
fn credentials(rule: &PullThroughCacheRule) -> String {
    match (&rule.credential_arn, &rule.custom_role_arn) {
        (Some(arn), _) => secret_name(arn),
        (None, Some(role)) => role.clone(),
        (None, None) => String::new(),
    }
}

fn record(rule: &PullThroughCacheRule) -> Record {
    Record::default()
        .line("Prefix", optional(rule.ecr_repository_prefix.as_deref()))
        .line("Upstream", optional(rule.upstream_registry_url.as_deref()))
        .maybe("Kind", rule.upstream_registry.clone())
        .maybe("Upstream prefix", rule.upstream_repository_prefix.clone())
        .maybe("Secret", rule.credential_arn.clone())
        .maybe("Role", rule.custom_role_arn.clone())
        .line("Created (UTC)", moment(rule.created_at))
        .maybe("Updated (UTC)", rule.updated_at.map(|updated| moment(Some(updated))))
        .maybe("Registry", rule.registry_id.clone())
}

async fn remove(session: &Session<'_>, prefix: String) -> Result<(), Error> {
    let request =
        DeletePullThroughCacheRuleRequest { ecr_repository_prefix: prefix, registry_id: None };
    let removed: DeletePullThroughCacheRuleResponse =
        session.client.ecr(Operation::DeletePullThroughCacheRule, &request).await?;
    let prefix = &request.ecr_repository_prefix;
    session.output.done(&removed, &format!("removed the rule {prefix}"))?;
    if let Some(arn) = &removed.credential_arn {
        let name = secret_name(arn);
        session.output.note(&format!(
            "its secret stays: `cistern secret remove {name}` removes it where nothing else \
             needs it"
        ));
    }
    Ok(())
}
