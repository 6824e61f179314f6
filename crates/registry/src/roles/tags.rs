//! Tags of roles. Their keys are told apart without case, and kept as typed (IAM user guide, "Rules
//! for tagging in IAM and AWS STS").

use metadata::Role;

use super::{constraints, home};
use crate::{Caller, Registry, RoleError};

/// Tags a role may have; longest key and value, in characters.
const TAGS_MAX: usize = 50;
const KEY_CHARS_MAX: usize = 128;
const VALUE_CHARS_MAX: usize = 256;

impl Registry {
    /// Sets tags of a role; those of the same key are replaced in their place.
    ///
    /// # Errors
    /// [`RoleError::NotFound`], [`RoleError::Invalid`], [`RoleError::InvalidInput`],
    /// [`RoleError::LimitExceeded`].
    pub async fn tag_role(
        &self,
        caller: &Caller,
        name: &str,
        tags: &[(String, String)],
    ) -> Result<(), RoleError> {
        self.inner.authorize_role(caller, "iam:TagRole", name).await?;
        check(tags)?;
        let tag = |role: &mut Role| {
            for (key, value) in tags {
                match role.tags.iter_mut().find(|(held, _)| is_same(held, key)) {
                    Some(held) => *held = (key.clone(), value.clone()),
                    None => role.tags.push((key.clone(), value.clone())),
                }
            }
            if role.tags.len() > TAGS_MAX {
                return Err(RoleError::LimitExceeded { quota: "TagsPerRole", limit: TAGS_MAX });
            }
            Ok(())
        };
        self.inner.change_role(&home(caller), name, tag).await.map(drop)
    }

    /// Removes tags of a role by their keys. A key that it does not have is no error.
    ///
    /// # Errors
    /// [`RoleError::NotFound`], [`RoleError::Invalid`].
    pub async fn untag_role(
        &self,
        caller: &Caller,
        name: &str,
        keys: &[String],
    ) -> Result<(), RoleError> {
        self.inner.authorize_role(caller, "iam:UntagRole", name).await?;
        count("TagKeys", keys.len())?;
        keys.iter().try_for_each(|key| check_key("TagKeys", key))?;
        let untag = |role: &mut Role| {
            role.tags.retain(|(held, _)| !keys.iter().any(|key| is_same(held, key)));
            Ok(())
        };
        self.inner.change_role(&home(caller), name, untag).await.map(drop)
    }
}

/// Tags of one request, each by itself and together.
pub(super) fn check(tags: &[(String, String)]) -> Result<(), RoleError> {
    count("Tags", tags.len())?;
    for (position, (key, value)) in tags.iter().enumerate() {
        check_key("Tags", key)?;
        constraints::length("Tags", value, 0..=VALUE_CHARS_MAX)?;
        characters("Tags", value)?;
        if tags[..position].iter().any(|(earlier, _)| is_same(earlier, key)) {
            let reason =
                "Duplicate tag keys found. Please note that Tag keys are case insensitive.";
            return Err(RoleError::InvalidInput { reason: reason.to_owned() });
        }
    }
    Ok(())
}

fn is_same(one: &str, other: &str) -> bool {
    one.to_lowercase() == other.to_lowercase()
}

fn count(field: &'static str, count: usize) -> Result<(), RoleError> {
    if count > TAGS_MAX {
        return Err(constraints::invalid(field, "must have length less than or equal to 50"));
    }
    Ok(())
}

fn check_key(field: &'static str, key: &str) -> Result<(), RoleError> {
    constraints::length(field, key, 1..=KEY_CHARS_MAX)?;
    if key.get(..4).is_some_and(|start| start.eq_ignore_ascii_case("aws:")) {
        let reason = format!("Tag keys that begin with aws: are reserved: {key}");
        return Err(RoleError::InvalidInput { reason });
    }
    characters(field, key)
}

/// `[\p{L}\p{Z}\p{N}_.:/=+\-@]*`.
fn characters(field: &'static str, text: &str) -> Result<(), RoleError> {
    let is_blank = |c: char| c.is_whitespace() && !c.is_control();
    let is_allowed = |c: char| c.is_alphanumeric() || is_blank(c) || "_.:/=+-@".contains(c);
    if text.chars().all(is_allowed) {
        return Ok(());
    }
    let reason = r"must satisfy regular expression pattern: [\p{L}\p{Z}\p{N}_.:/=+\-@]+";
    Err(constraints::invalid(field, reason))
}
