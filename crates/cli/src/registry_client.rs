//! A client of the registry itself, `/v2/`: what images are made of, out and in.
//!
//! OCI distribution-spec 1.1.

use std::time::Duration;

use aws::ecr::{GetAuthorizationTokenRequest, GetAuthorizationTokenResponse, Operation};
use http::{HeaderMap, HeaderValue, Method, header};
use oci::{Digest, Reference, Referrer, RepositoryName, media_type};
use reqwest::{RequestBuilder, Response};
use serde_json::Value;

use crate::{client::Client, error::Error, layout::Source};

/// How long nothing may come before a transfer is given up. A server that fetches has deadlines of
/// its own, which are shorter.
const IDLE_TIMEOUT: Duration = Duration::from_secs(120);
/// The largest manifest that is read, in bytes.
const MANIFEST_BYTES_MAX: usize = 4 << 20;

/// Asks a registry.
pub(crate) struct RegistryClient {
    http: reqwest::Client,
    endpoint: String,
    authorization: HeaderValue,
}

/// A manifest as it was served, proven where it was asked for by its digest.
pub(crate) struct Fetched {
    pub(crate) digest: Digest,
    pub(crate) media_type: String,
    pub(crate) bytes: Vec<u8>,
}

impl RegistryClient {
    /// Logs in where the API is.
    ///
    /// # Errors
    /// The API refuses a token.
    pub(crate) async fn connect(client: &Client<'_>) -> Result<Self, Error> {
        let request = GetAuthorizationTokenRequest::default();
        let answer: GetAuthorizationTokenResponse =
            client.ecr(Operation::GetAuthorizationToken, &request).await?;
        let token = answer.authorization_data.into_iter().next();
        let token = token.and_then(|data| data.authorization_token).unwrap_or_default();
        let authorization = HeaderValue::from_str(&format!("Basic {}", token.as_str()));
        let endpoint = client.connection().endpoint(aws::Service::Cistern).to_owned();
        let mut authorization = authorization
            .map_err(|_| Error::Foreign { endpoint: endpoint.clone(), status: 200 })?;
        authorization.set_sensitive(true);
        let http = client.builder()?.read_timeout(IDLE_TIMEOUT);
        let http = crate::client::build(http)?;
        Ok(Self { http, endpoint, authorization })
    }

    /// Pulls a manifest.
    ///
    /// # Errors
    /// There is none, or it is not what its digest says.
    pub(crate) async fn manifest(
        &self,
        repository: &RepositoryName,
        reference: &Reference,
    ) -> Result<Fetched, Error> {
        let path = format!("/v2/{repository}/manifests/{reference}");
        let accept = [
            media_type::OCI_MANIFEST,
            media_type::OCI_INDEX,
            media_type::DOCKER_MANIFEST,
            media_type::DOCKER_INDEX,
        ];
        let request = self.request(Method::GET, &path).header(header::ACCEPT, accept.join(", "));
        let mut response = self.send(request, &path).await?;
        let served = response.headers().get(header::CONTENT_TYPE);
        let media_type =
            served.and_then(|value| value.to_str().ok()).unwrap_or_default().to_owned();
        let bytes = self.read(&mut response, &path).await?;
        let digest = match reference {
            Reference::Digest(digest) => Digest::of_with(digest.algorithm(), &bytes),
            Reference::Tag(_) => Digest::of(&bytes),
        };
        match reference {
            Reference::Digest(asked) if *asked != digest => Err(Error::Unproven {
                digest: asked.to_string(),
                reason: "its bytes are not what its digest says".to_owned(),
            }),
            _ => Ok(Fetched { digest, media_type, bytes }),
        }
    }

