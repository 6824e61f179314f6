//! Images and indexes for an upstream.

use bytes::Bytes;
use oci::{Digest, media_type};
use serde_json::{Value, json};
use testkit::ScriptedUpstream;

/// An image at the upstream.
pub(crate) struct Image {
    pub(crate) digest: Digest,
    pub(crate) manifest: Bytes,
    pub(crate) config: Digest,
    pub(crate) layers: Vec<Digest>,
}

/// Gives the upstream an image whose layers have these bytes.
pub(crate) fn push_image(
    upstream: &ScriptedUpstream,
    repository: &str,
    tag: Option<&str>,
    layers: &[&str],
) -> Image {
    let config = json!({ "os": "linux", "rootfs": { "layers": layers } });
    push_image_with(upstream, repository, tag, layers, &config)
}

/// Gives the upstream an image with this config.
pub(crate) fn push_image_with(
    upstream: &ScriptedUpstream,
    repository: &str,
    tag: Option<&str>,
    layers: &[&str],
    config: &Value,
) -> Image {
    let describe = |kind: &str, bytes: &str| {
        let digest = upstream.add_blob(repository, bytes.to_owned());
        let media_type = format!("application/vnd.oci.image.{kind}");
        (json!({ "mediaType": media_type, "digest": digest.as_str(), "size": bytes.len() }), digest)
    };
    let (config_descriptor, config) = describe("config.v1+json", &config.to_string());
    let (descriptors, layers): (Vec<_>, Vec<_>) =
        layers.iter().map(|bytes| describe("layer.v1.tar", bytes)).unzip();
    let manifest = json!({
        "schemaVersion": 2,
        "mediaType": media_type::OCI_MANIFEST,
        "config": config_descriptor,
        "layers": descriptors,
    });
    // Not the canonical spelling: whoever writes it anew is found out.
    let manifest = Bytes::from(format!(" {manifest:#}\n"));
    let digest = upstream.add_manifest(repository, tag, media_type::OCI_MANIFEST, manifest.clone());
    Image { digest, manifest, config, layers }
}

/// Gives the upstream an index of images.
pub(crate) fn push_index(
    upstream: &ScriptedUpstream,
    repository: &str,
    tag: &str,
    images: &[Image],
) -> (Digest, Bytes) {
    let manifests: Vec<_> = images
        .iter()
        .enumerate()
        .map(|(number, image)| {
            json!({
                "mediaType": media_type::OCI_MANIFEST,
                "digest": image.digest.as_str(),
                "size": image.manifest.len(),
                "platform": { "os": "linux", "architecture": format!("arch{number}") },
            })
        })
        .collect();
    let index = json!({ "schemaVersion": 2, "manifests": manifests });
    let index = Bytes::from(format!("{index:#}"));
    let digest = upstream.add_manifest(repository, Some(tag), media_type::OCI_INDEX, index.clone());
    (digest, index)
}
