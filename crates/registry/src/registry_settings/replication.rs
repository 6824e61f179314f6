//! Where a registry may replicate to.

use std::collections::BTreeSet;

use metadata::{RegistryId, ReplicationRule};

use crate::SettingError;

/// How many registries one registry replicates to, all rules together (User Guide, "Private image
/// replication").
const DESTINATIONS_MAX: usize = 25;

/// Checks the destinations of all rules.
pub(super) fn check(registry: &RegistryId, rules: &[ReplicationRule]) -> Result<(), SettingError> {
    const FIELD: &str = "replicationConfiguration.rules.destinations";
    let invalid = |reason: String| Err(SettingError::Invalid { field: FIELD, reason });
    let mut all = BTreeSet::new();
    for destination in rules.iter().flat_map(|rule| &rule.destinations) {
        let (account, region) = (destination.account.as_str(), destination.region.as_str());
        if (account, region) == (registry.account.as_str(), registry.region.as_str()) {
            return invalid(format!("the registry {region} of {account} is the source itself"));
        }
        all.insert((account, region));
    }
    if all.len() > DESTINATIONS_MAX {
        return invalid(format!("all rules together have at most {DESTINATIONS_MAX}"));
    }
    Ok(())
}
