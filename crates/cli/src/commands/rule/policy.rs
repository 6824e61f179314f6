//! `cistern rule policy`: what a rule says about freshness, failures and what it lets in.
//!
//! An extension of Cistern's: against AWS these commands are refused.

mod members;

use aws::cistern::{
    DeletePullThroughCacheRulePolicyRequest, DeletePullThroughCacheRulePolicyResponse,
    DescribePullThroughCacheRulePoliciesRequest, DescribePullThroughCacheRulePoliciesResponse,
    DescribedRulePolicy, Operation, PullThroughCacheRulePolicy,
    PutPullThroughCacheRulePolicyRequest, PutPullThroughCacheRulePolicyResponse,
};

use crate::{
    error::Error,
    output::{Table, optional},
    session::{Session, pages},
};
use members::{Member, PolicyArgs};

/// What is raised where the policy is not the one that was read, and how often it is read again.
const CHANGED: &str = "PullThroughCacheRulePolicyChangedException";
const TRIES_MAX: usize = 100;

const EXAMPLES: &str = "\
Examples:
  cistern rule policy set docker-hub --fresh-for 1h --fresh-for-tag 'v*=forever'
  cistern rule policy set docker-hub --pinned-tag stable --denied-tag '*-rc*'
  cistern rule policy set ghcr --allowed-repository 'our-team/*' --minimum-age 7d
  cistern rule policy unset docker-hub fresh-for pinned-tags

Times are such as 90s, 24h or 30d; 0; forever. In patterns * stands for any characters.";

/// What to do with the policy of a rule.
#[derive(Debug, clap::Subcommand)]
pub(crate) enum PolicyCommand {
    /// Show what holds for a rule, and where it is said; for every rule where none is named
    #[command(visible_alias = "list")]
    Show {
        /// Prefix of the rule
        prefix: Option<String>,
    },
    /// Say something in the policy of a rule; what is not named stays
    #[command(after_help = EXAMPLES)]
    Set {
        /// Prefix of the rule
        prefix: String,
        #[command(flatten)]
        policy: Box<PolicyArgs>,
    },
    /// Take something out of the policy of a rule, everything where nothing is named
    Unset {
        /// Prefix of the rule
        prefix: String,
        /// What to take out, such as fresh-for
        #[arg(value_enum, value_name = "MEMBER")]
        members: Vec<Member>,
    },
}

impl PolicyCommand {
    /// Does it.
    pub(crate) async fn run(self, session: &Session<'_>) -> Result<(), Error> {
        match self {
            Self::Show { prefix: Some(prefix) } => show(session, &prefix).await,
            Self::Show { prefix: None } => list(session).await,
            Self::Set { prefix, policy } => set(session, prefix, policy).await,
            Self::Unset { prefix, members } if members.is_empty() => {
                delete(session, prefix, None).await
            }
            Self::Unset { prefix, members } => unset(session, prefix, &members).await,
        }
    }
}

/// The policies of some rules, or of all.
async fn policies(
    session: &Session<'_>,
    prefixes: Option<Vec<String>>,
) -> Result<Vec<DescribedRulePolicy>, Error> {
    pages(async |next_token| {
        let request = DescribePullThroughCacheRulePoliciesRequest {
            ecr_repository_prefixes: prefixes.clone(),
            next_token,
            ..Default::default()
        };
        let operation = Operation::DescribePullThroughCacheRulePolicies;
        let page: DescribePullThroughCacheRulePoliciesResponse =
            session.client.cistern(operation, &request).await?;
        Ok((page.pull_through_cache_rule_policies, page.next_token))
    })
    .await
}

async fn of(session: &Session<'_>, prefix: &str) -> Result<DescribedRulePolicy, Error> {
    let found = policies(session, Some(vec![prefix.to_owned()])).await?;
    found.into_iter().next().ok_or_else(|| Error::Absent {
        what: format!("a rule for {prefix}"),
        way_out: "`cistern rule list` shows the rules of this region",
    })
}

async fn show(session: &Session<'_>, prefix: &str) -> Result<(), Error> {
    let found = of(session, prefix).await?;
    session.output.list(&found, &table(&found))
}

/// What holds, member by member, and whether the rule says so itself.
fn table(found: &DescribedRulePolicy) -> Table {
    let mut table = Table::new("members", &["MEMBER", "VALUE", "SAID BY"]);
    let nothing = PullThroughCacheRulePolicy::default();
    let own = found.policy.as_ref().unwrap_or(&nothing);
    let effective = found.effective_policy.as_ref().unwrap_or(&nothing);
    for member in Member::ALL {
        let said_by = if member.is_in(own) { "the rule" } else { "the registry" };
        table.row([member.key().to_owned(), member.words(effective), said_by.to_owned()]);
    }
    table
}

