//! `cistern image`: images in repositories.

use std::collections::BTreeMap;

use aws::ecr::{
    DescribeImagesFilter, DescribeImagesRequest, DescribeImagesResponse, ImageDetail,
    ImageIdentifier, Operation, UpdateImageStorageClassRequest, UpdateImageStorageClassResponse,
};
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::{
    error::Error,
    output::{Record, Table, joined, moment, optional, short_digest, size},
    session::{Session, pages},
};

/// Images that one call removes (`ecr` model: `ImageIdentifierList`).
const REMOVED_AT_ONCE: usize = 100;

/// What to do with images.
#[derive(Debug, clap::Subcommand)]
pub(crate) enum ImageCommand {
    /// List the images of a repository
    #[command(visible_alias = "ls")]
    List {
        /// The repository
        repository: String,
        /// Only those with a tag
        #[arg(long)]
        tagged: bool,
        /// Only those without
        #[arg(long, conflicts_with = "tagged")]
        untagged: bool,
        /// Those in the archive, instead of those that can be pulled
        #[arg(long)]
        archived: bool,
        /// Digests in full
        #[arg(long)]
        no_trunc: bool,
    },
    /// Show an image
    Show {
        /// The image: REPOSITORY:TAG or REPOSITORY@DIGEST
        #[arg(value_parser = parse_reference)]
        image: ImageReference,
    },
    /// Keep images without serving them, until they are restored or pushed again
    Archive {
        /// The images: REPOSITORY:TAG or REPOSITORY@DIGEST
        #[arg(value_parser = parse_reference, required = true, value_name = "IMAGE")]
        images: Vec<ImageReference>,
    },
    /// Take images out of the archive
    Restore {
        /// The images: REPOSITORY:TAG or REPOSITORY@DIGEST
        #[arg(value_parser = parse_reference, required = true, value_name = "IMAGE")]
        images: Vec<ImageReference>,
    },
    /// Remove images: a tag, or by digest an image with all its tags
    #[command(visible_alias = "rm")]
    Remove {
        /// The images: REPOSITORY:TAG or REPOSITORY@DIGEST
        #[arg(value_parser = parse_reference, required = true, value_name = "IMAGE")]
        images: Vec<ImageReference>,
    },
}

/// An image by its repository, and tag or digest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ImageReference {
    repository: String,
    id: ImageIdentifier,
}

fn parse_reference(text: &str) -> Result<ImageReference, String> {
    const EXPECTED: &str = "expected REPOSITORY:TAG or REPOSITORY@DIGEST";
    let (repository, id) = if let Some((repository, digest)) = text.split_once('@') {
        let digest = Some(digest.to_owned()).filter(|digest| digest.contains(':'));
        (repository, ImageIdentifier { image_digest: digest, image_tag: None })
    } else if let Some((repository, tag)) = text.rsplit_once(':') {
        // A colon before a slash is the port of a registry, and there is one registry only.
        let tag = Some(tag.to_owned()).filter(|tag| !tag.is_empty() && !tag.contains('/'));
        (repository, ImageIdentifier { image_digest: None, image_tag: tag })
    } else {
        return Err(EXPECTED.to_owned());
    };
    let is_named = id.image_digest.is_some() || id.image_tag.is_some();
    if repository.is_empty() || repository.contains(':') || !is_named {
        return Err(EXPECTED.to_owned());
    }
    Ok(ImageReference { repository: repository.to_owned(), id })
}

impl ImageCommand {
    /// Does it.
    pub(crate) async fn run(self, session: &Session<'_>) -> Result<(), Error> {
        match self {
            Self::List { repository, tagged, untagged, archived, no_trunc } => {
                let tag_status = match (tagged, untagged) {
                    (true, _) => Some("TAGGED"),
                    (_, true) => Some("UNTAGGED"),
                    (false, false) => None,
                };
                let filter = DescribeImagesFilter {
                    tag_status: tag_status.map(str::to_owned),
                    image_status: archived.then(|| "ARCHIVED".to_owned()),
                };
                list(session, &repository, filter, no_trunc).await
            }
            Self::Show { image } => show(session, &image).await,
            Self::Archive { images } => move_to(session, images, Class::Archive).await,
            Self::Restore { images } => move_to(session, images, Class::Standard).await,
            Self::Remove { images } => remove(session, images).await,
        }
    }
}

