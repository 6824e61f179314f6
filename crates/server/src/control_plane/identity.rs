//! Who the caller is, for clients that ask STS before anything else.

use aws::{
    query::{self, QueryService},
    sts::{CallerIdentity, Operation},
};

use super::{Call, Outcome};
use crate::doors::Exchange;

/// `GetCallerIdentity`. AWS allows it to everybody whose signature is good.
pub(super) fn get(call: &Call<'_>, exchange: &Exchange) -> Outcome {
    let account = call.registry_id().account.to_string();
    let identity = CallerIdentity {
        arn: call.caller().principal.to_string(),
        user_id: account.clone(),
        account,
    };
    let name = Operation::GetCallerIdentity.name();
    let result = query::result(name, &identity);
    Ok(query::envelope(QueryService::Sts, name, &result, exchange.request_id.as_str()))
}
