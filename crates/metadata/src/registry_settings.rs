//! What a registry as a whole is set to do, as a fact.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::repository::matches_wildcard;

/// The settings of a registry. The default is what Amazon ECR gives an account that set nothing.
///
/// Written as JSON inside a record: members are only ever added.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct RegistrySettings {
    /// The registry policy, a JSON text as sent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub registry_policy: Option<String>,
    /// What is to be replicated where.
    pub replication: Vec<ReplicationRule>,
    /// What is to be scanned when.
    pub scanning: RegistryScanning,
    /// Account settings that were put, by name.
    pub account_settings: BTreeMap<String, String>,
}

/// What is to be replicated where.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct ReplicationRule {
    /// The registries to replicate to.
    pub destinations: Vec<ReplicationDestination>,
    /// Prefixes of the names of the repositories it is about; absent where it is about all.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub repository_prefixes: Option<Vec<String>>,
    /// Whether deletions are to be replicated too, where that was said.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub deletions: Option<bool>,
}

/// A registry to replicate to.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct ReplicationDestination {
    /// The region.
    pub region: String,
    /// The account.
    pub account: String,
}

/// What is to be scanned when.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct RegistryScanning {
    /// Which kind of scan.
    pub scan_type: RegistryScanType,
    /// The rules, as sent.
    pub rules: Vec<ScanningRule>,
}

/// A kind of scan.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RegistryScanType {
    /// `BASIC`.
    #[default]
    Basic,
    /// `ENHANCED`.
    Enhanced,
}

/// Which repositories are to be scanned how often.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ScanningRule {
    /// How often.
    pub frequency: ScanFrequency,
    /// Patterns of repository names; see [`ScanningRule::matching`].
    pub filters: Vec<String>,
}

/// How often a repository is to be scanned.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ScanFrequency {
    /// When somebody asks: `MANUAL`.
    Manual,
    /// When an image is pushed: `SCAN_ON_PUSH`.
    ScanOnPush,
    /// Again and again: `CONTINUOUS_SCAN`.
    ContinuousScan,
}

impl RegistryScanType {
    /// Reads ECR's word.
    pub fn parse(word: &str) -> Option<Self> {
        [Self::Basic, Self::Enhanced].into_iter().find(|kind| kind.as_str() == word)
    }

    /// Returns ECR's word.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Basic => "BASIC",
            Self::Enhanced => "ENHANCED",
        }
    }
}

impl ScanFrequency {
    /// Reads ECR's word.
    pub fn parse(word: &str) -> Option<Self> {
        let all = [Self::Manual, Self::ScanOnPush, Self::ContinuousScan];
        all.into_iter().find(|frequency| frequency.as_str() == word)
    }

    /// Returns ECR's word.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Manual => "MANUAL",
            Self::ScanOnPush => "SCAN_ON_PUSH",
            Self::ContinuousScan => "CONTINUOUS_SCAN",
        }
    }
}

impl ScanningRule {
    /// Returns the filters that a repository's name matches: one without `*` matches every name
    /// that contains it, in one with `*` that stands for any characters (User Guide, "Using
    /// filters").
    pub fn matching<'a>(&'a self, repository: &'a str) -> impl Iterator<Item = &'a str> {
        self.filters.iter().map(String::as_str).filter(move |filter| {
            if filter.contains('*') {
                matches_wildcard(filter, repository)
            } else {
                repository.contains(filter)
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn filters_of_scanning_rules() {
        let filters = ["prod", "prod*", "*/app", "team"].map(str::to_owned).to_vec();
        let rule = ScanningRule { frequency: ScanFrequency::ScanOnPush, filters };
        for (name, expected) in [
            ("prod", &["prod", "prod*"][..]),
            ("preprod", &["prod"]),
            ("team/app", &["*/app", "team"]),
            ("other", &[]),
        ] {
            assert_eq!(rule.matching(name).collect::<Vec<_>>(), expected, "{name}");
        }
    }

    /// Records of the first shape: later versions must read them as they are.
    #[test]
    fn records_keep_their_shape() {
        let destination =
            ReplicationDestination { region: "eu-west-1".into(), account: "111122223333".into() };
        let whole = RegistrySettings {
            registry_policy: Some("{}".into()),
            replication: vec![ReplicationRule {
                destinations: vec![destination],
                repository_prefixes: Some(vec!["prod".into()]),
                deletions: None,
            }],
            scanning: RegistryScanning {
                scan_type: RegistryScanType::Enhanced,
                rules: vec![ScanningRule {
                    frequency: ScanFrequency::ContinuousScan,
                    filters: vec!["*".into()],
                }],
            },
            account_settings: [("BLOB_MOUNTING".to_owned(), "ENABLED".to_owned())].into(),
        };
        let golden = concat!(
            r#"{"registry_policy":"{}","replication":[{"destinations":[{"region":"eu-west-1","#,
            r#""account":"111122223333"}],"repository_prefixes":["prod"]}],"#,
            r#""scanning":{"scan_type":"enhanced","rules":[{"frequency":"continuous_scan","#,
            r#""filters":["*"]}]},"account_settings":{"BLOB_MOUNTING":"ENABLED"}}"#,
        );
        assert_eq!(serde_json::to_string(&whole).unwrap(), golden);
        assert_eq!(serde_json::from_str::<RegistrySettings>(golden).unwrap(), whole);
        let empty: RegistrySettings = serde_json::from_str("{}").unwrap();
        assert_eq!(empty, RegistrySettings::default());
    }
}
