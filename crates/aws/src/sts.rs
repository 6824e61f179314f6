//! AWS STS and the query protocol: a form with an `Action`, answered in XML.
//!
//! Terraform's provider asks who it is before anything else.

mod operation;

pub use operation::Operation;

use serde::Serialize;

use crate::exception::{CommonException, Exception, ExceptionKind};
use crate::query;

/// The service part of the credential scope.
pub const SIGNING_NAME: &str = "sts";

/// The version of the API.
pub const VERSION: &str = "2011-06-15";

/// The content type of answers.
pub const CONTENT_TYPE: &str = "text/xml";

const NAMESPACE: &str = "https://sts.amazonaws.com/doc/2011-06-15/";

/// A call of the query protocol, of whichever service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Call {
    /// `Action`, the operation's name.
    pub action: String,
    /// `Version`, the version of the API; empty when absent.
    pub version: String,
}

impl Call {
    /// Reads a call from a form body, or from the query of a presigned `GET`, whose body is empty.
    /// None where neither has an `Action`.
    pub fn parse(raw_query: &str, body: &[u8]) -> Option<Self> {
        let form = if body.is_empty() { raw_query.as_bytes() } else { body };
        let (mut action, mut version) = (None, None);
        for (name, value) in query::pairs(form) {
            let slot = match name.as_slice() {
                b"Action" => &mut action,
                b"Version" => &mut version,
                _ => continue,
            };
            slot.get_or_insert_with(|| String::from_utf8_lossy(&value).into_owned());
        }
        Some(Self { action: action?, version: version.unwrap_or_default() })
    }

