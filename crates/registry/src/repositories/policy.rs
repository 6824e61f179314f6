//! Policies of repositories and of the registry: what ECR checks of them when they are set.

use serde_json::{Map, Value};

use crate::{
    PolicyKind, Principal, SettingError, Verdict,
    policy_language::{self as language, matches_action, matches_resource, texts},
};

/// The action that a lock-out takes away.
const SET_POLICY: &str = "ecr:SetRepositoryPolicy";
/// `RepositoryPolicyText`, `RegistryPolicyText`: at most so many characters.
const CHARS_MAX: usize = 10_240;

type Statement = Map<String, Value>;

/// Checks a repository policy, which is about the repository and so names no resource.
pub(crate) fn check_repository_policy(text: &str) -> Result<Vec<Statement>, SettingError> {
    check(text, PolicyKind::Repository)
}

/// Checks a registry policy.
pub(crate) fn check_registry_policy(text: &str) -> Result<(), SettingError> {
    check(text, PolicyKind::Registry).map(drop)
}

fn check(text: &str, kind: PolicyKind) -> Result<Vec<Statement>, SettingError> {
    if text.chars().count() > CHARS_MAX {
        let reason = "must have length less than or equal to 10240".to_owned();
        return Err(SettingError::Invalid { field: "policyText", reason });
    }
    let malformed =
        |reason: &str| SettingError::MalformedPolicy { kind, reason: reason.to_owned() };
    let policy = language::parse(text).map_err(malformed)?;
    let statements = language::statements(&policy).map_err(malformed)?;
    for statement in &statements {
        whole(statement, kind).map_err(malformed)?;
    }
    Ok(statements.into_iter().cloned().collect())
}

/// Checks that a statement says who may or may not do what of ECR's, and in the policy of a
/// registry to what.
fn whole(statement: &Statement, kind: PolicyKind) -> Result<(), &'static str> {
    for (one, other, reason) in [
        ("Principal", "NotPrincipal", "a Statement needs either Principal or NotPrincipal"),
        ("Action", "NotAction", "a Statement needs either Action or NotAction"),
    ] {
        if !language::has_one_of(statement, one, other) {
            return Err(reason);
        }
    }
    let actions = statement.get("Action").or_else(|| statement.get("NotAction"));
    let actions = actions.and_then(texts).unwrap_or_default();
    if actions.is_empty() || !actions.into_iter().all(is_ecr) {
        return Err("an Action of a Statement is not one of Amazon ECR");
    }
    let is_named = statement.contains_key("Resource") || statement.contains_key("NotResource");
    if kind == PolicyKind::Registry {
        if !language::has_one_of(statement, "Resource", "NotResource") {
            return Err("a Statement needs either Resource or NotResource");
        }
    } else if is_named {
        return Err("a Statement names a Resource, which here is the repository itself");
    }
    Ok(())
}

fn is_ecr(action: &str) -> bool {
    let service = action.get(..4).is_some_and(|start| start.eq_ignore_ascii_case("ecr:"));
    action == "*" || (service && action.len() > 4)
}

/// Tells whether a repository policy denies the principal, whatever the circumstances, to set
/// another one.
pub(super) fn locks_out(statements: &[Statement], principal: &Principal) -> bool {
    statements.iter().any(|statement| {
        statement.get("Effect").and_then(Value::as_str) == Some("Deny")
            && statement.get("Condition").is_none()
            && is_about_action(statement, SET_POLICY)
            && is_about(statement, principal)
    })
}

