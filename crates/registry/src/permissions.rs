//! What a role may do: its policies, read and evaluated.
//!
//! IAM user guide, "Policy evaluation logic": nothing is allowed that no statement allows, a
//! statement that denies wins, and a permissions boundary must allow too. Conditions are not
//! evaluated: a statement that has one never allows, and always denies. So a role may here less
//! than in AWS where its policies use them, and never more.

use std::sync::Arc;

use metadata::Role;
use serde_json::{Map, Value};

use crate::policy_language::{self as language, matches_action, matches_resource};

/// What somebody may do; nothing by default.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Permissions(Arc<Layers>);

/// Everything has to be allowed by each layer that is there.
#[derive(Debug, Default, PartialEq, Eq, Hash)]
struct Layers {
    granted: Vec<Statement>,
    boundary: Option<Vec<Statement>>,
}

/// What policies say about an action.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// A statement allows it, and none refuses it.
    Allowed,
    /// A statement refuses it.
    Refused,
    /// No statement is about it: it is not allowed here, and another policy may allow it.
    Unmentioned,
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct Statement {
    allows: bool,
    actions: Patterns,
    resources: Patterns,
    is_conditional: bool,
}

#[derive(Debug, PartialEq, Eq, Hash)]
enum Patterns {
    Only(Vec<String>),
    AllBut(Vec<String>),
}

impl Permissions {
    /// Reads what a role may do. A policy of AWS's own that is not known here grants nothing, and
    /// bounds everything.
    pub(crate) fn of(role: &Role) -> Self {
        let inline = role.inline_policies.iter().flat_map(|(_, document)| read(document));
        let attached = role.attached_policies.iter().flat_map(|arn| managed(arn));
        let boundary = role.permissions_boundary.as_deref().map(managed);
        Self(Arc::new(Layers { granted: inline.chain(attached).collect(), boundary }))
    }

    /// What ECR's own role for the cache may do (user guide, "Amazon ECR service-linked role for
    /// pull through cache"), as far as it is asked here.
    pub(crate) fn of_pull_through_cache() -> Self {
        let actions = ["BatchGetImage", "GetDownloadUrlForLayer", "GetAuthorizationToken"];
        let actions = actions.into_iter().chain(["ListImages", "ListImageReferrers"]);
        let actions = Patterns::Only(actions.map(|name| format!("ecr:{name}")).collect());
        let resources = Patterns::Only(vec!["*".to_owned()]);
        let all = Statement { allows: true, actions, resources, is_conditional: false };
        Self(Arc::new(Layers { granted: vec![all], boundary: None }))
    }

    /// Says what these permissions say about an action on a resource: its ARN, or `*` where the
    /// action is about none.
    pub(crate) fn verdict(&self, action: &str, resource: &str) -> Verdict {
        let granted = verdict(&self.0.granted, action, resource);
        match &self.0.boundary {
            Some(boundary) if verdict(boundary, action, resource) != Verdict::Allowed => {
                Verdict::Refused
            }
            _ => granted,
        }
    }
}

fn verdict(statements: &[Statement], action: &str, resource: &str) -> Verdict {
    let about = statements.iter().filter(|statement| statement.is_about(action, resource));
    about.fold(Verdict::Unmentioned, |verdict, statement| match verdict {
        Verdict::Refused => Verdict::Refused,
        _ if !statement.allows => Verdict::Refused,
        _ => Verdict::Allowed,
    })
}

impl Statement {
    fn read(statement: &Map<String, Value>) -> Option<Self> {
        Some(Self {
            allows: statement.get("Effect")?.as_str()? == "Allow",
            actions: Patterns::read(statement, "Action", "NotAction")?,
            resources: Patterns::read(statement, "Resource", "NotResource")?,
            is_conditional: statement.contains_key("Condition"),
        })
    }

    fn is_about(&self, action: &str, resource: &str) -> bool {
        let fits = |pattern: &str| matches_resource(pattern, resource);
        // What a variable stands for is not known: such a pattern fits where that is the safe side.
        let is_unclear = self.resources.patterns().any(|pattern| pattern.contains("${"));
        if is_unclear || self.is_conditional {
            return !self.allows && self.actions.fit(|pattern| matches_action(pattern, action));
        }
        self.actions.fit(|pattern| matches_action(pattern, action)) && self.resources.fit(fits)
    }
}

