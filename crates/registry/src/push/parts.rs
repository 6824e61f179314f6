//! How large the parts of uploads were: ECR takes none that is smaller than 5 MiB, but the last.
//!
//! Which part is the last shows when the next one comes. Remembered by this process only: where it
//! is forgotten, a part is taken that ECR would refuse, and nothing is lost.

use metadata::RegistryId;
use moka::sync::Cache;
use oci::RepositoryName;

use super::{Chunk, PushError, UploadStatus};
use crate::{Caller, Registry};

/// The smallest part but the last (ECR API reference, `LayerPartTooSmallException`).
const PART_BYTES_MIN: u64 = 5 << 20;

/// The parts of one upload.
#[derive(Clone, Copy, Debug, Default)]
struct Parts {
    last_bytes: Option<u64>,
    /// Whether one before the last is too small.
    has_short: bool,
}

/// The parts of uploads, by registry and id.
#[derive(Debug)]
pub(crate) struct PartSizes(Cache<(RegistryId, String), Parts>);

impl Default for PartSizes {
    fn default() -> Self {
        Self(Cache::new(10_000))
    }
}

impl Registry {
    /// Goes on with an upload by a part of `size_bytes`, and remembers how large it was.
    ///
    /// # Errors
    /// As [`Registry::append_upload`].
    pub async fn append_part(
        &self,
        caller: &Caller,
        repository: &RepositoryName,
        id: &str,
        chunk: Chunk<'_>,
        size_bytes: u64,
    ) -> Result<UploadStatus, PushError> {
        let status = self.append_upload(caller, repository, id, chunk).await?;
        let sizes = &self.inner.part_sizes.0;
        let key = (caller.registry.clone(), id.to_owned());
        let Parts { last_bytes, has_short } = sizes.get(&key).unwrap_or_default();
        let has_short = has_short || last_bytes.is_some_and(|last| last < PART_BYTES_MIN);
        sizes.insert(key, Parts { last_bytes: Some(size_bytes), has_short });
        Ok(status)
    }

    /// Tells whether a part of an upload, but the last, is smaller than ECR takes.
    pub fn has_short_part(&self, caller: &Caller, id: &str) -> bool {
        let key = (caller.registry.clone(), id.to_owned());
        self.inner.part_sizes.0.get(&key).is_some_and(|parts| parts.has_short)
    }
}
