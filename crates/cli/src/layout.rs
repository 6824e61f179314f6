//! OCI image layouts, in a directory or in one tar file.
//!
//! OCI image-spec, "Image Layout Specification". Nothing is believed of a layout: what is read of it
//! has a limit, its blobs count only once their digest is proven, and names in a tar file are only
//! compared, never used as paths.

mod reader;
mod tar_entries;
mod writer;

use std::{collections::BTreeMap, path::PathBuf};

use oci::Digest;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

pub(crate) use self::{
    reader::Reader,
    writer::{Source, Whole, Writer},
};
use crate::error::Error;

/// The file that makes a directory a layout, and what is in it.
const MARKER: &str = "oci-layout";
const MARKER_TEXT: &str = r#"{"imageLayoutVersion":"1.0.0"}"#;
/// The file that lists the images.
const INDEX: &str = "index.json";
/// The largest index or marker that is read, in bytes: what a manifest may be.
const INDEX_BYTES_MAX: u64 = 4 << 20;
/// What an entry of the index is called.
pub(crate) const REF_NAME: &str = "org.opencontainers.image.ref.name";

/// The index of a layout. Members that are not of interest here are kept as they are.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Index {
    schema_version: u64,
    /// The images.
    #[serde(default)]
    pub(crate) manifests: Vec<Entry>,
    #[serde(flatten)]
    others: Map<String, Value>,
}

/// An image of a layout.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Entry {
    /// The media type of its manifest.
    pub(crate) media_type: String,
    /// The digest of its manifest.
    pub(crate) digest: String,
    /// The size of its manifest in bytes.
    pub(crate) size: u64,
    /// Its annotations, its name among them.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) annotations: BTreeMap<String, String>,
    #[serde(flatten)]
    others: Map<String, Value>,
}

impl Default for Index {
    fn default() -> Self {
        let media_type = Value::from(oci::media_type::OCI_INDEX);
        let others = Map::from_iter([("mediaType".to_owned(), media_type)]);
        Self { schema_version: 2, manifests: Vec::new(), others }
    }
}

impl Entry {
    /// An image called `name`.
    pub(crate) fn named(name: &str, media_type: &str, digest: &Digest, size: u64) -> Self {
        Self {
            media_type: media_type.to_owned(),
            digest: digest.to_string(),
            size,
            annotations: BTreeMap::from([(REF_NAME.to_owned(), name.to_owned())]),
            others: Map::new(),
        }
    }

    /// What it is called.
    pub(crate) fn name(&self) -> Option<&str> {
        self.annotations.get(REF_NAME).map(String::as_str)
    }
}

impl Index {
    /// Adds an image, in place of one of the same name.
    pub(crate) fn put(&mut self, entry: Entry) {
        self.manifests.retain(|held| held.name() != entry.name());
        self.manifests.push(entry);
    }

    fn parse(bytes: &[u8]) -> Result<Self, String> {
        let index: Self =
            serde_json::from_slice(bytes).map_err(|error| format!("{INDEX}: {error}"))?;
        match index.schema_version {
            2 => Ok(index),
            other => Err(format!("{INDEX}: schemaVersion {other}, expected 2")),
        }
    }

    fn to_bytes(&self) -> Vec<u8> {
        serde_json::to_vec_pretty(self).expect("strings and numbers are JSON")
    }
}

/// Checks the file that makes a directory a layout.
fn check_marker(bytes: &[u8]) -> Result<(), String> {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Marker {
        image_layout_version: String,
    }
    let marker: Marker =
        serde_json::from_slice(bytes).map_err(|error| format!("{MARKER}: {error}"))?;
    if marker.image_layout_version.starts_with("1.") {
        return Ok(());
    }
    Err(format!("{MARKER}: version {}, expected 1.0.0", marker.image_layout_version))
}

/// Where a blob lies in a layout.
fn blob_path(digest: &Digest) -> PathBuf {
    PathBuf::from("blobs").join(digest.algorithm().as_str()).join(digest.hex())
}

fn wrong(path: &std::path::Path, reason: impl Into<String>) -> Error {
    Error::Layout { path: path.to_owned(), reason: reason.into() }
}

#[cfg(test)]
mod tests;
