//! The language of policies, as far as every kind of policy shares it (IAM user guide, "Grammar of
//! the IAM JSON policy language").

use serde_json::{Map, Value};

/// The versions of the language.
const VERSIONS: [&str; 2] = ["2008-10-17", "2012-10-17"];

/// Reads a document. The error says what is wrong with it.
pub(crate) fn parse(text: &str) -> Result<Value, &'static str> {
    serde_json::from_str(text).map_err(|_| "it is not JSON")
}

/// The statements of a document, each an object with an effect.
pub(crate) fn statements(policy: &Value) -> Result<Vec<&Map<String, Value>>, &'static str> {
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
    Ok(statement)
}

/// Tells whether a statement has exactly one of two elements, and it says something.
pub(crate) fn has_one_of(statement: &Map<String, Value>, one: &str, other: &str) -> bool {
    let held = [statement.get(one), statement.get(other)].into_iter().flatten();
    held.clone().count() == 1 && held.into_iter().all(|value| !value.is_null())
}

/// The texts of an element that is one or a list of them; `None` where it is something else.
pub(crate) fn texts(element: &Value) -> Option<Vec<&str>> {
    match element {
        Value::String(text) => Some(vec![text]),
        Value::Array(texts) if !texts.is_empty() => texts.iter().map(Value::as_str).collect(),
        _ => None,
    }
}
