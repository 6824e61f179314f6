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

impl Descriptor {
    /// Tells whether it is a layer that is never pushed: it is downloaded from elsewhere (OCI
    /// image-spec, "Non-Distributable Layers"; Docker's foreign layers).
    pub fn is_foreign(&self) -> bool {
        let kind = &self.media_type;
        kind.starts_with("application/vnd.oci.image.layer.nondistributable.")
            || kind.starts_with("application/vnd.docker.image.rootfs.foreign.")
    }
}