async fn list(session: &Session<'_>) -> Result<(), Error> {
    let found = policies(session, None).await?;
    let header =
        ["PREFIX", "FRESH FOR", "STALE ON ERROR", "MISSING FOR", "MINIMUM AGE", "SAYS ITSELF"];
    let mut table = Table::new("rules", &header);
    let nothing = PullThroughCacheRulePolicy::default();
    for entry in &found {
        let effective = entry.effective_policy.as_ref().unwrap_or(&nothing);
        let own = entry.policy.as_ref().unwrap_or(&nothing);
        let says: Vec<_> =
            Member::ALL.iter().filter(|of| of.is_in(own)).map(|of| of.key()).collect();
        table.row([
            optional(entry.ecr_repository_prefix.as_deref()),
            optional(effective.fresh_for.as_deref()),
            optional(effective.stale_on_error.as_deref()),
            optional(effective.missing_for.as_deref()),
            optional(effective.minimum_age.as_deref()),
            says.join(", "),
        ]);
    }
    let shape = DescribePullThroughCacheRulePoliciesResponse {
        pull_through_cache_rule_policies: found,
        next_token: None,
    };
    session.output.list(&shape, &table)
}

async fn set(session: &Session<'_>, prefix: String, args: Box<PolicyArgs>) -> Result<(), Error> {
    if args.says_nothing() {
        return Err(Error::Missing {
            what: "what to set",
            way_out: "`cistern rule policy set --help` names what there is".to_owned(),
        });
    }
    change(session, &prefix, |policy| args.apply(policy)).await
}

async fn unset(session: &Session<'_>, prefix: String, members: &[Member]) -> Result<(), Error> {
    change(session, &prefix, |policy| {
        for member in members {
            member.remove_from(policy);
        }
    })
    .await
}

/// Reads the policy of a rule, changes it and puts it in place of what was read, again from the
/// start where somebody else was faster: what he said stays said.
async fn change(
    session: &Session<'_>,
    prefix: &str,
    change: impl Fn(&mut PullThroughCacheRulePolicy),
) -> Result<(), Error> {
    let mut tries = 0;
    loop {
        let held = of(session, prefix).await?.policy.unwrap_or_default();
        let mut policy = held.clone();
        change(&mut policy);
        let changed = if policy == PullThroughCacheRulePolicy::default() {
            delete(session, prefix.to_owned(), Some(held)).await
        } else {
            put(session, prefix.to_owned(), held, policy).await
        };
        match changed {
            Err(error) if error.class() == Some(CHANGED) && tries < TRIES_MAX => tries += 1,
            outcome => return outcome,
        }
    }
}

async fn put(
    session: &Session<'_>,
    prefix: String,
    held: PullThroughCacheRulePolicy,
    policy: PullThroughCacheRulePolicy,
) -> Result<(), Error> {
    let request = PutPullThroughCacheRulePolicyRequest {
        registry_id: None,
        ecr_repository_prefix: prefix,
        policy,
        expected_policy: Some(held),
    };
    let operation = Operation::PutPullThroughCacheRulePolicy;
    let put: PutPullThroughCacheRulePolicyResponse =
        session.client.cistern(operation, &request).await?;
    let now = DescribedRulePolicy {
        registry_id: put.registry_id.clone(),
        ecr_repository_prefix: put.ecr_repository_prefix.clone(),
        declared_by: None,
        policy: put.policy.clone(),
        effective_policy: put.effective_policy.clone(),
    };
    session.output.list(&put, &table(&now))
}

async fn delete(
    session: &Session<'_>,
    prefix: String,
    held: Option<PullThroughCacheRulePolicy>,
) -> Result<(), Error> {
    let request = DeletePullThroughCacheRulePolicyRequest {
        registry_id: None,
        ecr_repository_prefix: prefix,
        expected_policy: held,
    };
    let operation = Operation::DeletePullThroughCacheRulePolicy;
    let deleted: DeletePullThroughCacheRulePolicyResponse =
        session.client.cistern(operation, &request).await?;
    let prefix = &request.ecr_repository_prefix;
    session.output.done(&deleted, &format!("the rule {prefix} has no policy of its own"))
}
