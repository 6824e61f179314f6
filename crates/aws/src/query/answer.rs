//! Answers of the query protocol.

use serde::Serialize;

use super::QueryService;
use crate::exception::{Exception, ExceptionKind};

/// The content type of answers.
pub const CONTENT_TYPE: &str = "text/xml";

/// A list, each element as `<member>`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Members<T> {
    member: Vec<T>,
}

impl<T> FromIterator<T> for Members<T> {
    fn from_iter<I: IntoIterator<Item = T>>(elements: I) -> Self {
        Self { member: elements.into_iter().collect() }
    }
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

/// Writes what an operation comes to: the element `<operation>Result`.
pub fn result<T: Serialize>(operation: &str, shape: &T) -> String {
    quick_xml::se::to_string_with_root(&format!("{operation}Result"), shape)
        .expect("shapes are structs of strings")
}

/// Writes an answer around its result, which is empty for an operation that has none.
pub fn envelope(service: QueryService, operation: &str, result: &str, request_id: &str) -> Vec<u8> {
    let namespace = service.namespace();
    let metadata = render(&ResponseMetadata { request_id });
    format!("<{operation}Response xmlns=\"{namespace}\">{result}{metadata}</{operation}Response>")
        .into_bytes()
}

/// Writes an exception, whose code and status differ from the JSON protocols'. Gives the HTTP
/// status and the body.
pub fn render_exception(
    service: QueryService,
    exception: &Exception,
    request_id: &str,
) -> (u16, String) {
    let (code, status, text) = match exception.kind() {
        ExceptionKind::Common(kind) => {
            let error = kind.query_error();
            let unsaid = exception.message() == kind.text();
            (error.code, error.status, error.text.filter(|_| unsaid))
        }
        kind @ (ExceptionKind::Ecr(_)
        | ExceptionKind::SecretsManager(_)
        | ExceptionKind::CloudControl(_)
        | ExceptionKind::Iam(_)
        | ExceptionKind::Cistern(_)) => (kind.name(), kind.status(), None),
    };
    let fault = if status < 500 { "Sender" } else { "Receiver" };
    let message = printable(text.unwrap_or(exception.message()));
    let error = ErrorElement { fault, code, message };
    (status, render(&ErrorResponse { namespace: service.namespace(), error, request_id }))
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
    use crate::exception::{CommonException, IamException};

    #[derive(Serialize)]
    #[serde(rename_all = "PascalCase")]
    struct Shape {
        names: Members<&'static str>,
        is_truncated: bool,
        #[serde(skip_serializing_if = "Option::is_none")]
        marker: Option<&'static str>,
    }

    #[test]
    fn lists_have_members() {
        let shape =
            Shape { names: ["a<", "b"].into_iter().collect(), is_truncated: false, marker: None };
        let result = result("ListThings", &shape);
        assert_eq!(
            result,
            "<ListThingsResult><Names><member>a&lt;</member><member>b</member></Names>\
             <IsTruncated>false</IsTruncated></ListThingsResult>"
        );
        let answer = envelope(QueryService::Iam, "ListThings", &result, "r-1");
        assert_eq!(
            String::from_utf8(answer).unwrap(),
            format!(
                "<ListThingsResponse xmlns=\"https://iam.amazonaws.com/doc/2010-05-08/\">{result}\
                 <ResponseMetadata><RequestId>r-1</RequestId></ResponseMetadata>\
                 </ListThingsResponse>"
            )
        );
    }

    #[test]
    fn exceptions_have_codes_of_their_own() {
        let written = |exception: Exception| render_exception(QueryService::Sts, &exception, "r");
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
        let (status, body) = written(IamException::NoSuchEntity.into());
        assert_eq!(status, 404);
        assert!(body.contains("<Code>NoSuchEntity</Code>"));
    }

    #[test]
    fn characters_xml_cannot_hold_are_replaced() {
        let exception = Exception::new(CommonException::UnknownOperation, "a\0b\u{ffff}c\nd");
        let (_, body) = render_exception(QueryService::Sts, &exception, "r");
        assert!(body.contains("<Message>a\u{fffd}b\u{fffd}c\nd</Message>"), "{body}");
    }
}
