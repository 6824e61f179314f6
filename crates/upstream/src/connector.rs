//! The HTTP clients: one for each reach, and one for what goes through a proxy.
//!
//! Separate clients, because a pooled connection must only serve requests that might have opened
//! it.

use std::{sync::Arc, time::Duration};

use hyper_util::client::proxy::matcher::Matcher;
use reqwest::{Client, ClientBuilder, redirect::Policy};
use rustls::{
    ClientConfig, RootCertStore,
    crypto::aws_lc_rs,
    pki_types::{CertificateDer, pem::PemObject as _},
};
use url::Url;

use crate::{
    Proxy, Settings, SettingsError,
    address::is_loopback,
    dial::{GuardedResolver, Lookup, Reach, SystemLookup},
};

/// How this program names itself to upstreams.
const USER_AGENT: &str = concat!("cistern/", env!("CARGO_PKG_VERSION"));

/// How long an idle connection is kept. Short of what common load balancers allow (60 s), so that
/// we close first and rarely meet a stale one.
const IDLE_CONNECTION: Duration = Duration::from_secs(45);

/// Connects to upstreams.
#[derive(Debug)]
pub(crate) struct Connector {
    direct: [Client; Reach::ALL.len()],
    proxied: Option<(Client, Matcher)>,
}

/// A client to use for a URL.
pub(crate) struct Route<'a> {
    pub(crate) client: &'a Client,
    /// Whether a proxy stands between: then the peer's address says nothing about the upstream.
    pub(crate) is_proxied: bool,
}

impl Connector {
    /// Makes the clients; contacts nobody.
    pub(crate) fn new(settings: &Settings) -> Result<Self, SettingsError> {
        let tls = tls_config(&settings.root_certificates)?;
        let system: Arc<dyn Lookup> = Arc::new(SystemLookup);
        let lookup = settings.lookup.clone().unwrap_or(system);
        let make = |reach| {
            let resolver = GuardedResolver { lookup: Arc::clone(&lookup), reach };
            builder(settings, &tls).dns_resolver(resolver)
        };
        let build = |builder: ClientBuilder| {
            builder.build().map_err(|error| SettingsError::Client { source: error.into() })
        };
        let [public, private, loopback, any] =
            Reach::ALL.map(|reach| build(make(reach).no_proxy()));
        // Names are the proxy's to resolve; the proxy's own may lie anywhere.
        let proxied = match &settings.proxy {
            Proxy::None => None,
            Proxy::System => Some((build(make(Reach::Any))?, Matcher::from_system())),
            Proxy::At(url) => {
                let proxy = reqwest::Proxy::all(url.clone())
                    .map_err(|error| SettingsError::Client { source: error.into() })?;
                let client = build(make(Reach::Any).proxy(proxy))?;
                Some((client, Matcher::builder().all(url.to_string()).build()))
            }
        };
        Ok(Self { direct: [public?, private?, loopback?, any?], proxied })
    }

    /// Finds the client for a URL; `None` where the URL is out of reach as it is written.
    pub(crate) fn route(&self, url: &Url, reach: Reach) -> Option<Route<'_>> {
        if !reach.permits(url) {
            return None;
        }
        // The metadata of a cloud's machine is next to it, and behind no proxy.
        let is_local =
            url.host().is_none_or(|host| is_loopback(&host)) || !Reach::Loopback.permits(url);
        if let Some((client, matcher)) = self.proxied.as_ref().filter(|_| !is_local)
            && url.as_str().parse().is_ok_and(|uri| matcher.intercept(&uri).is_some())
        {
            return Some(Route { client, is_proxied: true });
        }
        let index = Reach::ALL.iter().position(|each| *each == reach).expect("all are listed");
        Some(Route { client: &self.direct[index], is_proxied: false })
    }
}

fn builder(settings: &Settings, tls: &ClientConfig) -> ClientBuilder {
    // Redirects are followed in `exchange`, where credentials and addresses are looked after.
    Client::builder()
        .user_agent(USER_AGENT)
        .redirect(Policy::none())
        .referer(false)
        .retry(reqwest::retry::never())
        .connect_timeout(settings.timeouts.connect)
        .pool_idle_timeout(IDLE_CONNECTION)
        .pool_max_idle_per_host(settings.limits.transfers_max)
        .tcp_nodelay(true)
        .tls_backend_preconfigured(tls.clone())
}

/// Trusts the system's roots and the configured ones. A system without any is no error: an
/// upstream on loopback or with a private root needs none of them.
fn tls_config(extra: &[String]) -> Result<ClientConfig, SettingsError> {
    let unreadable = |source| SettingsError::RootCertificate { source };
    let mut roots = RootCertStore::empty();
    let system = rustls_native_certs::load_native_certs();
    for error in &system.errors {
        tracing::warn!(%error, "a root certificate of the system cannot be read");
    }
    roots.add_parsable_certificates(system.certs);
    for pem in extra {
        let mut found = 0;
        for certificate in CertificateDer::pem_slice_iter(pem.as_bytes()) {
            let certificate = certificate.map_err(|error| unreadable(error.into()))?;
            roots.add(certificate).map_err(|error| unreadable(error.into()))?;
            found += 1;
        }
        if found == 0 {
            return Err(unreadable("no certificate found in the PEM text".into()));
        }
    }
    let mut config = ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(|error| SettingsError::Client { source: error.into() })?
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(config)
}
