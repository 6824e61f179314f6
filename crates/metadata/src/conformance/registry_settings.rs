//! Settings of registries.

use super::{
    assert_refused,
    samples::{home, three_registries},
};
use crate::{Error, MetadataStore, RegistrySettings, ReplicationRule};

fn settings(policy: &str) -> RegistrySettings {
    RegistrySettings {
        registry_policy: Some(policy.into()),
        replication: vec![ReplicationRule::default()],
        account_settings: [("BLOB_MOUNTING".to_owned(), "ENABLED".to_owned())].into(),
        ..RegistrySettings::default()
    }
}

/// Each registry has its own; where none were set they are the default ones.
pub async fn are_kept_per_registry(one: &dyn MetadataStore, other: &dyn MetadataStore) {
    let default = RegistrySettings::default();
    let [first, second, untouched] = three_registries();
    for (registry, policy) in [(&first, "one"), (&second, "two")] {
        let replaced = one.replace_registry_settings(registry, &default, &settings(policy)).await;
        replaced.expect("settings that were not set yet");
    }
    for (registry, expected) in
        [(first, settings("one")), (second, settings("two")), (untouched, default)]
    {
        let held = other.registry_settings(&registry).await.expect("settings");
        assert_eq!(held, expected, "{registry}");
    }
}

/// A swap that expects what is no longer there changes nothing.
pub async fn are_swapped_only_as_expected(one: &dyn MetadataStore, other: &dyn MetadataStore) {
    let (home, default) = (home(), RegistrySettings::default());
    let early = other.replace_registry_settings(&home, &settings("old"), &settings("new")).await;
    assert_refused!(early, Error::NotFound);
    one.replace_registry_settings(&home, &default, &settings("old")).await.expect("settings");
    let late = other.replace_registry_settings(&home, &default, &settings("new")).await;
    assert_refused!(late, Error::NotFound);
    assert_eq!(one.registry_settings(&home).await.expect("settings"), settings("old"));
    let back = other.replace_registry_settings(&home, &settings("old"), &default).await;
    back.expect("settings as expected");
    assert_eq!(one.registry_settings(&home).await.expect("settings"), default);
}
