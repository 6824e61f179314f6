//! Settings of the registry as a whole: its policy, replication, scanning, account settings.
//!
//! They are kept and told again; nothing is replicated or scanned.

mod replication;
mod scanning;

use metadata::{RegistryId, RegistryScanning, RegistrySettings, ReplicationRule};
use oci::RepositoryName;

pub use self::scanning::RepositoryScanning;
use crate::{
    Action, Caller, PolicyKind, Registry, Resource, SettingError,
    registry::Inner,
    repositories::{SWAPS_MAX, check_registry_policy},
};

/// A setting of an account in a region.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AccountSetting {
    /// `BASIC_SCAN_TYPE_VERSION`.
    BasicScanTypeVersion,
    /// `REGISTRY_POLICY_SCOPE`.
    RegistryPolicyScope,
    /// `BLOB_MOUNTING`.
    BlobMounting,
}

impl AccountSetting {
    /// All of them.
    pub const ALL: [Self; 3] =
        [Self::BasicScanTypeVersion, Self::RegistryPolicyScope, Self::BlobMounting];

    /// Reads ECR's name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|setting| setting.as_str() == name)
    }

    /// Returns ECR's name.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::BasicScanTypeVersion => "BASIC_SCAN_TYPE_VERSION",
            Self::RegistryPolicyScope => "REGISTRY_POLICY_SCOPE",
            Self::BlobMounting => "BLOB_MOUNTING",
        }
    }

    /// Returns its values, the one first that an account has that put none. `CLAIR` and `V1` are
    /// of earlier: ECR takes them no more.
    pub fn values(self, strict_ecr: bool) -> &'static [&'static str] {
        match self {
            Self::BasicScanTypeVersion if strict_ecr => &["AWS_NATIVE"],
            Self::BasicScanTypeVersion => &["AWS_NATIVE", "CLAIR"],
            Self::RegistryPolicyScope if strict_ecr => &["V2"],
            Self::RegistryPolicyScope => &["V2", "V1"],
            Self::BlobMounting => &["DISABLED", "ENABLED"],
        }
    }
}

impl Registry {
    /// Returns the registry policy.
    ///
    /// # Errors
    /// [`SettingError::PolicyNotFound`].
    pub async fn registry_policy(&self, caller: &Caller) -> Result<String, SettingError> {
        let settings = self.settings_for(caller, "ecr:GetRegistryPolicy").await?;
        settings.registry_policy.ok_or_else(|| absent(&caller.registry))
    }

    /// Sets the registry policy. It is kept as sent; who may do what does not follow from it yet.
    ///
    /// # Errors
    /// [`SettingError::MalformedPolicy`].
    pub async fn set_registry_policy(
        &self,
        caller: &Caller,
        text: &str,
    ) -> Result<(), SettingError> {
        self.inner.authorize_setting(caller, "ecr:PutRegistryPolicy")?;
        check_registry_policy(text)?;
        let change = |settings: &mut RegistrySettings| {
            settings.registry_policy = Some(text.to_owned());
            Ok(())
        };
        self.inner.change_settings(&caller.registry, change).await
    }

    /// Removes the registry policy and returns it.
    ///
    /// # Errors
    /// [`SettingError::PolicyNotFound`].
    pub async fn delete_registry_policy(&self, caller: &Caller) -> Result<String, SettingError> {
        self.inner.authorize_setting(caller, "ecr:DeleteRegistryPolicy")?;
        let registry = &caller.registry;
        let change = |settings: &mut RegistrySettings| {
            settings.registry_policy.take().ok_or_else(|| absent(registry))
        };
        self.inner.change_settings(registry, change).await
    }

    /// Returns what is to be replicated where.
    ///
    /// # Errors
    /// [`SettingError::Denied`], and the store's.
    pub async fn replication(&self, caller: &Caller) -> Result<Vec<ReplicationRule>, SettingError> {
        Ok(self.settings_for(caller, "ecr:DescribeRegistry").await?.replication)
    }

    /// Sets what is to be replicated where. It is kept; nothing is replicated yet.
    ///
    /// # Errors
    /// [`SettingError::Invalid`].
    pub async fn set_replication(
        &self,
        caller: &Caller,
        rules: Vec<ReplicationRule>,
    ) -> Result<(), SettingError> {
        self.inner.authorize_setting(caller, "ecr:PutReplicationConfiguration")?;
        replication::check(&caller.registry, &rules)?;
        let change = |settings: &mut RegistrySettings| {
            settings.replication.clone_from(&rules);
            Ok(())
        };
        self.inner.change_settings(&caller.registry, change).await
    }

    /// Returns what is to be scanned when.
    ///
    /// # Errors
    /// [`SettingError::Denied`], and the store's.
    pub async fn scanning(&self, caller: &Caller) -> Result<RegistryScanning, SettingError> {
        Ok(self.settings_for(caller, "ecr:GetRegistryScanningConfiguration").await?.scanning)
    }

