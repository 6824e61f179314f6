//! Freeing what nobody needs.

use serde::{Deserialize, Serialize};

/// Asks for a step of a collection of what nobody needs.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct CollectGarbageRequest {
    /// Whether to say only what would be done.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dry_run: Option<bool>,
    /// Where to go on, as the previous answer said; from the beginning when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_token: Option<String>,
}

/// What a step did.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct CollectGarbageResponse {
    /// Blobs that were taken out of a repository of which no manifest names them.
    pub links: i64,
    /// Blobs that were deleted.
    pub blobs: i64,
    /// Their bytes.
    pub bytes: i64,
    /// How old has to be what is collected, in seconds.
    pub grace_seconds: i64,
    /// Where to go on; absent at the end.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_token: Option<String>,
}