async fn images(
    session: &Session<'_>,
    request: DescribeImagesRequest,
) -> Result<Vec<ImageDetail>, Error> {
    pages(async |next_token| {
        let request = DescribeImagesRequest { next_token, ..request.clone() };
        let page: DescribeImagesResponse =
            session.client.ecr(Operation::DescribeImages, &request).await?;
        Ok((page.image_details, page.next_token))
    })
    .await
}

async fn list(
    session: &Session<'_>,
    repository: &str,
    filter: DescribeImagesFilter,
    no_trunc: bool,
) -> Result<(), Error> {
    let request = DescribeImagesRequest {
        repository_name: repository.to_owned(),
        filter: Some(filter).filter(|filter| *filter != DescribeImagesFilter::default()),
        ..Default::default()
    };
    let mut found = images(session, request).await?;
    // The newest first; the API lists by digest.
    found.sort_by_key(|image| std::cmp::Reverse(image.image_pushed_at));
    let header = ["TAGS", "DIGEST", "SIZE", "TYPE", "PUSHED (UTC)", "PULLED (UTC)"];
    let mut table = Table::new("images", &header);
    for image in &found {
        let digest = optional(image.image_digest.as_deref());
        table.row([
            joined(image.image_tags.as_ref()),
            if no_trunc { digest } else { short_digest(&digest) },
            size(image.image_size_in_bytes),
            kind(image),
            moment(image.image_pushed_at),
            moment(image.last_recorded_pull_time),
        ]);
    }
    session.output.list(&DescribeImagesResponse { image_details: found, next_token: None }, &table)
}

/// What a manifest is, in a word; other people's artifacts keep their own name.
fn kind(image: &ImageDetail) -> String {
    let media_type = image.image_manifest_media_type.as_deref().unwrap_or_default();
    if media_type.contains("index") || media_type.contains("manifest.list") {
        return "index".to_owned();
    }
    match image.artifact_media_type.as_deref() {
        None => "image".to_owned(),
        Some(config) if config.contains("image.config") || config.contains("container.image") => {
            "image".to_owned()
        }
        Some(artifact) => artifact.to_owned(),
    }
}

async fn show(session: &Session<'_>, image: &ImageReference) -> Result<(), Error> {
    let request = DescribeImagesRequest {
        repository_name: image.repository.clone(),
        image_ids: Some(vec![image.id.clone()]),
        ..Default::default()
    };
    let found = images(session, request).await?;
    let detail = found.first().ok_or_else(|| Error::Absent {
        what: format!("the image {}", words(&image.repository, &image.id)),
        way_out: "`cistern image list` shows those that are there",
    })?;
    let record = Record::default()
        .line("Repository", optional(detail.repository_name.as_deref()))
        .line("Digest", optional(detail.image_digest.as_deref()))
        .line("Tags", joined(detail.image_tags.as_ref()))
        .maybe("Size", detail.image_size_in_bytes.map(|bytes| size(Some(bytes))))
        .maybe("Media type", detail.image_manifest_media_type.clone())
        .maybe("Artifact type", detail.artifact_media_type.clone())
        .maybe("Refers to", detail.subject_manifest_digest.clone())
        .maybe("Status", detail.image_status.as_deref().map(str::to_ascii_lowercase))
        .line("Pushed (UTC)", moment(detail.image_pushed_at))
        .maybe("Pulled (UTC)", detail.last_recorded_pull_time.map(|at| moment(Some(at))))
        .maybe("Archived (UTC)", detail.last_archived_at.map(|at| moment(Some(at))))
        .maybe("Restored (UTC)", detail.last_activated_at.map(|at| moment(Some(at))));
    session.output.record(detail, &record)
}

/// A storage class.
#[derive(Clone, Copy)]
enum Class {
    Standard,
    Archive,
}

