//! Which rules of scanning fit together, and which of them a repository falls under.

use metadata::{RegistryScanType, RegistryScanning, ScanFrequency};
use oci::RepositoryName;

use crate::SettingError;

/// How a repository is to be scanned.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RepositoryScanning {
    /// Its name.
    pub name: RepositoryName,
    /// Whether an image is to be scanned when it is pushed.
    pub scan_on_push: bool,
    /// How often.
    pub frequency: ScanFrequency,
    /// The filters of the registry's rules that match it, each once.
    pub filters: Vec<String>,
}

/// Holds the frequencies against the kind of scan, each of which is named once.
pub(super) fn check(scanning: &RegistryScanning) -> Result<(), SettingError> {
    let invalid =
        |reason: String| Err(SettingError::Invalid { field: "rules.scanFrequency", reason });
    let allowed: &[ScanFrequency] = match scanning.scan_type {
        RegistryScanType::Basic => &[ScanFrequency::ScanOnPush, ScanFrequency::Manual],
        RegistryScanType::Enhanced => &[ScanFrequency::ScanOnPush, ScanFrequency::ContinuousScan],
    };
    for (position, rule) in scanning.rules.iter().enumerate() {
        let frequency = rule.frequency;
        if !allowed.contains(&frequency) {
            let (word, scan_type) = (frequency.as_str(), scanning.scan_type.as_str());
            return invalid(format!("{word} is not for the scanType {scan_type}"));
        }
        if scanning.rules[..position].iter().any(|earlier| earlier.frequency == frequency) {
            return invalid(format!("{} is named twice", frequency.as_str()));
        }
    }
    Ok(())
}

/// A registry's rule that matches goes before what the repository says itself; of several the one
/// that scans most often.
pub(super) fn of_repository(
    name: &RepositoryName,
    scan_on_push: bool,
    scanning: &RegistryScanning,
) -> RepositoryScanning {
    let matching: Vec<_> = scanning
        .rules
        .iter()
        .filter(|rule| rule.matching(name.as_str()).next().is_some())
        .collect();
    let own = if scan_on_push { ScanFrequency::ScanOnPush } else { ScanFrequency::Manual };
    let frequency = matching.iter().map(|rule| rule.frequency).max().unwrap_or(own);
    let mut filters = Vec::new();
    for filter in matching.iter().flat_map(|rule| rule.matching(name.as_str())) {
        if !filters.iter().any(|held| held == filter) {
            filters.push(filter.to_owned());
        }
    }
    RepositoryScanning {
        name: name.clone(),
        scan_on_push: frequency != ScanFrequency::Manual,
        frequency,
        filters,
    }
}
