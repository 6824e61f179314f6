//! `cistern cache import`: images of an OCI image layout into the cache.

use std::{collections::HashSet, io::Read, path::Path};

use aws::{
    cistern::{
        ImportCacheImageRequest, ImportCacheImageResponse, ImportCacheLayerRequest,
        ImportCacheLayerResponse, Operation,
    },
    ecr::{self, BatchCheckLayerAvailabilityRequest, BatchCheckLayerAvailabilityResponse},
};
use oci::{Descriptor, Digest, Hasher, Kind, Manifest, Reference, platforms_of};
use serde::Serialize;

use super::{
    names::{self, Name},
    progress::Progress,
};
use crate::{
    error::Error,
    interrupt::Interrupt,
    layout::{Entry, Index, Reader},
    output::{Table, short_digest, size},
    registry_client::RegistryClient,
    session::Session,
};

/// How much of a blob is sent at once.
const CHUNK_BYTES: u64 = 16 << 20;
/// Layers that one call asks for (`ecr` model: `BatchedOperationLayerDigestList`).
const LAYERS_AT_ONCE: usize = 100;
/// How deep indexes may nest, and how many manifests one image may have.
const DEPTH_MAX: usize = 4;
const MANIFESTS_MAX: usize = 1000;

/// What was imported of an image.
#[derive(Debug, Default, Serialize)]
#[serde(rename_all = "camelCase")]
struct Imported {
    image: String,
    digest: String,
    manifest_count: u64,
    size_in_bytes: u64,
    /// How many of these bytes were not there before.
    imported_size_in_bytes: u64,
    /// Platforms, or digests, of its index that the layout does not have.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    left_out: Vec<String>,
    /// What its tag names instead, where it may not be moved.
    #[serde(skip_serializing_if = "Option::is_none")]
    tag_kept_at: Option<String>,
}

/// A manifest of the layout, and the blobs that it needs.
struct Found {
    digest: Digest,
    media_type: String,
    bytes: Vec<u8>,
    blobs: Vec<Descriptor>,
    is_index: bool,
}

/// Imports every image of a layout.
pub(super) async fn run(
    session: &Session<'_>,
    path: &Path,
    name: Option<Name>,
) -> Result<(), Error> {
    let (reader, index) = Reader::open(path)?;
    let images = name_images(path, &index, name)?;
    let registry = RegistryClient::connect(&session.client).await?;
    let progress = Progress::new(session.output, "importing");
    let mut interrupt = Interrupt::take()?;
    let mut import =
        Import { session, path, reader, registry, progress, upload: None, done: 0, total: 0 };
    let stopped = tokio::select! {
        all = import.images(&images) => Ok(all?),
        () = interrupt.comes() => Err(import.upload.take()),
    };
    let all = match stopped {
        Ok(all) => all,
        Err(upload) => {
            if let Some(upload) = upload {
                // One that cannot be cancelled ends by its age.
                let _ = import.registry.cancel(&upload).await;
            }
            return Err(Error::Interrupted(
                "the blobs and images that were sent are kept: repeat the command to go on"
                    .to_owned(),
            ));
        }
    };
    drop(import);
    let header = ["IMAGE", "DIGEST", "MANIFESTS", "SIZE", "NEW", "LEFT OUT"];
    let mut table = Table::new("images", &header);
    let bytes = |bytes: u64| size(i64::try_from(bytes).ok());
    for image in &all {
        table.row([
            image.image.clone(),
            short_digest(&image.digest),
            image.manifest_count.to_string(),
            bytes(image.size_in_bytes),
            bytes(image.imported_size_in_bytes),
            image.left_out.join(", "),
        ]);
    }
    session.output.list(&all, &table)
}

