//! Signed calls of the JSON 1.1 protocol, and what their failures mean.

use std::{net::IpAddr, time::Duration};

use aws::{
    Service, Timestamp, cistern, ecr,
    json::{self, BodyError},
    secrets_manager,
    sigv4::{Request, Signer},
};
use http::{
    HeaderMap, HeaderValue,
    header::{CONTENT_TYPE, HOST},
};
use reqwest::{ClientBuilder, Response, Url, redirect::Policy};
use secrecy::ExposeSecret as _;
use serde::{Serialize, de::DeserializeOwned};
use serde_json::Value;

use crate::{connection::Connection, error::Error, refusal::Refusal, tls};

/// How this program names itself.
const USER_AGENT: &str = concat!("cistern/", env!("CARGO_PKG_VERSION"));

/// How long a connection may take to come about.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// How long an answer may take. A validation asks an upstream, which has half a minute for each
/// of a few answers.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(180);

/// The longest answer; a page of a thousand entries is far below.
const ANSWER_BYTES_MAX: usize = 32 * 1024 * 1024;

/// Asks an API.
pub(crate) struct Client<'a> {
    http: reqwest::Client,
    connection: Connection,
    now: &'a dyn Fn() -> Timestamp,
}

/// An answer that is nothing but that it was done.
#[derive(Debug, Default, serde::Deserialize)]
pub(crate) struct Done {}

impl<'a> Client<'a> {
    /// Makes a client; contacts nobody.
    pub(crate) fn new(
        connection: Connection,
        now: &'a dyn Fn() -> Timestamp,
    ) -> Result<Self, Error> {
        let http = build(builder(&connection)?.timeout(ANSWER_TIMEOUT))?;
        Ok(Self { http, connection, now })
    }

    /// What a client of the same endpoint is built from, without a deadline.
    pub(crate) fn builder(&self) -> Result<ClientBuilder, Error> {
        builder(&self.connection)
    }

    /// Whom it asks.
    pub(crate) fn connection(&self) -> &Connection {
        &self.connection
    }

    /// Asks ECR.
    pub(crate) async fn ecr<A: DeserializeOwned>(
        &self,
        operation: ecr::Operation,
        request: &impl Serialize,
    ) -> Result<A, Error> {
        self.call(Service::Ecr, operation.name(), request).await
    }

    /// Asks Secrets Manager.
    pub(crate) async fn secrets<A: DeserializeOwned>(
        &self,
        operation: secrets_manager::Operation,
        request: &impl Serialize,
    ) -> Result<A, Error> {
        self.call(Service::SecretsManager, operation.name(), request).await
    }

    /// Asks Cistern for what is its own.
    pub(crate) async fn cistern<A: DeserializeOwned>(
        &self,
        operation: cistern::Operation,
        request: &impl Serialize,
    ) -> Result<A, Error> {
        self.call(Service::Cistern, operation.name(), request).await
    }

    async fn call<A: DeserializeOwned>(
        &self,
        service: Service,
        operation: &'static str,
        request: &impl Serialize,
    ) -> Result<A, Error> {
        let endpoint = self.connection.endpoint(service);
        let unreachable = |error: reqwest::Error| self.unreachable(endpoint, &error);
        let url = parse(endpoint)?;
        let body = json::render(request);
        let headers = self.headers(service, operation, &url, &body)?;
        let sent = self.http.post(url).headers(headers).body(body).send().await;
        let mut response = sent.map_err(unreachable)?;
        let mut bytes = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(unreachable)? {
            if bytes.len() + chunk.len() > ANSWER_BYTES_MAX {
                let status = response.status().as_u16();
                return Err(Error::Foreign { endpoint: endpoint.to_owned(), status });
            }
            bytes.extend_from_slice(&chunk);
        }
        if !response.status().is_success() {
            return Err(self.refused(service, operation, &response, &bytes));
        }
        json::parse(&bytes).map_err(|source: BodyError| match source {
            // A web page where an object should be.
            BodyError::NotUtf8 | BodyError::NotJson { .. } => {
                Error::Foreign { endpoint: endpoint.to_owned(), status: response.status().as_u16() }
            }
            source => Error::Unreadable { operation, endpoint: endpoint.to_owned(), source },
        })
    }

