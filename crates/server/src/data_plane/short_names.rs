//! Docker Hub's official images asked for by their short names: `nginx` is `library/nginx`.
//!
//! The whole name is tried first. What it does not have may be there under the name as asked for,
//! for an upstream that plays Docker Hub need not keep its images where Docker Hub does.

use oci::{RepositoryName, Route};

use super::{Call, Outcome, answer_read, name_rule};
use crate::doors::Exchange;

/// Answers by the whole name, then by the name as it is.
pub(super) async fn answer(
    call: &Call<'_>,
    route: &Route,
    whole: RepositoryName,
    exchange: &mut Exchange,
) -> Outcome {
    let mut completed = route.clone();
    let short_rule = exchange.rule.clone();
    if let Some(name) = completed.repository_mut() {
        *name = whole;
        name_rule(call, name, exchange).await?;
    }
    let missing = match answer_read(call, &completed, exchange).await {
        Err(failure) if failure.is_missing() => failure,
        outcome => return outcome,
    };
    exchange.rule = short_rule;
    match answer_read(call, route, exchange).await {
        Ok(response) => Ok(response),
        Err(failure) if failure.is_failure() => Err(failure),
        // Docker Hub refuses what it does not have under a name that nobody may have there.
        Err(_) => Err(missing),
    }
}
