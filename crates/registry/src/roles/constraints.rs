//! Constraints of what is sent (IAM model 2010-05-08; sentences that begin with a capital are IAM's
//! own).

use super::SESSION_SECS;
use crate::RoleError;

/// Longest name of a role and of a policy, longest path and description, in characters.
const ROLE_NAME_CHARS_MAX: usize = 64;
const POLICY_NAME_CHARS_MAX: usize = 128;
const PATH_CHARS_MAX: usize = 512;
const DESCRIPTION_CHARS_MAX: usize = 1000;
/// Shortest and longest ARN, in characters.
const ARN_CHARS: std::ops::RangeInclusive<usize> = 20..=2048;
/// Shortest and longest of the longest sessions, in seconds.
const SESSION_SECS_BOUNDS: std::ops::RangeInclusive<i64> = 3600..=43_200;

pub(super) fn invalid(field: &'static str, reason: impl Into<String>) -> RoleError {
    RoleError::Invalid { field, reason: reason.into() }
}

/// A length in characters.
pub(super) fn length(
    field: &'static str,
    text: &str,
    bounds: std::ops::RangeInclusive<usize>,
) -> Result<(), RoleError> {
    let count = text.chars().count();
    if count < *bounds.start() {
        let reason = format!("must have length greater than or equal to {}", bounds.start());
        return Err(invalid(field, reason));
    }
    if count > *bounds.end() {
        let reason = format!("must have length less than or equal to {}", bounds.end());
        return Err(invalid(field, reason));
    }
    Ok(())
}

pub(super) fn role_name(name: &str) -> Result<(), RoleError> {
    length("RoleName", name, 1..=ROLE_NAME_CHARS_MAX)?;
    friendly_name("RoleName", "roleName", name)
}

pub(super) fn policy_name(name: &str) -> Result<(), RoleError> {
    length("PolicyName", name, 1..=POLICY_NAME_CHARS_MAX)?;
    friendly_name("PolicyName", "policyName", name)
}

fn friendly_name(field: &'static str, shown: &str, name: &str) -> Result<(), RoleError> {
    if name.chars().all(|c| c.is_ascii_alphanumeric() || "+=,.@_-".contains(c)) {
        return Ok(());
    }
    let reason = format!(
        "The specified value for {shown} is invalid. It must contain only alphanumeric characters \
         and/or the following: +=,.@_-"
    );
    Err(invalid(field, reason))
}

/// The path of a role, which is `/` where none is given.
pub(super) fn path(path: Option<String>) -> Result<String, RoleError> {
    let path = path.unwrap_or_else(|| "/".to_owned());
    length("Path", &path, 1..=PATH_CHARS_MAX)?;
    let is_whole = path.starts_with('/') && path.ends_with('/');
    if is_whole && path.chars().all(|c| c.is_ascii_graphic()) && !path.contains("//") {
        return Ok(path);
    }
    Err(invalid(
        "Path",
        "The specified value for path is invalid. It must begin and end with / and contain only \
         alphanumeric characters and/or / characters.",
    ))
}

pub(super) fn path_prefix(prefix: &str) -> Result<(), RoleError> {
    length("PathPrefix", prefix, 1..=PATH_CHARS_MAX)?;
    if prefix.starts_with('/') && prefix.chars().all(|c| matches!(c, '\u{21}'..='\u{7f}')) {
        return Ok(());
    }
    let reason = r"must satisfy regular expression pattern: \u002F[\u0021-\u007F]*";
    Err(invalid("PathPrefix", reason))
}

/// A description; an empty one is none.
pub(super) fn description(description: Option<String>) -> Result<Option<String>, RoleError> {
    let Some(text) = description.filter(|text| !text.is_empty()) else { return Ok(None) };
    length("Description", &text, 0..=DESCRIPTION_CHARS_MAX)?;
    let is_allowed = |c| matches!(c, '\t' | '\n' | '\r' | ' '..='~' | '\u{a1}'..='\u{ff}');
    if text.chars().all(is_allowed) {
        return Ok(Some(text));
    }
    let reason =
        r"must satisfy regular expression pattern: [\u0009\u000A\u000D\u0020-\u007E\u00A1-\u00FF]*";
    Err(invalid("Description", reason))
}

/// The longest session in seconds, an hour where none is given.
pub(super) fn session(secs: Option<i64>) -> Result<u32, RoleError> {
    let secs = secs.unwrap_or_else(|| i64::from(SESSION_SECS));
    if secs < *SESSION_SECS_BOUNDS.start() {
        let reason = "must have value greater than or equal to 3600";
        return Err(invalid("MaxSessionDuration", reason));
    }
    if secs > *SESSION_SECS_BOUNDS.end() {
        return Err(invalid("MaxSessionDuration", "must have value less than or equal to 43200"));
    }
    Ok(u32::try_from(secs).expect("3600 to 43200"))
}

pub(super) fn arn(field: &'static str, arn: &str) -> Result<(), RoleError> {
    length(field, arn, ARN_CHARS)
}
