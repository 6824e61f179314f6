//! What ECR says about repository creation templates.

use aws::{Exception, exception::EcrException};
use registry::TemplateError;

use super::{Failure, storage, violation};

/// The exception of an operation on templates.
pub(in super::super) fn template(error: TemplateError) -> Failure {
    let exception = match &error {
        TemplateError::Denied(denied) => return denied.clone().into(),
        TemplateError::AlreadyExists { .. } => EcrException::TemplateAlreadyExists.into(),
        TemplateError::NotFound { .. } => EcrException::TemplateNotFound.into(),
        TemplateError::LimitExceeded { limit } => Exception::new(
            EcrException::LimitExceeded,
            format!(
                "The operation did not succeed because it would have exceeded a service limit \
                 for your account: {limit} repository creation templates for each registry."
            ),
        ),
        TemplateError::Contended { .. } => EcrException::Server.into(),
        TemplateError::Invalid { field, reason } => violation(field, reason),
        TemplateError::Storage(error) => return storage(error, EcrException::Server.into()),
    };
    Failure::from(exception).with_cause(error)
}
