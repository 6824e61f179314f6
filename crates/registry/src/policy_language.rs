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

/// Tells whether a pattern of actions fits an action; the case of letters does not matter.
pub(crate) fn matches_action(pattern: &str, action: &str) -> bool {
    matches(pattern.as_bytes(), action.as_bytes(), u8::eq_ignore_ascii_case)
}

/// Tells whether a pattern of resources fits an ARN, or `*` where an action is about no resource.
pub(crate) fn matches_resource(pattern: &str, resource: &str) -> bool {
    matches(pattern.as_bytes(), resource.as_bytes(), u8::eq)
}

/// Matches a pattern in which `*` stands for any characters and `?` for one.
fn matches(pattern: &[u8], text: &[u8], is_same: fn(&u8, &u8) -> bool) -> bool {
    let (mut at, mut read) = (0, 0);
    // Where to go on when what follows the last star does not fit after all.
    let mut retry: Option<(usize, usize)> = None;
    while read < text.len() {
        match pattern.get(at) {
            Some(b'*') => {
                retry = Some((at + 1, read + 1));
                at += 1;
            }
            Some(b) if *b == b'?' || is_same(b, &text[read]) => {
                (at, read) = (at + 1, read + 1);
            }
            _ => {
                let Some((after_star, next)) = retry else { return false };
                (at, read) = (after_star, next);
                retry = Some((after_star, next + 1));
            }
        }
    }
    pattern[at..].iter().all(|b| *b == b'*')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_of_actions() {
        for (pattern, expected) in [
            ("ecr:SetRepositoryPolicy", true),
            ("ECR:setrepositorypolicy", true),
            ("*", true),
            ("ecr:*", true),
            ("ecr:Set*Policy", true),
            ("ecr:?etRepositoryPolicy", true),
            ("ecr:*Repository*y*", true),
            ("ecr:Get*", false),
            ("ecr:SetRepositoryPolic", false),
            ("ecr:SetRepositoryPolicy?", false),
            ("", false),
        ] {
            assert_eq!(matches_action(pattern, "ecr:SetRepositoryPolicy"), expected, "{pattern}");
        }
    }

    #[test]
    fn patterns_of_resources() {
        let arn = "arn:aws:ecr:eu-west-1:111122223333:repository/team/app";
        for (pattern, expected) in [
            (arn, true),
            ("*", true),
            ("arn:aws:ecr:*:111122223333:repository/team/*", true),
            ("arn:aws:ecr:eu-west-?:*:repository/*", true),
            ("arn:aws:ecr:eu-west-1:111122223333:repository/TEAM/app", false),
            ("arn:aws:ecr:eu-west-1:111122223333:repository/team", false),
            ("arn:aws:ecr:eu-west-1:444455556666:repository/*", false),
        ] {
            assert_eq!(matches_resource(pattern, arn), expected, "{pattern}");
        }
        assert!(matches_resource("*", "*"));
        assert!(!matches_resource("arn:aws:ecr:*", "*"));
    }
}
