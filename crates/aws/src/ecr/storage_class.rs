//! Storage classes of images.

use serde::{Deserialize, Serialize};

use super::ImageIdentifier;

/// Moves an image to another storage class.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct UpdateImageStorageClassRequest {
    /// The account of the registry, twelve digits; the caller's own when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub registry_id: Option<String>,
    /// The repository's name.
    pub repository_name: String,
    /// The image.
    pub image_id: ImageIdentifier,
    /// `STANDARD` or `ARCHIVE`.
    pub target_storage_class: String,
}

/// Where the image is now.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct UpdateImageStorageClassResponse {
    /// The account of the registry, twelve digits.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub registry_id: Option<String>,
    /// The repository's name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub repository_name: Option<String>,
    /// The image.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub image_id: Option<ImageIdentifier>,
    /// `ACTIVE`, `ARCHIVED` or `ACTIVATING`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub image_status: Option<String>,
}
