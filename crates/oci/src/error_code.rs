//! The error codes of the distribution specification, with the status each is served with.
//!
//! OCI distribution-spec 1.1, "Error Codes": what is answered with a 4xx status has one of its codes,
//! or `TAG_INVALID`, which "Legacy Docker support error codes" allows. It has none for 5xx:
//! `UNAVAILABLE` and `UNKNOWN` are the words registries and clients use there. `code`, `status` and
//! the default message stand in one table so that they cannot part.

/// An error code of the data plane.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "each is documented by its message in the table below")]
pub enum ErrorCode {
    BlobUnknown,
    BlobUploadInvalid,
    BlobUploadUnknown,
    DigestInvalid,
    ManifestBlobUnknown,
    ManifestInvalid,
    ManifestUnknown,
    NameInvalid,
    NameUnknown,
    SizeInvalid,
    TagInvalid,
    Unauthorized,
    Denied,
    Unsupported,
    TooManyRequests,
    RangeInvalid,
    BadGateway,
    GatewayTimeout,
    LoopDetected,
    Unavailable,
    Unknown,
}

impl ErrorCode {
    /// Returns code, HTTP status and default message.
    fn row(self) -> (&'static str, u16, &'static str) {
        match self {
            Self::BlobUnknown => ("BLOB_UNKNOWN", 404, "blob unknown to registry"),
            Self::BlobUploadInvalid => ("BLOB_UPLOAD_INVALID", 416, "blob upload invalid"),
            Self::BlobUploadUnknown => ("BLOB_UPLOAD_UNKNOWN", 404, "blob upload unknown"),
            Self::DigestInvalid => ("DIGEST_INVALID", 400, "provided digest is not valid"),
            Self::ManifestBlobUnknown => {
                ("MANIFEST_BLOB_UNKNOWN", 404, "manifest names an unknown blob")
            }
            Self::ManifestInvalid => ("MANIFEST_INVALID", 400, "manifest invalid"),
            Self::ManifestUnknown => ("MANIFEST_UNKNOWN", 404, "Requested image not found"),
            Self::NameInvalid => ("NAME_INVALID", 400, "invalid repository name"),
            Self::NameUnknown => ("NAME_UNKNOWN", 404, "repository name not known to registry"),
            Self::SizeInvalid => {
                ("SIZE_INVALID", 400, "provided length did not match content length")
            }
            Self::TagInvalid => ("TAG_INVALID", 400, "manifest tag did not match URI"),
            Self::Unauthorized => ("UNAUTHORIZED", 401, "authentication required"),
            Self::Denied => ("DENIED", 403, "requested access to the resource is denied"),
            Self::Unsupported => ("UNSUPPORTED", 405, "the operation is unsupported"),
            Self::TooManyRequests => ("TOOMANYREQUESTS", 429, "too many requests"),
            Self::RangeInvalid => ("SIZE_INVALID", 416, "the range is not inside the blob"),
            Self::BadGateway => ("UNAVAILABLE", 502, "the upstream registry failed"),
            Self::GatewayTimeout => {
                ("UNAVAILABLE", 504, "the upstream registry did not answer in time")
            }
            Self::LoopDetected => ("UNAVAILABLE", 508, "the registries lead in a circle"),
            Self::Unavailable => ("UNAVAILABLE", 503, "the registry is not available right now"),
            Self::Unknown => ("UNKNOWN", 500, "unknown error"),
        }
    }

    /// Returns the code as written in the envelope.
    pub fn as_str(self) -> &'static str {
        self.row().0
    }

    /// Returns the HTTP status it is served with.
    pub fn status(self) -> u16 {
        self.row().1
    }

    /// Returns the default message.
    pub fn message(self) -> &'static str {
        self.row().2
    }
}
