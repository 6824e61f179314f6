//! The grammar of resource policies (IAM user guide, "Grammar of the IAM JSON policy language"),
//! and which of them let everybody in.

use serde_json::{Map, Value};

use crate::SecretError;

/// `NonEmptyResourcePolicyType`: 1 to 20480 characters.
const CHARS_MAX: usize = 20_480;
/// The versions of the language.
const VERSIONS: [&str; 2] = ["2008-10-17", "2012-10-17"];

/// Checks a policy.
pub(super) fn check(text: &str, block_public: bool) -> Result<(), SecretError> {
    if text.is_empty() || text.chars().count() > CHARS_MAX {
        let reason = "a policy has 1 to 20480 characters".to_owned();
        return Err(SecretError::Invalid { field: "ResourcePolicy", reason });
    }
    let policy: Value = serde_json::from_str(text)
        .map_err(|_| SecretError::MalformedPolicy { reason: "it is not JSON" })?;
    let statements =
        statements(&policy).map_err(|reason| SecretError::MalformedPolicy { reason })?;
    if block_public && statements.into_iter().any(is_public) {
        return Err(SecretError::PublicPolicy);
    }
    Ok(())
}

fn statements(policy: &Value) -> Result<Vec<&Map<String, Value>>, &'static str> {
    let policy = policy.as_object().ok_or("it is not a JSON object")?;
    if let Some(version) = policy.get("Version")
        && !version.as_str().is_some_and(|version| VERSIONS.contains(&version))
    {
        return Err("its Version is neither 2012-10-17 nor 2008-10-17");
    }
    let statements = match policy.get("Statement") {
        Some(Value::Array(statements)) if !statements.is_empty() => statements.iter().collect(),
        Some(statement @ Value::Object(_)) => vec![statement],
        _ => return Err("it has no Statement"),
    };
    statements.into_iter().map(statement).collect()
}

fn statement(statement: &Value) -> Result<&Map<String, Value>, &'static str> {
    let statement = statement.as_object().ok_or("a Statement is not a JSON object")?;
    if !matches!(statement.get("Effect").and_then(Value::as_str), Some("Allow" | "Deny")) {
        return Err("the Effect of a Statement is neither Allow nor Deny");
    }
    let has_one = |one: &str, other: &str| {
        let held = [statement.get(one), statement.get(other)].into_iter().flatten();
        held.clone().count() == 1 && held.into_iter().all(|value| !value.is_null())
    };
    for (one, other, reason) in [
        ("Principal", "NotPrincipal", "a Statement needs either Principal or NotPrincipal"),
        ("Action", "NotAction", "a Statement needs either Action or NotAction"),
        ("Resource", "NotResource", "a Statement needs either Resource or NotResource"),
    ] {
        if !has_one(one, other) {
            return Err(reason);
        }
    }
    Ok(statement)
}

/// Tells whether a statement allows something to everybody without a condition.
fn is_public(statement: &Map<String, Value>) -> bool {
    let is_everybody = match statement.get("Principal") {
        Some(Value::Object(kinds)) => kinds.values().any(names_everybody),
        Some(principal) => names_everybody(principal),
        None => true,
    };
    let allows = statement.get("Effect").and_then(Value::as_str) == Some("Allow");
    allows && is_everybody && statement.get("Condition").is_none()
}

fn names_everybody(names: &Value) -> bool {
    match names {
        Value::String(name) => name == "*",
        Value::Array(names) => names.iter().any(|name| name.as_str() == Some("*")),
        _ => false,
    }
}
