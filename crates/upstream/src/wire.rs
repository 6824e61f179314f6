//! One request and its answer: the right client, one retry, bounded reading.

use std::{
    net::SocketAddr,
    sync::{Arc, PoisonError, RwLock},
    time::Duration,
};

use bytes::{Bytes, BytesMut};
use http::{HeaderMap, HeaderValue, Method, header};
use reqwest::Response;
use url::Url;

use crate::{
    Error, Phase, PrivateAddresses, Settings, SettingsError, Timeouts,
    address::is_listed,
    connector::Connector,
    dial::Reach,
    endpoint::{Endpoint, Endpoints},
    failure::{classify, refused_address},
    retry::is_worth_another_try,
};

/// How long the rest of an answer that is not wanted may take, so that its connection can be used
/// again. Such rests are small and mostly there already.
const REST: Duration = Duration::from_secs(1);

/// The way to upstreams.
#[derive(Debug)]
pub(crate) struct Wire {
    pub(crate) endpoints: Endpoints,
    /// Replaced as a whole when certificates change.
    connector: RwLock<Arc<Connector>>,
    timeouts: Timeouts,
    private_addresses: PrivateAddresses,
}

/// A request to make.
#[derive(Debug)]
pub(crate) struct Request {
    pub(crate) method: Method,
    pub(crate) url: Url,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
    pub(crate) reach: Reach,
}

impl Wire {
    pub(crate) fn new(settings: &Settings) -> Result<Self, SettingsError> {
        Ok(Self {
            endpoints: Endpoints::new(&settings.endpoints, &settings.plain_http_hosts)?,
            connector: RwLock::new(Arc::new(Connector::new(settings)?)),
            timeouts: settings.timeouts,
            private_addresses: settings.private_addresses.clone(),
        })
    }

    /// Connects from now on as these settings say; requests under way go on as they began.
    pub(crate) fn renew(&self, settings: &Settings) -> Result<(), SettingsError> {
        let connector = Arc::new(Connector::new(settings)?);
        *self.connector.write().unwrap_or_else(PoisonError::into_inner) = connector;
        Ok(())
    }

    fn connector(&self) -> Arc<Connector> {
        Arc::clone(&self.connector.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Returns how far a destination may lie that an upstream leads to, which itself grants
    /// `granted`.
    pub(crate) fn reach(&self, destination: &Url, granted: Reach) -> Reach {
        match &self.private_addresses {
            PrivateAddresses::Refused => granted,
            PrivateAddresses::Allowed => granted.max(Reach::Loopback),
            PrivateAddresses::AllowedFor(hosts) if is_listed(destination, hosts) => Reach::Any,
            PrivateAddresses::AllowedFor(_) => granted,
        }
    }

    /// Makes a request and returns the answer when its headers are there, with the address that
    /// was dialled where it was the upstream's and not a proxy's.
    pub(crate) async fn send(
        &self,
        endpoint: &Endpoint,
        request: Request,
    ) -> Result<(Response, Option<SocketAddr>), Error> {
        let Request { method, url, mut headers, body, reach } = request;
        let destination = url.host_str().unwrap_or_default().to_owned();
        let connector = self.connector();
        let Some(route) = connector.route(&url, reach) else {
            return Err(refused_address(endpoint.name(), &destination));
        };
        // Bytes are hashed as they are: a coding in between would have to be undone first.
        headers.insert(header::ACCEPT_ENCODING, HeaderValue::from_static("identity"));
        let attempt = || {
            let request = route.client.request(method.clone(), url.clone());
            let request = request.headers(headers.clone());
            // An empty one would make a length of GET and HEAD.
            if body.is_empty() { request.send() } else { request.body(body.clone()).send() }
        };
        let mut answer = attempt().await;
        if answer.as_ref().err().is_some_and(is_worth_another_try) {
            tracing::debug!(upstream = %endpoint.name(), "the connection was stale, trying again");
            answer = attempt().await;
        }
        let answer = answer.map_err(|error| {
            classify(error, endpoint.name(), &destination, self.timeouts.connect)
        })?;
        let peer = answer.remote_addr().filter(|_| !route.is_proxied);
        tracing::debug!(
            upstream = %endpoint.name(), %method, host = %destination, status = answer.status().as_u16(),
            "upstream answered"
        );
        Ok((answer, peer))
    }

    /// Reads a body whole; it may take as long as one wait between two parts of a blob.
    pub(crate) async fn read(
        &self,
        endpoint: &Endpoint,
        mut answer: Response,
        limit_bytes: u64,
    ) -> Result<Bytes, Error> {
        let host = endpoint.name();
        let too_large = || Error::TooLarge { host: host.to_string(), limit_bytes };
        if content_length(answer.headers()).is_some_and(|length| length > limit_bytes) {
            return Err(too_large());
        }
        let after = self.timeouts.idle;
        let reading = async {
            let mut bytes = BytesMut::new();
            while let Some(part) = answer
                .chunk()
                .await
                .map_err(|error| classify(error, host, host, self.timeouts.connect))?
            {
                if (bytes.len() + part.len()) as u64 > limit_bytes {
                    return Err(too_large());
                }
                bytes.extend_from_slice(&part);
            }
            Ok(bytes.freeze())
        };
        let passed = Error::Timeout { host: host.to_string(), phase: Phase::Idle, after };
        tokio::time::timeout(after, reading).await.unwrap_or(Err(passed))
    }
}

/// Reads what there is of a body, to a limit and not for long; a body read to its end leaves the
/// connection free for the next request.
pub(crate) async fn read_rest(answer: &mut Response, limit_bytes: u64) -> Vec<u8> {
    let limit = usize::try_from(limit_bytes).unwrap_or(usize::MAX);
    let mut bytes = Vec::new();
    let reading = async {
        while let Ok(Some(part)) = answer.chunk().await {
            let room = limit - bytes.len();
            bytes.extend_from_slice(&part[..part.len().min(room)]);
            if part.len() > room {
                break;
            }
        }
    };
    // What came until then is enough.
    let _ = tokio::time::timeout(REST, reading).await;
    bytes
}

/// Reads `Content-Length`; the client's own idea of it is zero for an answer to HEAD.
pub(crate) fn content_length(headers: &HeaderMap) -> Option<u64> {
    headers.get(header::CONTENT_LENGTH)?.to_str().ok()?.trim().parse().ok()
}
