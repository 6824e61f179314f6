//! Bringing images into the cache that were carried here: an OCI image layout, blob by blob.

use serde::{Deserialize, Serialize};

/// Makes the bytes of an upload a layer of a cache repository, as if its rule had brought them.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ImportCacheLayerRequest {
    /// The account of the registry, twelve digits; the caller's own when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub registry_id: Option<String>,
    /// The repository; a rule must match it.
    pub repository_name: String,
    /// The upload: one of `InitiateLayerUpload`, or the last part of the address of one that began
    /// at `/v2/`.
    pub upload_id: String,
    /// The digest that its bytes must have.
    pub layer_digest: String,
}

/// The layer.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ImportCacheLayerResponse {
    /// The account of the registry, twelve digits.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub registry_id: Option<String>,
    /// The repository.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub repository_name: Option<String>,
    /// Its digest.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub layer_digest: Option<String>,
    /// Its size in bytes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub layer_size: Option<u64>,
}

/// Records a manifest in a cache repository, as if its rule had brought it, and its tag. The upstream
/// is asked about the tag as soon as it can be.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ImportCacheImageRequest {
    /// The account of the registry, twelve digits; the caller's own when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub registry_id: Option<String>,
    /// The repository; a rule must match it.
    pub repository_name: String,
    /// The manifest, to the byte.
    pub image_manifest: String,
    /// Its media type, where it does not name it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub image_manifest_media_type: Option<String>,
    /// The digest that it must have.
    pub image_digest: String,
    /// The tag to set.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub image_tag: Option<String>,
}

/// The image.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ImportCacheImageResponse {
    /// The account of the registry, twelve digits.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub registry_id: Option<String>,
    /// The repository.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub repository_name: Option<String>,
    /// Its digest.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub image_digest: Option<String>,
    /// What the tag names now: another image where one was pushed, or where the tag is immutable.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tagged_digest: Option<String>,
}
