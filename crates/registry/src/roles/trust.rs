//! Whom a role trusts: the evaluation of its trust policy.
//!
//! IAM user guide, "AWS JSON policy elements: Principal". The one condition that is evaluated is
//! `StringEquals` of `sts:ExternalId`; with any other a statement trusts nobody, and distrusts
//! everybody it names.

use serde_json::{Map, Value};

use crate::{
    AssumedRole, Principal,
    policy_language::{self as language, matches_action},
};

/// Who wants to assume a role.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Candidate<'a> {
    /// Somebody with an identity.
    Principal(&'a Principal),
    /// A product of AWS, by its name, such as `pullthroughcache.ecr.amazonaws.com`.
    Product(&'static str),
}

/// How far somebody is trusted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Trust {
    /// Not at all.
    None,
    /// As everybody of an account, or everybody at all.
    ByAccount,
    /// By name.
    ByName,
}

/// Evaluates a trust policy that was checked when it was put.
pub(crate) fn evaluate(
    document: &str,
    candidate: Candidate<'_>,
    external_id: Option<&str>,
) -> Trust {
    let Ok(policy) = language::parse(document) else { return Trust::None };
    let statements = language::statements(&policy).unwrap_or_default();
    let mut trust = Trust::None;
    for statement in statements {
        if !is_about_assuming(statement) {
            continue;
        }
        let named = names(statement, candidate);
        let allows = statement.get("Effect").and_then(Value::as_str) == Some("Allow");
        match (named, holds(statement, external_id)) {
            (Trust::None, _) => {}
            (_, Some(true) | None) if !allows => return Trust::None,
            (Trust::ByName, Some(true)) if allows => trust = Trust::ByName,
            (Trust::ByAccount, Some(true)) if allows && trust == Trust::None => {
                trust = Trust::ByAccount;
            }
            _ => {}
        }
    }
    trust
}

fn is_about_assuming(statement: &Map<String, Value>) -> bool {
    let actions = statement.get("Action").and_then(language::texts).unwrap_or_default();
    actions.into_iter().any(|pattern| matches_action(pattern, "sts:AssumeRole"))
}

/// Tells whether the condition of a statement holds; `None` where nobody knows.
fn holds(statement: &Map<String, Value>, external_id: Option<&str>) -> Option<bool> {
    let Some(condition) = statement.get("Condition") else { return Some(true) };
    let mut all = true;
    for (operator, keys) in condition.as_object()? {
        for (key, values) in keys.as_object()? {
            if operator != "StringEquals" || !key.eq_ignore_ascii_case("sts:ExternalId") {
                return None;
            }
            let values = language::texts(values)?;
            all = all && external_id.is_some_and(|sent| values.contains(&sent));
        }
    }
    Some(all)
}

fn names(statement: &Map<String, Value>, candidate: Candidate<'_>) -> Trust {
    let everybody = |value: &Value| value.as_str() == Some("*");
    match (statement.get("Principal"), candidate) {
        (Some(value), Candidate::Principal(_)) if everybody(value) => Trust::ByAccount,
        (Some(Value::Object(kinds)), Candidate::Principal(principal)) => {
            let named = kinds.get("AWS").and_then(language::texts).unwrap_or_default();
            let each = named.into_iter().map(|name| trust_by(name, principal));
            each.max_by_key(|trust| *trust as u8).unwrap_or(Trust::None)
        }
        (Some(Value::Object(kinds)), Candidate::Product(product)) => {
            let named = kinds.get("Service").and_then(language::texts).unwrap_or_default();
            if named.contains(&product) { Trust::ByName } else { Trust::None }
        }
        _ => Trust::None,
    }
}

/// How far a name in a policy trusts somebody: `*`, an account, its root, a role, a session.
fn trust_by(name: &str, principal: &Principal) -> Trust {
    let Some(account) = principal.account() else { return Trust::None };
    if name == "*" || name == account.as_str() {
        return Trust::ByAccount;
    }
    // Whatever the partition: one process has one.
    let resource = name.strip_prefix("arn:").and_then(|rest| rest.split_once(':'));
    let Some((_, resource)) = resource else { return Trust::None };
    if resource.strip_prefix("iam::").and_then(|rest| rest.strip_suffix(":root"))
        == Some(account.as_str())
    {
        return Trust::ByAccount;
    }
    match principal {
        Principal::AssumedRole(role) if is_role(resource, role) => Trust::ByName,
        _ => Trust::None,
    }
}

fn is_role(resource: &str, role: &AssumedRole) -> bool {
    let session = role.to_string();
    [role.role_arn.as_str(), &session]
        .into_iter()
        .any(|arn| arn.strip_prefix("arn:aws:").is_some_and(|own| own == resource))
}

#[cfg(test)]
mod tests {
    use metadata::{AccountId, Timestamp};
    use serde_json::json;

    use super::*;
    use crate::Permissions;

