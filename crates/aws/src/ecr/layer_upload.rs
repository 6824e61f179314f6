//! Uploads of layers, part by part.

use serde::{Deserialize, Serialize};

/// Asks for an upload to begin.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct InitiateLayerUploadRequest {
    /// The account of the registry, twelve digits; the caller's own when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub registry_id: Option<String>,
    /// The repository's name.
    pub repository_name: String,
}

/// An upload that has begun.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct InitiateLayerUploadResponse {
    /// The upload's id.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub upload_id: Option<String>,
    /// How large parts should be, in bytes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub part_size: Option<i64>,
}

/// A part of a layer.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct UploadLayerPartRequest {
    /// The account of the registry, twelve digits; the caller's own when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub registry_id: Option<String>,
    /// The repository's name.
    pub repository_name: String,
    /// The upload's id.
    pub upload_id: String,
    /// Where the part begins in the layer.
    pub part_first_byte: i64,
    /// Where its last byte is.
    pub part_last_byte: i64,
    /// The bytes, in base64.
    pub layer_part_blob: String,
}

/// A part that was kept.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct UploadLayerPartResponse {
    /// The account of the registry.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub registry_id: Option<String>,
    /// The repository's name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub repository_name: Option<String>,
    /// The upload's id.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub upload_id: Option<String>,
    /// Where the last byte is that has come.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_byte_received: Option<i64>,
}

/// Asks for an upload to end.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct CompleteLayerUploadRequest {
    /// The account of the registry, twelve digits; the caller's own when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub registry_id: Option<String>,
    /// The repository's name.
    pub repository_name: String,
    /// The upload's id.
    pub upload_id: String,
    /// The digest that the layer must have, 1 to 100 of which the first counts.
    pub layer_digests: Vec<String>,
}

/// A layer that was kept.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct CompleteLayerUploadResponse {
    /// The account of the registry.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub registry_id: Option<String>,
    /// The repository's name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub repository_name: Option<String>,
    /// The upload's id.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub upload_id: Option<String>,
    /// Its digest.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub layer_digest: Option<String>,
}
