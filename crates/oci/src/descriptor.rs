//! Descriptors: media type, digest and size of some content.
//!
//! OCI image-spec, "Content Descriptors".

use crate::Digest;

/// What another piece of content is: its type, digest and size.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Descriptor {
    /// Media type, as the manifest spells it.
    pub media_type: String,
    /// Digest of the content.
    pub digest: Digest,
    /// Size of the content in bytes.
    pub size_bytes: u64,
}
