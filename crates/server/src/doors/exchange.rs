//! What is known of one request while it is answered, for its bodies and its log lines.

use std::{borrow::Cow, sync::Arc};

use blobs::Access;
use http::{HeaderValue, Version};

use super::{Connection, RequestId};
use crate::auth::Login;

/// One request and its answer.
#[derive(Debug)]
pub(crate) struct Exchange {
    /// Its id.
    pub(crate) request_id: RequestId,
    /// The connection it came on.
    pub(crate) connection: Connection,
    /// Who asks, once that is known.
    pub(crate) login: Option<Arc<Login>>,
    /// The service of the control plane that is asked, by its signing name.
    pub(crate) service: Option<&'static str>,
    /// The operation of the control plane.
    pub(crate) operation: Option<&'static str>,
    /// The code of the error, or how the cache served it.
    pub(crate) outcome: Option<Cow<'static, str>>,
    /// How many ranges of a blob the answer holds, where it is not the whole.
    pub(crate) ranges: Option<usize>,
    /// The prefix of the rule that the repository falls under.
    pub(crate) rule: Option<HeaderValue>,
    /// The upstream that the request named (`?ns=`).
    pub(crate) namespace: Option<HeaderValue>,
}

impl Exchange {
    pub(super) fn new(request_id: RequestId, mut connection: Connection, version: Version) -> Self {
        // An HTTP/2 connection frames bodies, and copies short ones in user space to do so.
        if version > Version::HTTP_11 {
            connection.access = Access::User;
        }
        Self {
            request_id,
            connection,
            login: None,
            service: None,
            operation: None,
            outcome: None,
            ranges: None,
            rule: None,
            namespace: None,
        }
    }
}