    fn root() -> Principal {
        let account = AccountId::parse("111122223333").unwrap();
        Principal::Root { account, access_key_id: "AKIA".to_owned() }
    }

    fn session() -> Principal {
        Principal::AssumedRole(AssumedRole {
            account: AccountId::parse("111122223333").unwrap(),
            role_arn: "arn:aws:iam::111122223333:role/team/deployer".to_owned(),
            role_id: "AROA".to_owned(),
            session_name: "ci".to_owned(),
            access_key_id: "ASIA".to_owned(),
            parent_access_key_id: "AKIA".to_owned(),
            expires_at: Timestamp(0),
            permissions: Permissions::default(),
        })
    }

    fn trust(statement: &Value, principal: &Principal, external_id: Option<&str>) -> Trust {
        let document = json!({"Version": "2012-10-17", "Statement": statement}).to_string();
        evaluate(&document, Candidate::Principal(principal), external_id)
    }

    #[test]
    fn who_is_named() {
        for (named, of_root, of_session) in [
            (json!("*"), Trust::ByAccount, Trust::ByAccount),
            (json!({"AWS": "*"}), Trust::ByAccount, Trust::ByAccount),
            (json!({"AWS": "111122223333"}), Trust::ByAccount, Trust::ByAccount),
            (
                json!({"AWS": ["x", "arn:aws:iam::111122223333:root"]}),
                Trust::ByAccount,
                Trust::ByAccount,
            ),
            (
                json!({"AWS": "arn:aws:iam::111122223333:role/team/deployer"}),
                Trust::None,
                Trust::ByName,
            ),
            (
                json!({"AWS": "arn:aws:sts::111122223333:assumed-role/deployer/ci"}),
                Trust::None,
                Trust::ByName,
            ),
            (json!({"AWS": "arn:aws:iam::111122223333:role/deployer"}), Trust::None, Trust::None),
            (json!({"AWS": "arn:aws:iam::444455556666:root"}), Trust::None, Trust::None),
            (json!({"AWS": "444455556666"}), Trust::None, Trust::None),
            (json!({"Service": "ecr.amazonaws.com"}), Trust::None, Trust::None),
            (json!({"Federated": "*"}), Trust::None, Trust::None),
        ] {
            let statement =
                json!({"Effect": "Allow", "Principal": named, "Action": "sts:AssumeRole"});
            assert_eq!(trust(&statement, &root(), None), of_root, "{named}");
            assert_eq!(trust(&statement, &session(), None), of_session, "{named}");
            assert_eq!(
                trust(&statement, &Principal::Anonymous, None),
                match named.as_str() {
                    Some(_) => Trust::ByAccount,
                    None => Trust::None,
                }
            );
        }
    }

    #[test]
    fn what_else_counts() {
        let allow = json!({"Effect": "Allow", "Principal": "*", "Action": "sts:AssumeRole"});
        let with = |name: &str, value: Value| {
            let mut statement = allow.clone();
            statement[name] = value;
            statement
        };
        let external = json!({"StringEquals": {"sts:ExternalId": ["a", "b"]}});
        let deny = |condition: Option<Value>| {
            let mut statement = with("Effect", json!("Deny"));
            if let Some(condition) = condition {
                statement["Condition"] = condition;
            }
            json!([allow, statement])
        };
        let foreign = json!({"Bool": {"aws:MultiFactorAuthPresent": "true"}});
        for (statement, external_id, expected) in [
            (allow.clone(), None, Trust::ByAccount),
            (with("Action", json!("sts:TagSession")), None, Trust::None),
            (with("Action", json!(["sts:TagSession", "sts:*"])), None, Trust::ByAccount),
            (with("Condition", external.clone()), Some("b"), Trust::ByAccount),
            (with("Condition", external.clone()), Some("c"), Trust::None),
            (with("Condition", external.clone()), None, Trust::None),
            (with("Condition", foreign.clone()), None, Trust::None),
            (deny(None), None, Trust::None),
            (deny(Some(external.clone())), Some("a"), Trust::None),
            (deny(Some(external)), Some("c"), Trust::ByAccount),
            (deny(Some(foreign)), None, Trust::None),
        ] {
            assert_eq!(trust(&statement, &root(), external_id), expected, "{statement}");
        }
    }

    #[test]
    fn products_are_trusted_by_their_names() {
        let document = json!({"Statement": {
            "Effect": "Allow", "Action": "sts:AssumeRole",
            "Principal": {"Service": ["ecr.amazonaws.com", "pullthroughcache.ecr.amazonaws.com"]},
        }})
        .to_string();
        let of = |product| evaluate(&document, Candidate::Product(product), None);
        assert_eq!(of("pullthroughcache.ecr.amazonaws.com"), Trust::ByName);
        assert_eq!(of("ec2.amazonaws.com"), Trust::None);
        assert_eq!(evaluate(&document, Candidate::Principal(&root()), None), Trust::None);
    }
}