    /// Pulls a blob: its bytes as they come, unproven.
    ///
    /// # Errors
    /// There is none.
    pub(crate) async fn blob(
        &self,
        repository: &RepositoryName,
        digest: &Digest,
    ) -> Result<BlobBody<'_>, Error> {
        let path = format!("/v2/{repository}/blobs/{digest}");
        let response = self.send(self.request(Method::GET, &path), &path).await?;
        Ok(BlobBody { client: self, response, path })
    }

    /// Lists what refers to a manifest.
    ///
    /// # Errors
    /// What the registry says.
    pub(crate) async fn referrers(
        &self,
        repository: &RepositoryName,
        subject: &Digest,
    ) -> Result<Vec<Digest>, Error> {
        let mut path = format!("/v2/{repository}/referrers/{subject}");
        let mut found = Vec::new();
        loop {
            let mut response = self.send(self.request(Method::GET, &path), &path).await?;
            let next = next_page(response.headers());
            // An index like any other, and no larger.
            let bytes = self.read(&mut response, &path).await?;
            let page = Referrer::read_index(&bytes).unwrap_or_default();
            found.extend(page.into_iter().map(|referrer| referrer.digest));
            match next {
                Some(next) if next != path => path = next,
                _ => return Ok(found),
            }
        }
    }

    /// Begins an upload; returns its path.
    ///
    /// # Errors
    /// What the registry says.
    pub(crate) async fn start_upload(&self, repository: &RepositoryName) -> Result<String, Error> {
        let path = format!("/v2/{repository}/blobs/uploads/");
        let request = self.request(Method::POST, &path).header(header::CONTENT_LENGTH, 0);
        let response = self.send(request, &path).await?;
        let location = response.headers().get(header::LOCATION);
        let location = location.and_then(|value| value.to_str().ok()).unwrap_or_default();
        let found = location.find("/v2/").map(|at| location[at..].to_owned());
        found.ok_or_else(|| Error::Foreign {
            endpoint: self.endpoint.clone(),
            status: response.status().as_u16(),
        })
    }

    /// Appends to an upload.
    ///
    /// # Errors
    /// What the registry says.
    pub(crate) async fn append(
        &self,
        upload: &str,
        first_byte: u64,
        bytes: Vec<u8>,
    ) -> Result<(), Error> {
        let last_byte = first_byte + (bytes.len() as u64).saturating_sub(1);
        let request = self
            .request(Method::PATCH, upload)
            .header(header::CONTENT_TYPE, media_type::OCTET_STREAM)
            .header(header::CONTENT_RANGE, format!("{first_byte}-{last_byte}"))
            .body(bytes);
        self.send(request, upload).await.map(drop)
    }

    /// Gives an upload up.
    ///
    /// # Errors
    /// What the registry says.
    pub(crate) async fn cancel(&self, upload: &str) -> Result<(), Error> {
        self.send(self.request(Method::DELETE, upload), upload).await.map(drop)
    }

    fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.http
            .request(method, format!("{}{path}", self.endpoint))
            .header(header::AUTHORIZATION, self.authorization.clone())
    }

    async fn send(&self, request: RequestBuilder, path: &str) -> Result<Response, Error> {
        let mut response = request.send().await.map_err(|error| self.broken(&error))?;
        if response.status().is_success() {
            return Ok(response);
        }
        let status = response.status().as_u16();
        let bytes = self.read(&mut response, path).await?;
        Err(Error::Registry { path: path.to_owned(), status, message: message(&bytes) })
    }

    /// Reads a manifest to its end.
    async fn read(&self, response: &mut Response, path: &str) -> Result<Vec<u8>, Error> {
        let mut bytes = Vec::new();
        while let Some(piece) = self.piece(response, path).await? {
            bytes.extend_from_slice(&piece);
            if bytes.len() > MANIFEST_BYTES_MAX {
                let message = format!("a manifest of more than {MANIFEST_BYTES_MAX} bytes");
                let (path, status) = (path.to_owned(), response.status().as_u16());
                return Err(Error::Registry { path, status, message });
            }
        }
        Ok(bytes)
    }

    async fn piece(&self, response: &mut Response, path: &str) -> Result<Option<Vec<u8>>, Error> {
        match response.chunk().await {
            Ok(piece) => Ok(piece.map(Vec::from)),
            Err(error) => Err(Error::Registry {
                path: path.to_owned(),
                status: response.status().as_u16(),
                message: format!("the answer broke off: {}", crate::client::root_cause(&error)),
            }),
        }
    }

    fn broken(&self, error: &reqwest::Error) -> Error {
        Error::Unreachable {
            endpoint: self.endpoint.clone(),
            cause: crate::client::root_cause(error),
            way_out: "is it still running? Its log may say more".to_owned(),
        }
    }
}

/// The bytes of a blob as they come.
pub(crate) struct BlobBody<'a> {
    client: &'a RegistryClient,
    response: Response,
    path: String,
}

impl Source for BlobBody<'_> {
    async fn next(&mut self) -> Result<Option<Vec<u8>>, Error> {
        self.client.piece(&mut self.response, &self.path).await
    }
}

/// The path of the next page (RFC 8288).
fn next_page(headers: &HeaderMap) -> Option<String> {
    let link = headers.get(header::LINK)?.to_str().ok()?;
    let (target, rest) = link.split_once('>')?;
    let target = target.trim().strip_prefix('<')?;
    let is_next = rest.contains("rel=\"next\"") || rest.contains("rel=next");
    let at = target.find("/v2/")?;
    is_next.then(|| target[at..].to_owned())
}

/// The message of an error of the registry, with its hint.
fn message(bytes: &[u8]) -> String {
    let envelope: Value = serde_json::from_slice(bytes).unwrap_or_default();
    let error = &envelope["errors"][0];
    let text = error["message"].as_str().unwrap_or("it does not say why");
    let hint = error["detail"]["hint"].as_str();
    hint.map_or_else(|| text.to_owned(), |hint| format!("{text}: {hint}"))
}
