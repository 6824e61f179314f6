//! Requests to change resources as facts: what was asked, and what came of it.
//!
//! AWS Cloud Control API reference, `ProgressEvent`.

use crate::Timestamp;

/// What a request asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ResourceOperation {
    /// A new resource.
    Create,
    /// Other properties of a resource.
    Update,
    /// The end of a resource.
    Delete,
}

/// How far a request has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum RequestStatus {
    /// It waits.
    Pending,
    /// It is being carried out.
    InProgress,
    /// It was carried out.
    Success,
    /// It could not be carried out.
    Failed,
    /// It is being carried out, and should not be any more.
    CancelInProgress,
    /// It was not carried out, because it should not be any more.
    CancelComplete,
}

/// The caller's own name for a request, and what tells the same request from another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClientToken {
    /// The name.
    pub token: String,
    /// What was asked, hashed and sealed by the caller of this room.
    pub sealed_fingerprint: Vec<u8>,
}

/// A request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ResourceRequest {
    /// Its name, unique in its registry.
    pub request_token: String,
    /// The caller's own name for it, where one was given.
    pub client_token: Option<ClientToken>,
    /// The type of the resource, such as `AWS::ECR::PullThroughCacheRule`.
    pub type_name: String,
    /// What is asked for.
    pub operation: ResourceOperation,
    /// What names the resource whatever the spelling of its identifier: one request at a time may
    /// be open for it. `None` where that is not known before it exists.
    pub subject: Option<String>,
    /// The resource's identifier, as far as it is known.
    pub identifier: Option<String>,
    /// How far it has come.
    pub status: RequestStatus,
    /// Why it failed, in a word.
    pub error_code: Option<String>,
    /// Why it failed, or what else there is to say.
    pub status_message: Option<String>,
    /// The resource afterwards, as JSON.
    pub resource_model: Option<String>,
    /// When it was made.
    pub requested_at: Timestamp,
}

/// From when on requests count; older ones are as good as gone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RequestHorizon {
    /// Those made earlier are dropped.
    pub kept_since: Timestamp,
    /// Client tokens used earlier are free again.
    pub client_tokens_since: Timestamp,
    /// Those made earlier are not open any more: whoever carried them out is gone.
    pub open_since: Timestamp,
}

/// What became of a request that was to begin.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Begun {
    /// It is recorded.
    New,
    /// It is not: one of the same client token is there.
    Repeated(ResourceRequest),
    /// It is not: this one is open for the same resource.
    Concurrent(ResourceRequest),
}

impl ResourceOperation {
    /// Every one.
    pub const ALL: [Self; 3] = [Self::Create, Self::Update, Self::Delete];

    /// The name on the wire and in the store.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Create => "CREATE",
            Self::Update => "UPDATE",
            Self::Delete => "DELETE",
        }
    }

    /// The operation of that name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|operation| operation.as_str() == name)
    }
}

impl RequestStatus {
    /// Every one.
    pub const ALL: [Self; 6] = [
        Self::Pending,
        Self::InProgress,
        Self::Success,
        Self::Failed,
        Self::CancelInProgress,
        Self::CancelComplete,
    ];

    /// The name on the wire and in the store.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "PENDING",
            Self::InProgress => "IN_PROGRESS",
            Self::Success => "SUCCESS",
            Self::Failed => "FAILED",
            Self::CancelInProgress => "CANCEL_IN_PROGRESS",
            Self::CancelComplete => "CANCEL_COMPLETE",
        }
    }

    /// The status of that name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.as_str() == name)
    }

    /// Tells whether more may come of the request.
    pub const fn is_open(self) -> bool {
        matches!(self, Self::Pending | Self::InProgress | Self::CancelInProgress)
    }
}

impl ResourceRequest {
    /// What a page of requests starts after: the newest come first.
    pub fn page_key(&self) -> String {
        format!("{}:{}", self.requested_at.0, self.request_token)
    }
}

/// Reads what [`ResourceRequest::page_key`] wrote; the first page starts after everything.
pub(crate) fn read_page_key(after: Option<&str>) -> (i64, &str) {
    let first = (i64::MAX, "");
    let Some(after) = after else { return first };
    let read = after.split_once(':').and_then(|(at, token)| Some((at.parse().ok()?, token)));
    // A key that no page gave starts nowhere: nothing lies before the first moment.
    read.unwrap_or((i64::MIN, ""))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_come_back() {
        for status in RequestStatus::ALL {
            assert_eq!(RequestStatus::parse(status.as_str()), Some(status));
        }
        for operation in ResourceOperation::ALL {
            assert_eq!(ResourceOperation::parse(operation.as_str()), Some(operation));
        }
        assert_eq!(RequestStatus::parse("success"), None);
    }

    #[test]
    fn pages_start_where_the_key_says() {
        assert_eq!(read_page_key(None), (i64::MAX, ""));
        assert_eq!(read_page_key(Some("7:a:b")), (7, "a:b"));
        assert_eq!(read_page_key(Some("x")), (i64::MIN, ""));
    }
}