/// Moves images one after another: the API takes one at a time. What was moved is said although a
/// later one fails.
async fn move_to(
    session: &Session<'_>,
    images: Vec<ImageReference>,
    class: Class,
) -> Result<(), Error> {
    let target = match class {
        Class::Standard => "STANDARD",
        Class::Archive => "ARCHIVE",
    };
    for ImageReference { repository, id } in images {
        let request = UpdateImageStorageClassRequest {
            registry_id: None,
            repository_name: repository.clone(),
            image_id: id.clone(),
            target_storage_class: target.to_owned(),
        };
        let moved: UpdateImageStorageClassResponse =
            session.client.ecr(Operation::UpdateImageStorageClass, &request).await?;
        let name = words(&repository, moved.image_id.as_ref().unwrap_or(&id));
        let status = optional(moved.image_status.as_deref()).to_ascii_lowercase();
        session.output.done(&moved, &format!("{name} is {status}"))?;
    }
    Ok(())
}

/// What was removed, and what was not (`BatchDeleteImage`).
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Removed {
    #[serde(default)]
    image_ids: Vec<ImageIdentifier>,
    #[serde(default)]
    failures: Vec<NotRemoved>,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct NotRemoved {
    image_id: Option<ImageIdentifier>,
    failure_code: Option<String>,
    failure_reason: Option<String>,
}

async fn remove(session: &Session<'_>, images: Vec<ImageReference>) -> Result<(), Error> {
    let mut by_repository: BTreeMap<String, Vec<ImageIdentifier>> = BTreeMap::new();
    for ImageReference { repository, id } in images {
        by_repository.entry(repository).or_default().push(id);
    }
    let (mut all, mut lines, mut kept) = (Removed::default(), Vec::new(), Vec::new());
    for (repository, ids) in &by_repository {
        for ids in ids.chunks(REMOVED_AT_ONCE) {
            let request = json!({ "repositoryName": repository, "imageIds": ids });
            let removed: Removed =
                session.client.ecr(Operation::BatchDeleteImage, &request).await?;
            lines.extend(removed.image_ids.iter().map(|id| words(repository, id)));
            kept.extend(removed.failures.iter().map(|failure| {
                let id = failure.image_id.clone().unwrap_or_default();
                let why = failure.failure_reason.as_deref().or(failure.failure_code.as_deref());
                format!("{}: {}", words(repository, &id), why.unwrap_or("nobody says why"))
            }));
            all.image_ids.extend(removed.image_ids);
            all.failures.extend(removed.failures);
        }
    }
    let sentences: Vec<String> = lines.iter().map(|line| format!("removed {line}")).collect();
    if session.output.is_json() || !sentences.is_empty() {
        session.output.done(&all, &sentences.join("\n"))?;
    }
    if kept.is_empty() {
        Ok(())
    } else {
        Err(Error::Failed(format!("not removed: {}", kept.join("; "))))
    }
}

/// An image as people write it.
fn words(repository: &str, id: &ImageIdentifier) -> String {
    match (&id.image_tag, &id.image_digest) {
        (Some(tag), Some(digest)) => format!("{repository}:{tag} ({digest})"),
        (Some(tag), None) => format!("{repository}:{tag}"),
        (None, Some(digest)) => format!("{repository}@{digest}"),
        (None, None) => repository.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn images_are_named_as_docker_does() {
        let tagged = parse_reference("hub/library/alpine:3.20").unwrap();
        assert_eq!(tagged.repository, "hub/library/alpine");
        assert_eq!(tagged.id.image_tag.as_deref(), Some("3.20"));
        let pinned = parse_reference("hub/alpine@sha256:0a").unwrap();
        assert_eq!(pinned.id.image_digest.as_deref(), Some("sha256:0a"));
        assert_eq!(words(&pinned.repository, &pinned.id), "hub/alpine@sha256:0a");
        for text in ["alpine", ":tag", "@sha256:0a", "a:", "a@0a", "127.0.0.1:5000/a"] {
            assert!(parse_reference(text).is_err(), "{text}");
        }
    }

    #[test]
    fn manifests_have_a_kind() {
        let kind_of = |manifest: &str, artifact: Option<&str>| {
            kind(&ImageDetail {
                image_manifest_media_type: Some(manifest.to_owned()),
                artifact_media_type: artifact.map(str::to_owned),
                ..Default::default()
            })
        };
        let oci = "application/vnd.oci.image.manifest.v1+json";
        assert_eq!(kind_of("application/vnd.oci.image.index.v1+json", None), "index");
        assert_eq!(kind_of(oci, Some("application/vnd.oci.image.config.v1+json")), "image");
        assert_eq!(kind_of(oci, Some("application/spdx+json")), "application/spdx+json");
    }
}
