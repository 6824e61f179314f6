//! Referrers: what an index of them says of each.
//!
//! OCI distribution-spec 1.1, "Listing Referrers" and "Referrers Tag Schema".

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::{Digest, Tag};

/// What cosign adds to the tag of a digest for what belongs to it.
const COSIGN: [&str; 3] = ["sig", "att", "sbom"];

/// A manifest that refers to another one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Referrer {
    /// Its digest.
    pub digest: Digest,
    /// Its media type.
    pub media_type: String,
    /// Its size in bytes.
    pub size_bytes: u64,
    /// Its artifact type, or the media type of its config.
    pub artifact_type: Option<String>,
    /// Its annotations.
    pub annotations: BTreeMap<String, String>,
}

#[derive(Deserialize)]
struct Index {
    manifests: Option<Vec<serde_json::Value>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct RawReferrer {
    media_type: String,
    digest: String,
    size: u64,
    artifact_type: Option<String>,
    annotations: Option<BTreeMap<String, String>>,
}

impl Referrer {
    /// Reads an index of referrers. A descriptor in it that is not well formed is left out: it can
    /// be neither shown nor fetched.
    ///
    /// # Errors
    /// What is no index at all.
    pub fn read_index(index: &[u8]) -> Result<Vec<Self>, serde_json::Error> {
        let index: Index = serde_json::from_slice(index)?;
        let read = |raw| {
            let raw: RawReferrer = serde_json::from_value(raw).ok()?;
            Some(Self {
                digest: Digest::parse(&raw.digest).ok()?,
                media_type: raw.media_type,
                size_bytes: raw.size,
                artifact_type: raw.artifact_type.filter(|kind| !kind.is_empty()),
                annotations: raw.annotations.unwrap_or_default(),
            })
        };
        Ok(index.manifests.unwrap_or_default().into_iter().filter_map(read).collect())
    }
}

/// Returns the tag that a registry without the referrers API keeps the index of referrers under
/// ("Referrers Tag Schema"): at most 64 digits of the digest.
pub fn referrers_tag(subject: &Digest) -> Tag {
    tag_of(subject, "")
}

/// Returns the tags that cosign keeps signatures, attestations and SBOMs of a manifest under.
pub fn cosign_tags(subject: &Digest) -> [Tag; 3] {
    COSIGN.map(|ending| tag_of(subject, &format!(".{ending}")))
}

fn tag_of(subject: &Digest, ending: &str) -> Tag {
    let hex = subject.hex();
    let text = format!("{}-{}{ending}", subject.algorithm().as_str(), &hex[..hex.len().min(64)]);
    Tag::parse(&text).expect("an algorithm, a hyphen, digits and a short word")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Algorithm;

    #[test]
    fn tags_hold_at_most_64_digits() {
        let short = Digest::of(b"image");
        assert_eq!(referrers_tag(&short).as_str(), short.as_str().replace(':', "-"));
        let long = Digest::of_with(Algorithm::Sha512, b"image");
        let cut = format!("sha512-{}", &long.hex()[..64]);
        assert_eq!(referrers_tag(&long).as_str(), cut);
        let names = cosign_tags(&long).map(|tag| tag.to_string());
        assert_eq!(names, ["sig", "att", "sbom"].map(|ending| format!("{cut}.{ending}")));
    }

    #[test]
    fn what_is_malformed_is_left_out() {
        let digest = Digest::of(b"signature");
        let text = format!(
            r#"{{"schemaVersion":2,"manifests":[
                {{"mediaType":"m","digest":"{digest}","size":7,"artifactType":"a/b",
                  "annotations":{{"k":"v"}}}},
                {{"mediaType":"m","digest":"{digest}","size":1,"artifactType":"","annotations":null}},
                {{"mediaType":"m","digest":"sha256:1","size":7}},
                {{"mediaType":"m","digest":"{digest}"}}, 5]}}"#
        );
        let found = Referrer::read_index(text.as_bytes()).unwrap();
        let sizes: Vec<_> = found.iter().map(|referrer| referrer.size_bytes).collect();
        assert_eq!(sizes, [7, 1]);
        assert_eq!(found[0].artifact_type.as_deref(), Some("a/b"));
        assert_eq!(found[0].annotations["k"], "v");
        assert_eq!(found[1].artifact_type, None);
        assert!(Referrer::read_index(br#"{"manifests":null}"#).unwrap().is_empty());
        assert!(Referrer::read_index(b"[1]").is_err());
    }
}
