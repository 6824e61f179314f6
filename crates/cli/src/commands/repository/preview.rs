//! `cistern repository preview`: what a lifecycle policy would do.

use std::time::Duration;

use aws::ecr::{
    GetLifecyclePolicyPreviewRequest, GetLifecyclePolicyPreviewResponse,
    LifecyclePolicyPreviewResult, Operation, StartLifecyclePolicyPreviewRequest,
    StartLifecyclePolicyPreviewResponse,
};

use crate::{
    commands::secret::read_file,
    error::Error,
    output::{Table, joined, moment, optional, short_digest},
    session::Session,
};

/// The pauses between two looks at a preview that is in progress: from the first to the last.
const PAUSE: Duration = Duration::from_millis(100);
const PAUSE_MAX: Duration = Duration::from_secs(5);

/// What to preview.
#[derive(Debug, clap::Args)]
pub(crate) struct PreviewArgs {
    /// The repository
    name: String,
    /// File with the lifecycle policy to try, JSON; - is stdin [default: the repository's own]
    #[arg(long, value_name = "FILE")]
    lifecycle_policy_file: Option<String>,
}

/// Has a policy evaluated, waits for that, and shows what it would do.
pub(super) async fn run(session: &Session<'_>, args: PreviewArgs) -> Result<(), Error> {
    let PreviewArgs { name, lifecycle_policy_file } = args;
    let text = lifecycle_policy_file.as_deref().map(read_file).transpose()?;
    let request = StartLifecyclePolicyPreviewRequest {
        registry_id: None,
        repository_name: name.clone(),
        lifecycle_policy_text: text.map(aws::Sensitive::into_string),
    };
    let _: StartLifecyclePolicyPreviewResponse =
        session.client.ecr(Operation::StartLifecyclePolicyPreview, &request).await?;
    let mut pause = PAUSE;
    let mut whole = loop {
        let page = page(session, &name, None).await?;
        if page.status.as_deref() != Some("IN_PROGRESS") {
            break page;
        }
        tokio::time::sleep(pause).await;
        pause = (pause * 2).min(PAUSE_MAX);
    };
    while let Some(token) = whole.next_token.take() {
        let next = page(session, &name, Some(token.clone())).await?;
        if next.next_token.as_ref() == Some(&token) {
            return Err(Error::Endless);
        }
        whole.preview_results.extend(next.preview_results);
        whole.next_token = next.next_token;
    }
    if whole.status.as_deref() != Some("COMPLETE") {
        let status = optional(whole.status.as_deref());
        return Err(Error::Failed(format!("the preview for {name} ended as {status}: try again")));
    }
    let mut table = Table::new(
        "images to expire or archive",
        &["DIGEST", "TAGS", "PUSHED (UTC)", "ACTION", "RULE"],
    );
    for result in &whole.preview_results {
        table.row(row(result));
    }
    session.output.list(&whole, &table)
}

fn row(result: &LifecyclePolicyPreviewResult) -> [String; 5] {
    let kind = result.action.as_ref().and_then(|action| action.kind.as_deref());
    [
        short_digest(result.image_digest.as_deref().unwrap_or_default()),
        joined(result.image_tags.as_ref()),
        moment(result.image_pushed_at),
        optional(kind).to_ascii_lowercase(),
        result.applied_rule_priority.map(|priority| priority.to_string()).unwrap_or_default(),
    ]
}

async fn page(
    session: &Session<'_>,
    name: &str,
    next_token: Option<String>,
) -> Result<GetLifecyclePolicyPreviewResponse, Error> {
    let request = GetLifecyclePolicyPreviewRequest {
        repository_name: name.to_owned(),
        next_token,
        ..GetLifecyclePolicyPreviewRequest::default()
    };
    session.client.ecr(Operation::GetLifecyclePolicyPreview, &request).await
}
