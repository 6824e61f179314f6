//! `cistern why`: what a pull of an image would come to, and why.

use aws::cistern::{
    CachedManifest, CachedTag, ExplainImageRequest, ExplainImageResponse, Operation,
    UpstreamAnswer, UpstreamBudget, UpstreamState,
};

use crate::{
    connection::Options,
    error::Error,
    output::{Record, moment, optional, short_digest, size},
    session::Session,
};

/// Which image, and whom to ask.
#[derive(Debug, clap::Args)]
pub(crate) struct Why {
    /// The image as it is pulled: REPOSITORY:TAG or REPOSITORY@DIGEST, after HOST/ or not
    #[arg(value_parser = parse_image)]
    image: Image,
    /// Ask the upstream too, by one HEAD
    #[arg(long)]
    ask: bool,
    #[command(flatten)]
    pub(super) options: Options,
}

/// An image as a client names it.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Image {
    repository: String,
    tag: Option<String>,
    digest: Option<String>,
}

fn parse_image(text: &str) -> Result<Image, String> {
    const EXPECTED: &str = "expected [HOST/]REPOSITORY[:TAG] or [HOST/]REPOSITORY@DIGEST";
    let path = match text.split_once('/') {
        // As docker tells a registry from a repository.
        Some((host, path)) if host.contains(['.', ':']) || host == "localhost" => path,
        _ => text,
    };
    let (path, digest) = match path.split_once('@') {
        Some((path, digest)) => (path, Some(digest.to_owned())),
        None => (path, None),
    };
    let (repository, tag) = match path.rsplit_once(':') {
        Some((repository, tag)) => (repository, Some(tag.to_owned())),
        None => (path, None),
    };
    if repository.is_empty() || tag.as_deref() == Some("") || digest.as_deref() == Some("") {
        return Err(EXPECTED.to_owned());
    }
    // A digest decides, whatever tag stands beside it.
    let tag = match &digest {
        Some(_) => None,
        None => tag.or_else(|| Some("latest".to_owned())),
    };
    Ok(Image { repository: repository.to_owned(), tag, digest })
}

impl Why {
    /// Asks, and says.
    pub(crate) async fn run(self, session: &Session<'_>) -> Result<(), Error> {
        let request = ExplainImageRequest {
            registry_id: None,
            repository_name: self.image.repository,
            image_tag: self.image.tag,
            image_digest: self.image.digest,
            ask_upstream: self.ask.then_some(true),
        };
        let answer: ExplainImageResponse =
            session.client.cistern(Operation::ExplainImage, &request).await?;
        session.output.record(&answer, &record(&answer))
    }
}

/// The answer for eyes: the decision first, then what it was made from.
fn record(answer: &ExplainImageResponse) -> Record {
    let image = match (&answer.image_tag, &answer.image_digest) {
        (Some(tag), _) => format!(":{tag}"),
        (None, Some(digest)) => format!("@{digest}"),
        (None, None) => String::new(),
    };
    let registry = [&answer.registry_id, &answer.region].map(|part| optional(part.as_deref()));
    let mut record = Record::default()
        .line("Image", optional(answer.repository_name.as_deref()) + &image)
        .line("Registry", registry.join(" / "))
        .line("Decision", optional(answer.decision.as_deref()))
        .line("Because", optional(answer.reason.as_deref()));
    record = match &answer.rule {
        Some(rule) => record
            .line("Rule", optional(rule.ecr_repository_prefix.as_deref()))
            .line(
                "Upstream",
                [&rule.upstream_registry_url, &rule.upstream_repository]
                    .map(|part| optional(part.as_deref()))
                    .join("/"),
            )
            .maybe("Credentials", rule.credential_arn.clone())
            .maybe("Declared by", rule.declared_by.clone()),
        None => record.line("Rule", "none"),
    };
    record = record.maybe("Rule in region", answer.rule_in_region.clone());
    for rule in answer.passed_over_rules.iter().flatten() {
        let prefix = optional(rule.ecr_repository_prefix.as_deref());
        record = record.line("Not", format!("{prefix}: {}", optional(rule.reason.as_deref())));
    }
    let is_there = answer.repository_exists == Some(true);
    record = record.line("Repository", if is_there { "is here" } else { "is not here" });
    if answer.image_tag.is_some() {
        record = record.line("Tag", answer.cached_tag.as_ref().map_or("is not here".into(), tag));
    }
    record = record
        .line("Manifest", answer.cached_manifest.as_ref().map_or("is not here".into(), manifest));
    match &answer.upstream {
        Some(state) => upstream(record, state),
        None => record,
    }
}

