//! Layers: the blobs of images.

use serde::{Deserialize, Serialize};

/// Asks which layers a repository has.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct BatchCheckLayerAvailabilityRequest {
    /// The account of the registry, twelve digits; the caller's own when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub registry_id: Option<String>,
    /// The repository's name.
    pub repository_name: String,
    /// The digests asked for, 1 to 100.
    pub layer_digests: Vec<String>,
}

/// What is known of the layers.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct BatchCheckLayerAvailabilityResponse {
    /// The layers whose digests are digests.
    #[serde(default)]
    pub layers: Vec<Layer>,
    /// The others.
    #[serde(default)]
    pub failures: Vec<LayerFailure>,
}

/// A layer.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Layer {
    /// Its digest.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub layer_digest: Option<String>,
    /// `AVAILABLE`, `UNAVAILABLE` or `ARCHIVED`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub layer_availability: Option<String>,
    /// Its size in bytes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub layer_size: Option<i64>,
    /// Its media type, where a manifest named one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub media_type: Option<String>,
}

/// A digest that names no layer.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct LayerFailure {
    /// The digest as asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub layer_digest: Option<String>,
    /// `InvalidLayerDigest` or `MissingLayerDigest`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub failure_code: Option<String>,
    /// A sentence about it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub failure_reason: Option<String>,
}

/// Asks where a layer can be downloaded.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct GetDownloadUrlForLayerRequest {
    /// The account of the registry, twelve digits; the caller's own when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub registry_id: Option<String>,
    /// The repository's name.
    pub repository_name: String,
    /// The layer's digest.
    pub layer_digest: String,
}

/// Where a layer can be downloaded for a while.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct GetDownloadUrlForLayerResponse {
    /// The address, which needs no credentials.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub download_url: Option<String>,
    /// The layer's digest.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub layer_digest: Option<String>,
}