    /// The operation of STS that is called.
    ///
    /// # Errors
    /// `InvalidAction`, in STS's words, where STS has none of that name and version.
    pub fn operation(&self) -> Result<Operation, Exception> {
        match Operation::parse(&self.action) {
            Some(operation) if self.version == VERSION => Ok(operation),
            _ => Err(Exception::new(
                CommonException::UnknownOperation,
                format!(
                    "Could not find operation {} for version {}",
                    self.action,
                    if self.version.is_empty() { "NO_VERSION_SPECIFIED" } else { &self.version }
                ),
            )),
        }
    }
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

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct GetCallerIdentityResponse<'a> {
    #[serde(rename = "@xmlns")]
    namespace: &'static str,
    get_caller_identity_result: &'a CallerIdentity,
    response_metadata: ResponseMetadata<'a>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct ResponseMetadata<'a> {
    request_id: &'a str,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct ErrorResponse<'a> {
    #[serde(rename = "@xmlns")]
    namespace: &'static str,
    error: ErrorElement<'a>,
    request_id: &'a str,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct ErrorElement<'a> {
    #[serde(rename = "Type")]
    fault: &'static str,
    code: &'a str,
    message: String,
}

/// Writes the answer to `GetCallerIdentity`.
pub fn render_caller_identity(identity: &CallerIdentity, request_id: &str) -> String {
    render(&GetCallerIdentityResponse {
        namespace: NAMESPACE,
        get_caller_identity_result: identity,
        response_metadata: ResponseMetadata { request_id },
    })
}

/// Writes an exception in the query protocol, whose codes and statuses differ from the JSON
/// protocols'. Gives the HTTP status and the body.
pub fn render_exception(exception: &Exception, request_id: &str) -> (u16, String) {
    let (code, status, text) = match exception.kind() {
        ExceptionKind::Common(kind) => {
            let error = kind.query_error();
            let unsaid = exception.message() == kind.text();
            (error.code, error.status, error.text.filter(|_| unsaid))
        }
        kind @ (ExceptionKind::Ecr(_)
        | ExceptionKind::SecretsManager(_)
        | ExceptionKind::CloudControl(_)) => (kind.name(), kind.status(), None),
    };
    let fault = if status < 500 { "Sender" } else { "Receiver" };
    let message = printable(text.unwrap_or(exception.message()));
    let error = ErrorElement { fault, code, message };
    (status, render(&ErrorResponse { namespace: NAMESPACE, error, request_id }))
}

fn render<T: Serialize>(document: &T) -> String {
    quick_xml::se::to_string(document).expect("documents are structs of strings")
}

/// Without the characters that XML 1.0 cannot hold, escaped or not (section 2.2).
fn printable(text: &str) -> String {
    text.chars()
        .map(|character| match character {
            '\t' | '\n' | '\r' => character,
            '\0'..='\u{1f}' | '\u{fffe}' | '\u{ffff}' => char::REPLACEMENT_CHARACTER,
            other => other,
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_call_is_read_from_the_body_or_the_query() {
        let call =
            Call { action: "GetCallerIdentity".to_owned(), version: "2011-06-15".to_owned() };
        let form = "Action=GetCallerIdentity&Version=2011-06-15";
        assert_eq!(Call::parse("", form.as_bytes()), Some(call.clone()));
        assert_eq!(Call::parse(form, b""), Some(call.clone()));
        assert_eq!(call.operation(), Ok(Operation::GetCallerIdentity));
        assert_eq!(Call::parse("", b"Version=2011-06-15"), None);
        assert_eq!(Call::parse("", b"{\"a\":\"Action=x\"}"), None);
    }

    #[test]
    fn calls_of_other_services_are_refused() {
        let call = Call::parse("", b"Action=ListUsers&Version=2010-05-08").unwrap();
        let exception = call.operation().unwrap_err();
        assert_eq!(
            render_exception(&exception, "r-1"),
            (
                400,
                "<ErrorResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><Error>\
                 <Type>Sender</Type><Code>InvalidAction</Code>\
                 <Message>Could not find operation ListUsers for version 2010-05-08</Message>\
                 </Error><RequestId>r-1</RequestId></ErrorResponse>"
                    .to_owned()
            )
        );
        let call = Call::parse("", b"Action=GetCallerIdentity").unwrap();
        assert!(call.operation().unwrap_err().message().ends_with("NO_VERSION_SPECIFIED"));
    }

    #[test]
    fn the_callers_identity() {
        let identity = CallerIdentity {
            arn: "arn:aws:iam::123456789012:root".to_owned(),
            user_id: "123456789012".to_owned(),
            account: "123456789012".to_owned(),
        };
        assert_eq!(
            render_caller_identity(&identity, "r-1"),
            "<GetCallerIdentityResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\">\
             <GetCallerIdentityResult><Arn>arn:aws:iam::123456789012:root</Arn>\
             <UserId>123456789012</UserId><Account>123456789012</Account>\
             </GetCallerIdentityResult>\
             <ResponseMetadata><RequestId>r-1</RequestId></ResponseMetadata>\
             </GetCallerIdentityResponse>"
        );
    }

    #[test]
    fn exceptions_have_codes_of_their_own() {
        let written = |exception: Exception| render_exception(&exception, "r");
        let (status, body) = written(CommonException::MissingAuthenticationToken.into());
        assert_eq!(status, 403);
        assert!(body.contains("<Code>MissingAuthenticationToken</Code>"));
        assert!(body.contains("<Message>Request is missing Authentication Token</Message>"));
        let (status, body) =
            written(Exception::new(CommonException::InvalidSignature, "Signature expired: <a&b>"));
        assert_eq!(status, 403);
        assert!(body.contains("<Code>SignatureDoesNotMatch</Code>"));
        assert!(body.contains("<Message>Signature expired: &lt;a&amp;b&gt;</Message>"));
        let (status, body) = written(CommonException::UnrecognizedClient.into());
        assert_eq!(status, 403);
        assert!(body.contains("<Code>InvalidClientTokenId</Code>"));
        let (status, body) = written(CommonException::InternalFailure.into());
        assert_eq!(status, 500);
        assert!(body.contains("<Type>Receiver</Type>"));
    }

    #[test]
    fn characters_xml_cannot_hold_are_replaced() {
        let (_, body) = render_exception(
            &Exception::new(CommonException::UnknownOperation, "a\0b\u{ffff}c\nd"),
            "r",
        );
        assert!(body.contains("<Message>a\u{fffd}b\u{fffd}c\nd</Message>"), "{body}");
    }
}
