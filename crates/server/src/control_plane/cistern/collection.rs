//! `CollectGarbage`: what nobody needs, freed step by step.
//!
//! A call takes a step and says where the next one begins, so that no call takes long, nothing is
//! lost with a connection, and any replica goes on.

use aws::{
    Exception,
    cistern::{CollectGarbageRequest, CollectGarbageResponse},
    exception::EcrException,
    json,
};
use oci::Digest;
use registry::{CollectError, CollectFrom, Collected};

use super::super::{
    Call, Outcome,
    error::{Failure, storage},
    validate,
};

/// What a token begins with: where it goes on at.
const LINKS: &str = "links ";
const BLOBS: &str = "blobs ";

/// `CollectGarbage`.
pub(super) async fn step(call: &Call<'_>) -> Outcome {
    let request: CollectGarbageRequest = call.cistern()?;
    let page = validate::page(request.next_token.as_deref(), None)?;
    let from = match page.after.as_deref() {
        None => CollectFrom::Links(None),
        Some(token) => from(token)?,
    };
    let dry_run = request.dry_run.unwrap_or_default();
    let step = call.registry().collect(call.caller(), from, dry_run).await;
    let Collected { links, blobs, bytes, next } = step.map_err(refused)?;
    let count = |count: u64| i64::try_from(count).unwrap_or(i64::MAX);
    Ok(json::render(&CollectGarbageResponse {
        links: count(links),
        blobs: count(blobs),
        bytes: count(bytes),
        grace_seconds: count(call.registry().settings().collect_grace.as_secs()),
        next_token: validate::next_token(next.map(|next| token(&next))),
    }))
}

fn token(next: &CollectFrom) -> String {
    match next {
        CollectFrom::Links(after) => format!("{LINKS}{}", after.as_deref().unwrap_or_default()),
        CollectFrom::Blobs(after) => {
            format!("{BLOBS}{}", after.as_ref().map(Digest::as_str).unwrap_or_default())
        }
    }
}

fn from(token: &str) -> Result<CollectFrom, Exception> {
    let malformed = || validate::violation("nextToken", "must be a token of a previous answer");
    let given = |after: &str| (!after.is_empty()).then(|| after.to_owned());
    if let Some(after) = token.strip_prefix(LINKS) {
        return Ok(CollectFrom::Links(given(after)));
    }
    let after = given(token.strip_prefix(BLOBS).ok_or_else(malformed)?);
    let after = after.map(|after| Digest::parse(&after)).transpose();
    Ok(CollectFrom::Blobs(after.map_err(|_| malformed())?))
}

fn refused(error: CollectError) -> Failure {
    match error {
        CollectError::Denied(denied) => denied.into(),
        CollectError::Storage(error) => storage(&error, EcrException::Server.into()),
    }
}
