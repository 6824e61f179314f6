//! Media types of manifests, in OCI's and Docker's spelling.
//!
//! OCI image-spec, "Media Types"; Docker image manifest version 2, schema 2.

/// OCI image manifest.
pub const OCI_MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
/// OCI image index.
pub const OCI_INDEX: &str = "application/vnd.oci.image.index.v1+json";
/// Docker schema 2 manifest.
pub const DOCKER_MANIFEST: &str = "application/vnd.docker.distribution.manifest.v2+json";
/// Docker manifest list, the index of its day.
pub const DOCKER_INDEX: &str = "application/vnd.docker.distribution.manifest.list.v2+json";
/// Docker schema 1 manifest, signed; recognised so that it can be refused by name.
pub const DOCKER_SCHEMA1: &str = "application/vnd.docker.distribution.manifest.v1+prettyjws";
/// What a blob is served as where nothing better is known.
pub const OCTET_STREAM: &str = "application/octet-stream";

/// Every manifest type this registry reads, in the order it asks an upstream for them.
pub const MANIFESTS: [&str; 4] = [OCI_INDEX, OCI_MANIFEST, DOCKER_INDEX, DOCKER_MANIFEST];

/// Tells whether `media_type` names an index (or Docker's manifest list).
pub fn is_index(media_type: &str) -> bool {
    matches!(media_type, OCI_INDEX | DOCKER_INDEX)
}

/// Tells whether `media_type` names a manifest or an index.
pub fn is_manifest(media_type: &str) -> bool {
    MANIFESTS.contains(&media_type)
}
