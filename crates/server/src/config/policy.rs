//! Policies of rules in `cistern.toml`: `[policy]` for every rule, `[rule.policy]` for one.

use std::path::{Path, PathBuf};

use aws::cistern::{PullThroughCacheRulePolicy, TagFreshness};
use metadata::RulePolicy;
use registry::{PolicyFault, check_policy};
use toml::{Table, Value};

use super::{
    ConfigError,
    file::{scalar, unknown_key, wrong_kind},
};
use crate::rule_policy;

/// Every member of a policy.
pub(super) const KEYS: &[&str] = &[
    "fresh-for",
    "fresh-for-tags",
    "stale-while-revalidate",
    "stale-on-error",
    "stale-deadline",
    "missing-for",
    "pinned-tags",
    "allowed-repositories",
    "denied-repositories",
    "allowed-tags",
    "denied-tags",
    "minimum-age",
    "age-from",
];
const FRESHNESS_KEYS: &[&str] = &["tag", "fresh-for"];

/// A table of the file that is a policy.
#[derive(Clone, Copy, Debug)]
pub(super) struct PolicyTable<'a> {
    path: &'a Path,
    /// What its keys begin with: `policy`, `rule.policy`.
    name: &'static str,
    table: &'a Table,
}

impl<'a> PolicyTable<'a> {
    pub(super) fn new(path: &'a Path, name: &'static str, table: &'a Table) -> Self {
        Self { path, name, table }
    }

    /// Reads the policy.
    ///
    /// # Errors
    /// The key that is not known, or whose value cannot hold.
    pub(super) fn read(self) -> Result<RulePolicy, ConfigError> {
        self.check_keys(self.table, KEYS)?;
        let written = PullThroughCacheRulePolicy {
            fresh_for: self.text("fresh-for")?,
            fresh_for_tags: self.fresh_for_tags()?,
            stale_while_revalidate: self.text("stale-while-revalidate")?,
            stale_on_error: self.text("stale-on-error")?,
            stale_deadline: self.text("stale-deadline")?,
            missing_for: self.text("missing-for")?,
            pinned_tags: self.patterns("pinned-tags")?,
            allowed_repositories: self.patterns("allowed-repositories")?,
            denied_repositories: self.patterns("denied-repositories")?,
            allowed_tags: self.patterns("allowed-tags")?,
            denied_tags: self.patterns("denied-tags")?,
            minimum_age: self.text("minimum-age")?,
            age_from: self.text("age-from")?,
        };
        let checked =
            rule_policy::read(&written).and_then(|policy| check_policy(&policy).map(|()| policy));
        checked.map_err(|PolicyFault { member, problem }| ConfigError::Policy {
            key: self.key(&kebab(member)),
            path: PathBuf::from(self.path),
            problem,
        })
    }

    fn text(self, key: &str) -> Result<Option<String>, ConfigError> {
        let Some(value) = self.table.get(key) else { return Ok(None) };
        let wrong = || wrong_kind(self.path, &self.key(key), "a text, or 0");
        scalar(value.clone()).map(Some).ok_or_else(wrong)
    }

    fn patterns(self, key: &str) -> Result<Option<Vec<String>>, ConfigError> {
        let Some(value) = self.table.get(key) else { return Ok(None) };
        let texts = value.as_array().and_then(|values| {
            values.iter().map(|value| value.as_str().map(str::to_owned)).collect()
        });
        let wrong = || wrong_kind(self.path, &self.key(key), "an array of strings");
        texts.map(Some).ok_or_else(wrong)
    }

    fn fresh_for_tags(self) -> Result<Option<Vec<TagFreshness>>, ConfigError> {
        const KEY: &str = "fresh-for-tags";
        const EXPECTED: &str = r#"an array of tables such as { tag = "v*", fresh-for = "30d" }"#;
        let Some(value) = self.table.get(KEY) else { return Ok(None) };
        let wrong = || wrong_kind(self.path, &self.key(KEY), EXPECTED);
        let entries = value.as_array().ok_or_else(wrong)?;
        let read = |entry: &Value| {
            let table = entry.as_table().ok_or_else(wrong)?;
            self.check_keys(table, FRESHNESS_KEYS)?;
            let text = |key| table.get(key).cloned().and_then(scalar).ok_or_else(wrong);
            Ok(TagFreshness { tag: text("tag")?, fresh_for: text("fresh-for")? })
        };
        entries.iter().map(read).collect::<Result<_, _>>().map(Some)
    }

    fn check_keys(self, table: &Table, known: &'static [&'static str]) -> Result<(), ConfigError> {
        match table.keys().find(|key| !known.contains(&key.as_str())) {
            Some(key) => Err(unknown_key(self.path, key.clone(), known.iter().copied())),
            None => Ok(()),
        }
    }

    fn key(self, key: &str) -> String {
        format!("{}.{key}", self.name)
    }
}

/// `freshFor` as it is written in the file: `fresh-for`.
fn kebab(member: &str) -> String {
    let mut key = String::new();
    for letter in member.chars() {
        if letter.is_ascii_uppercase() {
            key.push('-');
        }
        key.push(letter.to_ascii_lowercase());
    }
    key
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_file_has_every_member_of_the_api() {
        let every = rule_policy::every_member();
        let written = serde_json::to_value(rule_policy::write(&every)).unwrap();
        let members: Vec<_> = written.as_object().unwrap().keys().map(|name| kebab(name)).collect();
        let mut keys: Vec<_> = KEYS.iter().map(|key| (*key).to_owned()).collect();
        keys.sort();
        assert_eq!(members, keys);
    }
}
