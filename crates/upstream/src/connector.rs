//! The HTTP clients: one for each reach, and one for what goes through a proxy; all of them once
//! more for each host that is reached in a way of its own.
//!
//! Separate clients, because a pooled connection must only serve requests that might have opened
//! it: what a certificate or a way was configured for one host is of no use to another.

use std::{sync::Arc, time::Duration};

use hyper_util::client::proxy::matcher::Matcher;
use reqwest::{Client, ClientBuilder, NoProxy, redirect::Policy};
use rustls::ClientConfig;
use url::Url;

use crate::{
    HostSettings, Proxy, Settings, SettingsError,
    address::{is_listed, is_loopback},
    dial::{GuardedResolver, Lookup, Reach, SystemLookup},
    trust,
};

/// How this program names itself to upstreams.
const USER_AGENT: &str = concat!("cistern/", env!("CARGO_PKG_VERSION"));

/// How long an idle connection is kept. Short of what common load balancers allow (60 s), so that
/// we close first and rarely meet a stale one.
const IDLE_CONNECTION: Duration = Duration::from_secs(45);

/// Connects to upstreams.
#[derive(Debug)]
pub(crate) struct Connector {
    common: Ways,
    /// By `host` or `host:port`; those with a port come first.
    of_hosts: Vec<(String, Ways)>,
}

/// The clients of one way to connect.
#[derive(Debug)]
struct Ways {
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
        let roots = trust::common_roots(&settings.root_certificates)?;
        let tls = trust::config(roots.clone(), None)
            .map_err(|source| SettingsError::Client { source })?;
        let common = Ways::new(settings, &settings.proxy, &tls)?;
        let mut of_hosts = Vec::new();
        for host_settings in &settings.hosts {
            let HostSettings { host, root_certificates, identity, proxy } = host_settings;
            let unusable = |source| SettingsError::Host { host: host.clone(), source };
            let mut roots = roots.clone();
            trust::add_roots(&mut roots, root_certificates).map_err(unusable)?;
            let tls = trust::config(roots, identity.as_ref()).map_err(unusable)?;
            let proxy = proxy.as_ref().unwrap_or(&settings.proxy);
            of_hosts.push((host.clone(), Ways::new(settings, proxy, &tls)?));
        }
        of_hosts.sort_by_key(|(host, _)| !has_port(host));
        Ok(Self { common, of_hosts })
    }

    /// Finds the client for a URL; `None` where the URL is out of reach as it is written.
    pub(crate) fn route(&self, url: &Url, reach: Reach) -> Option<Route<'_>> {
        if !reach.permits(url) {
            return None;
        }
        let is_meant = |(host, _): &&(String, Ways)| is_listed(url, std::slice::from_ref(host));
        let ways = self.of_hosts.iter().find(is_meant).map_or(&self.common, |(_, ways)| ways);
        // The metadata of a cloud's machine is next to it, and behind no proxy.
        let is_local =
            url.host().is_none_or(|host| is_loopback(&host)) || !Reach::Loopback.permits(url);
        if let Some((client, matcher)) = ways.proxied.as_ref().filter(|_| !is_local)
            && url.as_str().parse().is_ok_and(|uri| matcher.intercept(&uri).is_some())
        {
            return Some(Route { client, is_proxied: true });
        }
        let index = Reach::ALL.iter().position(|each| *each == reach).expect("all are listed");
        Some(Route { client: &ways.direct[index], is_proxied: false })
    }
}

impl Ways {
    fn new(settings: &Settings, proxy: &Proxy, tls: &ClientConfig) -> Result<Self, SettingsError> {
        let system: Arc<dyn Lookup> = Arc::new(SystemLookup);
        let lookup = settings.lookup.clone().unwrap_or(system);
        let make = |reach| {
            let resolver = GuardedResolver { lookup: Arc::clone(&lookup), reach };
            builder(settings, tls).dns_resolver(resolver)
        };
        let failed = |error: reqwest::Error| SettingsError::Client { source: error.into() };
        let build = |builder: ClientBuilder| builder.build().map_err(failed);
        let [public, private, loopback, any] =
            Reach::ALL.map(|reach| build(make(reach).no_proxy()));
        // Names are the proxy's to resolve; the proxy's own may lie anywhere.
        let proxied = match proxy {
            Proxy::None => None,
            Proxy::System => Some((build(make(Reach::Any))?, Matcher::from_system())),
            Proxy::At(url) => {
                let direct_hosts = settings.no_proxy.join(",");
                let proxy = reqwest::Proxy::all(url.clone()).map_err(failed)?;
                let proxy = proxy.no_proxy(NoProxy::from_string(&direct_hosts));
                let client = build(make(Reach::Any).proxy(proxy))?;
                Some((client, Matcher::builder().all(url.to_string()).no(direct_hosts).build()))
            }
        };
        Ok(Self { direct: [public?, private?, loopback?, any?], proxied })
    }
}

fn has_port(host: &str) -> bool {
    let (_, after) = host.rsplit_once(':').unwrap_or_default();
    after.parse::<u16>().is_ok()
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
