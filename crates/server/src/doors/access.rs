//! The one log line of a request.

use std::time::Duration;

use http::{Response, header::USER_AGENT, request::Parts};
use http_body::Body as _;
use registry::Principal;
use tracing::Level;

use super::{Door, Exchange};
use crate::body::Body;

/// Writes the line. `bytes` is what the answer announced; a transfer that breaks has a line of
/// its own with the same id. The query is left out: it may carry a signature.
pub(super) fn log(
    door: Door,
    head: &Parts,
    response: &Response<Body>,
    exchange: &Exchange,
    elapsed: Duration,
) {
    if !tracing::enabled!(target: "cistern::access", Level::INFO) {
        return;
    }
    let access_key_id = exchange.login.as_deref().and_then(|login| match &login.caller.principal {
        Principal::Root { access_key_id, .. } => Some(access_key_id.as_str()),
        Principal::AssumedRole(role) => Some(role.access_key_id.as_str()),
        Principal::Anonymous => None,
    });
    tracing::info!(
        target: "cistern::access",
        request_id = exchange.request_id.as_str(),
        door = door.as_str(),
        method = head.method.as_str(),
        path = head.uri.path(),
        service = exchange.service,
        operation = exchange.operation,
        status = response.status().as_u16(),
        outcome = exchange.outcome.as_deref(),
        bytes = response.body().size_hint().exact(),
        ranges = exchange.ranges,
        micros = u64::try_from(elapsed.as_micros()).unwrap_or(u64::MAX),
        registry = exchange.login.as_deref().map(|login| tracing::field::display(&login.caller.registry)),
        access_key_id,
        peer = %exchange.connection.peer,
        user_agent = head.headers.get(USER_AGENT).and_then(|agent| agent.to_str().ok()),
        "request"
    );
}
