//! The other side of the query protocol: calls that are made, and answers that are read.

use serde::Deserialize;

use super::encode_into;

/// The content type of calls.
pub const FORM_CONTENT_TYPE: &str = "application/x-www-form-urlencoded; charset=utf-8";

/// What a service said when it refused a call.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Refused {
    /// The code of the exception, such as `AccessDenied`.
    #[serde(default)]
    pub code: String,
    /// The sentence.
    #[serde(default)]
    pub message: String,
}

/// Writes the body of a call.
pub fn form(action: &str, version: &str, parameters: &[(&str, String)]) -> Vec<u8> {
    let mut body = Vec::new();
    let first = [("Action", action), ("Version", version)];
    let rest = parameters.iter().map(|(name, value)| (*name, value.as_str()));
    for (name, value) in first.into_iter().chain(rest) {
        if !body.is_empty() {
            body.push(b'&');
        }
        encode_into(&mut body, name.as_bytes());
        body.push(b'=');
        encode_into(&mut body, value.as_bytes());
    }
    body
}

/// Reads an exception; none where the body holds none.
pub fn read_exception(body: &[u8]) -> Option<Refused> {
    #[derive(Deserialize)]
    #[serde(rename_all = "PascalCase")]
    struct Envelope {
        error: Refused,
    }
    let text = std::str::from_utf8(body).ok()?;
    let refused = quick_xml::de::from_str::<Envelope>(text).ok()?.error;
    Some(refused).filter(|refused| !refused.code.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::exception::{CommonException, Exception};
    use crate::query::{Form, QueryService, render_exception};

    #[test]
    fn a_form_is_read_as_it_is_written() {
        let body = form("Do", "1", &[("A.b", "x=y&z +%".to_owned()), ("C", String::new())]);
        let form = Form::parse("", &body).unwrap();
        assert_eq!((form.action(), form.version()), ("Do", "1"));
        assert_eq!((form.get("A.b"), form.get("C")), (Some("x=y&z +%"), Some("")));
    }

    #[test]
    fn an_exception_is_read_as_it_is_written() {
        let exception = Exception::new(CommonException::AccessDenied, "not <you>");
        let (_, body) = render_exception(QueryService::Sts, &exception, "r-1");
        let refused = Refused { code: "AccessDenied".to_owned(), message: "not <you>".to_owned() };
        assert_eq!(read_exception(body.as_bytes()), Some(refused));
        for body in ["", "<html></html>", "{}", "<ErrorResponse><Error/></ErrorResponse>"] {
            assert_eq!(read_exception(body.as_bytes()), None, "{body}");
        }
    }
}
