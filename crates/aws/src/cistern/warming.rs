//! Warming the cache: images pulled through their rules before anybody asks for them.

use serde::{Deserialize, Serialize};

use crate::Timestamp;

/// An image, by its repository and a tag or digest.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct CacheImage {
    /// The repository.
    pub repository_name: String,
    /// The tag; absent where there is a digest.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub image_tag: Option<String>,
    /// The digest; absent where there is a tag.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub image_digest: Option<String>,
}

/// Starts to pull images into the cache. The answer does not wait for them.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct StartCacheWarmingRequest {
    /// The account of the registry, twelve digits; the caller's own when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub registry_id: Option<String>,
    /// The images, 1 to 1000.
    pub images: Vec<CacheImage>,
    /// The platforms wanted of an index, as `linux/amd64`; every one when absent or empty.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub platforms: Option<Vec<String>>,
    /// Whether signatures and whatever else refers to the images come too; not when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub include_referrers: Option<bool>,
}

/// Asks how far a warming is.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct DescribeCacheWarmingRequest {
    /// The account of the registry, twelve digits; the caller's own when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub registry_id: Option<String>,
    /// The id that `StartCacheWarming` answered.
    pub warming_id: String,
}

/// Ends a warming before its time.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct CancelCacheWarmingRequest {
    /// The account of the registry, twelve digits; the caller's own when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub registry_id: Option<String>,
    /// The id that `StartCacheWarming` answered.
    pub warming_id: String,
}

/// A warming, as every operation on it answers.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct CacheWarming {
    /// The account of the registry, twelve digits.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub registry_id: Option<String>,
    /// Its id: good until an hour after its end, or a restart of the server.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub warming_id: Option<String>,
    /// `IN_PROGRESS`, `COMPLETE`, `FAILED` where some image did, `CANCELED`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<String>,
    /// When it was started.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub started_at: Option<Timestamp>,
    /// When it ended; absent while it is under way.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ended_at: Option<Timestamp>,
    /// Its images, in the order they were asked for.
    #[serde(default)]
    pub images: Vec<WarmedCacheImage>,
}

/// How far an image is.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct WarmedCacheImage {
    /// Its repository.
    #[serde(default)]
    pub repository_name: String,
    /// Its tag, where it was asked for by one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub image_tag: Option<String>,
    /// Its digest, once that is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub image_digest: Option<String>,
    /// `PENDING`, `IN_PROGRESS`, `COMPLETE`, `FAILED`, `CANCELED`.
    #[serde(default)]
    pub status: String,
    /// Why it failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub failure_reason: Option<String>,
    /// Why the upstream could not confirm what is cached; it is kept as it is then.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stale_reason: Option<String>,
    /// Platforms that were asked for and that its index does not have.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub missing_platforms: Option<Vec<String>>,
    /// Manifests that are here.
    #[serde(default)]
    pub manifest_count: u64,
    /// Configs and layers that it needs, as far as is known.
    #[serde(default)]
    pub layer_count: u64,
    /// Those that are here.
    #[serde(default)]
    pub cached_layer_count: u64,
    /// Their size in bytes, as far as is known.
    #[serde(default)]
    pub size_in_bytes: u64,
    /// How many of these bytes are here.
    #[serde(default)]
    pub cached_size_in_bytes: u64,
    /// How many of them the repository did not have before.
    #[serde(default)]
    pub new_size_in_bytes: u64,
}
