//! Health, readiness and metrics, for whoever runs the process.

use http::{HeaderValue, Method, Response, StatusCode, header, request::Parts};
use registry::Caller;

use registry::chain;

use super::{Doors, Exchange, metrics};
use crate::{
    body::{self, Body},
    data_plane,
};

/// Answers as long as the process lives.
pub(super) const HEALTH: &str = "/healthz";
/// Answers 200 as long as new requests are welcome and the metadata store answers.
pub(super) const READY: &str = "/readyz";
/// Counts and times. Where others than this machine can ask, a login is needed of somebody who may.
pub(super) const METRICS: &str = "/metrics";

/// Answers one of the paths above.
pub(super) async fn serve(doors: &Doors, head: &Parts, exchange: &mut Exchange) -> Response<Body> {
    if head.method != Method::GET && head.method != Method::HEAD {
        let mut response = body::text(StatusCode::METHOD_NOT_ALLOWED, "method not allowed\n");
        response.headers_mut().insert(header::ALLOW, HeaderValue::from_static("GET, HEAD"));
        return response;
    }
    match head.uri.path() {
        METRICS => match refuse_metrics(doors, head, exchange).await {
            None => body::full(
                StatusCode::OK,
                HeaderValue::from_static(metrics::CONTENT_TYPE),
                doors.metrics.render(),
            ),
            Some(refusal) => refusal,
        },
        READY => ready(doors, exchange).await,
        _ => body::text(StatusCode::OK, "ok\n"),
    }
}

async fn ready(doors: &Doors, exchange: &Exchange) -> Response<Body> {
    if doors.is_draining() {
        return body::text(StatusCode::SERVICE_UNAVAILABLE, "draining\n");
    }
    match doors.registry.ready().await {
        Ok(()) => body::text(StatusCode::OK, "ok\n"),
        Err(error) => {
            let request_id = exchange.request_id.as_str();
            tracing::error!(request_id, error = chain(&error), "not ready");
            body::text(StatusCode::SERVICE_UNAVAILABLE, "the metadata store does not answer\n")
        }
    }
}

async fn refuse_metrics(
    doors: &Doors,
    head: &Parts,
    exchange: &mut Exchange,
) -> Option<Response<Body>> {
    if doors.settings.loopback {
        return None;
    }
    let may = |caller: &Caller| doors.registry.admit_metrics(caller);
    data_plane::refuse(doors, head, exchange, may).await
}
