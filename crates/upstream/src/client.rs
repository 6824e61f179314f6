//! The upstream that is spoken to over HTTP.

use std::{ops::Range, sync::Arc};

use async_trait::async_trait;
use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use oci::{Digest, Reference, Referrer, Tag};
use reqwest::Response;
use serde::de::IgnoredAny;

use crate::{
    Allowance, BlobBody, BlobStat, Budget, Demand, Error, FetchedManifest, HostSettings, Listing,
    ManifestStat, Settings, SettingsError, Target, Upstream,
    content::{self, announced_digest, manifest_stat, media_type},
    endpoint::Endpoint,
    exchange::{Exchange, Question},
    limit::{Load, Permits},
    transfer::Transfer,
    validator::{Place, Validators},
    way::{Health, Way},
    wire::content_length,
};

/// Registries spoken to over HTTP, as OCI distribution-spec 1.1 has it.
#[derive(Debug)]
pub struct HttpUpstream {
    pub(crate) exchange: Exchange,
    pub(crate) permits: Permits,
    pub(crate) health: Arc<Health>,
    pub(crate) validators: Validators,
    pub(crate) settings: Settings,
}

impl HttpUpstream {
    /// Makes the client. Contacts nobody.
    ///
    /// # Errors
    /// A [`SettingsError`] that names the setting that cannot be used.
    pub fn new(settings: Settings) -> Result<Self, SettingsError> {
        let permits = Permits::new(settings.limits, settings.timeouts);
        let health = Arc::new(Health::new(settings.limits.endpoint_rest));
        let exchange = Exchange::new(settings.clone())?;
        Ok(Self { exchange, permits, health, validators: Validators::default(), settings })
    }

    /// Trusts and shows other certificates from the next connection on: root certificates as PEM
    /// texts, and what is set for single hosts. Everything else stays as it was set.
    ///
    /// # Errors
    /// A [`SettingsError`] that names what cannot be used; then nothing has changed.
    pub fn renew(
        &self,
        root_certificates: Vec<String>,
        hosts: Vec<HostSettings>,
    ) -> Result<(), SettingsError> {
        let settings = Settings { root_certificates, hosts, ..self.settings.clone() };
        self.exchange.wire.renew(&settings)
    }

    /// Plans the way along the endpoints of an upstream.
    fn way(&self, target: &Target, demand: Option<Demand>) -> Result<Way, Error> {
        let endpoints = self.exchange.wire.endpoints.endpoints(&target.registry_url)?;
        let is_held = |endpoint: &Endpoint| {
            demand.is_some_and(|demand| {
                let found = self.exchange.ledger.allowance(endpoint, &target.identity, demand);
                matches!(found, Allowance::Held { .. })
            })
        };
        Ok(Way::new(&self.health, endpoints, is_held, self.settings.timeouts.first_byte))
    }

    /// Asks the endpoint that the way has come to about something below `/v2/`.
    async fn ask_about(
        &self,
        target: &Target,
        way: &Way,
        method: Method,
        path: [&str; 2],
        headers: HeaderMap,
    ) -> Result<Response, Error> {
        let endpoint = way.endpoint();
        let is_blob = path[0] == "blobs";
        let question = Question {
            target,
            endpoint,
            repository: Arc::clone(&target.repository),
            method,
            url: endpoint.url(target.repository.split('/').chain(path)),
            headers,
            demand: Some(if is_blob { Demand::Blobs } else { Demand::Manifests }),
            within: way.within(),
        };
        self.exchange.ask(&question).await
    }

    async fn stat_manifest_at(
        &self,
        target: &Target,
        way: &Way,
        reference: &Reference,
    ) -> Result<ManifestStat, Error> {
        let endpoint = way.endpoint();
        let _permit = self.permits.acquire(endpoint, Load::Question).await?;
        let path = ["manifests", reference.as_str()];
        let response = self.ask_about(target, way, Method::HEAD, path, accept_manifests()).await?;
        refuse_page(endpoint, response.headers())?;
        let mut stat = manifest_stat(response.headers());
        if let (None, Reference::Tag(tag)) = (&stat.digest, reference) {
            let place = self.place(target, endpoint, tag);
            stat.digest = self.validators.digest(&place, response.headers());
        }
        Ok(stat)
    }

