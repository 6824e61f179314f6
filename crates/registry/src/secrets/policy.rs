//! The grammar of resource policies of secrets, and which of them let everybody in.

use serde_json::{Map, Value};

use crate::{SecretError, policy_language as language};

/// `NonEmptyResourcePolicyType`: 1 to 20480 characters.
const CHARS_MAX: usize = 20_480;

/// Checks a policy.
pub(super) fn check(text: &str, block_public: bool) -> Result<(), SecretError> {
    if is_public(text)? && block_public {
        return Err(SecretError::PublicPolicy);
    }
    Ok(())
}

/// Reads a policy, and tells whether it lets everybody in.
pub(super) fn is_public(text: &str) -> Result<bool, SecretError> {
    if text.is_empty() || text.chars().count() > CHARS_MAX {
        let reason = "a policy has 1 to 20480 characters".to_owned();
        return Err(SecretError::Invalid { field: "ResourcePolicy", reason });
    }
    let malformed = |reason| SecretError::MalformedPolicy { reason };
    let policy = language::parse(text).map_err(malformed)?;
    let statements = language::statements(&policy).map_err(malformed)?;
    statements.iter().try_for_each(|statement| whole(statement)).map_err(malformed)?;
    Ok(statements.into_iter().any(lets_everybody_in))
}

/// Checks that a statement says who may or may not do what to what.
fn whole(statement: &Map<String, Value>) -> Result<(), &'static str> {
    for (one, other, reason) in [
        ("Principal", "NotPrincipal", "a Statement needs either Principal or NotPrincipal"),
        ("Action", "NotAction", "a Statement needs either Action or NotAction"),
        ("Resource", "NotResource", "a Statement needs either Resource or NotResource"),
    ] {
        if !language::has_one_of(statement, one, other) {
            return Err(reason);
        }
    }
    Ok(())
}

/// Tells whether a statement allows something to everybody without a condition.
fn lets_everybody_in(statement: &Map<String, Value>) -> bool {
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