fn tag(tag: &CachedTag) -> String {
    let digest = short_digest(tag.image_digest.as_deref().unwrap_or_default());
    let freshness = optional(tag.freshness.as_deref()).to_lowercase();
    match tag.origin.as_deref() {
        Some("PUSHED") => format!("{digest}, pushed {} UTC", moment(tag.updated_at)),
        _ => format!("{digest}, {freshness}, confirmed {} UTC", moment(tag.checked_at)),
    }
}

fn manifest(manifest: &CachedManifest) -> String {
    let count = |count: Option<i64>| count.unwrap_or_default();
    format!(
        "{}, {}, with {} of its {} parts ({} of {})",
        optional(manifest.image_manifest_media_type.as_deref()),
        size(manifest.manifest_size_in_bytes),
        count(manifest.parts_here),
        count(manifest.parts),
        size(manifest.size_in_bytes_here),
        size(manifest.size_in_bytes),
    )
}

fn upstream(mut record: Record, state: &UpstreamState) -> Record {
    let circuit = match (state.circuit.as_deref(), state.probe_at) {
        (Some("OPEN"), probe_at) => format!("open, probed from {} UTC", moment(probe_at)),
        (circuit, _) => optional(circuit).to_lowercase(),
    };
    record = record
        .line("Circuit", circuit)
        .maybe("Refused until (UTC)", state.backoff_until.map(|until| moment(Some(until))))
        .line("Budget", optional(state.allowance.as_deref()).to_lowercase());
    for known in state.budgets.iter().flatten() {
        record = record.line("Budget of", budget(known));
    }
    record
        .maybe("Credentials", state.credentials_problem.clone())
        .line("It said", state.last_answer.as_ref().map_or("nothing yet".into(), answer))
        .maybe("It says now", state.answer_now.as_ref().map(answer))
}

fn budget(budget: &UpstreamBudget) -> String {
    let mut text = optional(budget.endpoint.as_deref());
    if let Some(remaining) = budget.remaining {
        text += &format!(": {remaining} left");
    }
    if let Some(limit) = budget.limit {
        text += &format!(" of {limit}");
    }
    if let Some(window) = budget.window_in_seconds {
        text += &format!(" in {window} s");
    }
    if let Some(source) = &budget.source {
        text += &format!(", counted for {source}");
    }
    let held = [("manifests", budget.manifests_held_until), ("blobs", budget.blobs_held_until)];
    for (what, until) in held {
        if until.is_some() {
            text += &format!(", {what} not asked for until {} UTC", moment(until));
        }
    }
    text
}

fn answer(answer: &UpstreamAnswer) -> String {
    let said = optional(answer.said.as_deref());
    let digest = answer.image_digest.as_deref().map(short_digest).unwrap_or_default();
    let comma = if digest.is_empty() { "" } else { ", " };
    format!("{said}{comma}{digest} ({} UTC)", moment(answer.at))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn images_are_named_as_they_are_pulled() {
        for (text, repository, tag, digest) in [
            ("hub/library/alpine", "hub/library/alpine", Some("latest"), None),
            ("hub/alpine:3.20", "hub/alpine", Some("3.20"), None),
            ("127.0.0.1:5000/hub/alpine:3.20", "hub/alpine", Some("3.20"), None),
            ("localhost/hub/alpine", "hub/alpine", Some("latest"), None),
            ("cistern.example/hub/alpine@sha256:0a", "hub/alpine", None, Some("sha256:0a")),
            ("hub/alpine:3.20@sha256:0a", "hub/alpine", None, Some("sha256:0a")),
        ] {
            let image = parse_image(text).unwrap();
            let found = (image.tag.as_deref(), image.digest.as_deref());
            assert_eq!((image.repository.as_str(), found), (repository, (tag, digest)), "{text}");
        }
        for text in ["", ":tag", "a:", "a@", "127.0.0.1:5000/"] {
            assert!(parse_image(text).is_err(), "{text}");
        }
    }
}
