//! `cistern cache export`: images of the cache into an OCI image layout.

use std::{collections::HashSet, path::PathBuf};

use aws::cistern::WarmedCacheImage;
use oci::{Digest, Kind, Manifest, Platform, Reference, cosign_tags, platforms_of};
use serde::Serialize;

use super::{
    Wanted,
    names::{Name, Names},
    progress::Progress,
    warm,
};
use crate::{
    error::Error,
    interrupt::Interrupt,
    layout::{Entry, Whole, Writer},
    output::{Table, short_digest, size},
    registry_client::{Fetched, RegistryClient},
    session::Session,
};

/// How far what refers to a signature is followed.
const DEPTH_MAX: usize = 4;

/// Where a layout goes.
pub(super) enum Target {
    Directory(PathBuf),
    File(PathBuf),
}

impl Target {
    /// Says what is there of an export that was stopped.
    fn left(&self) -> String {
        match self {
            Self::Directory(path) => format!(
                "the blobs that came are in {}: repeat the command to go on",
                path.display()
            ),
            Self::File(path) => format!(
                "{} is as it was: a tar file is written anew each time, a directory \
                 (--output-dir) goes on where it was",
                path.display()
            ),
        }
    }
}

/// What was exported of an image.
#[derive(Debug, Default, Serialize)]
#[serde(rename_all = "camelCase")]
struct Exported {
    image: String,
    digest: String,
    manifest_count: u64,
    size_in_bytes: u64,
    /// Platforms of its index that the layout does not have.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    left_out: Vec<String>,
}

/// Exports images: warms them, then reads them to the last byte.
pub(super) async fn run(
    session: &Session<'_>,
    wanted: &Wanted,
    target: Target,
) -> Result<(), Error> {
    let names = wanted.names()?;
    // Before hours of work: can it be written there at all?
    let mut interrupt = Interrupt::take()?;
    let writer = match &target {
        Target::Directory(path) => Writer::directory(path)?,
        Target::File(path) => Writer::file(path)?,
    };
    let warmed = warm::warm(session, wanted, &names).await?;
    warm::check(&warmed)?;
    let registry = RegistryClient::connect(&session.client).await?;
    let progress = Progress::new(session.output, "exporting");
    let total = warmed.iter().map(|image| image.size_in_bytes).sum();
    let mut export = Export { registry, writer, progress, wanted, total, done: 0 };
    let all = tokio::select! {
        all = export.images(&names, &warmed) => all?,
        // What is being written goes with its guard.
        () = interrupt.comes() => return Err(Error::Interrupted(target.left())),
    };
    let Export { writer, progress, .. } = export;
    writer.finish()?;
    drop(progress);
    let mut table = Table::new("images", &["IMAGE", "DIGEST", "MANIFESTS", "SIZE", "LEFT OUT"]);
    for image in &all {
        table.row([
            image.image.clone(),
            short_digest(&image.digest),
            image.manifest_count.to_string(),
            size(i64::try_from(image.size_in_bytes).ok()),
            image.left_out.join(", "),
        ]);
    }
    session.output.list(&all, &table)
}

struct Export<'a> {
    registry: RegistryClient,
    writer: Writer,
    progress: Progress,
    wanted: &'a Wanted,
    total: u64,
    done: u64,
}

/// A manifest that is to be written, and the name that it is listed by.
struct Step {
    reference: Reference,
    name: Option<Name>,
    depth: usize,
    /// It was only guessed, and may be missing.
    is_guess: bool,
}

