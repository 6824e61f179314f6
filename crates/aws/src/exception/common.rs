//! Exceptions that every service raises: authentication, framing, throttling, failure.
//!
//! The JSON services answer all client errors but size with 400 (seen from ECR and Secrets
//! Manager); the query services have codes and statuses of their own, see [`QueryError`].

super::exceptions! {
    /// An exception that any service may raise.
    CommonException;
    AccessDenied "AccessDeniedException" 400
        "You do not have sufficient access to perform this action."
    ExpiredToken "ExpiredTokenException" 400
        "The security token included in the request is expired"
    IncompleteSignature "IncompleteSignatureException" 400
        "The request signature does not conform to AWS standards."
    InternalFailure "InternalFailure" 500
        "The request processing has failed because of an unknown error, exception or failure."
    InvalidSignature "InvalidSignatureException" 400
        "The request signature we calculated does not match the signature you provided. Check your \
         AWS Secret Access Key and signing method. Consult the service documentation for details."
    MissingAuthenticationToken "MissingAuthenticationTokenException" 400
        "Missing Authentication Token"
    RequestEntityTooLarge "RequestEntityTooLargeException" 413
        "The request body is larger than the limit."
    Serialization "SerializationException" 400
        "The request body could not be read."
    ServiceUnavailable "ServiceUnavailableException" 503
        "The request has failed due to a temporary failure of the server."
    Throttling "ThrottlingException" 400
        "Rate exceeded"
    UnknownOperation "UnknownOperationException" 400
        "The requested operation is not supported."
    UnrecognizedClient "UnrecognizedClientException" 400
        "The security token included in the request is invalid."
    Validation "ValidationException" 400
        "The input fails to satisfy the constraints of the service."
}

/// How a query service (STS, IAM) says the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct QueryError {
    /// `Code` of the XML.
    pub code: &'static str,
    /// The HTTP status.
    pub status: u16,
    /// A text that replaces the JSON protocols' default one.
    pub text: Option<&'static str>,
}

impl CommonException {
    /// The code and status of the query protocol ("Common errors", AWS STS API reference).
    pub const fn query_error(self) -> QueryError {
        let (code, status, text) = match self {
            Self::AccessDenied => ("AccessDenied", 403, None),
            Self::ExpiredToken => ("ExpiredToken", 403, None),
            Self::IncompleteSignature => ("IncompleteSignature", 400, None),
            Self::InternalFailure => ("InternalFailure", 500, None),
            Self::InvalidSignature => ("SignatureDoesNotMatch", 403, None),
            Self::MissingAuthenticationToken => {
                ("MissingAuthenticationToken", 403, Some("Request is missing Authentication Token"))
            }
            Self::RequestEntityTooLarge => ("RequestEntityTooLarge", 413, None),
            Self::Serialization => ("MalformedInput", 400, None),
            Self::ServiceUnavailable => ("ServiceUnavailable", 503, None),
            Self::Throttling => ("Throttling", 400, None),
            Self::UnknownOperation => ("InvalidAction", 400, None),
            Self::UnrecognizedClient => ("InvalidClientTokenId", 403, None),
            Self::Validation => ("ValidationError", 400, None),
        };
        QueryError { code, status, text }
    }
}