impl Patterns {
    fn read(statement: &Map<String, Value>, only: &str, all_but: &str) -> Option<Self> {
        let texts = |value| Some(language::texts(value)?.into_iter().map(str::to_owned).collect());
        match (statement.get(only), statement.get(all_but)) {
            (Some(patterns), None) => texts(patterns).map(Self::Only),
            (None, Some(patterns)) => texts(patterns).map(Self::AllBut),
            _ => None,
        }
    }

    fn patterns(&self) -> impl Iterator<Item = &str> {
        let (Self::Only(patterns) | Self::AllBut(patterns)) = self;
        patterns.iter().map(String::as_str)
    }

    fn fit(&self, fits: impl Fn(&str) -> bool) -> bool {
        let any = self.patterns().any(fits);
        matches!(self, Self::Only(_)) == any
    }
}

/// Reads a document that was checked when it was put. What cannot be read grants nothing.
fn read(document: &str) -> Vec<Statement> {
    let Ok(policy) = language::parse(document) else { return Vec::new() };
    let statements = language::statements(&policy).unwrap_or_default();
    statements.into_iter().filter_map(Statement::read).collect()
}

/// What the policies of AWS itself allow, as far as they are about what is here (AWS managed policy
/// reference; Amazon ECR user guide, "AWS managed policies for Amazon ECR"). All are about `*`.
fn managed(arn: &str) -> Vec<Statement> {
    const PULL: [&str; 4] = [
        "ecr:GetAuthorizationToken",
        "ecr:BatchCheckLayerAvailability",
        "ecr:GetDownloadUrlForLayer",
        "ecr:BatchGetImage",
    ];
    const READ: [&str; 8] = [
        "ecr:GetRepositoryPolicy",
        "ecr:DescribeRepositories",
        "ecr:ListImages",
        "ecr:DescribeImages",
        "ecr:GetLifecyclePolicy",
        "ecr:GetLifecyclePolicyPreview",
        "ecr:ListTagsForResource",
        "ecr:DescribeImageScanFindings",
    ];
    const PUSH: [&str; 4] = [
        "ecr:InitiateLayerUpload",
        "ecr:UploadLayerPart",
        "ecr:CompleteLayerUpload",
        "ecr:PutImage",
    ];
    let name = arn.rsplit_once(":policy/").map_or("", |(_, name)| name);
    let actions: Vec<&str> = match name {
        "AdministratorAccess" => vec!["*"],
        "AmazonEC2ContainerRegistryFullAccess" => vec!["ecr:*"],
        "AmazonEC2ContainerRegistryPowerUser" => [&PULL[..], &READ, &PUSH].concat(),
        "AmazonEC2ContainerRegistryReadOnly" => [&PULL[..], &READ].concat(),
        "AmazonEC2ContainerRegistryPullOnly" => {
            [&PULL[..], &["ecr:BatchImportUpstreamImage"]].concat()
        }
        "SecretsManagerReadWrite" => vec!["secretsmanager:*"],
        _ => return Vec::new(),
    };
    let actions = actions.into_iter().map(str::to_owned).collect();
    let resources = Patterns::Only(vec!["*".to_owned()]);
    let actions = Patterns::Only(actions);
    vec![Statement { allows: true, actions, resources, is_conditional: false }]
}

#[cfg(test)]
mod tests {
    use metadata::Timestamp;

    use super::*;

    const APP: &str = "arn:aws:ecr:us-east-1:111122223333:repository/app";

    fn role(policies: &[&str], attached: &[&str], boundary: Option<&str>) -> Permissions {
        let named = |(at, text): (usize, &&str)| (at.to_string(), (*text).to_owned());
        let arn = |name: &&str| format!("arn:aws:iam::aws:policy/{name}");
        Permissions::of(&Role {
            name: "r".to_owned(),
            path: "/".to_owned(),
            role_id: "AROA".to_owned(),
            assume_role_policy: String::new(),
            description: None,
            max_session_secs: 3600,
            permissions_boundary: boundary.map(|name| arn(&name)),
            tags: Vec::new(),
            inline_policies: policies.iter().enumerate().map(named).collect(),
            attached_policies: attached.iter().map(arn).collect(),
            created_at: Timestamp(0),
        })
    }

