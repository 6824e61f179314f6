//! Images as ECR's API hands them out: listed by id, pulled in batches, their layers looked up.

use futures_util::{StreamExt as _, stream};
use metadata::{Page, PageRequest};
use oci::{Digest, Reference, RepositoryName, Tag};

use crate::{
    Action, Caller, DescribeError, ListFilter, PullError, PulledManifest, Registry, Resource,
    Served,
};

/// How many images of one batch are pulled at the same time.
const BATCH_PULLS_MAX: usize = 8;

/// An image by its digest, and one of its tags where it has any.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ImageId {
    /// The manifest.
    pub digest: Digest,
    /// A tag that names it.
    pub tag: Option<Tag>,
}

/// An image as somebody asks for it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct WantedImage {
    /// By tag.
    pub tag: Option<String>,
    /// By digest, which the tag, where there is one too, must name.
    pub digest: Option<String>,
}

/// Why one image of a batch is left out.
#[derive(Clone, Debug, thiserror::Error)]
pub enum ImageFailure {
    /// The digest is none.
    #[error("the digest is malformed")]
    InvalidDigest,
    /// The tag is none.
    #[error("the tag is malformed")]
    InvalidTag,
    /// Neither is given.
    #[error("neither tag nor digest is given")]
    MissingDigestAndTag,
    /// The tag names another image.
    #[error("the tag names {actual}")]
    TagDoesNotMatchDigest {
        /// What it names.
        actual: Digest,
    },
    /// There is one, and the caller does not take manifests of its type.
    #[error("the manifest is of type {media_type}, which is not accepted")]
    NotAccepted {
        /// Its media type.
        media_type: String,
    },
    /// It could not be pulled.
    #[error(transparent)]
    Pull(#[from] PullError),
}

/// What came of the images of a batch.
#[derive(Debug)]
pub struct PulledBatch {
    /// The repository that they are kept in.
    pub repository: RepositoryName,
    /// Each as it was asked for.
    pub images: Vec<(WantedImage, Result<PulledManifest, ImageFailure>)>,
}

/// What a repository has of a layer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LayerState {
    /// It can be pulled.
    Available {
        /// Its size in bytes.
        size_bytes: u64,
        /// Its media type, where one is recorded.
        media_type: Option<String>,
    },
    /// It is here, and archived with every image that has it.
    Archived {
        /// Its size in bytes.
        size_bytes: u64,
        /// Its media type, where one is recorded.
        media_type: Option<String>,
    },
    /// It is not here.
    Unavailable,
    /// The digest is none.
    InvalidDigest,
}

impl Registry {
    /// Lists the ids of a repository's images: each with each of its tags, or alone; of those with
    /// a tag or without, archived or not, or all. Never asks an upstream.
    ///
    /// # Errors
    /// [`DescribeError::RepositoryNotFound`].
    pub async fn list_images(
        &self,
        caller: &Caller,
        repository: &str,
        filter: ListFilter,
        page: &PageRequest,
    ) -> Result<Page<ImageId>, DescribeError> {
        let name = self.listed_repository(caller, repository, "ecr:ListImages").await?;
        let registry = &caller.registry;
        let mut listing = Listing { filter, limit: page.limit, items: Vec::new(), next: None };
        let mut after = page.after.clone();
        if let Some((digest, tag)) = after.as_deref().and_then(|key| key.split_once(' ')) {
            let (digest, tag) = (digest.to_owned(), tag.to_owned());
            // The last page ended between two tags of one image.
            if let Ok(parsed) = Digest::parse(&digest) {
                match self.inner.metadata.image(registry, &name, &parsed).await {
                    Ok(mut image) => {
                        image.tags.retain(|held| held.as_str() > tag.as_str());
                        if !image.tags.is_empty() {
                            listing.add(&image);
                        }
                    }
                    Err(metadata::Error::NotFound) => {}
                    Err(error) => return Err(error.into()),
                }
            }
            after = Some(digest);
        }
        while !listing.is_full() {
            let request = PageRequest { after, limit: page.limit };
            let metadata = &self.inner.metadata;
            let found = match filter.archived {
                Some(true) => metadata.archived_images(registry, &name, &request).await?,
                _ => metadata.images(registry, &name, &request).await?,
            };
            found.items.iter().for_each(|image| listing.add(image));
            after = found.next;
            if after.is_none() {
                break;
            }
        }
        Ok(Page { items: listing.items, next: listing.next })
    }