impl Export<'_> {
    async fn images(
        &mut self,
        names: &Names,
        warmed: &[WarmedCacheImage],
    ) -> Result<Vec<Exported>, Error> {
        let mut all = Vec::with_capacity(names.0.len());
        for (name, warmed) in names.0.iter().zip(warmed) {
            all.push(self.image(name, warmed).await?);
        }
        Ok(all)
    }

    async fn image(&mut self, name: &Name, warmed: &WarmedCacheImage) -> Result<Exported, Error> {
        // What was warmed is what is exported, wherever the tag goes meanwhile.
        let digest = warmed.image_digest.as_deref().and_then(|text| Digest::parse(text).ok());
        let reference = digest.map_or_else(|| name.reference.clone(), Reference::Digest);
        let mut exported = Exported { image: name.to_string(), ..Exported::default() };
        let mut seen = HashSet::new();
        let first = Step { reference, name: Some(name.clone()), depth: 0, is_guess: false };
        let mut steps = vec![first];
        while let Some(step) = steps.pop() {
            let fetched = match self.registry.manifest(&name.repository, &step.reference).await {
                Ok(fetched) => fetched,
                Err(Error::Registry { status: 404, .. }) if step.is_guess => continue,
                Err(error) => return Err(error),
            };
            if exported.digest.is_empty() {
                exported.digest = fetched.digest.to_string();
            }
            if !seen.insert(fetched.digest.clone()) {
                continue;
            }
            exported.manifest_count += 1;
            self.manifest(&step, &fetched, name, &mut exported, &mut steps).await?;
        }
        let bytes = size(i64::try_from(exported.size_in_bytes).ok());
        self.progress.line(&format!("{name}: {bytes}"));
        Ok(exported)
    }

    /// Writes what a manifest needs, then the manifest; what it leads to goes to `steps`.
    async fn manifest(
        &mut self,
        step: &Step,
        fetched: &Fetched,
        image: &Name,
        exported: &mut Exported,
        steps: &mut Vec<Step>,
    ) -> Result<(), Error> {
        let Fetched { digest, media_type, bytes } = fetched;
        let manifest = Manifest::read(bytes, Some(media_type)).map_err(|error| {
            Error::Unproven { digest: digest.to_string(), reason: error.to_string() }
        })?;
        for blob in manifest.blobs().filter(|blob| !blob.is_foreign()) {
            exported.size_in_bytes += blob.size_bytes;
            if !self.writer.has(&blob.digest).await? {
                let mut body = self.registry.blob(&image.repository, &blob.digest).await?;
                self.writer.put(&blob.digest, blob.size_bytes, &mut body).await?;
            }
            self.done += blob.size_bytes;
            self.progress.at(self.done, self.total, image.to_string());
        }
        if !self.writer.has(digest).await? {
            let mut whole = Whole(Some(bytes.clone()));
            self.writer.put(digest, bytes.len() as u64, &mut whole).await?;
        }
        if let Some(name) = &step.name {
            let size = bytes.len() as u64;
            let entry = Entry::named(&name.to_string(), &manifest.media_type, digest, size);
            self.writer.list(entry);
        }
        let depth = step.depth + 1;
        if manifest.kind == Kind::Index {
            for child in self.children(bytes, &manifest, exported) {
                let reference = Reference::Digest(child);
                steps.push(Step { reference, name: None, depth, is_guess: false });
            }
        }
        if self.wanted.referrers && depth <= DEPTH_MAX {
            self.referrers(image, digest, depth, steps).await?;
        }
        Ok(())
    }

    /// The manifests of an index that are wanted; notes those that are left out.
    fn children(&self, bytes: &[u8], index: &Manifest, exported: &mut Exported) -> Vec<Digest> {
        let asked = &self.wanted.platform;
        let held = platforms_of(bytes).unwrap_or_default();
        let has_none = held.len() != index.children.len() || held.iter().all(Option::is_none);
        let is_wanted = |held: Option<&Platform>| {
            let covers = |held: &Platform| asked.iter().any(|asked| asked.covers(held));
            asked.is_empty() || has_none || held.is_some_and(covers)
        };
        let mut wanted = Vec::new();
        for (at, child) in index.children.iter().enumerate() {
            let platform = held.get(at).and_then(Option::as_ref);
            if is_wanted(platform) {
                wanted.push(child.digest.clone());
            } else {
                let name = platform.map_or_else(|| child.digest.to_string(), ToString::to_string);
                exported.left_out.push(name);
            }
        }
        wanted
    }

    async fn referrers(
        &self,
        image: &Name,
        digest: &Digest,
        depth: usize,
        steps: &mut Vec<Step>,
    ) -> Result<(), Error> {
        let repository = &image.repository;
        let mut add = |reference: Reference, is_guess| {
            let name = Name { repository: repository.clone(), reference: reference.clone() };
            steps.push(Step { reference, name: Some(name), depth, is_guess });
        };
        for referrer in self.registry.referrers(repository, digest).await? {
            add(Reference::Digest(referrer), false);
        }
        for tag in cosign_tags(digest) {
            add(Reference::Tag(tag), true);
        }
        Ok(())
    }
}