    async fn fetch_manifest_at(
        &self,
        target: &Target,
        way: &Way,
        reference: &Reference,
    ) -> Result<FetchedManifest, Error> {
        let endpoint = way.endpoint();
        let _permit = self.permits.acquire(endpoint, Load::Question).await?;
        let path = ["manifests", reference.as_str()];
        let response = self.ask_about(target, way, Method::GET, path, accept_manifests()).await?;
        self.read_manifest(target, endpoint, reference, response).await
    }

    /// Fetches a tag's manifest unless it is the one that is held. Where a 304 names another digest
    /// than that, somebody in between mixed things up, and the whole is asked for.
    async fn fetch_manifest_unless_at(
        &self,
        target: &Target,
        way: &Way,
        tag: &Tag,
        held: &Digest,
    ) -> Result<Option<FetchedManifest>, Error> {
        let endpoint = way.endpoint();
        let reference = Reference::Tag(tag.clone());
        {
            let _permit = self.permits.acquire(endpoint, Load::Question).await?;
            let path = ["manifests", tag.as_str()];
            let mut headers = accept_manifests();
            self.validators.condition(&self.place(target, endpoint, tag), held, &mut headers);
            let response = self.ask_about(target, way, Method::GET, path, headers).await?;
            if response.status() != StatusCode::NOT_MODIFIED {
                let fetched = self.read_manifest(target, endpoint, &reference, response).await;
                return fetched.map(Some);
            }
            if announced_digest(response.headers()).is_none_or(|digest| digest == *held) {
                return Ok(None);
            }
        }
        self.fetch_manifest_at(target, way, &reference).await.map(Some)
    }

    async fn read_manifest(
        &self,
        target: &Target,
        endpoint: &Endpoint,
        reference: &Reference,
        response: Response,
    ) -> Result<FetchedManifest, Error> {
        refuse_coding(endpoint, response.headers())?;
        refuse_page(endpoint, response.headers())?;
        let media_type = media_type(response.headers());
        let expected = match reference {
            Reference::Digest(digest) => Some(digest.clone()),
            Reference::Tag(_) => announced_digest(response.headers()),
        };
        let etag = response.headers().get(header::ETAG).cloned();
        let limit_bytes = self.settings.limits.manifest_bytes_max;
        let bytes = self.exchange.wire.read(endpoint, response, limit_bytes).await?;
        let digest = verify(endpoint, &bytes, expected)?;
        if let Reference::Tag(tag) = reference {
            self.validators.remember(self.place(target, endpoint, tag), etag, &digest);
        }
        Ok(FetchedManifest { bytes, media_type, digest })
    }

    fn place(&self, target: &Target, endpoint: &Endpoint, tag: &Tag) -> Place {
        Place {
            origin: endpoint.origin().clone(),
            identity: target.identity.clone(),
            repository: Arc::clone(&target.repository),
            tag: tag.clone(),
        }
    }

    async fn stat_blob_at(
        &self,
        target: &Target,
        way: &Way,
        digest: &Digest,
    ) -> Result<BlobStat, Error> {
        let _permit = self.permits.acquire(way.endpoint(), Load::Question).await?;
        let path = ["blobs", digest.as_str()];
        let response = self.ask_about(target, way, Method::HEAD, path, HeaderMap::new()).await?;
        Ok(BlobStat { size_bytes: content_length(response.headers()) })
    }

    async fn fetch_blob_at(
        &self,
        target: &Target,
        way: &Way,
        digest: &Digest,
        offset: u64,
    ) -> Result<BlobBody, Error> {
        let endpoint = way.endpoint();
        let permit = self.permits.acquire(endpoint, Load::Transfer).await?;
        let mut headers = HeaderMap::new();
        if offset > 0 {
            let range = HeaderValue::from_str(&format!("bytes={offset}-"));
            headers.insert(header::RANGE, range.expect("digits are a header value"));
        }
        let path = ["blobs", digest.as_str()];
        let response = self.ask_about(target, way, Method::GET, path, headers).await?;
        refuse_coding(endpoint, response.headers())?;
        let part = content::part(response.status(), response.headers(), offset)
            .map_err(|reason| invalid(endpoint, reason.to_owned()))?;
        let host = Arc::clone(endpoint.name());
        let idle = self.settings.timeouts.idle;
        let witness = way.witness();
        let bytes = Transfer::new(response, host, part.length_bytes, idle, permit, witness);
        let bytes = Box::pin(bytes);
        Ok(BlobBody { size_bytes: part.size_bytes, offset: part.offset, bytes })
    }

