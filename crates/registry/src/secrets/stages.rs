//! Staging labels, and which versions are kept. Each label is at one version at most.

use metadata::{SecretVersion, Timestamp};

use super::constraints::STAGES_MAX;
use crate::SecretError;

/// The staging label of the version that is in force.
pub(super) const CURRENT: &str = "AWSCURRENT";
/// The staging label of the version that was in force before.
pub(super) const PREVIOUS: &str = "AWSPREVIOUS";
/// How many versions a secret keeps (user guide, "AWS Secrets Manager quotas").
const VERSIONS_MAX: usize = 100;
/// A version younger than this is kept, labelled or not ("What's in a secret?").
const KEPT_MILLIS: i64 = 24 * 60 * 60 * 1000;

/// Returns the place of the version that has a label.
pub(super) fn holder(versions: &[SecretVersion], label: &str) -> Option<usize> {
    versions.iter().position(|version| version.stages.iter().any(|held| held == label))
}

/// Takes a label from whichever version has it.
pub(super) fn take(versions: &mut [SecretVersion], label: &str) {
    for version in versions {
        version.stages.retain(|held| held != label);
    }
}

/// Gives a label to the version at `to`. The version that `AWSCURRENT` leaves gets `AWSPREVIOUS`.
pub(super) fn give(versions: &mut [SecretVersion], label: &str, to: usize) {
    let from = holder(versions, label);
    if from == Some(to) {
        return;
    }
    take(versions, label);
    if let Some(from) = from.filter(|_| label == CURRENT) {
        take(versions, PREVIOUS);
        versions[from].stages.push(PREVIOUS.to_owned());
    }
    versions[to].stages.push(label.to_owned());
}

/// Refuses more labels than a secret may have.
pub(super) fn check_count(versions: &[SecretVersion]) -> Result<(), SecretError> {
    let count: usize = versions.iter().map(|version| version.stages.len()).sum();
    if count > STAGES_MAX {
        return Err(SecretError::LimitExceeded { what: "staging labels", limit: STAGES_MAX });
    }
    Ok(())
}

/// Removes the oldest versions without a label, so that one secret keeps 100.
pub(super) fn make_room(
    versions: &mut Vec<SecretVersion>,
    now: Timestamp,
) -> Result<(), SecretError> {
    while versions.len() > VERSIONS_MAX {
        let is_spare = |version: &SecretVersion| {
            version.stages.is_empty() && now.0.saturating_sub(version.created_at.0) >= KEPT_MILLIS
        };
        let Some(spare) = versions.iter().position(is_spare) else {
            return Err(SecretError::LimitExceeded { what: "versions", limit: VERSIONS_MAX });
        };
        versions.remove(spare);
    }
    Ok(())
}
