//! AWS STS: who the caller is, which Terraform's provider asks before anything else, and roles that
//! are assumed for a while.

mod assume;
mod operation;

pub use assume::{AssumeRoleRequest, AssumeRoleResult, AssumedRoleUser, SessionCredentials};
pub use operation::Operation;

use serde::Serialize;

use crate::exception::{CommonException, Exception};
use crate::query::Form;

/// The service part of the credential scope.
pub const SIGNING_NAME: &str = "sts";

/// The version of the API.
pub const VERSION: &str = "2011-06-15";

/// The operation of STS that a form calls.
///
/// # Errors
/// `InvalidAction`, in STS's words, where STS has none of that name and version.
pub fn operation(form: &Form) -> Result<Operation, Exception> {
    match Operation::parse(form.action()) {
        Some(operation) if form.version() == VERSION => Ok(operation),
        _ => Err(no_such_operation(form)),
    }
}

/// The refusal of an action that a query service does not have in that version.
pub(crate) fn no_such_operation(form: &Form) -> Exception {
    let version = form.version();
    Exception::new(
        CommonException::UnknownOperation,
        format!(
            "Could not find operation {} for version {}",
            form.action(),
            if version.is_empty() { "NO_VERSION_SPECIFIED" } else { version }
        ),
    )
}

/// The answer to `GetCallerIdentity`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct CallerIdentity {
    /// The caller's ARN.
    pub arn: String,
    /// The caller's unique id; for a root user the account.
    pub user_id: String,
    /// The caller's account, twelve digits.
    pub account: String,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::query::{self, QueryService};

    #[test]
    fn calls_of_other_services_are_refused() {
        let form = Form::parse("", b"Action=GetCallerIdentity&Version=2011-06-15").unwrap();
        assert_eq!(operation(&form), Ok(Operation::GetCallerIdentity));
        let form = Form::parse("", b"Action=ListUsers&Version=2010-05-08").unwrap();
        let exception = operation(&form).unwrap_err();
        assert_eq!(
            query::render_exception(QueryService::Sts, &exception, "r-1"),
            (
                400,
                "<ErrorResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><Error>\
                 <Type>Sender</Type><Code>InvalidAction</Code>\
                 <Message>Could not find operation ListUsers for version 2010-05-08</Message>\
                 </Error><RequestId>r-1</RequestId></ErrorResponse>"
                    .to_owned()
            )
        );
        let form = Form::parse("", b"Action=GetCallerIdentity").unwrap();
        assert!(operation(&form).unwrap_err().message().ends_with("NO_VERSION_SPECIFIED"));
    }

    #[test]
    fn the_callers_identity() {
        let identity = CallerIdentity {
            arn: "arn:aws:iam::123456789012:root".to_owned(),
            user_id: "123456789012".to_owned(),
            account: "123456789012".to_owned(),
        };
        let name = Operation::GetCallerIdentity.name();
        let result = query::result(name, &identity);
        let answer = query::envelope(QueryService::Sts, name, &result, "r-1");
        assert_eq!(
            String::from_utf8(answer).unwrap(),
            "<GetCallerIdentityResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\">\
             <GetCallerIdentityResult><Arn>arn:aws:iam::123456789012:root</Arn>\
             <UserId>123456789012</UserId><Account>123456789012</Account>\
             </GetCallerIdentityResult>\
             <ResponseMetadata><RequestId>r-1</RequestId></ResponseMetadata>\
             </GetCallerIdentityResponse>"
        );
    }
}
