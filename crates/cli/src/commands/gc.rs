//! `cistern gc`: frees what nobody needs.

use aws::cistern::{CollectGarbageRequest, CollectGarbageResponse, Operation};

use crate::{
    connection::Options,
    error::Error,
    output::{duration, size},
    session::Session,
};

/// How to collect, and whom to ask.
#[derive(Debug, clap::Args)]
pub(crate) struct GcArgs {
    /// Only say what would be freed
    #[arg(long)]
    pub(super) dry_run: bool,
    #[command(flatten)]
    pub(super) options: Options,
}

/// Has the server take step after step until nothing is left to look at.
pub(super) async fn run(session: &Session<'_>, dry_run: bool) -> Result<(), Error> {
    let mut total = CollectGarbageResponse::default();
    loop {
        let request = CollectGarbageRequest {
            dry_run: dry_run.then_some(true),
            next_token: total.next_token.clone(),
        };
        let step: CollectGarbageResponse =
            session.client.cistern(Operation::CollectGarbage, &request).await?;
        if step.next_token.is_some() && step.next_token == total.next_token {
            return Err(Error::Endless);
        }
        total.links += step.links;
        total.blobs += step.blobs;
        total.bytes += step.bytes;
        total.grace_seconds = step.grace_seconds;
        total.next_token = step.next_token;
        if total.next_token.is_none() {
            break;
        }
    }
    let freed = if dry_run { "would free" } else { "freed" };
    let bytes = size(Some(total.bytes));
    let (blobs, links) = (total.blobs, total.links);
    let grace = duration(total.grace_seconds);
    let sentence = format!(
        "{freed} {bytes}: {blobs} blobs that nobody needs, after {links} that no image of their \
         repository names; nothing younger than {grace} is touched"
    );
    session.output.done(&total, &sentence)
}