/// Evaluates a policy that was checked when it was put: what it says of a principal who is of
/// another account. A condition is never taken as met by what allows, and always by what denies;
/// and nobody is let in by being left out.
pub(crate) fn resource_verdict(
    text: &str,
    principal: &Principal,
    action: &str,
    resource: &str,
) -> Verdict {
    let Ok(policy) = language::parse(text) else { return Verdict::Unmentioned };
    let statements = language::statements(&policy).unwrap_or_default();
    let about = statements.into_iter().filter(|statement| {
        is_about_action(statement, action)
            && is_about_resource(statement, resource)
            && is_about(statement, principal)
    });
    about.fold(Verdict::Unmentioned, |verdict, statement| {
        let denies = statement.get("Effect").and_then(Value::as_str) == Some("Deny");
        let is_clear = statement.get("Condition").is_none() && statement.contains_key("Principal");
        match verdict {
            _ if denies => Verdict::Refused,
            Verdict::Unmentioned if is_clear => Verdict::Allowed,
            verdict => verdict,
        }
    })
}

fn is_about_resource(statement: &Statement, resource: &str) -> bool {
    let fits = |value: &Value| {
        let patterns = texts(value).unwrap_or_default();
        patterns.into_iter().any(|pattern| matches_resource(pattern, resource))
    };
    match (statement.get("Resource"), statement.get("NotResource")) {
        (Some(named), _) => fits(named),
        (None, Some(others)) => !fits(others),
        // The policy of a repository is about the repository.
        (None, None) => true,
    }
}

fn is_about_action(statement: &Statement, action: &str) -> bool {
    let names = |value: &Value| {
        let actions = texts(value).unwrap_or_default();
        actions.into_iter().any(|pattern| matches_action(pattern, action))
    };
    match (statement.get("Action"), statement.get("NotAction")) {
        (Some(action), _) => names(action),
        (None, Some(others)) => !names(others),
        (None, None) => false,
    }
}

fn is_about(statement: &Statement, principal: &Principal) -> bool {
    match (statement.get("Principal"), statement.get("NotPrincipal")) {
        (Some(named), _) => names(named, principal),
        (None, Some(others)) => !names(others, principal),
        (None, None) => false,
    }
}

/// Tells whether a `Principal` names somebody: everybody, an account by its number, or an ARN.
fn names(named: &Value, principal: &Principal) -> bool {
    let account = principal.account().map_or("", metadata::AccountId::as_str);
    let mut arns = vec![principal.to_string(), format!("arn:aws:iam::{account}:root")];
    if let Principal::AssumedRole(role) = principal {
        arns.push(role.role_arn.clone());
    }
    let is_named = |value: &Value| {
        let texts = texts(value).unwrap_or_default();
        texts
            .into_iter()
            .any(|text| text == "*" || text == account || arns.iter().any(|arn| arn == text))
    };
    match named {
        Value::Object(kinds) => kinds.get("AWS").is_some_and(is_named),
        everybody => everybody.as_str() == Some("*"),
    }
}

#[cfg(test)]
mod tests {
    use metadata::AccountId;
    use serde_json::json;

    use super::*;

    #[test]
    fn what_is_checked() {
        let policy = |action: Value| json!({"Statement": {"Effect": "Allow", "Principal": "*", "Action": action}});
        for good in [json!("ecr:*"), json!("*"), json!(["ecr:BatchGetImage", "ECR:PutImage"])] {
            assert!(check_repository_policy(&policy(good.clone()).to_string()).is_ok(), "{good}");
        }
        for bad in [json!("s3:GetObject"), json!(["ecr:*", "x"]), json!([]), json!(1)] {
            let error = check_repository_policy(&policy(bad.clone()).to_string()).unwrap_err();
            assert!(error.to_string().contains("Action"), "{bad}: {error}");
        }
        let mut named = policy(json!("ecr:ReplicateImage"));
        named["Statement"]["Resource"] = json!("arn:aws:ecr:us-east-1:111122223333:repository/*");
        assert!(check_registry_policy(&named.to_string()).is_ok());
        let error = check_repository_policy(&named.to_string()).unwrap_err().to_string();
        assert!(error.contains("Resource"), "{error}");
        let long = policy(json!(format!("ecr:{}", "x".repeat(10_240)))).to_string();
        let error = check_repository_policy(&long).unwrap_err().to_string();
        assert!(error.contains("policyText"), "{error}");
    }

