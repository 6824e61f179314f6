//! Facts as they are written inside a record: JSON, the same in every engine.
//!
//! What is written here is read by later versions: shapes only grow.

use oci::{Descriptor, Digest, RepositoryName, Tag};
use serde::{Deserialize, Serialize, de::DeserializeOwned};

use crate::{AccountId, Error, Region, RegistryId};

/// A descriptor inside a record.
#[derive(Serialize, Deserialize)]
struct StoredDescriptor {
    media_type: String,
    digest: String,
    size_bytes: u64,
}

/// Makes the error of a record that cannot be read back.
pub(crate) fn corrupt<E>(record: &'static str) -> impl FnOnce(E) -> Error
where
    E: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    move |cause| Error::Corrupt { record, source: cause.into() }
}

/// Writes a value as JSON.
pub(crate) fn to_json(value: &impl Serialize) -> String {
    serde_json::to_string(value).expect("strings, numbers and lists of them are always JSON")
}

/// Reads a value back from JSON.
pub(crate) fn from_json<T: DeserializeOwned>(json: &str, record: &'static str) -> Result<T, Error> {
    serde_json::from_str(json).map_err(corrupt(record))
}

/// Writes descriptors as JSON.
pub(crate) fn descriptors_to_json(descriptors: &[Descriptor]) -> String {
    to_json(&descriptors.iter().map(StoredDescriptor::from).collect::<Vec<_>>())
}

/// Reads descriptors back from JSON.
pub(crate) fn descriptors_from_json(
    json: &str,
    record: &'static str,
) -> Result<Vec<Descriptor>, Error> {
    let stored: Vec<StoredDescriptor> = from_json(json, record)?;
    stored.into_iter().map(|descriptor| descriptor.into_descriptor(record)).collect()
}

/// Writes a descriptor as JSON.
pub(crate) fn descriptor_to_json(descriptor: &Descriptor) -> String {
    to_json(&StoredDescriptor::from(descriptor))
}

/// Reads a descriptor back from JSON.
pub(crate) fn descriptor_from_json(json: &str, record: &'static str) -> Result<Descriptor, Error> {
    from_json::<StoredDescriptor>(json, record)?.into_descriptor(record)
}

/// Reads a digest back.
pub(crate) fn digest(text: &str, record: &'static str) -> Result<Digest, Error> {
    Digest::parse(text).map_err(corrupt(record))
}

/// Reads a repository name back.
pub(crate) fn repository_name(text: &str, record: &'static str) -> Result<RepositoryName, Error> {
    RepositoryName::parse(text).map_err(corrupt(record))
}

/// Reads a tag back.
pub(crate) fn tag(text: &str, record: &'static str) -> Result<Tag, Error> {
    Tag::parse(text).map_err(corrupt(record))
}

/// Reads a registry back.
pub(crate) fn registry(
    account: &str,
    region: &str,
    record: &'static str,
) -> Result<RegistryId, Error> {
    let account = AccountId::parse(account).map_err(corrupt(record))?;
    let region = Region::parse(region).map_err(corrupt(record))?;
    Ok(RegistryId { account, region })
}

impl From<&Descriptor> for StoredDescriptor {
    fn from(descriptor: &Descriptor) -> Self {
        Self {
            media_type: descriptor.media_type.clone(),
            digest: descriptor.digest.as_str().to_owned(),
            size_bytes: descriptor.size_bytes,
        }
    }
}

impl StoredDescriptor {
    fn into_descriptor(self, record: &'static str) -> Result<Descriptor, Error> {
        let Self { media_type, digest: text, size_bytes } = self;
        Ok(Descriptor { media_type, digest: digest(&text, record)?, size_bytes })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Origin;

    /// Records of the first schema: later versions must read them as they are.
    #[test]
    fn records_keep_their_shape() {
        let empty = "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
        let descriptors = vec![Descriptor {
            media_type: "application/vnd.oci.image.config.v1+json".into(),
            digest: Digest::parse(empty).unwrap(),
            size_bytes: 7,
        }];
        let golden = format!(
            r#"[{{"media_type":"application/vnd.oci.image.config.v1+json","digest":"{empty}","size_bytes":7}}]"#
        );
        assert_eq!(descriptors_to_json(&descriptors), golden);
        assert_eq!(descriptors_from_json(&golden, "manifest").unwrap(), descriptors);

        let pushed = Origin::Pushed { principal: "root".into() };
        let cached = Origin::Cached {
            rule: "docker-hub".into(),
            upstream_registry_url: "registry-1.docker.io".into(),
            upstream_repository: "library/alpine".into(),
        };
        let goldens = [
            (pushed, r#"{"pushed":{"principal":"root"}}"#),
            (
                cached,
                r#"{"cached":{"rule":"docker-hub","upstream_registry_url":"registry-1.docker.io","upstream_repository":"library/alpine"}}"#,
            ),
        ];
        for (origin, golden) in goldens {
            assert_eq!(to_json(&origin), golden);
            assert_eq!(from_json::<Origin>(golden, "origin").unwrap(), origin);
        }
    }

    #[test]
    fn what_cannot_be_read_back_says_which_record() {
        let error = descriptors_from_json(r#"[{"media_type":"x"}]"#, "manifest").unwrap_err();
        assert!(matches!(error, Error::Corrupt { record: "manifest", .. }), "{error:?}");
        let error = digest("sha256:00", "link").unwrap_err();
        assert!(matches!(error, Error::Corrupt { record: "link", .. }), "{error:?}");
    }
}
