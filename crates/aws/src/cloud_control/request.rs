//! What is asked of Cloud Control, and the answers that tell of resources.

use serde::{Deserialize, Serialize};

use super::ProgressEvent;
use crate::Sensitive;

/// Asks for a resource.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct CreateResourceRequest {
    /// The type of the resource.
    pub type_name: String,
    /// The version of a private type.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub type_version_id: Option<String>,
    /// The role to act as.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub role_arn: Option<String>,
    /// The caller's own name for the request.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client_token: Option<String>,
    /// The properties, a JSON object as text.
    pub desired_state: Sensitive,
}

/// Asks for other properties of a resource.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct UpdateResourceRequest {
    /// The type of the resource.
    pub type_name: String,
    /// The version of a private type.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub type_version_id: Option<String>,
    /// The role to act as.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub role_arn: Option<String>,
    /// The caller's own name for the request.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client_token: Option<String>,
    /// The resource.
    pub identifier: String,
    /// The change, an RFC 6902 document as text.
    pub patch_document: Sensitive,
}

/// Asks for the end of a resource.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct DeleteResourceRequest {
    /// The type of the resource.
    pub type_name: String,
    /// The version of a private type.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub type_version_id: Option<String>,
    /// The role to act as.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub role_arn: Option<String>,
    /// The caller's own name for the request.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client_token: Option<String>,
    /// The resource.
    pub identifier: String,
}

/// Asks for the properties of a resource.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct GetResourceRequest {
    /// The type of the resource.
    pub type_name: String,
    /// The version of a private type.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub type_version_id: Option<String>,
    /// The role to act as.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub role_arn: Option<String>,
    /// The resource.
    pub identifier: String,
}

/// The properties of a resource.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct GetResourceResponse {
    /// The type of the resource.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub type_name: Option<String>,
    /// The resource.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub resource_description: Option<ResourceDescription>,
}

/// A resource.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct ResourceDescription {
    /// What it is named by.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub identifier: Option<String>,
    /// Its properties, a JSON object as text.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub properties: Option<Sensitive>,
}

/// Asks for the resources of a type.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct ListResourcesRequest {
    /// The type of the resources.
    pub type_name: String,
    /// The version of a private type.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub type_version_id: Option<String>,
    /// The role to act as.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub role_arn: Option<String>,
    /// Where the next page begins, as the previous answer said.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_token: Option<String>,
    /// The length of a page, 1 to 100.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_results: Option<i32>,
    /// Properties that the resources must have, a JSON object as text.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub resource_model: Option<Sensitive>,
}

/// A page of resources.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct ListResourcesResponse {
    /// The type of the resources.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub type_name: Option<String>,
    /// The resources of this page.
    #[serde(default)]
    pub resource_descriptions: Vec<ResourceDescription>,
    /// Where the next page begins.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_token: Option<String>,
}

/// Asks how far a request has come, or that it goes no further.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct RequestTokenRequest {
    /// The request.
    pub request_token: String,
}

/// Asks for the requests of the last days.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct ListResourceRequestsRequest {
    /// The length of a page, 1 to 100.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_results: Option<i32>,
    /// Where the next page begins, as the previous answer said.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_token: Option<String>,
    /// Which requests.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub resource_request_status_filter: Option<ResourceRequestStatusFilter>,
}

/// Which requests.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct ResourceRequestStatusFilter {
    /// What they ask for; all when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub operations: Option<Vec<String>>,
    /// How far they have come; all when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub operation_statuses: Option<Vec<String>>,
}

/// A page of requests.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct ListResourceRequestsResponse {
    /// The requests of this page.
    #[serde(default)]
    pub resource_request_status_summaries: Vec<ProgressEvent>,
    /// Where the next page begins.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_token: Option<String>,
}