/// Says what each image of a layout is called here.
fn name_images<'a>(
    path: &Path,
    index: &'a Index,
    name: Option<Name>,
) -> Result<Vec<(Name, &'a Entry)>, Error> {
    let wrong = |reason: String| Error::Layout { path: path.to_owned(), reason };
    match (index.manifests.as_slice(), name) {
        ([], _) => Err(wrong("it has no images".to_owned())),
        ([entry], Some(name)) => Ok(vec![(name, entry)]),
        (_, Some(_)) => {
            let count = index.manifests.len();
            Err(wrong(format!("it has {count} images, and --name is for a layout of one")))
        }
        (entries, None) => entries
            .iter()
            .map(|entry| {
                let given = entry.name().unwrap_or_default();
                let name = names::parse(given).map_err(|reason| {
                    let given = if given.is_empty() { "no name" } else { given };
                    wrong(format!(
                        "an image of it ({}) is called {given}: {reason}; where it is the only one, \
                         say with --name REPOSITORY:TAG what it is called here",
                        entry.digest
                    ))
                })?;
                Ok((name, entry))
            })
            .collect(),
    }
}

struct Import<'a, 's> {
    session: &'a Session<'s>,
    path: &'a Path,
    reader: Reader,
    registry: RegistryClient,
    progress: Progress,
    /// The blob that is being sent.
    upload: Option<String>,
    done: u64,
    total: u64,
}

impl Import<'_, '_> {
    async fn images(&mut self, images: &[(Name, &Entry)]) -> Result<Vec<Imported>, Error> {
        let mut all = Vec::with_capacity(images.len());
        for (name, entry) in images {
            all.push(self.image(name, entry).await?);
        }
        Ok(all)
    }

    async fn image(&mut self, name: &Name, entry: &Entry) -> Result<Imported, Error> {
        let digest = Digest::parse(&entry.digest)
            .map_err(|error| self.wrong(format!("{}: {error}", entry.digest)))?;
        let mut imported =
            Imported { image: name.to_string(), digest: digest.to_string(), ..Imported::default() };
        let found = self.collect(&digest, &entry.media_type, &mut imported)?;
        imported.manifest_count = found.len() as u64;
        let mut seen = HashSet::new();
        let blobs: Vec<_> = found
            .iter()
            .flat_map(|found| &found.blobs)
            .filter(|blob| seen.insert(blob.digest.clone()))
            .cloned()
            .collect();
        imported.size_in_bytes = blobs.iter().map(|blob| blob.size_bytes).sum();
        self.total += imported.size_in_bytes;
        self.blobs(name, &blobs, &mut imported).await?;
        // What an index names before the index: images first, then the innermost indexes.
        let (indexes, manifests): (Vec<_>, Vec<_>) =
            found.into_iter().partition(|found| found.is_index);
        for manifest in manifests.into_iter().chain(indexes.into_iter().rev()) {
            let is_top = manifest.digest == digest;
            let kept = self.record(name, manifest, is_top).await?;
            if is_top {
                imported.tag_kept_at = kept;
            }
        }
        self.tell(name, &imported);
        Ok(imported)
    }

    fn tell(&self, name: &Name, imported: &Imported) {
        let bytes = |bytes: u64| size(i64::try_from(bytes).ok());
        let (all, new) = (imported.size_in_bytes, imported.imported_size_in_bytes);
        self.progress.line(&format!("{name}: {}, {} of it new", bytes(all), bytes(new)));
        if !imported.left_out.is_empty() {
            let left_out = imported.left_out.join(", ");
            self.progress.warn(&format!("{name}: the layout does not have {left_out}"));
        }
        if let Some(kept) = &imported.tag_kept_at {
            self.progress.warn(&format!("{name}: the tag stays at {kept}: it may not be moved"));
        }
    }

