//! The two kinds of policies that a role holds: who may assume it, and what it may do.
//!
//! Reasons are IAM's own texts, as its users see them, where one is known.

use serde_json::{Map, Value};

use super::constraints::{invalid, length};
use crate::{RoleError, policy_language as language};

/// `policyDocumentType`, in characters.
const CHARS_MAX: usize = 131_072;
/// The quota "Role trust policy length" at the most that AWS raises it to; white space does not
/// count (IAM user guide, "IAM and AWS STS quotas").
const TRUST_CHARS_MAX: usize = 4096;
/// The kinds of principals ("AWS JSON policy elements: Principal", IAM user guide).
const PRINCIPALS: [&str; 4] = ["AWS", "Service", "Federated", "CanonicalUser"];

/// Checks a policy that says who may assume a role.
pub(super) fn trust(field: &'static str, document: &str) -> Result<(), RoleError> {
    characters(field, document)?;
    let check = |statement: &Map<String, Value>| {
        let prohibited = [
            ("Resource", "Has prohibited field Resource"),
            ("NotResource", "Has prohibited field NotResource"),
            ("NotPrincipal", "Has prohibited field NotPrincipal"),
            ("NotAction", "Has prohibited field NotAction"),
        ];
        if let Some((_, text)) = prohibited.iter().find(|(name, _)| statement.contains_key(*name)) {
            return Err(*text);
        }
        let principal = statement.get("Principal").ok_or("Missing required field Principal")?;
        if !is_principal(principal) {
            return Err("Invalid principal in policy");
        }
        let actions = statement.get("Action").ok_or("Missing required field Action")?;
        let actions = language::texts(actions).ok_or("Syntax errors in policy.")?;
        let is_sts = |action: &str| {
            action.get(..4).is_some_and(|vendor| vendor.eq_ignore_ascii_case("sts:"))
        };
        if !actions.into_iter().all(is_sts) {
            return Err("AssumeRole policy may only specify STS AssumeRole actions.");
        }
        Ok(())
    };
    each_statement(field, document, check)?;
    if length_without_blanks(document) > TRUST_CHARS_MAX {
        return Err(RoleError::LimitExceeded { quota: "ACLSizePerRole", limit: TRUST_CHARS_MAX });
    }
    Ok(())
}

/// Checks a policy that says what a role may do.
pub(super) fn permissions(field: &'static str, document: &str) -> Result<(), RoleError> {
    characters(field, document)?;
    let check = |statement: &Map<String, Value>| {
        if statement.contains_key("Principal") || statement.contains_key("NotPrincipal") {
            return Err("Policy document should not specify a principal.");
        }
        if !language::has_one_of(statement, "Action", "NotAction") {
            return Err("Policy statement must contain actions.");
        }
        if !language::has_one_of(statement, "Resource", "NotResource") {
            return Err("Policy statement must contain resources.");
        }
        for name in ["Action", "NotAction"] {
            let Some(actions) = statement.get(name) else { continue };
            let actions = language::texts(actions).ok_or("Syntax errors in policy.")?;
            if !actions.into_iter().all(|action| action == "*" || action.contains(':')) {
                return Err(
                    "Actions/Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc.",
                );
            }
        }
        for name in ["Resource", "NotResource"] {
            let Some(resources) = statement.get(name) else { continue };
            let resources = language::texts(resources).ok_or("Syntax errors in policy.")?;
            let is_arn = |resource: &str| resource == "*" || resource.starts_with("arn:");
            if !resources.into_iter().all(is_arn) {
                return Err("Resource must be in ARN format or \"*\".");
            }
        }
        Ok(())
    };
    each_statement(field, document, check)
}

/// How long a policy is by the quotas, which leave white space out.
pub(super) fn length_without_blanks(document: &str) -> usize {
    document.chars().filter(|c| !c.is_whitespace()).count()
}

fn characters(field: &'static str, document: &str) -> Result<(), RoleError> {
    length(field, document, 1..=CHARS_MAX)?;
    let is_allowed = |c| matches!(c, '\t' | '\n' | '\r' | ' '..='\u{ff}');
    if document.chars().all(is_allowed) {
        return Ok(());
    }
    let reason = r"must satisfy regular expression pattern: [\u0009\u000A\u000D\u0020-\u00FF]+";
    Err(invalid(field, reason))
}

fn each_statement(
    field: &'static str,
    document: &str,
    check: impl Fn(&Map<String, Value>) -> Result<(), &'static str>,
) -> Result<(), RoleError> {
    let malformed = |reason| RoleError::MalformedPolicy { field, reason };
    let policy =
        language::parse(document).map_err(|_| malformed("This policy contains invalid Json"))?;
    let statements = language::statements(&policy).map_err(malformed)?;
    statements.into_iter().try_for_each(check).map_err(malformed)
}

/// Tells whether an element names somebody: everybody, or some of each kind.
fn is_principal(principal: &Value) -> bool {
    match principal {
        Value::String(everybody) => everybody == "*",
        Value::Object(kinds) if !kinds.is_empty() => kinds.iter().all(|(kind, names)| {
            let names = language::texts(names);
            let are_named = names.is_some_and(|names| names.iter().all(|name| !name.is_empty()));
            PRINCIPALS.contains(&kind.as_str()) && are_named
        }),
        _ => false,
    }
}