    async fn sample_blob_at(
        &self,
        target: &Target,
        way: &Way,
        digest: &Digest,
        part: &Range<u64>,
        size_bytes: u64,
    ) -> Result<Option<Bytes>, Error> {
        let endpoint = way.endpoint();
        let _permit = self.permits.acquire(endpoint, Load::Question).await?;
        let range = format!("bytes={}-{}", part.start, part.end.saturating_sub(1));
        let range = HeaderValue::from_str(&range).expect("digits are a header value");
        let headers = HeaderMap::from_iter([(header::RANGE, range)]);
        let path = ["blobs", digest.as_str()];
        let response = match self.ask_about(target, way, Method::GET, path, headers).await {
            Ok(response) => response,
            // It is not as long there.
            Err(Error::Status { status: 416, .. }) => return Ok(None),
            Err(error) => return Err(error),
        };
        refuse_coding(endpoint, response.headers())?;
        if !content::is_part(response.status(), response.headers(), part, size_bytes) {
            return Ok(None);
        }
        let length_bytes = part.end - part.start;
        let bytes = self.exchange.wire.read(endpoint, response, length_bytes).await?;
        Ok(Some(bytes).filter(|bytes| bytes.len() as u64 == length_bytes))
    }

    async fn authenticate_at(&self, target: &Target, way: &Way) -> Result<(), Error> {
        let endpoint = way.endpoint();
        let _permit = self.permits.acquire(endpoint, Load::Question).await?;
        let question = Question {
            target,
            endpoint,
            repository: "".into(),
            method: Method::GET,
            url: endpoint.url([""]),
            headers: HeaderMap::new(),
            demand: None,
            within: way.within(),
        };
        match self.exchange.ask(&question).await {
            Ok(response) => refuse_page(endpoint, response.headers()),
            // Every registry has /v2/ (OCI distribution-spec 1.1, "Determining Support").
            Err(Error::NotFound { .. }) => {
                Err(invalid(endpoint, "it does not answer /v2/ as a registry does".to_owned()))
            }
            Err(error) => Err(error),
        }
    }
}

#[async_trait]
impl Upstream for HttpUpstream {
    async fn stat_manifest(
        &self,
        target: &Target,
        reference: &Reference,
    ) -> Result<ManifestStat, Error> {
        let mut way = self.way(target, Some(Demand::Manifests))?;
        loop {
            let outcome = self.stat_manifest_at(target, &way, reference).await;
            if let Some(outcome) = way.judge(outcome) {
                return outcome;
            }
        }
    }

    async fn fetch_manifest(
        &self,
        target: &Target,
        reference: &Reference,
    ) -> Result<FetchedManifest, Error> {
        let mut way = self.way(target, Some(Demand::Manifests))?;
        loop {
            let outcome = self.fetch_manifest_at(target, &way, reference).await;
            if let Some(outcome) = way.judge(outcome) {
                return outcome;
            }
        }
    }

    async fn fetch_manifest_unless(
        &self,
        target: &Target,
        tag: &Tag,
        held: &Digest,
    ) -> Result<Option<FetchedManifest>, Error> {
        let mut way = self.way(target, Some(Demand::Manifests))?;
        loop {
            let outcome = self.fetch_manifest_unless_at(target, &way, tag, held).await;
            if let Some(outcome) = way.judge(outcome) {
                return outcome;
            }
        }
    }

    async fn stat_blob(&self, target: &Target, digest: &Digest) -> Result<BlobStat, Error> {
        let mut way = self.way(target, Some(Demand::Blobs))?;
        loop {
            let outcome = self.stat_blob_at(target, &way, digest).await;
            if let Some(outcome) = way.judge(outcome) {
                return outcome;
            }
        }
    }