    /// Finds the manifests of an image, itself first, before anything is sent.
    fn collect(
        &self,
        top: &Digest,
        media_type: &str,
        imported: &mut Imported,
    ) -> Result<Vec<Found>, Error> {
        let (mut found, mut seen): (Vec<Found>, HashSet<Digest>) = Default::default();
        let mut wanted = vec![(top.clone(), media_type.to_owned(), 0)];
        while let Some((digest, media_type, depth)) = wanted.pop() {
            let Some(bytes) = self.reader.manifest(&digest)? else {
                if digest == *top {
                    return Err(self.wrong(format!("it lists {digest} and does not have it")));
                }
                continue;
            };
            if !seen.insert(digest.clone()) {
                continue;
            }
            if found.len() >= MANIFESTS_MAX || depth > DEPTH_MAX {
                return Err(self.wrong(format!(
                    "{top} has more than {MANIFESTS_MAX} manifests, or indexes {DEPTH_MAX} deep"
                )));
            }
            let manifest = Manifest::read(&bytes, Some(&media_type))
                .map_err(|error| self.wrong(format!("{digest}: {error}")))?;
            if manifest.kind == Kind::Index {
                let children = self.children(&bytes, &manifest, imported)?;
                wanted.extend(
                    children.into_iter().map(|child| (child.digest, child.media_type, depth + 1)),
                );
            }
            let is_index = manifest.kind == Kind::Index;
            let blobs = manifest.blobs().filter(|blob| !blob.is_foreign()).cloned().collect();
            found.push(Found { digest, media_type: manifest.media_type, bytes, blobs, is_index });
        }
        Ok(found)
    }

    /// The manifests of an index that the layout has; notes the others.
    fn children(
        &self,
        bytes: &[u8],
        index: &Manifest,
        imported: &mut Imported,
    ) -> Result<Vec<Descriptor>, Error> {
        let held = platforms_of(bytes).unwrap_or_default();
        let mut here = Vec::new();
        for (at, child) in index.children.iter().enumerate() {
            if self.reader.blob(&child.digest)?.is_some() {
                here.push(child.clone());
            } else {
                let platform = held.get(at).and_then(Option::as_ref);
                let name = platform.map_or_else(|| child.digest.to_string(), ToString::to_string);
                imported.left_out.push(name);
            }
        }
        Ok(here)
    }

    /// Sends the blobs that the repository does not have.
    async fn blobs(
        &mut self,
        name: &Name,
        blobs: &[Descriptor],
        imported: &mut Imported,
    ) -> Result<(), Error> {
        for blobs in blobs.chunks(LAYERS_AT_ONCE) {
            let there = self.available(name, blobs).await?;
            for blob in blobs {
                if there.contains(blob.digest.as_str()) {
                    self.done += blob.size_bytes;
                } else {
                    self.blob(name, blob).await?;
                    imported.imported_size_in_bytes += blob.size_bytes;
                }
                self.progress.at(self.done, self.total, name.to_string());
            }
        }
        Ok(())
    }

    /// Which blobs the repository has.
    async fn available(&self, name: &Name, blobs: &[Descriptor]) -> Result<HashSet<String>, Error> {
        let request = BatchCheckLayerAvailabilityRequest {
            registry_id: None,
            repository_name: name.repository.to_string(),
            layer_digests: blobs.iter().map(|blob| blob.digest.to_string()).collect(),
        };
        let operation = ecr::Operation::BatchCheckLayerAvailability;
        let asked: Result<BatchCheckLayerAvailabilityResponse, Error> =
            self.session.client.ecr(operation, &request).await;
        match asked {
            Ok(answer) => Ok(answer
                .layers
                .into_iter()
                .filter(|layer| layer.layer_availability.as_deref() == Some("AVAILABLE"))
                .filter_map(|layer| layer.layer_digest)
                .collect()),
            // It comes into being with what is imported.
            Err(error) if error.class() == Some("RepositoryNotFoundException") => {
                Ok(HashSet::new())
            }
            Err(error) => Err(error),
        }
    }

