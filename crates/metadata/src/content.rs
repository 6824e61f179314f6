//! Repositories, manifests, tags and links as facts.

use oci::{Descriptor, Digest, RepositoryName, Tag, media_type};
use serde::{Deserialize, Serialize};

use crate::{RegistryId, RepositorySettings, Storage, Timestamp};

/// How content came to be here.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Origin {
    /// A client pushed it.
    Pushed {
        /// The principal who did.
        principal: String,
    },
    /// It was pulled through a rule.
    Cached {
        /// Key of the rule's prefix.
        rule: String,
        /// The rule's upstream, as typed.
        upstream_registry_url: String,
        /// The repository it came from there.
        upstream_repository: String,
    },
}

/// A repository.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Repository {
    /// Its name.
    pub name: RepositoryName,
    /// When it came into being.
    pub created_at: Timestamp,
    /// What made it: a push (or an API call), or the first pull through a rule.
    pub origin: Origin,
    /// What it is set to do.
    pub settings: RepositorySettings,
}

/// A manifest in a repository.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ManifestFact {
    /// Its digest.
    pub digest: Digest,
    /// Its media type, as it is served.
    pub media_type: String,
    /// Size of the manifest itself in bytes.
    pub size_bytes: u64,
    /// `artifactType`, or the config's media type, where there is one.
    pub artifact_type: Option<String>,
    /// The config, where there is one.
    pub config: Option<Descriptor>,
    /// Layers, or the manifests of an index.
    pub children: Vec<Descriptor>,
    /// The manifest it refers to.
    pub subject: Option<Digest>,
    /// How it came to be here.
    pub origin: Origin,
    /// When it was pushed or first cached.
    pub pushed_at: Timestamp,
    /// When it was last pulled, as far as recorded.
    pub last_pulled_at: Option<Timestamp>,
    /// Its storage class.
    pub storage: Storage,
}

impl ManifestFact {
    /// Returns what the manifest names as its parts: its config, then its children.
    pub fn references(&self) -> impl Iterator<Item = &Descriptor> {
        self.config.iter().chain(&self.children)
    }

    /// Returns those of its parts that are blobs: none, where it is an index.
    pub fn blobs(&self) -> impl Iterator<Item = &Descriptor> {
        let is_index = media_type::is_index(&self.media_type);
        self.references().filter(move |_| !is_index)
    }
}

/// What a tag names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TagFact {
    /// The digest it names.
    pub digest: Digest,
    /// How it came to be here.
    pub origin: Origin,
    /// When it was last set or moved.
    pub updated_at: Timestamp,
    /// When the upstream last confirmed it (equal to `updated_at` for a pushed tag).
    pub checked_at: Timestamp,
}

/// The permission to serve a blob from a repository.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Link {
    /// The blob.
    pub digest: Digest,
    /// Its size in bytes.
    pub size_bytes: u64,
    /// Its media type where a manifest named it.
    pub media_type: Option<String>,
    /// How it came to be here.
    pub origin: Origin,
    /// When it was linked.
    pub linked_at: Timestamp,
}

/// A manifest to be recorded: repository where missing, manifest, and tag in one transaction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewManifest {
    /// The repository, created from `manifest.origin` at `manifest.pushed_at` where missing.
    pub repository: RepositoryName,
    /// The manifest; where the repository has it already, its `pushed_at` and origin stay. A new
    /// one is in the standard class.
    pub manifest: ManifestFact,
    /// The tag to set, moved where it named something else; checked at `manifest.pushed_at`. A tag
    /// that was pushed is left where it is by a manifest that was cached.
    pub tag: Option<Tag>,
    /// Whether a manifest that is archived is restored by it, with what belongs to it, and a new
    /// index restores its parts. Otherwise an archived manifest is refused, and a tag that names one
    /// is left where it is.
    pub restores: bool,
    /// The settings of the repository where it comes into being; else nothing.
    pub settings: RepositorySettings,
}

/// What has to hold of a repository when a manifest is recorded in it: it has these parts of it, and
/// the tag names what it should.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct HeldParts {
    /// Blobs that are linked.
    pub links: Vec<Digest>,
    /// Manifests.
    pub manifests: Vec<Digest>,
    /// What the tag, where one is to be set, has to name before.
    pub tag: Precondition,
}

/// What a tag has to name for it to be set. The default allows everything.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Precondition {
    /// It names one of these.
    pub matches: Option<Named>,
    /// It names none of these.
    pub matches_none: Option<Named>,
}

/// What a tag may name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Named {
    /// Whatever there is.
    Anything,
    /// One of these.
    OneOf(Vec<Digest>),
}

impl Precondition {
    /// Tells whether a tag that names `held`, or does not exist, may be set.
    pub fn allows(&self, held: Option<&Digest>) -> bool {
        let is = |named: &Named| {
            held.is_some_and(|held| match named {
                Named::Anything => true,
                Named::OneOf(digests) => digests.contains(held),
            })
        };
        self.matches.as_ref().is_none_or(is) && !self.matches_none.as_ref().is_some_and(is)
    }
}

/// A link to be recorded: repository where missing, and link, in one transaction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewLink {
    /// The registry of the repository.
    pub registry: RegistryId,
    /// The repository, created from `link.origin` at `link.linked_at` where missing.
    pub repository: RepositoryName,
    /// The link; of one that is there already all stays but `linked_at`, where this is later.
    pub link: Link,
    /// The settings of the repository where it comes into being; else nothing.
    pub settings: RepositorySettings,
}

/// A link of a blob that no manifest of the repository names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LooseLink {
    /// The registry of the repository.
    pub registry: RegistryId,
    /// The repository.
    pub repository: RepositoryName,
    /// The blob.
    pub digest: Digest,
    /// When it was last linked.
    pub linked_at: Timestamp,
}

/// A manifest with the tags that name it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Image {
    /// The manifest.
    pub manifest: ManifestFact,
    /// The tags that name it, in order.
    pub tags: Vec<Tag>,
}

/// An image that a rule brought, and where it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CachedImage {
    /// The registry of the repository.
    pub registry: RegistryId,
    /// The repository.
    pub repository: RepositoryName,
    /// The image.
    pub image: Image,
}

impl Image {
    /// Returns when it was last pulled, or stored where nobody pulled it since.
    pub fn used_at(&self) -> Timestamp {
        let ManifestFact { pushed_at, last_pulled_at, .. } = &self.manifest;
        last_pulled_at.map_or(*pushed_at, |pulled_at| pulled_at.max(*pushed_at))
    }
}

/// A pull to be remembered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pull {
    /// The registry of the repository.
    pub registry: RegistryId,
    /// The repository.
    pub repository: RepositoryName,
    /// The manifest pulled.
    pub digest: Digest,
    /// When.
    pub at: Timestamp,
}