    /// Pulls images, each as a client would: what a rule can bring fills the cache, and an official
    /// image of Docker Hub has its whole name, however short it is asked for.
    ///
    /// # Errors
    /// What holds for the whole batch: [`PullError::NameUnknown`], [`PullError::Denied`], a store
    /// that failed, a rule whose credentials cannot be used.
    pub async fn batch_get_image(
        &self,
        caller: &Caller,
        repository: &RepositoryName,
        wanted: Vec<WantedImage>,
        accepted: &[String],
    ) -> Result<PulledBatch, PullError> {
        let Some(whole) = self.naming(caller, repository).await?.whole else {
            return self.pull_batch(caller, repository, wanted, accepted).await;
        };
        let pulled = self.pull_batch(caller, &whole, wanted.clone(), accepted).await;
        let is_missing = match &pulled {
            Ok(batch) => batch.images.iter().all(|(_, outcome)| is_missing(outcome)),
            Err(error) => matches!(error, PullError::NameUnknown { .. }),
        };
        if !is_missing {
            return pulled;
        }
        // An upstream that plays Docker Hub need not keep its images where Docker Hub does.
        match self.pull_batch(caller, repository, wanted, accepted).await {
            Ok(batch) if batch.images.iter().any(|(_, outcome)| !is_refused(outcome)) => Ok(batch),
            _ => pulled,
        }
    }

    async fn pull_batch(
        &self,
        caller: &Caller,
        repository: &RepositoryName,
        wanted: Vec<WantedImage>,
        accepted: &[String],
    ) -> Result<PulledBatch, PullError> {
        let pulls = wanted.into_iter().map(|wanted| async move {
            let pulled = self.pull_wanted(caller, repository, &wanted).await;
            let pulled = pulled.and_then(|pulled| accept(pulled, accepted));
            (wanted, pulled)
        });
        let pulled: Vec<_> = stream::iter(pulls).buffered(BATCH_PULLS_MAX).collect().await;
        for (_, outcome) in &pulled {
            if let Err(ImageFailure::Pull(error)) = outcome
                && concerns_all(error)
            {
                return Err(error.clone());
            }
        }
        Ok(PulledBatch { repository: repository.clone(), images: pulled })
    }

    async fn pull_wanted(
        &self,
        caller: &Caller,
        repository: &RepositoryName,
        wanted: &WantedImage,
    ) -> Result<PulledManifest, ImageFailure> {
        let digest = wanted.digest.as_deref().map(Digest::parse).transpose();
        let digest = digest.map_err(|_| ImageFailure::InvalidDigest)?;
        let tag = wanted.tag.as_deref().map(Tag::parse).transpose();
        let tag = tag.map_err(|_| ImageFailure::InvalidTag)?;
        let reference = match (tag, &digest) {
            (Some(tag), _) => Reference::Tag(tag),
            (None, Some(digest)) => Reference::Digest(digest.clone()),
            (None, None) => return Err(ImageFailure::MissingDigestAndTag),
        };
        let pulled = self.pull_manifest(caller, repository, &reference).await?;
        match digest {
            Some(digest) if digest != pulled.digest => {
                Err(ImageFailure::TagDoesNotMatchDigest { actual: pulled.digest })
            }
            _ => Ok(pulled),
        }
    }

    /// Says which layers a repository has. Never asks an upstream.
    ///
    /// # Errors
    /// [`DescribeError::RepositoryNotFound`].
    pub async fn check_layers(
        &self,
        caller: &Caller,
        repository: &str,
        digests: &[String],
    ) -> Result<Vec<LayerState>, DescribeError> {
        let action = "ecr:BatchCheckLayerAvailability";
        let name = self.listed_repository(caller, repository, action).await?;
        let mut states = Vec::with_capacity(digests.len());
        for digest in digests {
            states.push(match Digest::parse(digest) {
                Ok(digest) => self.layer_state(caller, &name, &digest).await?,
                Err(_) => LayerState::InvalidDigest,
            });
        }
        Ok(states)
    }

    async fn layer_state(
        &self,
        caller: &Caller,
        repository: &RepositoryName,
        digest: &Digest,
    ) -> Result<LayerState, DescribeError> {
        let link = match self.inner.metadata.link(&caller.registry, repository, digest).await {
            Ok(link) => link,
            Err(metadata::Error::NotFound) => return Ok(LayerState::Unavailable),
            Err(error) => return Err(error.into()),
        };
        let (metadata, registry) = (&self.inner.metadata, &caller.registry);
        let is_archived = metadata.is_link_archived(registry, repository, &link).await?;
        match self.inner.blobs.stat(digest).await {
            Ok(size_bytes) if size_bytes == link.size_bytes && is_archived => {
                Ok(LayerState::Archived { size_bytes, media_type: link.media_type })
            }
            Ok(size_bytes) if size_bytes == link.size_bytes => {
                let key = (caller.registry.clone(), repository.clone(), digest.clone());
                self.inner.vouched.remember(key);
                Ok(LayerState::Available { size_bytes, media_type: link.media_type })
            }
            Ok(_) | Err(blobs::Error::NotFound(_)) => Ok(LayerState::Unavailable),
            Err(error) => Err(error.into()),
        }
    }

