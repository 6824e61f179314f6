//! The address of an upstream, read from what a rule stores verbatim.

use std::{fmt, net::IpAddr};

use url::{Host, Url};

/// How an upstream is spoken to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Scheme {
    /// Plain http.
    Http,
    /// TLS.
    Https,
}

/// An upstream's address: scheme, host and port, never a path.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Address {
    scheme: Scheme,
    host: String,
    port: Option<u16>,
}

/// Why a text is not the address of an upstream.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AddressError {
    /// Not a host name or IP address with an optional port.
    #[error("an upstream is written as HOST, HOST:PORT, https://HOST or http://HOST")]
    Host,
    /// A scheme other than http and https.
    #[error("an upstream is reached by https or http, not by '{scheme}'")]
    Scheme {
        /// The scheme as written.
        scheme: String,
    },
    /// Something after the host.
    #[error("an upstream is a host without path and query: put a path into the repository prefix")]
    Path,
    /// A user name or password.
    #[error("an upstream's address holds no credentials: put them into the rule's secret")]
    Credentials,
    /// Plain http to a host that is neither loopback nor configured.
    #[error(
        "plain http is for loopback and for hosts allowed in the configuration, not for {host}"
    )]
    PlainHttp {
        /// The host.
        host: String,
    },
}

impl Scheme {
    /// Returns the scheme as written in a URL.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Http => "http",
            Self::Https => "https",
        }
    }
}

impl Address {
    /// Reads what a rule has: `HOST`, `HOST:PORT`, either with a scheme, a trailing slash
    /// tolerated; https where none is written. `plain_http_hosts` are the hosts, as `host` or
    /// `host:port`, that plain http is allowed for beside loopback.
    ///
    /// # Errors
    /// An [`AddressError`] that says what to write instead.
    pub fn parse(text: &str, plain_http_hosts: &[String]) -> Result<Self, AddressError> {
        let (scheme, rest) = split_scheme(text)?;
        if rest.chars().any(|c| c.is_whitespace() || c.is_control() || c == '\\') {
            return Err(AddressError::Host);
        }
        let url =
            Url::parse(&format!("{}://{rest}", scheme.as_str())).map_err(|_| AddressError::Host)?;
        if !url.username().is_empty() || url.password().is_some() {
            return Err(AddressError::Credentials);
        }
        if url.path() != "/" || url.query().is_some() || url.fragment().is_some() {
            return Err(AddressError::Path);
        }
        let host = url.host_str().filter(|host| !host.is_empty()).ok_or(AddressError::Host)?;
        let address = Self { scheme, host: host.to_owned(), port: url.port() };
        let is_allowed = scheme == Scheme::Https
            || url.host().is_some_and(|host| is_loopback(&host))
            || is_listed(&url, plain_http_hosts);
        if is_allowed { Ok(address) } else { Err(AddressError::PlainHttp { host: address.host }) }
    }

    /// Returns the scheme.
    pub fn scheme(&self) -> Scheme {
        self.scheme
    }

    /// Returns the host in lower case; an IPv6 address in brackets.
    pub fn host(&self) -> &str {
        &self.host
    }

    /// Returns the port where it is not the scheme's own.
    pub fn port(&self) -> Option<u16> {
        self.port
    }

    /// Returns `host`, or `host:port` where the port is not the scheme's own.
    pub fn authority(&self) -> String {
        match self.port {
            Some(port) => format!("{}:{port}", self.host),
            None => self.host.clone(),
        }
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}://{}", self.scheme.as_str(), self.authority())
    }
}

/// Tells whether a host is this machine by name or address.
pub(crate) fn is_loopback<S: AsRef<str>>(host: &Host<S>) -> bool {
    match host {
        Host::Ipv4(ip) => IpAddr::from(*ip).is_loopback(),
        Host::Ipv6(ip) => IpAddr::from(*ip).to_canonical().is_loopback(),
        // RFC 6761 6.3: every name under localhost is loopback.
        Host::Domain(name) => {
            let name = name.as_ref();
            name == "localhost" || name.ends_with(".localhost")
        }
    }
}

/// Tells whether `hosts` has the URL's `host` or `host:port`.
pub(crate) fn is_listed(url: &Url, hosts: &[String]) -> bool {
    let Some(host) = url.host_str() else { return false };
    let with_port = url.port_or_known_default().map(|port| format!("{host}:{port}"));
    hosts.iter().any(|listed| {
        listed.eq_ignore_ascii_case(host)
            || with_port.as_ref().is_some_and(|full| listed.eq_ignore_ascii_case(full))
    })
}

fn split_scheme(text: &str) -> Result<(Scheme, &str), AddressError> {
    let Some((scheme, rest)) = text.split_once("://") else { return Ok((Scheme::Https, text)) };
    if scheme.eq_ignore_ascii_case("https") {
        Ok((Scheme::Https, rest))
    } else if scheme.eq_ignore_ascii_case("http") {
        Ok((Scheme::Http, rest))
    } else {
        Err(AddressError::Scheme { scheme: scheme.to_owned() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_rules_store() {
        for (text, canonical) in [
            ("registry-1.docker.io", "https://registry-1.docker.io"),
            ("Quay.IO/", "https://quay.io"),
            ("https://registry.example.com:5000", "https://registry.example.com:5000"),
            ("https://ghcr.io:443/", "https://ghcr.io"),
            ("HTTP://127.0.0.1:5001", "http://127.0.0.1:5001"),
            ("http://localhost:5001/", "http://localhost:5001"),
            ("http://[::1]:5001", "http://[::1]:5001"),
            ("http://mirror.lan", "http://mirror.lan"),
            ("http://cache.lan:5000", "http://cache.lan:5000"),
            ("mirror.lan:5000", "https://mirror.lan:5000"),
        ] {
            let hosts = ["mirror.lan".to_owned(), "cache.lan:5000".to_owned()];
            let address = Address::parse(text, &hosts);
            assert_eq!(address.map(|a| a.to_string()), Ok(canonical.to_owned()), "{text}");
        }
    }

    #[test]
    fn what_is_wrong_is_named() {
        let scheme = |scheme: &str| AddressError::Scheme { scheme: scheme.to_owned() };
        let plain = |host: &str| AddressError::PlainHttp { host: host.to_owned() };
        for (text, error) in [
            ("", AddressError::Host),
            (" quay.io", AddressError::Host),
            ("quay.io\\x", AddressError::Host),
            ("host:port", AddressError::Host),
            ("https://", AddressError::Host),
            ("https:quay.io", AddressError::Host),
            ("oci://quay.io", scheme("oci")),
            ("quay.io/org", AddressError::Path),
            ("https://quay.io/?x=1", AddressError::Path),
            ("https://quay.io#x", AddressError::Path),
            ("https://user:secret@quay.io", AddressError::Credentials),
            ("http://quay.io", plain("quay.io")),
            ("http://10.0.0.1:5000", plain("10.0.0.1")),
            ("http://localhost.example.com", plain("localhost.example.com")),
        ] {
            assert_eq!(Address::parse(text, &[]), Err(error), "{text}");
        }
    }
}
