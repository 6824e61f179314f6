//! How upstreams are reached: the `[upstream]` table, its hosts, and `--upstream-endpoint`.

use std::path::PathBuf;

use upstream::Proxy;
use url::Url;

use super::{
    ConfigError, address,
    file::Entry,
    setting::{Given, Values},
};

/// How upstreams may be reached.
#[derive(Clone, Debug, Default)]
pub(crate) struct UpstreamConfig {
    /// Where traffic meant for a host goes instead, in the order that is tried.
    pub(crate) endpoints: Vec<(String, Vec<Url>)>,
    /// Hosts that redirects and token realms may lead to on private addresses; `*` is every host.
    pub(crate) allow_private_addresses: Vec<String>,
    /// Hosts that may be asked over plain http although they are not loopback.
    pub(crate) plain_http: Vec<String>,
    /// Hosts that any upstream may name as its token realm.
    pub(crate) token_realms: Vec<String>,
    /// Certificates to trust besides the system's, PEM.
    pub(crate) ca_file: Option<PathBuf>,
    /// The proxy in front of every host that has none of its own.
    pub(crate) proxy: Proxy,
    /// What is reached without that proxy.
    pub(crate) no_proxy: Vec<String>,
    /// Hosts that are reached in a way of their own.
    pub(crate) hosts: Vec<HostConfig>,
}

/// A `[[upstream.host]]` table.
#[derive(Clone, Debug)]
pub(crate) struct HostConfig {
    /// `host` or `host:port`.
    pub(crate) host: String,
    /// Certificates to trust there besides everybody's, PEM.
    pub(crate) ca_file: Option<PathBuf>,
    /// The client certificate and its key, PEM.
    pub(crate) client: Option<(PathBuf, PathBuf)>,
    /// The proxy in front of it.
    pub(crate) proxy: Option<Proxy>,
}

impl UpstreamConfig {
    pub(super) fn read(values: &Values, tables: &[Entry]) -> Result<Self, ConfigError> {
        let hosts = |name: &str| -> Result<Vec<String>, ConfigError> {
            values.all(name).map(|given| given.parse(host)).collect()
        };
        let word = |given: &Given| {
            given.parse(|text| match text {
                "" => Err("expected a host, a domain or a network"),
                _ if text.contains([',', ' ']) => Err("expected one entry in each text"),
                _ => Ok(text.to_owned()),
            })
        };
        let mut config = Self {
            endpoints: given_endpoints(values)?,
            allow_private_addresses: hosts("upstream.allow-private-addresses")?,
            plain_http: hosts("upstream.plain-http")?,
            token_realms: hosts("upstream.token-realms")?,
            ca_file: values.one("upstream.ca-file").map(|given| PathBuf::from(&given.text)),
            proxy: values.one("upstream.proxy").map_or(Ok(Proxy::System), proxy)?,
            no_proxy: values.all("upstream.no-proxy").map(word).collect::<Result<_, _>>()?,
            hosts: Vec::new(),
        };
        for table in tables {
            config.add_host(table)?;
        }
        Ok(config)
    }

    fn add_host(&mut self, table: &Entry) -> Result<(), ConfigError> {
        let name = table.require("host")?;
        let text = name.parse(host)?;
        if self.hosts.iter().any(|known| known.host == text) {
            return Err(name.reject("this host has two [[upstream.host]] tables: make them one"));
        }
        let mut endpoints = Vec::new();
        for given in table.all("endpoints")? {
            endpoints.push(given.parse(address::origin)?);
        }
        // A flag or a variable wins, host by host.
        if !endpoints.is_empty() && !self.endpoints.iter().any(|(known, _)| *known == text) {
            self.endpoints.push((text.clone(), endpoints));
        }
        if let Some(given) = table.get("plain-http")?
            && given.parse(|text| text.parse::<bool>().map_err(|_| "true or false"))?
        {
            self.plain_http.push(text.clone());
        }
        let path = |given: Given| PathBuf::from(given.text);
        let client = match (table.get("client-cert")?, table.get("client-key")?) {
            (None, None) => None,
            (Some(cert), Some(key)) => Some((path(cert), path(key))),
            (Some(given), None) => return Err(incomplete(&given, "client-key")),
            (None, Some(given)) => return Err(incomplete(&given, "client-cert")),
        };
        self.hosts.push(HostConfig {
            host: text,
            ca_file: table.get("ca-file")?.map(path),
            client,
            proxy: table.get("proxy")?.as_ref().map(proxy).transpose()?,
        });
        Ok(())
    }
}

/// Reads `--upstream-endpoint`s. For each host, those of the strongest source that names it hold,
/// in their order.
fn given_endpoints(values: &Values) -> Result<Vec<(String, Vec<Url>)>, ConfigError> {
    let mut found: Vec<(String, &Given, Vec<Url>)> = Vec::new();
    for given in values.all("upstream-endpoint") {
        let (host, url) = given.parse(address::upstream_endpoint)?;
        match found.iter_mut().find(|(known, ..)| *known == host) {
            None => found.push((host, given, vec![url])),
            Some((_, first, urls)) if first.origin.is_of_one_source(&given.origin) => {
                urls.push(url);
            }
            Some(_) => {}
        }
    }
    Ok(found.into_iter().map(|(host, _, urls)| (host, urls)).collect())
}

fn host(text: &str) -> Result<String, &'static str> {
    match text {
        "" => Err("expected a host, perhaps with a port"),
        _ if text.contains("://") || text.contains(['/', '@', ' ']) => {
            Err("expected a host, perhaps with a port, without scheme and path")
        }
        _ => Ok(text.to_ascii_lowercase()),
    }
}

/// Reads a proxy; its text may hold a password and is not repeated.
fn proxy(given: &Given) -> Result<Proxy, ConfigError> {
    const SCHEMES: [&str; 4] = ["http", "https", "socks5", "socks5h"];
    if given.text == "none" {
        return Ok(Proxy::None);
    }
    match Url::parse(&given.text) {
        Ok(url) if SCHEMES.contains(&url.scheme()) && url.has_host() => Ok(Proxy::At(url)),
        _ => Err(ConfigError::Invalid {
            origin: given.origin.to_string(),
            text: "…".to_owned(),
            reason: "expected http://HOST:PORT, https://, socks5:// or none".to_owned(),
        }),
    }
}

fn incomplete(given: &Given, missing: &str) -> ConfigError {
    ConfigError::Incomplete { given: given.origin.to_string(), missing: missing.to_owned() }
}
