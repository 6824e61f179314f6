//! Tags of repositories as resources: names and values that people give them.

use metadata::RepositorySettings;
use oci::RepositoryName;

use super::constraints;
use crate::{Caller, Registry, SettingError};

impl Registry {
    /// Returns the tags of a repository.
    ///
    /// # Errors
    /// [`SettingError::RepositoryNotFound`].
    pub async fn repository_tags(
        &self,
        caller: &Caller,
        name: &RepositoryName,
    ) -> Result<Vec<(String, String)>, SettingError> {
        self.inner.authorize_on(caller, "ecr:ListTagsForResource", name)?;
        Ok(self.inner.find_repository(&caller.registry, name).await?.settings.tags)
    }

    /// Sets tags of a repository; those of the same key are replaced in their place.
    ///
    /// # Errors
    /// [`SettingError::RepositoryNotFound`]; [`SettingError::InvalidTag`];
    /// [`SettingError::TooManyTags`].
    pub async fn tag_repository(
        &self,
        caller: &Caller,
        name: &RepositoryName,
        tags: &[(String, String)],
    ) -> Result<(), SettingError> {
        self.inner.authorize_on(caller, "ecr:TagResource", name)?;
        constraints::tags(tags)?;
        let change = |settings: &mut RepositorySettings| {
            let held = &mut settings.tags;
            for (key, value) in tags {
                match held.iter_mut().find(|(held_key, _)| held_key == key) {
                    Some((_, held_value)) => held_value.clone_from(value),
                    None => held.push((key.clone(), value.clone())),
                }
            }
            constraints::tag_count(held.len())
        };
        self.inner.change_repository(&caller.registry, name, change).await?;
        Ok(())
    }

    /// Removes tags of a repository by their keys. A key that it does not have is no error.
    ///
    /// # Errors
    /// As [`Registry::tag_repository`].
    pub async fn untag_repository(
        &self,
        caller: &Caller,
        name: &RepositoryName,
        keys: &[String],
    ) -> Result<(), SettingError> {
        self.inner.authorize_on(caller, "ecr:UntagResource", name)?;
        keys.iter().try_for_each(|key| constraints::tag_key(key))?;
        let change = |settings: &mut RepositorySettings| {
            settings.tags.retain(|(key, _)| !keys.contains(key));
            Ok(())
        };
        self.inner.change_repository(&caller.registry, name, change).await?;
        Ok(())
    }
}
