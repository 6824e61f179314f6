//! Which addresses a request may be dialled to.
//!
//! An upstream's answer may name other hosts: redirects, token realms. They must not turn this
//! process into a way into the network it runs in (server-side request forgery). A host is judged
//! by the address that is really dialled: names when they are resolved for the connection, so
//! that a name that changes its mind changes nothing, and literal addresses before.

use std::{
    fmt, io,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    sync::Arc,
};

use async_trait::async_trait;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use url::{Host, Url};

/// How names become addresses. The system's resolver is the default.
#[async_trait]
pub trait Lookup: Send + Sync + fmt::Debug + 'static {
    /// Resolves a host name.
    ///
    /// # Errors
    /// An [`io::Error`] where the name does not exist or nobody can say.
    async fn lookup(&self, host: &str) -> io::Result<Vec<IpAddr>>;
}

/// The system's resolver.
#[derive(Debug)]
pub(crate) struct SystemLookup;

#[async_trait]
impl Lookup for SystemLookup {
    async fn lookup(&self, host: &str) -> io::Result<Vec<IpAddr>> {
        Ok(tokio::net::lookup_host((host, 0)).await?.map(|address| address.ip()).collect())
    }
}

/// How far inside a request may reach; each step includes those before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Reach {
    /// Addresses of the internet.
    Public,
    /// Private networks: RFC 1918, unique local, carrier-grade NAT.
    Private,
    /// This machine.
    Loopback,
    /// Anything, link-local included, where clouds keep their metadata.
    Any,
}

impl Reach {
    /// Every reach, in order.
    pub(crate) const ALL: [Self; 4] = [Self::Public, Self::Private, Self::Loopback, Self::Any];

    /// Returns the reach that `ip` needs.
    pub(crate) fn needed_for(ip: IpAddr) -> Self {
        match ip.to_canonical() {
            IpAddr::V4(ip) => needed_for_v4(ip),
            IpAddr::V6(ip) => needed_for_v6(ip),
        }
    }

    /// Returns what an upstream at `ip` may lead to: the network it lies on itself, but never
    /// further than this machine.
    pub(crate) fn granted_by(ip: IpAddr) -> Self {
        Self::needed_for(ip).min(Self::Loopback)
    }

    /// Tells whether a URL may be dialled as far as its text says: names are judged later.
    pub(crate) fn permits(self, url: &Url) -> bool {
        match url.host() {
            Some(Host::Ipv4(ip)) => Self::needed_for(ip.into()) <= self,
            Some(Host::Ipv6(ip)) => Self::needed_for(ip.into()) <= self,
            Some(Host::Domain(_)) => true,
            None => false,
        }
    }
}

/// Special-purpose addresses: IANA's registries for IPv4 and IPv6 (RFC 6890 and its updates).
fn needed_for_v4(ip: Ipv4Addr) -> Reach {
    let [a, b, c, _] = ip.octets();
    match (a, b, c) {
        (127, ..) => Reach::Loopback,
        // RFC 1918; RFC 6598 (carrier-grade NAT); RFC 2544 (benchmarks, used as private space).
        (10, ..) | (172, 16..=31, _) | (192, 168, _) | (100, 64..=127, _) | (198, 18..=19, _) => {
            Reach::Private
        }
        // "This network", link-local (169.254.169.254), IETF, multicast, reserved, broadcast.
        (0, ..) | (169, 254, _) | (192, 0, 0) | (224..=255, ..) => Reach::Any,
        _ => Reach::Public,
    }
}

fn needed_for_v6(ip: Ipv6Addr) -> Reach {
    let segments = ip.segments();
    if ip.is_loopback() {
        return Reach::Loopback;
    }
    // AWS puts instance metadata into unique local space.
    if ip == Ipv6Addr::new(0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x254) {
        return Reach::Any;
    }
    match segments[0] {
        0xfc00..=0xfdff => Reach::Private,
        // Link-local, site-local, multicast.
        0xfe80..=0xffff => Reach::Any,
        // NAT64 (RFC 6052) and 6to4 (RFC 3056): what they carry counts.
        0x64 if segments[1..6] == [0xff9b, 0, 0, 0, 0] => {
            needed_for_v4(embedded(segments[6], segments[7]))
        }
        0x64 if segments[1] == 0xff9b => Reach::Any,
        0x2002 => needed_for_v4(embedded(segments[1], segments[2])),
        // Unspecified, and the deprecated IPv4-compatible form.
        0 if segments[..6] == [0; 6] => Reach::Any,
        _ => Reach::Public,
    }
}

fn embedded(high: u16, low: u16) -> Ipv4Addr {
    let [a, b] = high.to_be_bytes();
    let [c, d] = low.to_be_bytes();
    Ipv4Addr::new(a, b, c, d)
}

/// A name that has no address a request may be dialled to.
#[derive(Debug, thiserror::Error)]
#[error("the name resolves to addresses that may not be dialled")]
pub(crate) struct RefusedAddress;

/// A name that cannot be resolved.
#[derive(Debug, thiserror::Error)]
#[error("the name cannot be resolved")]
pub(crate) struct UnresolvedName {
    source: Option<io::Error>,
}

/// Resolves names and lets through the addresses within reach.
#[derive(Debug)]
pub(crate) struct GuardedResolver {
    pub(crate) lookup: Arc<dyn Lookup>,
    pub(crate) reach: Reach,
}

impl Resolve for GuardedResolver {
    fn resolve(&self, name: Name) -> Resolving {
        let lookup = Arc::clone(&self.lookup);
        let reach = self.reach;
        Box::pin(async move {
            let found = lookup
                .lookup(name.as_str())
                .await
                .map_err(|error| UnresolvedName { source: Some(error) })?;
            if found.is_empty() {
                return Err(UnresolvedName { source: None }.into());
            }
            let within: Vec<_> = found
                .into_iter()
                .filter(|ip| Reach::needed_for(*ip) <= reach)
                // Port 0 stands for the URL's.
                .map(|ip| SocketAddr::new(ip, 0))
                .collect();
            if within.is_empty() {
                return Err(RefusedAddress.into());
            }
            Ok(Box::new(within.into_iter()) as Addrs)
        })
    }
}

#[cfg(test)]
mod tests;
