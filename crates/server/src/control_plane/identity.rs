//! Who the caller is, for clients that ask STS before anything else.

use aws::sts::{self, CallerIdentity};

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
    Ok(sts::render_caller_identity(&identity, exchange.request_id.as_str()).into_bytes())
}
