//! Why a push did not happen.

use metadata::RegistryId;
use oci::{Digest, ManifestError, RepositoryName, Tag};

use super::BodyError;
use crate::{Denied, PullError, StorageError};

/// Why a push did not happen.
#[derive(Debug, thiserror::Error)]
pub enum PushError {
    /// Not allowed.
    #[error(transparent)]
    Denied(#[from] Denied),
    /// No such repository, and none may come into being by a push.
    #[error("repository {repository} does not exist in {registry}")]
    NameUnknown {
        /// The registry asked.
        registry: RegistryId,
        /// The repository asked for.
        repository: RepositoryName,
    },
    /// No such upload of the repository: it ended, or was given up for being idle.
    #[error("no upload has the id {id}")]
    UploadUnknown {
        /// The id as asked for.
        id: String,
    },
    /// Another request is going on with the upload.
    #[error("another request is writing to upload {id}")]
    UploadBusy {
        /// Its id.
        id: String,
    },
    /// The registry has as many uploads as it may.
    #[error("the registry has {limit} uploads already")]
    UploadsExceeded {
        /// The limit.
        limit: u32,
    },
    /// A chunk does not begin where the upload ends.
    #[error("the upload has {received_bytes} bytes, the chunk begins at {first_byte}")]
    OutOfOrder {
        /// How many bytes the upload has.
        received_bytes: u64,
        /// Where the chunk says it begins.
        first_byte: u64,
    },
    /// More or fewer bytes came than were announced; none of them count.
    #[error("{actual} bytes came where {expected} were announced")]
    LengthMismatch {
        /// How many were announced.
        expected: u64,
        /// How many came, or more.
        actual: u64,
    },
    /// The blob or manifest is larger than may be pushed.
    #[error("more than {limit_bytes} bytes")]
    TooLarge {
        /// The limit in bytes.
        limit_bytes: u64,
    },
    /// The bytes are not those of the digest; the upload is over.
    #[error("the bytes have digest {actual}, expected {expected}")]
    DigestMismatch {
        /// The digest they should have.
        expected: Digest,
        /// The digest they have.
        actual: Digest,
    },
    /// The client's bytes stopped coming; what came counts.
    #[error("the body broke off after {received_bytes} bytes of the upload")]
    Interrupted {
        /// How many bytes the upload has.
        received_bytes: u64,
        /// Why.
        source: BodyError,
    },
    /// The document is no manifest that can be kept.
    #[error(transparent)]
    ManifestInvalid(#[from] ManifestError),
    /// The manifest names another media type than it is pushed as.
    #[error("the manifest is of type '{stated}' and was pushed as '{pushed_as}'")]
    MediaTypeMismatch {
        /// The type that it names itself.
        stated: String,
        /// The type it was pushed as.
        pushed_as: String,
    },
    /// The manifest names blobs that the repository does not have.
    #[error("{} blobs of the manifest are unknown", digests.len())]
    BlobsUnknown {
        /// Which.
        digests: Vec<Digest>,
    },
    /// The index names manifests that the repository does not have, where it has to.
    #[error("{} manifests of the index are unknown", digests.len())]
    ManifestsUnknown {
        /// Which.
        digests: Vec<Digest>,
    },
    /// The tag names another manifest and may not move.
    #[error("tag {tag} of {repository} names {digest} and may not move")]
    TagImmutable {
        /// The repository.
        repository: RepositoryName,
        /// The tag.
        tag: Tag,
        /// What it names.
        digest: Digest,
    },
    /// The tag does not name what the client wants it to name before it is set.
    #[error("tag {tag} of {repository} does not name what it has to")]
    TagMoved {
        /// The repository.
        repository: RepositoryName,
        /// The tag.
        tag: Tag,
        /// What it names.
        digest: Option<Digest>,
    },
    /// Whether a blob of the manifest is there could not be found out.
    #[error(transparent)]
    Pull(PullError),
    /// A store failed.
    #[error(transparent)]
    Storage(#[from] StorageError),
    /// The task that did the work is gone: it panicked, or the process is shutting down.
    #[error("the work was abandoned")]
    Abandoned,
}

impl From<metadata::Error> for PushError {
    fn from(source: metadata::Error) -> Self {
        Self::Storage(source.into())
    }
}

impl From<blobs::Error> for PushError {
    fn from(source: blobs::Error) -> Self {
        match source {
            blobs::Error::DigestMismatch { expected, actual } => {
                Self::DigestMismatch { expected, actual }
            }
            source => Self::Storage(source.into()),
        }
    }
}