    #[test]
    fn what_a_resource_says_of_strangers() {
        let account = AccountId::parse("444455556666").unwrap();
        let stranger = Principal::Root { account, access_key_id: "AKIA".into() };
        let arn = "arn:aws:ecr:us-east-1:111122223333:repository/app";
        let statement = |effect: &str, who: Value, more: Value| {
            let mut statement = json!({"Effect": effect, "Principal": who, "Action": "ecr:Batch*"});
            for (name, value) in more.as_object().unwrap() {
                statement[name] = value.clone();
            }
            statement
        };
        let named = json!({"AWS": "arn:aws:iam::444455556666:root"});
        let allow = |more: Value| statement("Allow", named.clone(), more);
        let condition = json!({"Condition": {"Bool": {"a:b": "true"}}});
        let elsewhere = json!({"Resource": "arn:aws:ecr:*:*:repository/b*"});
        for (statements, expected) in [
            (json!(allow(json!({}))), Verdict::Allowed),
            (json!(statement("Allow", json!("*"), json!({}))), Verdict::Allowed),
            (json!(statement("Allow", json!({"AWS": "1"}), json!({}))), Verdict::Unmentioned),
            (json!(allow(json!({"Action": "ecr:PutImage"}))), Verdict::Unmentioned),
            (json!(allow(json!({"Resource": arn}))), Verdict::Allowed),
            (json!(allow(elsewhere)), Verdict::Unmentioned),
            (json!(allow(condition.clone())), Verdict::Unmentioned),
            (json!([allow(json!({})), statement("Deny", json!("*"), condition)]), Verdict::Refused),
            (
                json!({"Effect": "Allow", "NotPrincipal": {"AWS": "1"}, "Action": "ecr:*"}),
                Verdict::Unmentioned,
            ),
        ] {
            let text = json!({"Statement": statements}).to_string();
            let found = resource_verdict(&text, &stranger, "ecr:BatchGetImage", arn);
            assert_eq!(found, expected, "{text}");
        }
    }

    #[test]
    fn who_is_locked_out() {
        let account = AccountId::parse("111122223333").unwrap();
        let root = Principal::Root { account, access_key_id: "AKIA".into() };
        let all = json!("*");
        for (principal, action, expected) in [
            (json!({"Principal": all}), json!({"Action": "ecr:*"}), true),
            (json!({"Principal": {"AWS": all}}), json!({"Action": "ecr:Set*"}), true),
            (json!({"Principal": {"AWS": ["111122223333"]}}), json!({"Action": all}), true),
            (
                json!({"Principal": {"AWS": "arn:aws:iam::111122223333:root"}}),
                json!({"NotAction": "ecr:BatchGetImage"}),
                true,
            ),
            (json!({"NotPrincipal": {"AWS": "444455556666"}}), json!({"Action": all}), true),
            (json!({"NotPrincipal": {"AWS": "111122223333"}}), json!({"Action": all}), false),
            (json!({"Principal": {"AWS": "444455556666"}}), json!({"Action": all}), false),
            (json!({"Principal": {"Service": all}}), json!({"Action": all}), false),
            (json!({"Principal": all}), json!({"Action": "ecr:PutImage"}), false),
            (json!({"Principal": all}), json!({"NotAction": "ecr:Set*"}), false),
            (
                json!({"Principal": all, "Condition": {"Bool": {"aws:SecureTransport": "false"}}}),
                json!({"Action": all}),
                false,
            ),
        ] {
            let mut statement = principal.as_object().unwrap().clone();
            statement.extend(action.as_object().unwrap().clone());
            statement.insert("Effect".to_owned(), json!("Deny"));
            let told = format!("{statement:?}");
            assert_eq!(locks_out(std::slice::from_ref(&statement), &root), expected, "{told}");
            statement.insert("Effect".to_owned(), json!("Allow"));
            assert!(!locks_out(&[statement], &root), "{told}");
        }
    }
}
