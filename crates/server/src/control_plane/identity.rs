//! Who the caller is, for clients that ask STS before anything else, and who he becomes by a role.

use aws::{
    Exception, Sensitive, Timestamp,
    exception::CommonException,
    query::{self, Form, QueryService},
    sts::{
        AssumeRoleRequest, AssumeRoleResult, AssumedRoleUser, CallerIdentity, Operation,
        SessionCredentials,
    },
};
use registry::{AssumeRole, AssumeRoleError, Principal};
use secrecy::ExposeSecret as _;

use super::{
    Call, Outcome,
    error::{self, Failure},
    roles,
};
use crate::doors::Exchange;

/// `GetCallerIdentity`. AWS allows it to everybody whose signature is good.
pub(super) fn get(call: &Call<'_>, exchange: &Exchange) -> Outcome {
    let account = call.registry_id().account.to_string();
    let user_id = match &call.caller().principal {
        Principal::AssumedRole(role) => role.user_id(),
        Principal::Root { .. } | Principal::Anonymous => account.clone(),
    };
    let arn = call.caller().principal.to_string();
    let identity = CallerIdentity { arn, user_id, account };
    Ok(written(Operation::GetCallerIdentity, &identity, exchange))
}

/// `AssumeRole`.
pub(super) async fn assume_role(call: &Call<'_>, form: &Form, exchange: &Exchange) -> Outcome {
    let request = AssumeRoleRequest::read(form)?;
    let bounds = [("Policy", &request.policy), ("SourceIdentity", &request.source_identity)];
    let bound = bounds.into_iter().find(|(_, value)| value.is_some()).map(|(name, _)| name);
    // A session that is bound less than its caller wants would be one that may too much.
    if let Some(name) = bound.or_else(|| AssumeRoleRequest::other_member(form)) {
        let text = format!("{name} is not offered by this version: leave it out.");
        return Err(Exception::new(CommonException::Validation, text).into());
    }
    let asked = AssumeRole {
        role_arn: request.role_arn,
        session_name: request.role_session_name,
        duration_secs: request.duration_seconds,
        external_id: request.external_id,
    };
    let session = call.registry().assume_role(call.caller(), asked).await.map_err(refused)?;
    let role = &session.principal;
    let answer = AssumeRoleResult {
        credentials: SessionCredentials {
            access_key_id: role.access_key_id.clone(),
            secret_access_key: Sensitive::from(session.secret_access_key.expose_secret()),
            session_token: call.doors.authenticator.session_token(&session).into(),
            expiration: Timestamp::from_milliseconds(role.expires_at.0).to_extended_format(),
        },
        assumed_role_user: AssumedRoleUser {
            assumed_role_id: role.user_id(),
            arn: role.to_string(),
        },
    };
    Ok(written(Operation::AssumeRole, &answer, exchange))
}

fn written(operation: Operation, result: &impl serde::Serialize, exchange: &Exchange) -> Vec<u8> {
    let name = operation.name();
    let result = query::result(name, result);
    query::envelope(QueryService::Sts, name, &result, exchange.request_id.as_str())
}

/// What STS says when it refuses. Texts are its own, as its users see them.
fn refused(error: AssumeRoleError) -> Failure {
    let invalid = |text: String| Exception::new(CommonException::Validation, text);
    let exception = match &error {
        AssumeRoleError::Denied(denied) => return denied.clone().into(),
        AssumeRoleError::Invalid { field: "RoleArn", reason } => invalid(reason.clone()),
        AssumeRoleError::Invalid { field, reason } => roles::violation(field, reason),
        AssumeRoleError::TooLong { is_chained: false, .. } => invalid(
            "The requested DurationSeconds exceeds the MaxSessionDuration set for this role."
                .to_owned(),
        ),
        AssumeRoleError::TooLong { is_chained: true, .. } => invalid(
            "The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by \
             role chaining."
                .to_owned(),
        ),
        AssumeRoleError::Storage(error) => {
            return error::storage(error, CommonException::InternalFailure.into());
        }
    };
    Failure::from(exception).with_cause(error)
}
