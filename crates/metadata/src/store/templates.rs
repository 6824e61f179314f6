//! The contract of what a store knows of templates.

use std::fmt;

use async_trait::async_trait;

use crate::{Error, RegistryId, Template};

/// Repository creation templates.
#[async_trait]
pub trait TemplateStore: Send + Sync + fmt::Debug + 'static {
    /// Creates a repository creation template; `limit` is how many the registry may have. Not a
    /// change: a template is read when a repository comes into being.
    ///
    /// # Errors
    /// [`Error::AlreadyExists`] where one has the same prefix key; [`Error::LimitExceeded`].
    async fn create_template(
        &self,
        registry: &RegistryId,
        template: &Template,
        limit: Option<u32>,
    ) -> Result<(), Error>;

    /// Returns every repository creation template of a registry, by prefix key.
    async fn templates(&self, registry: &RegistryId) -> Result<Vec<Template>, Error>;

    /// Replaces a template except for its prefix, provided that it still is what `expected` says
    /// (compare and swap). Not a change.
    ///
    /// # Errors
    /// [`Error::NotFound`] where there is none or it changed in the meantime.
    async fn replace_template(
        &self,
        registry: &RegistryId,
        expected: &Template,
        template: &Template,
    ) -> Result<(), Error>;

    /// Deletes a template and returns it. Repositories that it made stay as they are. Not a
    /// change.
    ///
    /// # Errors
    /// [`Error::NotFound`].
    async fn delete_template(
        &self,
        registry: &RegistryId,
        prefix_key: &str,
    ) -> Result<Template, Error>;
}