    /// Sets what is to be scanned when. It is kept; nothing is scanned.
    ///
    /// # Errors
    /// [`SettingError::Invalid`].
    pub async fn set_scanning(
        &self,
        caller: &Caller,
        scanning: RegistryScanning,
    ) -> Result<(), SettingError> {
        self.inner.authorize_setting(caller, "ecr:PutRegistryScanningConfiguration")?;
        scanning::check(&scanning)?;
        let change = |settings: &mut RegistrySettings| {
            settings.scanning.clone_from(&scanning);
            Ok(())
        };
        self.inner.change_settings(&caller.registry, change).await
    }

    /// Returns how repositories are to be scanned: by the registry's rules, else by their own
    /// settings. `Err` holds the name of one that does not exist.
    ///
    /// # Errors
    /// [`SettingError::Denied`], and the store's.
    pub async fn repository_scanning(
        &self,
        caller: &Caller,
        names: &[RepositoryName],
    ) -> Result<Vec<Result<RepositoryScanning, RepositoryName>>, SettingError> {
        let operation = "ecr:BatchGetRepositoryScanningConfiguration";
        let scanning = self.settings_for(caller, operation).await?.scanning;
        let mut found = Vec::with_capacity(names.len());
        for name in names {
            let store = &self.inner.metadata;
            found.push(match store.repository(&caller.registry, name).await {
                Ok(repository) => {
                    Ok(scanning::of_repository(name, repository.settings.scan_on_push, &scanning))
                }
                Err(metadata::Error::NotFound) => Err(name.clone()),
                Err(error) => return Err(error.into()),
            });
        }
        Ok(found)
    }

    /// Returns the value of an account setting.
    ///
    /// # Errors
    /// [`SettingError::Denied`], and the store's.
    pub async fn account_setting(
        &self,
        caller: &Caller,
        setting: AccountSetting,
    ) -> Result<String, SettingError> {
        let settings = self.settings_for(caller, "ecr:GetAccountSetting").await?;
        let put = settings.account_settings.get(setting.as_str()).cloned();
        let strict_ecr = self.inner.settings.strict_ecr;
        Ok(put.unwrap_or_else(|| setting.values(strict_ecr)[0].to_owned()))
    }

    /// Sets the value of an account setting.
    ///
    /// # Errors
    /// [`SettingError::Invalid`].
    pub async fn set_account_setting(
        &self,
        caller: &Caller,
        setting: AccountSetting,
        value: &str,
    ) -> Result<(), SettingError> {
        self.inner.authorize_setting(caller, "ecr:PutAccountSetting")?;
        let values = setting.values(self.inner.settings.strict_ecr);
        if !values.contains(&value) {
            let reason = format!("must satisfy enum value set: [{}]", values.join(", "));
            return Err(SettingError::Invalid { field: "value", reason });
        }
        let change = |settings: &mut RegistrySettings| {
            settings.account_settings.insert(setting.as_str().to_owned(), value.to_owned());
            Ok(())
        };
        self.inner.change_settings(&caller.registry, change).await
    }

    async fn settings_for(
        &self,
        caller: &Caller,
        operation: &'static str,
    ) -> Result<RegistrySettings, SettingError> {
        self.inner.authorize_setting(caller, operation)?;
        Ok(self.inner.metadata.registry_settings(&caller.registry).await?)
    }
}

impl Inner {
    fn authorize_setting(
        &self,
        caller: &Caller,
        operation: &'static str,
    ) -> Result<(), SettingError> {
        Ok(self.authorize(caller, Action::Operation(operation), Resource::Registry)?)
    }

    /// Reads the settings of a registry, changes them and swaps them in, again from the start
    /// where somebody else was faster. A change that changes nothing writes nothing.
    async fn change_settings<T>(
        &self,
        registry: &RegistryId,
        change: impl Fn(&mut RegistrySettings) -> Result<T, SettingError>,
    ) -> Result<T, SettingError> {
        for _ in 0..SWAPS_MAX {
            let held = self.metadata.registry_settings(registry).await?;
            let mut settings = held.clone();
            let told = change(&mut settings)?;
            if settings == held {
                return Ok(told);
            }
            match self.metadata.replace_registry_settings(registry, &held, &settings).await {
                Ok(()) => return Ok(told),
                Err(metadata::Error::NotFound) => tokio::task::yield_now().await,
                Err(error) => return Err(error.into()),
            }
        }
        Err(SettingError::Contended { resource: registry.to_string() })
    }
}

fn absent(registry: &RegistryId) -> SettingError {
    let (kind, resource) = (PolicyKind::Registry, registry.account.to_string());
    SettingError::PolicyNotFound { kind, resource, registry: registry.clone() }
}