    /// Sends a blob, proving it on the way.
    async fn blob(&mut self, name: &Name, blob: &Descriptor) -> Result<(), Error> {
        let Descriptor { digest, size_bytes, .. } = blob;
        let found = self.reader.blob(digest)?;
        let found = found.ok_or_else(|| {
            self.wrong(format!(
                "it does not have {digest}, which an image of it needs, and {name} does not have \
                 it either"
            ))
        })?;
        if found.size_bytes != *size_bytes {
            let has = found.size_bytes;
            return Err(
                self.wrong(format!("{digest} has {has} bytes, its manifest says {size_bytes}"))
            );
        }
        let upload = self.start_upload(name).await?;
        self.upload = Some(upload.clone());
        let (mut bytes, mut hasher) = (found.bytes, Hasher::new(digest.algorithm()));
        let mut sent = 0;
        while sent < *size_bytes {
            let chunk = self.chunk(&mut bytes, (*size_bytes - sent).min(CHUNK_BYTES))?;
            hasher.update(&chunk);
            let length = chunk.len() as u64;
            self.registry.append(&upload, sent, chunk).await?;
            sent += length;
            self.done += length;
            self.progress.at(self.done, self.total, name.to_string());
        }
        if hasher.finish() != *digest {
            let reason = "its bytes are not what its digest says".to_owned();
            return Err(Error::Unproven { digest: digest.to_string(), reason });
        }
        let request = ImportCacheLayerRequest {
            registry_id: None,
            repository_name: name.repository.to_string(),
            upload_id: upload.rsplit('/').next().unwrap_or_default().to_owned(),
            layer_digest: digest.to_string(),
        };
        let _: ImportCacheLayerResponse =
            self.session.client.cistern(Operation::ImportCacheLayer, &request).await?;
        self.upload = None;
        Ok(())
    }

    /// Begins to send a blob. By ECR's own rules nothing may be sent to a repository that is not
    /// there, unless a template for pushes covers it, and an import is no exception.
    async fn start_upload(&self, name: &Name) -> Result<String, Error> {
        let repository = &name.repository;
        self.registry.start_upload(repository).await.map_err(|error| match error {
            Error::Registry { status: 404, .. } => Error::Absent {
                what: format!("the repository {repository}"),
                way_out: "the server holds to ECR's rules (strict-ecr) and makes none for what is \
                          sent: make it with `cistern repository add`, or a template with \
                          `cistern template add PREFIX --applied-for create-on-push`, and repeat \
                          the command",
            },
            error => error,
        })
    }

    fn chunk(&self, bytes: &mut impl Read, length: u64) -> Result<Vec<u8>, Error> {
        let mut chunk = Vec::new();
        let read = bytes.take(length).read_to_end(&mut chunk);
        let read = read.map_err(|source| Error::File { path: self.path.to_owned(), source })?;
        if (read as u64) < length {
            return Err(self.wrong("a blob of it became shorter while it was read".to_owned()));
        }
        Ok(chunk)
    }

    /// Records a manifest; returns what the tag names instead, where it stays.
    async fn record(
        &self,
        name: &Name,
        manifest: Found,
        is_top: bool,
    ) -> Result<Option<String>, Error> {
        let digest = manifest.digest.to_string();
        let image_manifest = String::from_utf8(manifest.bytes)
            .map_err(|_| self.wrong(format!("the manifest {digest} is not UTF-8")))?;
        let image_tag = match &name.reference {
            Reference::Tag(tag) if is_top => Some(tag.to_string()),
            Reference::Tag(_) | Reference::Digest(_) => None,
        };
        let request = ImportCacheImageRequest {
            registry_id: None,
            repository_name: name.repository.to_string(),
            image_manifest,
            image_manifest_media_type: Some(manifest.media_type),
            image_digest: digest.clone(),
            image_tag,
        };
        let answer: ImportCacheImageResponse =
            self.session.client.cistern(Operation::ImportCacheImage, &request).await?;
        Ok(answer.tagged_digest.filter(|tagged| *tagged != digest))
    }

    fn wrong(&self, reason: String) -> Error {
        Error::Layout { path: self.path.to_owned(), reason }
    }
}
