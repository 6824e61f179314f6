//! How a scripted upstream answers one request.

use std::{ops::Range, sync::Arc};

use http::{
    HeaderMap, HeaderValue, Method, Request, Response, StatusCode, Version, header, request::Parts,
};
use hyper::body::Incoming;

use super::{
    State,
    content::{self, Body, Resource, full},
    script::{Length, Script},
    socket::Line,
};

const JSON: &str = "application/json";

/// Answers a request; `Err` breaks the connection.
pub(super) async fn answer(
    state: Arc<State>,
    line: Arc<Line>,
    request: Request<Incoming>,
) -> Result<Response<Body>, &'static str> {
    let (parts, _) = request.into_parts();
    state.journal.record(&parts);
    let script = state
        .take_script(&parts.method, target(&parts))
        .or_else(|| state.take_script(&parts.method, parts.uri.path()))
        .unwrap_or_default();
    if script.black_hole {
        std::future::pending::<()>().await;
    }
    if let Some(gate) = &script.hold {
        gate.pass().await;
    }
    if script.hang_up {
        line.break_off(true);
        return Err("hung up by the script");
    }
    let mut answer = compose(&state, &parts, &script, &line);
    for (name, value) in &script.headers {
        match value {
            Some(value) => answer.headers_mut().insert(name, value.clone()),
            None => answer.headers_mut().remove(name),
        };
    }
    if !script.ignore_conditions && is_held(&parts.headers, &answer) {
        *answer.body_mut() = full("");
        *answer.status_mut() = StatusCode::NOT_MODIFIED;
        answer.headers_mut().remove(header::CONTENT_LENGTH);
    }
    Ok(answer)
}

/// Tells whether what would be sent is what the client says it holds (RFC 9110 13.1.2).
fn is_held(asked: &HeaderMap, answer: &Response<Body>) -> bool {
    let Some(etag) = answer.headers().get(header::ETAG) else { return false };
    let opaque = |tag: &str| tag.trim().trim_start_matches("W/").to_owned();
    let etag = etag.to_str().map(opaque).unwrap_or_default();
    let held = asked.get_all(header::IF_NONE_MATCH).iter().filter_map(|line| line.to_str().ok());
    answer.status() == StatusCode::OK
        && held.flat_map(|line| line.split(',')).any(|tag| opaque(tag) == etag || tag.trim() == "*")
}

fn compose(state: &State, parts: &Parts, script: &Script, line: &Arc<Line>) -> Response<Body> {
    let path = parts.uri.path();
    let is_scripted = script.status.is_some() || script.body.is_some();
    if let Some(tokens) = state.tokens_at(path).filter(|_| !is_scripted) {
        return match tokens.issue(parts) {
            Ok(body) => typed(JSON, full(body)),
            Err(status) => error(status, "UNAUTHORIZED", "wrong user name or password"),
        };
    }
    if path.starts_with("/v2/")
        && let Err(challenge) = state.auth().admit(parts)
    {
        let mut answer = error(StatusCode::UNAUTHORIZED, "UNAUTHORIZED", "authentication required");
        let challenge = HeaderValue::from_str(&challenge).expect("a challenge is a header value");
        answer.headers_mut().insert(header::WWW_AUTHENTICATE, challenge);
        return answer;
    }
    if let Some(status) = script.status {
        let text = content::Content::Bytes(script.body.clone().unwrap_or_default().into());
        let length = text.size_bytes();
        let body = content::body(text, 0..length, script.clone(), Arc::clone(line));
        let mut answer = Response::new(if parts.method == Method::HEAD { full("") } else { body });
        *answer.status_mut() = status;
        if script.length == Length::Known {
            answer.headers_mut().insert(header::CONTENT_LENGTH, length.into());
        }
        return answer;
    }
    let mut resource = state.resource(target(parts)).or_else(|| state.resource(path));
    if let Some(body) = &script.body {
        let content_type = resource.as_ref().map_or(JSON, |found| &found.content_type).to_owned();
        let digest = resource.and_then(|found| found.digest);
        let content = content::Content::Bytes(body.clone().into());
        resource = Some(Resource { content, content_type, digest });
    }
    match resource {
        Some(resource) => serve(resource, parts, script, line),
        None if path == "/v2/" => typed(JSON, full("{}")),
        None if path.contains("/blobs/") => {
            error(StatusCode::NOT_FOUND, "BLOB_UNKNOWN", "blob unknown to registry")
        }
        None => error(StatusCode::NOT_FOUND, "MANIFEST_UNKNOWN", "manifest unknown"),
    }
}

/// The path with its query: a page of a list is told from another by that.
fn target(parts: &Parts) -> &str {
    parts.uri.path_and_query().map_or("", |target| target.as_str())
}

fn serve(resource: Resource, parts: &Parts, script: &Script, line: &Arc<Line>) -> Response<Body> {
    let size = resource.content.size_bytes();
    let asked = if script.ignore_range { None } else { parse_range(&parts.headers, size) };
    let range = asked.clone().unwrap_or(0..size);
    if range.is_empty() && asked.is_some() {
        return error(StatusCode::RANGE_NOT_SATISFIABLE, "RANGE_INVALID", "no such range");
    }
    let length = range.end - range.start;
    let content_range = format!("bytes {}-{}/{size}", range.start, range.end.saturating_sub(1));
    let body = if parts.method == Method::HEAD {
        full("")
    } else {
        content::body(resource.content, range, script.clone(), Arc::clone(line))
    };
    let mut answer = typed(&resource.content_type, body);
    if script.length == Length::Known {
        answer.headers_mut().insert(header::CONTENT_LENGTH, length.into());
    }
    if script.length == Length::UntilClose {
        *answer.version_mut() = Version::HTTP_10;
    }
    if let Some(digest) = &resource.digest {
        // As docker-registry and most of its kin have it; what a script sends instead has none.
        if script.body.is_none() {
            let etag = HeaderValue::from_str(&format!("\"{digest}\""));
            answer.headers_mut().insert(header::ETAG, etag.expect("likewise in quotes"));
        }
        let digest = HeaderValue::from_str(digest).expect("a digest is a header value");
        answer.headers_mut().insert("docker-content-digest", digest);
    }
    if asked.is_some() {
        *answer.status_mut() = StatusCode::PARTIAL_CONTENT;
        let content_range = HeaderValue::from_str(&content_range).expect("digits");
        answer.headers_mut().insert(header::CONTENT_RANGE, content_range);
    }
    answer
}

/// Reads `bytes=a-` and `bytes=a-b`; what is outside comes back empty.
fn parse_range(headers: &HeaderMap, size: u64) -> Option<Range<u64>> {
    let value = headers.get(header::RANGE)?.to_str().ok()?;
    let (first, last) = value.strip_prefix("bytes=")?.split_once('-')?;
    let first = first.parse().ok()?;
    let end = last.parse().map_or(size, |last: u64| size.min(last.saturating_add(1)));
    Some(first..end.max(first))
}

fn typed(content_type: &str, body: Body) -> Response<Body> {
    let mut answer = Response::new(body);
    let value = HeaderValue::from_str(content_type).expect("a media type is a header value");
    answer.headers_mut().insert(header::CONTENT_TYPE, value);
    answer
}

fn error(status: StatusCode, code: &str, message: &str) -> Response<Body> {
    let envelope = format!(r#"{{"errors":[{{"code":"{code}","message":"{message}"}}]}}"#);
    let mut answer = typed(JSON, full(envelope));
    *answer.status_mut() = status;
    answer
}
