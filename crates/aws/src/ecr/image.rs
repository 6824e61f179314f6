//! Images: manifests with their tags, as ECR lists them.

use std::collections::BTreeMap;

use crate::Timestamp;
use serde::{Deserialize, Serialize};

/// Asks for some images of a repository, or for all.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct DescribeImagesRequest {
    /// The account of the registry, twelve digits; the caller's own when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub registry_id: Option<String>,
    /// The repository's name.
    pub repository_name: String,
    /// The images asked for, 1 to 100.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub image_ids: Option<Vec<ImageIdentifier>>,
    /// Where the next page begins, as the previous answer said.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_token: Option<String>,
    /// The length of a page, 1 to 1000.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_results: Option<i32>,
    /// Which images to list.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub filter: Option<DescribeImagesFilter>,
}

/// Which images to describe.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct DescribeImagesFilter {
    /// `TAGGED`, `UNTAGGED` or `ANY`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tag_status: Option<String>,
    /// `ACTIVE`, `ARCHIVED`, `ACTIVATING` or `ANY`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub image_status: Option<String>,
}

/// A page of images.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct DescribeImagesResponse {
    /// The images of this page.
    #[serde(default)]
    pub image_details: Vec<ImageDetail>,
    /// Where the next page begins, as the previous answer said.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_token: Option<String>,
}

/// An image.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ImageDetail {
    /// The account of the registry, twelve digits; the caller's own when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub registry_id: Option<String>,
    /// The repository's name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub repository_name: Option<String>,
    /// The digest of the manifest.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub image_digest: Option<String>,
    /// The tags of the manifest.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub image_tags: Option<Vec<String>>,
    /// The size of the compressed layers and the manifest, in bytes; absent for an index.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub image_size_in_bytes: Option<i64>,
    /// When it was pushed, or cached.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub image_pushed_at: Option<Timestamp>,
    /// The state of the last scan.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub image_scan_status: Option<ImageScanStatus>,
    /// What the last scan found.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub image_scan_findings_summary: Option<ImageScanFindingsSummary>,
    /// The media type of the manifest.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub image_manifest_media_type: Option<String>,
    /// The artifact type, or the media type of the config.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub artifact_media_type: Option<String>,
    /// When it was last pulled.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_recorded_pull_time: Option<Timestamp>,
    /// The digest of the manifest this one refers to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub subject_manifest_digest: Option<String>,
    /// `ACTIVE`, `ARCHIVED` or `ACTIVATING`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub image_status: Option<String>,
    /// When it was last archived.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_archived_at: Option<Timestamp>,
    /// When it was last restored from the archive.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_activated_at: Option<Timestamp>,
}

/// The state of a scan.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ImageScanStatus {
    /// The state.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<String>,
    /// A sentence about it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
}

/// What a scan found.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ImageScanFindingsSummary {
    /// When the scan ended.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub image_scan_completed_at: Option<Timestamp>,
    /// When the vulnerabilities were last updated.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub vulnerability_source_updated_at: Option<Timestamp>,
    /// How many findings there are of each severity.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub finding_severity_counts: Option<BTreeMap<String, i32>>,
}

/// Asks for the ids of a repository's images.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ListImagesRequest {
    /// The account of the registry, twelve digits; the caller's own when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub registry_id: Option<String>,
    /// The repository's name.
    pub repository_name: String,
    /// Where the next page begins, as the previous answer said.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_token: Option<String>,
    /// The length of a page, 1 to 1000.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_results: Option<i32>,
    /// Which images to list.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub filter: Option<ListImagesFilter>,
}

/// Which images to list.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ListImagesFilter {
    /// `TAGGED`, `UNTAGGED` or `ANY`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tag_status: Option<String>,
    /// `ACTIVE`, `ARCHIVED`, `ACTIVATING` or `ANY`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub image_status: Option<String>,
}

/// A page of image ids.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ListImagesResponse {
    /// The images of this page.
    #[serde(default)]
    pub image_ids: Vec<ImageIdentifier>,
    /// Where the next page begins, as the previous answer said.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_token: Option<String>,
}

/// A digest, a tag, or both.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ImageIdentifier {
    /// The digest of the manifest.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub image_digest: Option<String>,
    /// The tag.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub image_tag: Option<String>,
}
