//! Cistern's own operations: what it can do and AWS's services cannot.
//!
//! One module for each kind of thing. An operation is a line of `aws::cistern::Operation`, its
//! shapes beside it, a line below, and a function as everywhere: parse, apply, render.

mod collection;
mod explanation;
mod import;
mod rule_policies;
mod warming;

use aws::cistern::Operation;

use super::{Call, Exchange, Outcome, error};

/// Answers an operation.
pub(super) async fn answer(call: &Call<'_>, name: &str, exchange: &mut Exchange) -> Outcome {
    let operation = Operation::parse(name).ok_or_else(|| error::no_such_operation(name))?;
    exchange.operation = Some(operation.name());
    match operation {
        Operation::CollectGarbage => collection::step(call).await,
        Operation::StartCacheWarming => warming::start(call),
        Operation::DescribeCacheWarming => warming::describe(call),
        Operation::CancelCacheWarming => warming::cancel(call),
        Operation::ImportCacheLayer => import::layer(call).await,
        Operation::ImportCacheImage => import::image(call).await,
        Operation::PutPullThroughCacheRulePolicy => rule_policies::put(call).await,
        Operation::DescribePullThroughCacheRulePolicies => rule_policies::describe(call).await,
        Operation::ExplainImage => explanation::explain(call).await,
        Operation::DeletePullThroughCacheRulePolicy => rule_policies::delete(call).await,
    }
}