    async fn fetch_blob(
        &self,
        target: &Target,
        digest: &Digest,
        offset: u64,
    ) -> Result<BlobBody, Error> {
        let mut way = self.way(target, Some(Demand::Blobs))?;
        loop {
            let outcome = self.fetch_blob_at(target, &way, digest, offset).await;
            if let Some(outcome) = way.judge(outcome) {
                return outcome;
            }
        }
    }

    async fn sample_blob(
        &self,
        target: &Target,
        digest: &Digest,
        part: Range<u64>,
        size_bytes: u64,
    ) -> Result<Option<Bytes>, Error> {
        let mut way = self.way(target, Some(Demand::Blobs))?;
        loop {
            let outcome = self.sample_blob_at(target, &way, digest, &part, size_bytes).await;
            if let Some(outcome) = way.judge(outcome) {
                return outcome;
            }
        }
    }

    async fn tags(&self, target: &Target) -> Result<Listing<Tag>, Error> {
        let mut way = self.way(target, Some(Demand::Manifests))?;
        loop {
            let outcome = self.read_tags(target, way.endpoint()).await;
            if let Some(outcome) = way.judge(outcome) {
                return outcome;
            }
        }
    }

    async fn referrers(
        &self,
        target: &Target,
        subject: &Digest,
    ) -> Result<Listing<Referrer>, Error> {
        let mut way = self.way(target, Some(Demand::Manifests))?;
        loop {
            let outcome = self.read_referrers(target, way.endpoint(), subject).await;
            if let Some(outcome) = way.judge(outcome) {
                return outcome;
            }
        }
    }

    async fn authenticate(&self, target: &Target) -> Result<(), Error> {
        let mut way = self.way(target, None)?;
        loop {
            let outcome = self.authenticate_at(target, &way).await;
            if let Some(outcome) = way.judge(outcome) {
                return outcome;
            }
        }
    }

    fn allowance(&self, target: &Target, demand: Demand) -> Allowance {
        let Ok(endpoints) = self.exchange.wire.endpoints.endpoints(&target.registry_url) else {
            return Allowance::Free;
        };
        let of = |endpoint| self.exchange.ledger.allowance(endpoint, &target.identity, demand);
        endpoints.iter().map(of).min_by_key(Allowance::rank).unwrap_or(Allowance::Free)
    }

    fn budgets(&self) -> Vec<Budget> {
        self.exchange.ledger.all()
    }
}

fn accept_manifests() -> HeaderMap {
    let accepted = HeaderValue::from_str(&oci::media_type::MANIFESTS.join(", "));
    HeaderMap::from_iter([(header::ACCEPT, accepted.expect("media types are header values"))])
}

/// Checks that a manifest is JSON and has the digest it should have.
fn verify(endpoint: &Endpoint, bytes: &Bytes, expected: Option<Digest>) -> Result<Digest, Error> {
    let digest = match expected {
        None => Digest::of(bytes),
        Some(expected) => {
            let actual = Digest::of_with(expected.algorithm(), bytes);
            if actual != expected {
                let host = endpoint.name().to_string();
                return Err(Error::DigestMismatch { host, expected, actual });
            }
            expected
        }
    };
    match serde_json::from_slice::<std::collections::HashMap<String, IgnoredAny>>(bytes) {
        Ok(_) => Ok(digest),
        Err(_) => Err(invalid(endpoint, "a manifest is not a JSON object".to_owned())),
    }
}

pub(crate) fn refuse_page(endpoint: &Endpoint, headers: &HeaderMap) -> Result<(), Error> {
    if content::is_page(headers) {
        return Err(invalid(endpoint, "a web page came where a registry answers".to_owned()));
    }
    Ok(())
}

pub(crate) fn refuse_coding(endpoint: &Endpoint, headers: &HeaderMap) -> Result<(), Error> {
    content::unwanted_coding(headers).map_or(Ok(()), |reason| Err(invalid(endpoint, reason)))
}

pub(crate) fn invalid(endpoint: &Endpoint, reason: String) -> Error {
    Error::Invalid { host: endpoint.name().to_string(), reason }
}
