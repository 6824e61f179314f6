//! Manifests and indexes, read but never rewritten.
//!
//! OCI image-spec, "Image Manifest" and "Image Index"; Docker schema 2. Bytes stay with the
//! caller: this module only reads what the registry has to know about them.

use serde::Deserialize;

use crate::{Descriptor, Digest, DigestError, media_type};

/// What the registry has to know of a manifest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Manifest {
    /// Media type, from the document itself, else as it was served, else inferred.
    pub media_type: String,
    /// Manifest or index.
    pub kind: Kind,
    /// The config of an image manifest.
    pub config: Option<Descriptor>,
    /// Layers of a manifest, or manifests of an index, in document order.
    pub children: Vec<Descriptor>,
    /// The manifest this one refers to (OCI 1.1 `subject`).
    pub subject: Option<Descriptor>,
    /// `artifactType` (OCI 1.1), else absent.
    pub artifact_type: Option<String>,
}

/// Whether a document describes one image or several.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Config and layers.
    Manifest,
    /// Other manifests.
    Index,
}

/// Why a document is not a manifest this registry can keep.
#[derive(Debug, thiserror::Error)]
pub enum ManifestError {
    /// Not JSON, or a member of the wrong type.
    #[error("the manifest is not a JSON document of the expected shape: {0}")]
    Json(#[from] serde_json::Error),
    /// `schemaVersion` other than 2.
    #[error("schemaVersion {0} is not supported, only 2")]
    SchemaVersion(u64),
    /// A media type that is neither a manifest nor an index.
    #[error("'{0}' is not the media type of a manifest")]
    MediaType(String),
    /// Neither `layers`, `config` nor `manifests`.
    #[error("the document has neither a config nor a list of manifests")]
    Shape,
    /// A descriptor with a malformed digest.
    #[error("a descriptor has a digest that cannot be kept: {0}")]
    Digest(#[from] DigestError),
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Document {
    schema_version: u64,
    media_type: Option<String>,
    config: Option<RawDescriptor>,
    layers: Option<Vec<RawDescriptor>>,
    manifests: Option<Vec<RawDescriptor>>,
    subject: Option<RawDescriptor>,
    artifact_type: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct RawDescriptor {
    #[serde(default)]
    media_type: String,
    digest: String,
    size: u64,
}

impl RawDescriptor {
    fn read(self) -> Result<Descriptor, DigestError> {
        Ok(Descriptor {
            media_type: self.media_type,
            digest: Digest::parse(&self.digest)?,
            size_bytes: self.size,
        })
    }
}

impl Manifest {
    /// Reads a manifest from its bytes. `served_as` is the content type it came with: it decides
    /// where the document does not name its own media type.
    ///
    /// # Errors
    /// A [`ManifestError`] that says what is not right.
    pub fn read(bytes: &[u8], served_as: Option<&str>) -> Result<Self, ManifestError> {
        let document: Document = serde_json::from_slice(bytes)?;
        if document.schema_version != 2 {
            return Err(ManifestError::SchemaVersion(document.schema_version));
        }
        let kind = match (&document.manifests, &document.config, &document.layers) {
            (Some(_), None, None) => Kind::Index,
            (None, None, None) => return Err(ManifestError::Shape),
            _ => Kind::Manifest,
        };
        let media_type = read_media_type(document.media_type, served_as, kind)?;
        let children = match kind {
            Kind::Index => document.manifests,
            Kind::Manifest => document.layers,
        };
        Ok(Self {
            media_type,
            kind,
            config: document.config.map(RawDescriptor::read).transpose()?,
            children: children
                .unwrap_or_default()
                .into_iter()
                .map(RawDescriptor::read)
                .collect::<Result<_, _>>()?,
            subject: document.subject.map(RawDescriptor::read).transpose()?,
            // "Empty or missing" are the same (distribution-spec 1.1, "Listing Referrers").
            artifact_type: document.artifact_type.filter(|kind| !kind.is_empty()),
        })
    }

    /// Returns every blob a manifest names: config and layers. Empty for an index.
    pub fn blobs(&self) -> impl Iterator<Item = &Descriptor> {
        let layers = if self.kind == Kind::Manifest { self.children.as_slice() } else { &[] };
        self.config.iter().chain(layers)
    }
}

fn read_media_type(
    stated: Option<String>,
    served_as: Option<&str>,
    kind: Kind,
) -> Result<String, ManifestError> {
    let served = served_as.map(essence).filter(|served| media_type::is_manifest(served));
    let media_type = match (stated, served) {
        (Some(stated), _) => stated,
        (None, Some(served)) => served.to_owned(),
        (None, None) if kind == Kind::Index => media_type::OCI_INDEX.to_owned(),
        (None, None) => media_type::OCI_MANIFEST.to_owned(),
    };
    let fits = media_type::is_manifest(&media_type)
        && media_type::is_index(&media_type) == (kind == Kind::Index);
    if fits { Ok(media_type) } else { Err(ManifestError::MediaType(media_type)) }
}

/// Returns a content type without its parameters.
fn essence(content_type: &str) -> &str {
    content_type.split(';').next().unwrap_or_default().trim()
}

#[cfg(test)]
mod tests {
    use super::*;

    const D: &str = "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

    #[test]
    fn image_manifest_names_its_blobs() {
        let text = format!(
            r#"{{"schemaVersion":2,"config":{{"mediaType":"c","digest":"{D}","size":3}},
                "layers":[{{"mediaType":"l","digest":"{D}","size":7}}],"annotations":{{"a":"b"}}}}"#
        );
        let manifest = Manifest::read(text.as_bytes(), None).unwrap();
        assert_eq!(manifest.media_type, media_type::OCI_MANIFEST);
        assert_eq!(manifest.blobs().map(|b| b.size_bytes).collect::<Vec<_>>(), [3, 7]);
    }

    #[test]
    fn index_keeps_every_platform() {
        let text = format!(
            r#"{{"schemaVersion":2,"manifests":[{{"mediaType":"m","digest":"{D}","size":1}},
                {{"mediaType":"m","digest":"{D}","size":2}}]}}"#
        );
        let served = format!("{}; charset=utf-8", media_type::DOCKER_INDEX);
        let index = Manifest::read(text.as_bytes(), Some(&served)).unwrap();
        assert_eq!(index.kind, Kind::Index);
        assert_eq!(index.media_type, media_type::DOCKER_INDEX);
        assert_eq!(index.children.len(), 2);
        assert_eq!(index.blobs().count(), 0);
    }

    #[test]
    fn what_is_not_a_manifest_says_why() {
        let read = |text: &str| Manifest::read(text.as_bytes(), None).unwrap_err();
        assert!(matches!(read("<html>"), ManifestError::Json(_)));
        assert!(matches!(read(r#"{"schemaVersion":1}"#), ManifestError::SchemaVersion(1)));
        assert!(matches!(read(r#"{"schemaVersion":2}"#), ManifestError::Shape));
        let odd = r#"{"schemaVersion":2,"layers":[],"mediaType":"text/html"}"#;
        assert!(matches!(read(odd), ManifestError::MediaType(_)));
    }
}
