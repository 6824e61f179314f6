//! The contract of what a store knows of roles.

use std::fmt;

use async_trait::async_trait;

use crate::{Error, Page, PageRequest, RegistryId, Role};

/// IAM roles.
#[async_trait]
pub trait RoleStore: Send + Sync + fmt::Debug + 'static {
    /// Creates a role; `limit` is how many the registry may have.
    ///
    /// # Errors
    /// [`Error::AlreadyExists`] where one has the same name in whichever case;
    /// [`Error::LimitExceeded`].
    async fn create_role(
        &self,
        registry: &RegistryId,
        role: &Role,
        limit: u32,
    ) -> Result<(), Error>;

    /// Returns a role by its name in whichever case.
    ///
    /// # Errors
    /// [`Error::NotFound`].
    async fn role(&self, registry: &RegistryId, name: &str) -> Result<Role, Error>;

    /// Replaces a role, provided that it still is what `expected` says (compare and swap). Its
    /// name stays.
    ///
    /// # Errors
    /// [`Error::NotFound`] where there is none or it changed in the meantime.
    async fn replace_role(
        &self,
        registry: &RegistryId,
        expected: &Role,
        role: &Role,
    ) -> Result<(), Error>;

    /// Deletes a role, provided that it still is what `expected` says.
    ///
    /// # Errors
    /// As [`replace_role`](Self::replace_role).
    async fn delete_role(&self, registry: &RegistryId, expected: &Role) -> Result<(), Error>;

    /// Returns a page of roles by name in lower case.
    async fn roles(&self, registry: &RegistryId, page: &PageRequest) -> Result<Page<Role>, Error>;
}
