//! Lists: tags, repositories, referrers.
//!
//! OCI distribution-spec 1.1, "Content Discovery". A list that does not fit in one answer says in
//! `Link` where it goes on (RFC 8288).

use http::{HeaderName, HeaderValue, Response, StatusCode, header};
use metadata::PageRequest;
use oci::{Digest, ErrorCode, Referrer, RepositoryName, media_type};
use registry::Served;
use serde_json::{Value, json};
use url::form_urlencoded;

use super::{
    CACHE_STATUS, Call, Failure, Outcome, ascii, cache_status,
    error::{self, Subject},
    query::Query,
};
use crate::{
    body::{self, Body},
    doors::Exchange,
};

const FILTERS_APPLIED: HeaderName = HeaderName::from_static("oci-filters-applied");

/// Answers `tags/list`.
pub(super) async fn tags(
    call: &Call<'_>,
    name: &RepositoryName,
    exchange: &mut Exchange,
) -> Outcome {
    let (registry, caller) = (call.registry, &call.login.caller);
    let page = page(call, &Query::of(call.head))?;
    let found = registry.tags(caller, name, &page).await;
    let found = found.map_err(|error| error::pull(error, Subject::Manifest))?;
    let tags: Vec<_> = found.page.items.iter().map(|tag| tag.as_str()).collect();
    let path = format!("/v2/{name}/tags/list");
    let link = found.page.next.map(|last| next_page(&path, page.limit, &last, None));
    let list = json!({"name": name.as_str(), "tags": tags});
    let mut response = listed(&list, "application/json", link);
    tell_how(&mut response, &found.served, exchange);
    Ok(response)
}

/// Answers `_catalog`.
pub(super) async fn catalog(call: &Call<'_>) -> Outcome {
    let (registry, caller) = (call.registry, &call.login.caller);
    let page = page(call, &Query::of(call.head))?;
    let found = registry.catalog(caller, &page).await.map_err(error::describe)?;
    let names: Vec<_> = found.items.iter().map(|name| name.as_str()).collect();
    let link = found.next.map(|last| next_page("/v2/_catalog", page.limit, &last, None));
    Ok(listed(&json!({"repositories": names}), "application/json", link))
}

/// Answers `referrers/<digest>`.
pub(super) async fn referrers(
    call: &Call<'_>,
    name: &RepositoryName,
    subject: &Digest,
    exchange: &mut Exchange,
) -> Outcome {
    let (registry, caller) = (call.registry, &call.login.caller);
    let query = Query::of(call.head);
    let page = page(call, &query)?;
    let wanted = query.get("artifactType").filter(|kind| !kind.is_empty());
    let kinds: Vec<String> = wanted.map(str::to_owned).into_iter().collect();
    let found = registry.referrers(caller, name, subject, &kinds, &page).await;
    let found = found.map_err(|error| unlisted(error::pull(error, Subject::Manifest)))?;
    let manifests: Vec<Value> = found.page.items.iter().map(descriptor).collect();
    let index = json!({
        "schemaVersion": 2,
        "mediaType": media_type::OCI_INDEX,
        "manifests": manifests,
    });
    let path = format!("/v2/{name}/referrers/{subject}");
    let link = found.page.next.map(|last| next_page(&path, page.limit, &last, wanted));
    let mut response = listed(&index, media_type::OCI_INDEX, link);
    tell_how(&mut response, &found.served, exchange);
    if wanted.is_some() {
        let applied = HeaderValue::from_static("artifactType");
        response.headers_mut().insert(FILTERS_APPLIED, applied);
    }
    Ok(response)
}

/// "The registry MUST NOT return a `404 Not Found` to a referrers API requests": it would send the
/// client to the referrers tag. What is missing here is what the list would be kept in.
fn unlisted(failure: Failure) -> Failure {
    if failure.is_missing() {
        failure.with_status(StatusCode::SERVICE_UNAVAILABLE)
    } else {
        failure
    }
}

/// Says how an upstream's part of a list came.
fn tell_how(response: &mut Response<Body>, served: &Served, exchange: &mut Exchange) {
    let status = match served {
        // Nothing of a list is stored that a cache could find it by.
        Served::Miss => {
            exchange.outcome = Some("miss".into());
            HeaderValue::from_static("cistern; fwd=miss")
        }
        served => cache_status(served, exchange),
    };
    response.headers_mut().insert(CACHE_STATUS, status);
}

fn descriptor(referrer: &Referrer) -> Value {
    let Referrer { digest, media_type, size_bytes, artifact_type, annotations } = referrer;
    let mut descriptor = json!({
        "mediaType": media_type,
        "digest": digest.as_str(),
        "size": size_bytes,
    });
    if let Some(artifact_type) = artifact_type {
        descriptor["artifactType"] = json!(artifact_type);
    }
    if !annotations.is_empty() {
        descriptor["annotations"] = json!(annotations);
    }
    descriptor
}

/// Reads `n` and `last`.
fn page(call: &Call<'_>, query: &Query) -> Result<PageRequest, Failure> {
    let limit_max = call.doors.settings.list_entries_max;
    let limit = match query.get("n") {
        None => limit_max,
        Some(text) => {
            let digits = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
            if !digits {
                let text = "invalid parameter 'n': expected a whole number";
                return Err(
                    Failure::new(ErrorCode::Unsupported, text).with_status(StatusCode::BAD_REQUEST)
                );
            }
            text.parse().unwrap_or(usize::MAX).min(limit_max)
        }
    };
    let after = query.get("last").filter(|last| !last.is_empty()).map(str::to_owned);
    Ok(PageRequest { after, limit })
}

fn listed(list: &Value, content_type: &'static str, link: Option<HeaderValue>) -> Response<Body> {
    let content_type = HeaderValue::from_static(content_type);
    let mut response = body::full(StatusCode::OK, content_type, list.to_string());
    if let Some(link) = link {
        response.headers_mut().insert(header::LINK, link);
    }
    response
}

/// The `Link` to what comes after `last`.
fn next_page(path: &str, limit: usize, last: &str, artifact_type: Option<&str>) -> HeaderValue {
    let mut query = form_urlencoded::Serializer::new(String::new());
    query.append_pair("n", &limit.to_string()).append_pair("last", last);
    if let Some(artifact_type) = artifact_type {
        query.append_pair("artifactType", artifact_type);
    }
    ascii(&format!("<{path}?{}>; rel=\"next\"", query.finish()))
}
