//! Which token realm may see an upstream's credentials.
//!
//! Whoever can answer in an upstream's place for once (a broken proxy, a hostile network in front
//! of plain http) could name a realm of his own and would be sent the rule's secret. So a realm
//! is believed only where it belongs to the upstream. "Belongs" is decided by the public suffix
//! list and only by suffixes that are on it: under an unlisted one, such as `cluster.local`, two
//! hosts may have different owners. There, and for realms under another domain, the operator
//! says so.

use url::{Host, Url};

use crate::{endpoint::Endpoint, known};

/// Tells whether `realm` may see the credentials of `endpoint`.
pub(crate) fn may_see_credentials(endpoint: &Endpoint, realm: &Url, trusted: &[String]) -> bool {
    let Some(host) = realm.host_str() else { return false };
    host == endpoint.public_host()
        || Some(host) == endpoint.origin().host_str()
        || known::is_realm_of(host, endpoint.public_host())
        || crate::address::is_listed(realm, trusted)
        || have_one_owner(host, endpoint.public_host())
}

fn have_one_owner(one: &str, other: &str) -> bool {
    registrable_domain(one).is_some_and(|domain| registrable_domain(other) == Some(domain))
}

fn registrable_domain(host: &str) -> Option<&str> {
    if !matches!(Host::parse(host), Ok(Host::Domain(_))) {
        return None;
    }
    psl::suffix(host.as_bytes()).filter(psl::Suffix::is_known)?;
    psl::domain_str(host)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn owners() {
        for (one, other, expected) in [
            ("auth.docker.io", "registry-1.docker.io", true),
            ("docker.io.evil.com", "registry-1.docker.io", false),
            ("evildocker.io", "registry-1.docker.io", false),
            ("auth.example.co.uk", "registry.example.co.uk", true),
            ("evil.co.uk", "example.co.uk", false),
            ("evil.github.io", "someone.github.io", false),
            ("a.ns1.cluster.local", "b.ns2.cluster.local", false),
            ("10.0.0.1", "10.1.0.1", false),
            ("localhost", "localhost", false),
            ("[::1]", "[::1]", false),
        ] {
            assert_eq!(have_one_owner(one, other), expected, "{one} {other}");
        }
    }
}