    /// Checks that the caller may download a layer and that it is here or at the upstream of a
    /// rule; starts no transfer.
    ///
    /// # Errors
    /// As [`Registry::stat_blob`].
    pub async fn offer_layer(
        &self,
        caller: &Caller,
        repository: &RepositoryName,
        digest: &Digest,
    ) -> Result<Served, PullError> {
        let action = Action::Operation("ecr:GetDownloadUrlForLayer");
        self.inner.authorize(caller, action, Resource::Repository(repository, None))?;
        Ok(self.stat_blob(caller, repository, digest).await?.served)
    }

    /// Authorises a look at a repository, and finds it.
    pub(crate) async fn listed_repository(
        &self,
        caller: &Caller,
        repository: &str,
        action: &'static str,
    ) -> Result<RepositoryName, DescribeError> {
        let not_found = || DescribeError::RepositoryNotFound {
            repository: repository.to_owned(),
            registry: caller.registry.clone(),
        };
        let name = RepositoryName::parse(repository).map_err(|_| not_found())?;
        let resource = Resource::Repository(&name, None);
        self.inner.authorize(caller, Action::Operation(action), resource)?;
        if self.inner.has_repository(&caller.registry, &name).await? {
            Ok(name)
        } else {
            Err(not_found())
        }
    }
}

/// A page of ids that is being filled.
struct Listing {
    filter: ListFilter,
    limit: usize,
    items: Vec<ImageId>,
    /// Where the page ended, once something did not fit.
    next: Option<String>,
}

impl Listing {
    fn is_full(&self) -> bool {
        self.next.is_some()
    }

    fn add(&mut self, image: &metadata::Image) {
        let digest = &image.manifest.digest;
        if !self.filter.wants(image) {
            return;
        }
        if image.tags.is_empty() {
            self.push(ImageId { digest: digest.clone(), tag: None });
        }
        for tag in &image.tags {
            self.push(ImageId { digest: digest.clone(), tag: Some(tag.clone()) });
        }
    }

    fn push(&mut self, id: ImageId) {
        if self.is_full() {
            return;
        }
        match self.items.last() {
            Some(last) if self.items.len() == self.limit => self.next = Some(key(last)),
            _ => self.items.push(id),
        }
    }
}

/// Where a page may end: after a tag of an image, or after an image.
fn key(id: &ImageId) -> String {
    match &id.tag {
        Some(tag) => format!("{} {tag}", id.digest),
        None => id.digest.to_string(),
    }
}

fn accept(pulled: PulledManifest, accepted: &[String]) -> Result<PulledManifest, ImageFailure> {
    let is_accepted =
        accepted.is_empty() || accepted.iter().any(|kind| **kind == *pulled.media_type);
    if is_accepted {
        Ok(pulled)
    } else {
        Err(ImageFailure::NotAccepted { media_type: pulled.media_type.to_string() })
    }
}

/// Tells whether an error would be that of every image of a batch.
/// Tells whether an image is neither here nor upstream.
fn is_missing(outcome: &Result<PulledManifest, ImageFailure>) -> bool {
    matches!(
        outcome,
        Err(ImageFailure::Pull(PullError::ManifestUnknown { .. } | PullError::NameUnknown { .. }))
    )
}

/// Tells whether the upstream does not have an image, or refuses it: Docker Hub refuses what it
/// does not have under a name that nobody may have there.
fn is_refused(outcome: &Result<PulledManifest, ImageFailure>) -> bool {
    match outcome {
        Err(ImageFailure::Pull(PullError::Upstream(error))) => {
            matches!(**error, upstream::Error::Unauthorized { .. } | upstream::Error::Denied { .. })
        }
        outcome => is_missing(outcome),
    }
}

fn concerns_all(error: &PullError) -> bool {
    match error {
        PullError::Denied(_)
        | PullError::NameUnknown { .. }
        | PullError::Credentials { .. }
        | PullError::Template { .. }
        | PullError::Storage(_)
        | PullError::Fill(_)
        | PullError::Abandoned => true,
        PullError::ManifestUnknown { .. }
        | PullError::Archived { .. }
        | PullError::BlobUnknown { .. }
        | PullError::Upstream(_)
        | PullError::BadManifest { .. }
        | PullError::NotLetIn { .. }
        | PullError::TooYoung { .. } => false,
    }
}
