//! Bytes by digest: the [`BlobStore`] trait and its implementations.
//!
//! Nothing here knows of repositories, callers or HTTP. Invariant: what can be opened was staged,
//! hashed as it was written, found equal to its digest, and made durable, in that order.

mod blocking;
mod claim;
#[cfg(any(test, feature = "conformance"))]
pub mod conformance;
mod filesystem;
mod mapping;
mod memory;
mod staging;
mod store;

pub use claim::{Claim, Seizure, StoredBlob};
pub use filesystem::{FilesystemBlobs, Limits};
pub use memory::MemoryBlobs;
pub use store::{
    Access, Blob, BlobStore, Content, Error, Hashed, Stage, StageName, StagedBlob, VerifiedBlob,
};
