//! What became of a request.

use serde::{Deserialize, Serialize};

use crate::{
    Exception, Sensitive, Timestamp,
    exception::{
        CloudControlException, CommonException, EcrException, ExceptionKind,
        SecretsManagerException,
    },
};

/// The answer of every operation that starts, looks after or cancels a request.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct ProgressEventResponse {
    /// How far the request has come.
    pub progress_event: ProgressEvent,
}

/// How far a request has come.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct ProgressEvent {
    /// The type of the resource.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub type_name: Option<String>,
    /// The resource, as far as its identifier is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub identifier: Option<String>,
    /// What the request is asked after by.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub request_token: Option<String>,
    /// `CREATE`, `UPDATE`, `DELETE`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub operation: Option<String>,
    /// `PENDING`, `IN_PROGRESS`, `SUCCESS`, `FAILED`, `CANCEL_IN_PROGRESS`, `CANCEL_COMPLETE`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub operation_status: Option<String>,
    /// When the request was made.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub event_time: Option<Timestamp>,
    /// The resource's properties, a JSON object as text.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub resource_model: Option<Sensitive>,
    /// What else there is to say.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status_message: Option<String>,
    /// Why it failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error_code: Option<String>,
    /// When to ask again.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub retry_after: Option<Timestamp>,
}

/// Why a request failed, in a word ("Handler error codes", CloudFormation CLI user guide). Only
/// those that can happen here.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum HandlerErrorCode {
    /// No policy allows it.
    AccessDenied,
    /// The resource is there already.
    AlreadyExists,
    /// The service refuses for a reason of its own.
    GeneralServiceException,
    /// What was asked makes no sense to the service.
    InvalidRequest,
    /// The resource is not there.
    NotFound,
    /// One more would be too many.
    ServiceLimitExceeded,
    /// The service failed.
    ServiceInternalError,
    /// Too many requests at once.
    Throttling,
}

impl HandlerErrorCode {
    /// The name on the wire.
    pub const fn name(self) -> &'static str {
        match self {
            Self::AccessDenied => "AccessDenied",
            Self::AlreadyExists => "AlreadyExists",
            Self::GeneralServiceException => "GeneralServiceException",
            Self::InvalidRequest => "InvalidRequest",
            Self::NotFound => "NotFound",
            Self::ServiceLimitExceeded => "ServiceLimitExceeded",
            Self::ServiceInternalError => "ServiceInternalError",
            Self::Throttling => "Throttling",
        }
    }

    /// The code of what a service answered when a resource's operation came down to it.
    pub fn of(exception: &Exception) -> Self {
        match exception.kind() {
            ExceptionKind::Common(kind) => Self::of_common(kind),
            ExceptionKind::Ecr(kind) => Self::of_ecr(kind),
            ExceptionKind::SecretsManager(kind) => Self::of_secrets_manager(kind),
            ExceptionKind::CloudControl(CloudControlException::ResourceNotFound) => Self::NotFound,
            ExceptionKind::CloudControl(CloudControlException::AlreadyExists) => {
                Self::AlreadyExists
            }
            // No type that is offered here comes down to IAM.
            ExceptionKind::CloudControl(_) | ExceptionKind::Iam(_) | ExceptionKind::Cistern(_) => {
                Self::InvalidRequest
            }
        }
    }

    fn of_common(kind: CommonException) -> Self {
        match kind {
            CommonException::AccessDenied => Self::AccessDenied,
            CommonException::Throttling => Self::Throttling,
            CommonException::InternalFailure | CommonException::ServiceUnavailable => {
                Self::ServiceInternalError
            }
            _ => Self::InvalidRequest,
        }
    }

    fn of_ecr(kind: EcrException) -> Self {
        match kind {
            EcrException::PullThroughCacheRuleAlreadyExists
            | EcrException::RepositoryAlreadyExists
            | EcrException::TemplateAlreadyExists => Self::AlreadyExists,
            EcrException::PullThroughCacheRuleNotFound
            | EcrException::RegistryPolicyNotFound
            | EcrException::RepositoryNotFound
            | EcrException::TemplateNotFound => Self::NotFound,
            EcrException::LimitExceeded | EcrException::TooManyTags => Self::ServiceLimitExceeded,
            EcrException::RepositoryNotEmpty | EcrException::Kms => Self::GeneralServiceException,
            EcrException::Server => Self::ServiceInternalError,
            _ => Self::InvalidRequest,
        }
    }

    fn of_secrets_manager(kind: SecretsManagerException) -> Self {
        match kind {
            SecretsManagerException::ResourceExists => Self::AlreadyExists,
            SecretsManagerException::ResourceNotFound => Self::NotFound,
            SecretsManagerException::LimitExceeded => Self::ServiceLimitExceeded,
            SecretsManagerException::InternalServiceError => Self::ServiceInternalError,
            SecretsManagerException::DecryptionFailure
            | SecretsManagerException::EncryptionFailure => Self::GeneralServiceException,
            _ => Self::InvalidRequest,
        }
    }

    /// The exception of an operation that answers at once, with the same sentence.
    pub fn to_exception(self, message: impl Into<String>) -> Exception {
        let kind: ExceptionKind = match self {
            Self::AccessDenied => CommonException::AccessDenied.into(),
            Self::AlreadyExists => CloudControlException::AlreadyExists.into(),
            Self::GeneralServiceException => CloudControlException::GeneralService.into(),
            Self::InvalidRequest => CloudControlException::InvalidRequest.into(),
            Self::NotFound => CloudControlException::ResourceNotFound.into(),
            Self::ServiceLimitExceeded => CloudControlException::ServiceLimitExceeded.into(),
            Self::ServiceInternalError => CloudControlException::ServiceInternalError.into(),
            Self::Throttling => CommonException::Throttling.into(),
        };
        Exception::new(kind, message.into())
    }
}
