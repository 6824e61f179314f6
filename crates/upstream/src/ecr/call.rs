//! One signed call of an AWS service, and what its refusal means.

use std::{sync::Arc, time::SystemTime};

use aws::{
    query,
    sigv4::{self, Signer},
};
use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use secrecy::{ExposeSecret as _, SecretString};
use serde::Deserialize;

use crate::{
    Error, SharedClock,
    answer::{retry_after, shorten},
    dial::Reach,
    endpoint::Endpoint,
    error::LoginFailure,
    wire::{Request, Wire, read_rest},
};

/// The longest answer of a service that is read, in bytes: a token is a few KiB.
const ANSWER_BYTES_MAX: u64 = 256 << 10;

/// AWS credentials.
#[derive(Clone, Debug)]
pub(super) struct Keys {
    pub(super) access_key_id: String,
    pub(super) secret_access_key: SecretString,
    pub(super) session_token: Option<SecretString>,
    /// When temporary ones end.
    pub(super) expires_at: Option<SystemTime>,
}

/// The way to AWS's services.
#[derive(Clone, Debug)]
pub(super) struct Services {
    pub(super) wire: Arc<Wire>,
    /// The time that requests are signed with.
    pub(super) clock: SharedClock,
}

/// A call: `POST /` with a body.
pub(super) struct Call<'a> {
    /// The host of the service, as the public knows it.
    pub(super) host: &'a str,
    pub(super) region: &'a str,
    pub(super) signing_name: &'a str,
    pub(super) content_type: &'static str,
    /// `X-Amz-Target`, where the protocol has it.
    pub(super) target: Option<String>,
    pub(super) body: Vec<u8>,
}

/// What a service refused with.
pub(super) struct Refusal {
    /// The code of the exception, without a namespace.
    pub(super) code: String,
    /// Code and sentence, shortened and safe to show.
    pub(super) reason: String,
}

/// How a call ended that the service answered.
pub(super) enum Reply {
    Done(Bytes, HeaderMap),
    Refused(Refusal),
}

impl Call<'_> {
    /// Makes the call. What the service refuses with a reason is a [`Reply`]; throttling, failures
    /// of the service and of the way there are errors.
    pub(super) async fn make(self, services: &Services, keys: &Keys) -> Result<Reply, Error> {
        let (wire, now) = (&services.wire, services.clock.now());
        let endpoint = wire.endpoints.service(self.host);
        let request = self.signed(&endpoint, keys, now)?;
        let (mut answer, _) = wire.send(&endpoint, request).await?;
        let status = answer.status();
        if status.is_success() {
            let headers = answer.headers().clone();
            let body = wire.read(&endpoint, answer, ANSWER_BYTES_MAX).await?;
            return Ok(Reply::Done(body, headers));
        }
        let body = read_rest(&mut answer, ANSWER_BYTES_MAX).await;
        let host = endpoint.name().to_string();
        match refusal(&body) {
            _ if status == StatusCode::TOO_MANY_REQUESTS => {
                let retry_after = retry_after(answer.headers(), now);
                Err(Error::RateLimited { host, retry_after, was_asked: true })
            }
            Some(refusal) if refusal.code.starts_with("Throttling") => {
                Err(Error::RateLimited { host, retry_after: None, was_asked: true })
            }
            Some(refusal) if status.is_client_error() => Ok(Reply::Refused(refusal)),
            _ => {
                let retry_after = retry_after(answer.headers(), now);
                Err(Error::Status { host, status: status.as_u16(), retry_after })
            }
        }
    }

    fn signed(self, endpoint: &Endpoint, keys: &Keys, now: SystemTime) -> Result<Request, Error> {
        let url = endpoint.root();
        let mut headers = HeaderMap::new();
        let authority = match (url.host_str().unwrap_or_default(), url.port()) {
            (host, Some(port)) => format!("{host}:{port}"),
            (host, None) => host.to_owned(),
        };
        let value = |text: &str| HeaderValue::from_str(text).map_err(|_| unsendable(endpoint));
        headers.insert(header::HOST, value(&authority)?);
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(self.content_type));
        if let Some(target) = &self.target {
            headers.insert("x-amz-target", value(target)?);
        }
        let signer = Signer {
            access_key_id: &keys.access_key_id,
            secret_access_key: keys.secret_access_key.expose_secret(),
            session_token: keys.session_token.as_ref().map(|token| token.expose_secret()),
            region: self.region,
            service: self.signing_name,
        };
        let unsigned = sigv4::Request {
            method: "POST",
            path: url.path(),
            query: "",
            headers: &headers,
            body: &self.body,
        };
        let now = aws::Timestamp::from_system_time(now);
        let added = signer.sign(&unsigned, now).map_err(|_| unsendable(endpoint))?;
        headers.extend(added);
        // The client writes it itself, from the URL that the signature names.
        headers.remove(header::HOST);
        let body = Bytes::from(self.body);
        // Where a service is only the operator says.
        Ok(Request { method: Method::POST, url, headers, body, reach: Reach::Any })
    }
}

impl Refusal {
    /// Tells whether it is the credentials that are refused, and not what was asked with them.
    pub(super) fn is_of_credentials(&self) -> bool {
        const CODES: [&str; 9] = [
            "ExpiredToken",
            "ExpiredTokenException",
            "IncompleteSignature",
            "InvalidClientTokenId",
            "InvalidSignatureException",
            "MissingAuthenticationToken",
            "SignatureDoesNotMatch",
            "UnrecognizedClientException",
            "MissingAuthenticationTokenException",
        ];
        CODES.contains(&self.code.as_str())
    }
}

fn unsendable(endpoint: &Endpoint) -> Error {
    let reason = "they hold characters that no header can".to_owned();
    let failure = LoginFailure::CredentialsRefused { reason };
    Error::Login { host: endpoint.name().to_string(), failure }
}

/// Reads an exception of the JSON protocols or of the query protocol.
fn refusal(body: &[u8]) -> Option<Refusal> {
    #[derive(Deserialize)]
    struct Json {
        #[serde(rename = "__type")]
        class: String,
        #[serde(alias = "Message")]
        message: Option<String>,
    }
    let (code, message) = match serde_json::from_slice::<Json>(body) {
        Ok(json) => {
            let class = json.class.rsplit('#').next().unwrap_or_default();
            (class.split(':').next().unwrap_or_default().to_owned(), json.message)
        }
        Err(_) => {
            let refused = query::read_exception(body)?;
            (refused.code, Some(refused.message))
        }
    };
    let message = message.filter(|message| !message.is_empty());
    let reason = message.map_or_else(|| code.clone(), |message| format!("{code}: {message}"));
    Some(Refusal { reason: shorten(&reason), code: shorten(&code) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exceptions_of_both_protocols() {
        let xml = "<ErrorResponse xmlns=\"x\"><Error><Type>Sender</Type><Code>AccessDenied</Code>\
                   <Message>no</Message></Error><RequestId>r</RequestId></ErrorResponse>";
        for (body, expected) in [
            (
                r#"{"__type":"com.x#ServerException:http://y","message":"no"}"#,
                "ServerException: no",
            ),
            (r#"{"__type":"AccessDeniedException","Message":"no"}"#, "AccessDeniedException: no"),
            (r#"{"__type":"X"}"#, "X"),
            (xml, "AccessDenied: no"),
        ] {
            assert_eq!(refusal(body.as_bytes()).map(|it| it.reason).as_deref(), Some(expected));
        }
        for body in ["", "<html/>", "{}", "[]"] {
            assert!(refusal(body.as_bytes()).is_none(), "{body}");
        }
    }
}
