//! Requests to change resources, in memory.

use super::{MemoryMetadata, State};
use crate::{
    Begun, Error, Page, PageRequest, RegistryId, RequestHorizon, RequestStatus, ResourceRequest,
    ResourceRequestStore, Timestamp, resource_request::read_page_key,
};
use async_trait::async_trait;

#[async_trait]
impl ResourceRequestStore for MemoryMetadata {
    async fn begin_resource_request(
        &self,
        registry: &RegistryId,
        request: &ResourceRequest,
        horizon: &RequestHorizon,
    ) -> Result<Begun, Error> {
        Ok(self.state().begin_resource_request(registry, request, horizon))
    }

    async fn resource_request(
        &self,
        registry: &RegistryId,
        request_token: &str,
        since: Timestamp,
    ) -> Result<ResourceRequest, Error> {
        self.state().resource_request(registry, request_token, since)
    }

    async fn resource_request_of_client_token(
        &self,
        registry: &RegistryId,
        client_token: &str,
        since: Timestamp,
    ) -> Result<ResourceRequest, Error> {
        let state = self.state();
        state.resource_request_of_client_token(registry, client_token, since).ok_or(Error::NotFound)
    }

    async fn replace_resource_request(
        &self,
        registry: &RegistryId,
        expected: RequestStatus,
        request: &ResourceRequest,
    ) -> Result<(), Error> {
        self.state().replace_resource_request(registry, expected, request)
    }

    async fn resource_requests(
        &self,
        registry: &RegistryId,
        page: &PageRequest,
        since: Timestamp,
    ) -> Result<Page<ResourceRequest>, Error> {
        Ok(self.state().resource_requests(registry, page, since))
    }
}

impl State {
    pub(super) fn begin_resource_request(
        &mut self,
        registry: &RegistryId,
        request: &ResourceRequest,
        horizon: &RequestHorizon,
    ) -> Begun {
        let held = &mut self.facts_mut(registry).resource_requests;
        held.retain(|_, held| held.requested_at >= horizon.kept_since);
        let since = horizon.client_tokens_since;
        if let Some(client_token) = &request.client_token
            && let Some(held) =
                self.resource_request_of_client_token(registry, &client_token.token, since)
        {
            return Begun::Repeated(held);
        }
        let held = &mut self.facts_mut(registry).resource_requests;
        let is_in_the_way = |held: &&ResourceRequest| {
            held.status.is_open()
                && held.requested_at >= horizon.open_since
                && held.type_name == request.type_name
                && held.subject == request.subject
        };
        if request.subject.is_some()
            && let Some(open) = held.values().find(is_in_the_way)
        {
            return Begun::Concurrent(open.clone());
        }
        held.insert(request.request_token.clone(), request.clone());
        Begun::New
    }

    pub(super) fn resource_request_of_client_token(
        &self,
        registry: &RegistryId,
        client_token: &str,
        since: Timestamp,
    ) -> Option<ResourceRequest> {
        let is_of_token = |held: &&ResourceRequest| {
            held.requested_at >= since
                && held.client_token.as_ref().is_some_and(|held| held.token == client_token)
        };
        let held = self.facts(registry)?.resource_requests.values().filter(is_of_token);
        held.max_by_key(|held| held.requested_at).cloned()
    }

    pub(super) fn resource_request(
        &self,
        registry: &RegistryId,
        request_token: &str,
        since: Timestamp,
    ) -> Result<ResourceRequest, Error> {
        self.facts(registry)
            .and_then(|facts| facts.resource_requests.get(request_token))
            .filter(|request| request.requested_at >= since)
            .cloned()
            .ok_or(Error::NotFound)
    }

    pub(super) fn replace_resource_request(
        &mut self,
        registry: &RegistryId,
        expected: RequestStatus,
        request: &ResourceRequest,
    ) -> Result<(), Error> {
        let held = self.facts_mut(registry).resource_requests.get_mut(&request.request_token);
        let held = held.filter(|held| held.status == expected).ok_or(Error::NotFound)?;
        let ResourceRequest { identifier, status, error_code, .. } = request.clone();
        let ResourceRequest { status_message, resource_model, .. } = request.clone();
        *held = ResourceRequest {
            identifier,
            status,
            error_code,
            status_message,
            resource_model,
            ..held.clone()
        };
        Ok(())
    }

    pub(super) fn resource_requests(
        &self,
        registry: &RegistryId,
        page: &PageRequest,
        since: Timestamp,
    ) -> Page<ResourceRequest> {
        let (before, token) = read_page_key(page.after.as_deref());
        let place =
            |request: &ResourceRequest| (request.requested_at.0, request.request_token.clone());
        let held = self.facts(registry).into_iter().flat_map(|facts| {
            facts.resource_requests.values().filter(|request| request.requested_at >= since)
        });
        let start = (before, token.to_owned());
        let mut found: Vec<_> = held.filter(|request| place(request) < start).cloned().collect();
        found.sort_unstable_by_key(|request| std::cmp::Reverse(place(request)));
        Page::take_by(page, found, ResourceRequest::page_key)
    }
}