    /// The headers of a request, its signature among them.
    fn headers(
        &self,
        service: Service,
        operation: &str,
        url: &Url,
        body: &[u8],
    ) -> Result<HeaderMap, Error> {
        let text = |text: &str| HeaderValue::from_str(text).expect("names and hosts are plain");
        let host = url.host_str().unwrap_or_default();
        let host = url.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"));
        let mut headers = HeaderMap::new();
        headers.insert(HOST, text(&host));
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(service.content_type()));
        let target = format!("{}.{operation}", service.target_prefix());
        headers.insert("x-amz-target", text(&target));
        let key = &self.connection.key;
        let signer = Signer {
            access_key_id: &key.id,
            secret_access_key: key.secret.expose_secret(),
            session_token: key.session_token.as_ref().map(|token| token.expose_secret()),
            region: &self.connection.region,
            service: service.signing_name(),
        };
        let request = Request {
            method: "POST",
            path: url.path(),
            query: url.query().unwrap_or_default(),
            headers: &headers,
            body,
        };
        let added = signer.sign(&request, (self.now)())?;
        headers.extend(added);
        Ok(headers)
    }

    fn unreachable(&self, endpoint: &str, error: &reqwest::Error) -> Error {
        let way_out = if error.is_timeout() {
            "it took too long: try again, or look into its log".to_owned()
        } else if chain(error).any(|error| error.to_string().contains("certificate")) {
            "trust its certificate with --ca-bundle FILE, or check the name in --endpoint-url"
                .to_owned()
        } else if self.connection.is_local {
            "start `cistern serve`, or name another endpoint with --endpoint-url".to_owned()
        } else {
            "is it running, and is that the right endpoint? (--endpoint-url, AWS_ENDPOINT_URL)"
                .to_owned()
        };
        Error::Unreachable { endpoint: endpoint.to_owned(), cause: root_cause(error), way_out }
    }

    /// Reads an exception: `__type` or a header names its class, `message` its sentence.
    fn refused(
        &self,
        service: Service,
        operation: &'static str,
        response: &Response,
        body: &[u8],
    ) -> Error {
        let body: Value = serde_json::from_slice(body).unwrap_or_default();
        let member = |name: &str| body.get(name).and_then(Value::as_str);
        let header = response.headers().get("x-amzn-errortype");
        let class = member("__type").or_else(|| header?.to_str().ok());
        let Some(class) = class.map(bare_class).filter(|class| !class.is_empty()) else {
            return Error::Foreign {
                endpoint: self.connection.endpoint(service).to_owned(),
                status: response.status().as_u16(),
            };
        };
        Error::Refused(Box::new(Refusal {
            operation,
            class: class.to_owned(),
            message: member("message").or_else(|| member("Message")).unwrap_or_default().to_owned(),
            asked: self.connection.asked(service),
        }))
    }
}

fn builder(connection: &Connection) -> Result<ClientBuilder, Error> {
    let builder = reqwest::Client::builder()
        .user_agent(USER_AGENT)
        .redirect(Policy::none())
        .referer(false)
        .connect_timeout(CONNECT_TIMEOUT)
        .tls_backend_preconfigured(tls::config(connection.ca_bundle.as_deref())?);
    // No proxy knows this machine's own loopback.
    let is_near = is_loopback(connection.endpoint(Service::Ecr));
    Ok(if is_near { builder.no_proxy() } else { builder })
}

/// Makes the HTTP client.
pub(crate) fn build(builder: ClientBuilder) -> Result<reqwest::Client, Error> {
    builder.build().map_err(|error| Error::Trust {
        what: "the HTTP client cannot be set up".to_owned(),
        reason: error.to_string(),
    })
}

/// The first of all causes of an error.
pub(crate) fn root_cause(error: &reqwest::Error) -> String {
    chain(error).last().map(ToString::to_string).unwrap_or_default()
}

/// `namespace#Class:address` is `Class`.
fn bare_class(text: &str) -> &str {
    let text = text.rsplit_once('#').map_or(text, |(_, class)| class);
    text.split(':').next().unwrap_or(text)
}

fn parse(endpoint: &str) -> Result<Url, Error> {
    let wrong = |reason: &str| Error::Misused {
        argument: "--endpoint-url",
        text: endpoint.to_owned(),
        reason: reason.to_owned(),
    };
    let url =
        Url::parse(endpoint).map_err(|_| wrong("expected a URL, such as http://127.0.0.1:5000"))?;
    match url.scheme() {
        "http" | "https" if url.has_host() => Ok(url),
        _ => Err(wrong("expected http:// or https:// and a host")),
    }
}

fn is_loopback(endpoint: &str) -> bool {
    let Ok(url) = Url::parse(endpoint) else { return false };
    let host = url.host_str().unwrap_or_default();
    let host = host.trim_start_matches('[').trim_end_matches(']');
    host == "localhost" || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

/// An error and its causes, down to the root.
fn chain<'e>(
    error: &'e (dyn std::error::Error + 'static),
) -> impl Iterator<Item = &'e (dyn std::error::Error + 'static)> {
    std::iter::successors(Some(error), |error| error.source())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn classes_lose_what_is_around_them() {
        for text in [
            "RepositoryNotFoundException",
            "com.amazonaws.ecr#RepositoryNotFoundException",
            "RepositoryNotFoundException:http://internal.amazon.com/coral/x/",
        ] {
            assert_eq!(bare_class(text), "RepositoryNotFoundException");
        }
    }

    #[test]
    fn endpoints_are_urls_with_a_host() {
        assert!(parse("http://127.0.0.1:5000").is_ok());
        for text in ["127.0.0.1:5000", "localhost", "ftp://x", "", "unix:/run/x"] {
            assert!(parse(text).unwrap_err().is_misuse(), "{text}");
        }
    }

    #[test]
    fn loopback_is_known() {
        for text in ["http://localhost:1", "http://127.0.0.1", "https://[::1]:5000"] {
            assert!(is_loopback(text), "{text}");
        }
        assert!(!is_loopback("http://registry.example.com"));
    }
}
