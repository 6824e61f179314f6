//! Docker Hub's official images asked for by their short names: `nginx` is `library/nginx`.
//!
//! The whole name is tried first. What it does not have may be there under the name as asked for,
//! for an upstream that plays Docker Hub need not keep its images where Docker Hub does.

use oci::{RepositoryName, Route};

use super::{
    Call, Failure, Outcome, answer_read,
    error::{self, Subject},
};
use crate::doors::Exchange;

/// Returns the whole name of the repository that a route is about, where it is called by a short
/// one.
pub(super) async fn whole_name(
    call: &Call<'_>,
    route: &Route,
) -> Result<Option<RepositoryName>, Failure> {
    let Some(name) = route.repository() else { return Ok(None) };
    let (registry, caller) = (call.registry, &call.login.caller);
    let whole = registry.whole_name(caller, name).await;
    whole.map_err(|error| error::pull(error, Subject::Manifest))
}

/// Answers by the whole name, then by the name as it is.
pub(super) async fn answer(
    call: &Call<'_>,
    route: &Route,
    whole: RepositoryName,
    exchange: &mut Exchange,
) -> Outcome {
    let mut completed = route.clone();
    if let Some(name) = completed.repository_mut() {
        *name = whole;
    }
    let missing = match answer_read(call, &completed, exchange).await {
        Err(failure) if failure.is_missing() => failure,
        outcome => return outcome,
    };
    match answer_read(call, route, exchange).await {
        Ok(response) => Ok(response),
        Err(failure) if failure.is_failure() => Err(failure),
        // Docker Hub refuses what it does not have under a name that nobody may have there.
        Err(_) => Err(missing),
    }
}
