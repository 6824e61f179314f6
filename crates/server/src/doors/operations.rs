//! Health, readiness and metrics, for whoever runs the process.

use http::{HeaderValue, Method, Response, StatusCode, header, request::Parts};

use super::{Doors, Exchange, chain, metrics};
use crate::{
    auth::Refusal,
    body::{self, Body},
    data_plane,
};

/// Answers as long as the process lives.
pub(super) const HEALTH: &str = "/healthz";
/// Answers 200 as long as new requests are welcome and the metadata store answers.
pub(super) const READY: &str = "/readyz";
/// Counts and times. A login is needed where others than this machine can ask.
pub(super) const METRICS: &str = "/metrics";

/// Answers one of the paths above.
pub(super) async fn serve(doors: &Doors, head: &Parts, exchange: &mut Exchange) -> Response<Body> {
    if head.method != Method::GET && head.method != Method::HEAD {
        let mut response = body::text(StatusCode::METHOD_NOT_ALLOWED, "method not allowed\n");
        response.headers_mut().insert(header::ALLOW, HeaderValue::from_static("GET, HEAD"));
        return response;
    }
    match head.uri.path() {
        METRICS => match authorize(doors, head, exchange).await {
            Ok(()) => body::full(
                StatusCode::OK,
                HeaderValue::from_static(metrics::CONTENT_TYPE),
                doors.metrics.render(),
            ),
            Err(refusal) => data_plane::refuse(doors, head, exchange, &refusal),
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

async fn authorize(doors: &Doors, head: &Parts, exchange: &mut Exchange) -> Result<(), Refusal> {
    if doors.settings.loopback {
        return Ok(());
    }
    data_plane::log_in(doors, head, exchange).await?.require_principal()
}