    fn inline(statements: &str) -> Permissions {
        role(&[&format!(r#"{{"Version":"2012-10-17","Statement":{statements}}}"#)], &[], None)
    }

    #[test]
    fn statements_are_evaluated() {
        let allow = r#"{"Effect":"Allow","Action":"ecr:*","Resource":"*"}"#;
        let with = |other: &str| format!("[{allow},{other}]");
        for (statements, expected) in [
            (allow.to_owned(), Verdict::Allowed),
            (
                r#"{"Effect":"Allow","Action":["s3:*","ecr:batchget*"],"Resource":["x","arn:aws:ecr:*:*:repository/a*"]}"#
                    .to_owned(),
                Verdict::Allowed,
            ),
            (r#"{"Effect":"Allow","NotAction":"s3:*","Resource":"*"}"#.to_owned(), Verdict::Allowed),
            (
                r#"{"Effect":"Allow","NotAction":"ecr:Batch*","Resource":"*"}"#.to_owned(),
                Verdict::Unmentioned,
            ),
            (
                format!(r#"{{"Effect":"Allow","Action":"*","NotResource":"{APP}"}}"#),
                Verdict::Unmentioned,
            ),
            (
                r#"{"Effect":"Allow","Action":"ecr:GetDownloadUrlForLayer","Resource":"*"}"#
                    .to_owned(),
                Verdict::Unmentioned,
            ),
            (
                with(r#"{"Effect":"Deny","Action":"ecr:BatchGetImage","Resource":"*"}"#),
                Verdict::Refused,
            ),
            (with(r#"{"Effect":"Deny","Action":"ecr:Put*","Resource":"*"}"#), Verdict::Allowed),
            // Conditions and variables are not evaluated: they never help.
            (
                r#"{"Effect":"Allow","Action":"*","Resource":"*","Condition":{"Bool":{"aws:SecureTransport":"true"}}}"#
                    .to_owned(),
                Verdict::Unmentioned,
            ),
            (
                with(r#"{"Effect":"Deny","Action":"*","Resource":"*","Condition":{"Bool":{"a:b":"true"}}}"#),
                Verdict::Refused,
            ),
            (
                with(r#"{"Effect":"Deny","Action":"*","Resource":"arn:aws:ecr:*:*:repository/${aws:x}"}"#),
                Verdict::Refused,
            ),
        ] {
            let found = inline(&statements).verdict("ecr:BatchGetImage", APP);
            assert_eq!(found, expected, "{statements}");
        }
        assert_eq!(Permissions::default().verdict("ecr:BatchGetImage", APP), Verdict::Unmentioned);
    }

    #[test]
    fn policies_of_aws_and_boundaries() {
        let pull_only = "AmazonEC2ContainerRegistryPullOnly";
        let all = r#"{"Statement":{"Effect":"Allow","Action":"*","Resource":"*"}}"#;
        for (permissions, action, expected) in [
            (role(&[], &[pull_only], None), "ecr:BatchGetImage", Verdict::Allowed),
            (role(&[], &[pull_only], None), "ecr:PutImage", Verdict::Unmentioned),
            (role(&[], &["Unheard"], None), "ecr:BatchGetImage", Verdict::Unmentioned),
            (role(&[all], &[], Some(pull_only)), "ecr:BatchGetImage", Verdict::Allowed),
            (role(&[all], &[], Some(pull_only)), "ecr:PutImage", Verdict::Refused),
            (role(&[all], &[], Some("Unheard")), "ecr:BatchGetImage", Verdict::Refused),
            (role(&[], &[], Some("AdministratorAccess")), "ecr:PutImage", Verdict::Unmentioned),
        ] {
            assert_eq!(permissions.verdict(action, APP), expected, "{action}");
        }
    }
}
