//! The one place where a principal is allowed something.
//!
//! The root user may do everything in its own account, who assumed a role what that role's policies
//! say, and nobody else may do anything, except pull through the rules that `--anonymous-pull`
//! covers (DESIGN 3).

use metadata::{AccountId, RegistryId, Rule, RuleCredentials};
use oci::RepositoryName;
use upstream::Kind;

use crate::{
    Caller, Denied, Principal, Settings, Verdict, repositories::resource_verdict, roles::Trust,
};

/// What a caller wants to do, named as ECR, Secrets Manager and IAM name their actions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// Check that the registry is there and the credentials are good.
    Connect,
    /// Pull a manifest or a blob.
    Pull,
    /// Any control plane operation, by its IAM name such as `ecr:CreatePullThroughCacheRule`.
    Operation(&'static str),
}

/// What it wants to do it to.
#[derive(Clone, Copy, Debug)]
pub enum Resource<'a> {
    /// The registry as a whole.
    Registry,
    /// Every repository: whoever lists them names none.
    Repositories,
    /// A repository, and the rule it falls under.
    Repository(&'a RepositoryName, Option<&'a MatchedRule<'a>>),
    /// A secret, by its name with the suffix; without, where none is there yet.
    Secret(&'a str),
    /// Whatever Cloud Control reaches: the resource itself is asked for by its own name.
    CloudControl,
    /// A role, by its path and name.
    Role(&'a str),
}

/// The part of a matching rule that matters to permission.
#[derive(Clone, Copy, Debug)]
pub struct MatchedRule<'a> {
    /// The rule.
    pub rule: &'a Rule,
    /// Whether the rule opts in to anonymous pulls.
    pub anonymous_pull: bool,
}

impl Action {
    /// Returns the IAM name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Connect => "ecr:GetAuthorizationToken",
            Self::Pull => "ecr:BatchGetImage",
            Self::Operation(name) => name,
        }
    }
}

/// Decides. Root in its own account: everything. A role in its own: what it is granted. Anonymous:
/// connect and pull, where the settings say so, in the default registry, through rules without
/// credentials or that opt in.
pub(crate) fn decide(
    settings: &Settings,
    caller: &Caller,
    action: Action,
    resource: Resource<'_>,
) -> Result<(), Denied> {
    let allowed = match &caller.principal {
        // Credentials are good or not whichever registry they are shown to.
        Principal::Root { .. } if action == Action::Connect => true,
        Principal::AssumedRole(role) if action == Action::Connect => {
            role.permissions.verdict(action.name(), "*") == Verdict::Allowed
        }
        Principal::Root { account, .. } => *account == caller.registry.account,
        Principal::AssumedRole(role) => {
            role.account == caller.registry.account
                && role.permissions.verdict(action.name(), &arn(&caller.registry, resource))
                    == Verdict::Allowed
        }
        Principal::Anonymous => {
            settings.anonymous_pull
                && caller.registry == settings.default_registry
                && is_open(action, resource)
        }
    };
    if allowed {
        return Ok(());
    }
    Err(Denied {
        principal: caller.principal.to_string(),
        action: action.name(),
        resource: arn(&caller.registry, resource),
    })
}

/// Decides about somebody of another account: his own policies must allow, and one of the resource,
/// and none may refuse (IAM user guide, "Cross-account policy evaluation logic").
pub(crate) fn is_let_in<'p>(
    caller: &Caller,
    action: Action,
    resource: Resource<'_>,
    policies: impl Iterator<Item = &'p String>,
) -> bool {
    let resource = arn(&caller.registry, resource);
    let own = match &caller.principal {
        Principal::Root { .. } => Verdict::Allowed,
        Principal::AssumedRole(role) => role.permissions.verdict(action.name(), &resource),
        Principal::Anonymous => Verdict::Refused,
    };
    let verdicts: Vec<_> = policies
        .map(|text| resource_verdict(text, &caller.principal, action.name(), &resource))
        .collect();
    own == Verdict::Allowed
        && verdicts.contains(&Verdict::Allowed)
        && !verdicts.contains(&Verdict::Refused)
}

/// Decides whether a principal may assume a role that trusts it so far: who is trusted only through
/// its account or from another one needs to be allowed to by its own policies too (IAM user guide,
/// "Policy evaluation logic").
pub(crate) fn assume(
    principal: &Principal,
    trust: Trust,
    account: &AccountId,
    role_arn: &str,
) -> Result<(), Denied> {
    const ACTION: &str = "sts:AssumeRole";
    let own = match principal {
        Principal::Root { .. } => Verdict::Allowed,
        Principal::AssumedRole(role) => role.permissions.verdict(ACTION, role_arn),
        Principal::Anonymous => Verdict::Refused,
    };
    let is_allowed = match (trust, own) {
        (Trust::None, _) | (_, Verdict::Refused) => false,
        (_, Verdict::Allowed) => true,
        (Trust::ByName, Verdict::Unmentioned) => principal.account() == Some(account),
        (Trust::ByAccount, Verdict::Unmentioned) => false,
    };
    if is_allowed {
        return Ok(());
    }
    let (principal, resource) = (principal.to_string(), role_arn.to_owned());
    Err(Denied { principal, action: ACTION, resource })
}

fn is_open(action: Action, resource: Resource<'_>) -> bool {
    match (action, resource) {
        (Action::Connect, _) => true,
        (Action::Pull, Resource::Repository(_, Some(matched))) => {
            matched.anonymous_pull || has_no_credentials(matched.rule)
        }
        _ => false,
    }
}

/// Tells whether a rule sees its upstream as everybody does. A private ECR registry is always seen
/// with credentials: where the rule names none, with those of this process (DESIGN 4).
fn has_no_credentials(rule: &Rule) -> bool {
    rule.credentials == RuleCredentials::default()
        && upstream::kind_of(&rule.upstream_registry_url) != Some(Kind::Ecr)
}

fn arn(registry: &RegistryId, resource: Resource<'_>) -> String {
    let RegistryId { account, region } = registry;
    match resource {
        Resource::Registry => "*".to_owned(),
        Resource::Repositories => format!("arn:aws:ecr:{region}:{account}:repository/*"),
        Resource::Repository(name, _) => {
            format!("arn:aws:ecr:{region}:{account}:repository/{name}")
        }
        Resource::CloudControl => {
            format!("arn:aws:cloudformation:{region}:{account}:resource/*")
        }
        Resource::Secret(name) => {
            format!("arn:aws:secretsmanager:{region}:{account}:secret:{name}")
        }
        Resource::Role(name) => format!("arn:aws:iam::{account}:role{name}"),
    }
}
