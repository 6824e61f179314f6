//! What became of requests.

use aws::{
    Exception,
    cloud_control::{
        ListResourceRequestsRequest, ListResourceRequestsResponse, RequestTokenRequest,
        ResourceRequestStatusFilter,
    },
    json,
};
use metadata::{Page, RequestStatus, ResourceOperation};
use registry::RequestFilter;

use super::{Call, Outcome, constraints, progress};

/// `GetResourceRequestStatus`.
pub(super) async fn status(call: &Call<'_>) -> Outcome {
    let request: RequestTokenRequest = call.cloud_control()?;
    let token = &request.request_token;
    constraints::token("requestToken", token)?;
    let found = call.registry().resource_request(call.caller(), token).await;
    Ok(progress::render(found.map_err(progress::no_event)?, call.now()))
}

/// `CancelResourceRequest`.
pub(super) async fn cancel(call: &Call<'_>) -> Outcome {
    let request: RequestTokenRequest = call.cloud_control()?;
    let token = &request.request_token;
    constraints::token("requestToken", token)?;
    let canceled = call.registry().cancel_resource_request(call.caller(), token).await;
    Ok(progress::render(canceled.map_err(progress::no_event)?, call.now()))
}

/// `ListResourceRequests`.
pub(super) async fn list(call: &Call<'_>) -> Outcome {
    let request: ListResourceRequestsRequest = call.cloud_control()?;
    let page = constraints::page(request.next_token.as_deref(), request.max_results)?;
    let filter = filter(request.resource_request_status_filter.unwrap_or_default())?;
    let found = call.registry().resource_requests(call.caller(), &filter, &page).await;
    let Page { items, next } = found.map_err(progress::no_event)?;
    let now = call.now();
    Ok(json::render(&ListResourceRequestsResponse {
        resource_request_status_summaries: items
            .into_iter()
            .map(|request| progress::event(request, now))
            .collect(),
        next_token: constraints::next_token(next),
    }))
}

fn filter(filter: ResourceRequestStatusFilter) -> Result<RequestFilter, Exception> {
    fn words<T>(
        member: &str,
        words: Option<Vec<String>>,
        parse: fn(&str) -> Option<T>,
        known: &[&str],
    ) -> Result<Vec<T>, Exception> {
        let unknown = || {
            let known = known.join(", ");
            constraints::violation(member, &format!("must satisfy enum value set: [{known}]"))
        };
        let words = words.unwrap_or_default().into_iter();
        words.map(|word| parse(&word).ok_or_else(unknown)).collect()
    }
    Ok(RequestFilter {
        operations: words(
            "resourceRequestStatusFilter.operations",
            filter.operations,
            ResourceOperation::parse,
            &ResourceOperation::ALL.map(ResourceOperation::as_str),
        )?,
        statuses: words(
            "resourceRequestStatusFilter.operationStatuses",
            filter.operation_statuses,
            RequestStatus::parse,
            &RequestStatus::ALL.map(RequestStatus::as_str),
        )?,
    })
}
