//! From a question to its answer's headers: authentication, redirects, and what a refusal means.

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use reqwest::Response;
use url::Url;

use crate::{
    Error, Limits, Phase, Settings, SettingsError, Target,
    answer::refusal,
    auth::{Asker, Authenticator},
    budget::{Allowance, Demand, Ledger},
    dial::Reach,
    endpoint::{Endpoint, is_same_origin},
    redirect::{self, Objection},
    wire::{Request, Wire, read_rest},
};

/// A question for an upstream.
#[derive(Debug)]
pub(crate) struct Question<'a> {
    pub(crate) target: &'a Target,
    pub(crate) endpoint: &'a Endpoint,
    /// The repository asked about; empty for the registry itself.
    pub(crate) repository: Arc<str>,
    pub(crate) method: Method,
    pub(crate) url: Url,
    pub(crate) headers: HeaderMap,
    /// What it counts as; none is asked whatever the upstream's budget.
    pub(crate) demand: Option<Demand>,
    /// How long the answer's head may take, everything included.
    pub(crate) within: Duration,
}

/// Asks upstreams.
#[derive(Debug)]
pub(crate) struct Exchange {
    pub(crate) wire: Arc<Wire>,
    pub(crate) ledger: Ledger,
    authenticator: Authenticator,
    limits: Limits,
}

/// An answer that is no redirect.
struct Reply {
    response: Response,
    /// Whether the upstream itself gave it, and not somebody it led to.
    is_own: bool,
    /// How far the upstream may lead.
    granted: Reach,
}

impl Exchange {
    pub(crate) fn new(settings: Settings) -> Result<Self, SettingsError> {
        let wire = Arc::new(Wire::new(&settings)?);
        let limits = settings.limits;
        let ledger = Ledger::new(settings.clock.clone(), limits);
        let authenticator = Authenticator::new(Arc::clone(&wire), settings);
        Ok(Self { wire, ledger, authenticator, limits })
    }

    /// Asks, and returns the successful answer when its headers are there: one with content, or a
    /// 304 where the question was conditional.
    pub(crate) async fn ask(&self, question: &Question<'_>) -> Result<Response, Error> {
        self.heed(question)?;
        let after = question.within;
        let mut outcome = match tokio::time::timeout(after, self.ask_unbounded(question)).await {
            Ok(outcome) => outcome,
            Err(_) => {
                let host = question.endpoint.name().to_string();
                Err(Error::Timeout { host, phase: Phase::FirstByte, after })
            }
        };
        if let (Err(Error::RateLimited { retry_after, .. }), Some(demand)) =
            (&mut outcome, question.demand)
        {
            let identity = &question.target.identity;
            let wait = self.ledger.refused(question.endpoint, identity, demand, *retry_after);
            *retry_after = retry_after.or(wait);
        }
        outcome
    }

    /// Refuses a question while an earlier 429 holds.
    fn heed(&self, question: &Question<'_>) -> Result<(), Error> {
        let Question { target, endpoint, demand, .. } = question;
        let Some(demand) = *demand else { return Ok(()) };
        match self.ledger.allowance(endpoint, &target.identity, demand) {
            Allowance::Held { until } => {
                let host = endpoint.name().to_string();
                let retry_after = until.duration_since(self.ledger.now()).ok();
                Err(Error::RateLimited { host, retry_after, was_asked: false })
            }
            Allowance::Free | Allowance::Short { .. } => Ok(()),
        }
    }

