//! The contract of what a store knows of resource requests.

use std::fmt;

use async_trait::async_trait;

use crate::{
    Begun, Error, Page, PageRequest, RegistryId, RequestHorizon, RequestStatus, ResourceRequest,
    Timestamp,
};

/// Requests of Cloud Control to change resources.
#[async_trait]
pub trait ResourceRequestStore: Send + Sync + fmt::Debug + 'static {
    /// Records a request to change a resource, unless one of the same client token is there or one
    /// is open for the same resource; drops those that are too old to keep. Not a change.
    async fn begin_resource_request(
        &self,
        registry: &RegistryId,
        request: &ResourceRequest,
        horizon: &RequestHorizon,
    ) -> Result<Begun, Error>;

    /// Returns a request that was made at `since` or later.
    ///
    /// # Errors
    /// [`Error::NotFound`].
    async fn resource_request(
        &self,
        registry: &RegistryId,
        request_token: &str,
        since: Timestamp,
    ) -> Result<ResourceRequest, Error>;

    /// Returns the newest request of a client token that was made at `since` or later.
    ///
    /// # Errors
    /// [`Error::NotFound`].
    async fn resource_request_of_client_token(
        &self,
        registry: &RegistryId,
        client_token: &str,
        since: Timestamp,
    ) -> Result<ResourceRequest, Error>;

    /// Writes how far a request has come (identifier, status, code, message and model; the rest
    /// stays), provided that its status still is `expected`. Not a change.
    ///
    /// # Errors
    /// [`Error::NotFound`] where there is none or it has another status.
    async fn replace_resource_request(
        &self,
        registry: &RegistryId,
        expected: RequestStatus,
        request: &ResourceRequest,
    ) -> Result<(), Error>;

    /// Returns a page of the requests that were made at `since` or later, the newest first.
    async fn resource_requests(
        &self,
        registry: &RegistryId,
        page: &PageRequest,
        since: Timestamp,
    ) -> Result<Page<ResourceRequest>, Error>;
}