    async fn ask_unbounded(&self, question: &Question<'_>) -> Result<Response, Error> {
        let Question { target, endpoint, repository, .. } = question;
        let asker = Asker { endpoint, target, repository };
        let sent = self.authenticator.known(asker).await?;
        let mut reply = self.follow(question, sent.as_ref()).await?;
        if reply.response.status() == StatusCode::UNAUTHORIZED && reply.is_own {
            let headers = reply.response.headers();
            let better =
                self.authenticator.answer(asker, headers, reply.granted, sent.as_ref()).await?;
            if better.is_some() {
                read_rest(&mut reply.response, self.limits.error_bytes_max).await;
                reply = self.follow(question, better.as_ref()).await?;
            }
        }
        if reply.is_own {
            self.ledger.heard(endpoint, &target.identity, reply.response.headers());
        }
        let mut response = reply.response;
        let status = response.status();
        let asked_for_part = question.headers.contains_key(header::RANGE);
        let is_conditional = question.headers.contains_key(header::IF_NONE_MATCH);
        match status {
            StatusCode::OK => return Ok(response),
            StatusCode::PARTIAL_CONTENT if asked_for_part => return Ok(response),
            StatusCode::NOT_MODIFIED if is_conditional => return Ok(response),
            StatusCode::PARTIAL_CONTENT => {
                let reason = "a part came where the whole was asked for".to_owned();
                return Err(Error::Invalid { host: endpoint.name().to_string(), reason });
            }
            _ => {}
        }
        let body = read_rest(&mut response, self.limits.error_bytes_max).await;
        let credentials = target.credentials.as_ref();
        Err(refusal(endpoint.name(), status, response.headers(), &body, credentials))
    }

    /// Sends a question where the upstream leads it. `Authorization` is for the upstream's own
    /// origin; once the way has left that, it is not sent again.
    async fn follow(
        &self,
        question: &Question<'_>,
        authorization: Option<&HeaderValue>,
    ) -> Result<Reply, Error> {
        let endpoint = question.endpoint;
        let mut url = question.url.clone();
        let mut reach = Reach::Any;
        let mut granted = Reach::Public;
        let mut is_own = true;
        for _ in 0..=self.limits.redirects_max {
            let mut headers = question.headers.clone();
            // Wherever it is led: a circle may go by way of a redirect.
            if let Some(via) = question.target.trail.via() {
                headers.insert(header::VIA, via);
            }
            if let Some(authorization) = authorization.filter(|_| is_own) {
                headers.insert(header::AUTHORIZATION, authorization.clone());
            }
            let (method, body) = (question.method.clone(), Bytes::new());
            let request = Request { method, url: url.clone(), headers, body, reach };
            let (mut response, peer) = self.wire.send(endpoint, request).await?;
            if is_own {
                granted = peer.map_or(Reach::Public, |peer| Reach::granted_by(peer.ip()));
            }
            if !redirect::is_redirect(response.status()) {
                return Ok(Reply { response, is_own, granted });
            }
            (url, reach) = self.next_hop(endpoint, &url, response.headers(), granted)?;
            is_own = is_own && is_same_origin(&url, endpoint.origin());
            read_rest(&mut response, self.limits.error_bytes_max).await;
        }
        let reason = format!("more than {} redirects", self.limits.redirects_max);
        Err(Error::Invalid { host: endpoint.name().to_string(), reason })
    }

    /// Returns where a redirect leads and how far that may lie.
    fn next_hop(
        &self,
        endpoint: &Endpoint,
        from: &Url,
        headers: &HeaderMap,
        granted: Reach,
    ) -> Result<(Url, Reach), Error> {
        let host = || endpoint.name().to_string();
        let refused = |url: &Url, reason| Error::Refused {
            host: host(),
            destination: url.host_str().unwrap_or_default().to_owned(),
            reason,
        };
        let url = redirect::destination(from, headers).map_err(|objection| match objection {
            Objection::Unreadable => {
                Error::Invalid { host: host(), reason: "a redirect leads nowhere".to_owned() }
            }
            Objection::Credentials => refused(from, "a redirect carries credentials"),
        })?;
        if let Some(replacement) = self.wire.endpoints.replacement(&url, endpoint.origin()) {
            return Ok((replacement, Reach::Any));
        }
        if redirect::is_step_down(from, &url) {
            return Err(refused(&url, "a redirect steps down from https to http"));
        }
        let is_home = is_same_origin(&url, endpoint.origin());
        let reach = if is_home { Reach::Any } else { self.wire.reach(&url, granted) };
        Ok((url, reach))
    }
}
