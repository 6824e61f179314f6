//! Where clients reach a registry: the address in answers, and the registry in a Host.
//!
//! DESIGN 2: answers follow the configured public URL, else the Host that the request came to;
//! a request to an AWS host name gets the AWS form, which the credential helpers insist on.

use http::{header::HOST, request::Parts};
use metadata::{AccountId, Region, RegistryId};

/// The configured address of this process.
#[derive(Clone, Debug)]
pub(crate) struct PublicAddress(Option<String>);

impl PublicAddress {
    /// Takes a URL that may hold `{account}` and `{region}`.
    pub(crate) fn new(public_url: Option<&str>) -> Self {
        Self(public_url.map(|url| url.trim_end_matches('/').to_owned()))
    }

    /// Returns scheme and host of `registry`, for a request that came to `host`.
    pub(crate) fn endpoint(&self, registry: &RegistryId, host: &str, tls: bool) -> String {
        let RegistryId { account, region } = registry;
        if let Some(template) = &self.0 {
            return template
                .replace("{account}", account.as_str())
                .replace("{region}", region.as_str());
        }
        match aws_suffix(host) {
            Some(suffix) => format!("https://{account}.dkr.ecr.{region}.{suffix}"),
            None => format!("{}://{host}", if tls { "https" } else { "http" }),
        }
    }

    /// Returns the scheme that clients see.
    pub(crate) fn scheme(&self, tls: bool) -> &'static str {
        match &self.0 {
            Some(url) if url.starts_with("https://") => "https",
            _ if tls => "https",
            _ => "http",
        }
    }
}

/// Returns what follows the region in the host name of an ECR API endpoint, port included.
fn aws_suffix(host: &str) -> Option<&str> {
    let rest = host
        .strip_prefix("api.ecr.")
        .or_else(|| host.strip_prefix("api.ecr-fips."))
        .or_else(|| host.strip_prefix("ecr."))?;
    let (_region, suffix) = rest.split_once('.')?;
    let name = suffix.split(':').next().unwrap_or_default();
    matches!(name, "amazonaws.com" | "amazonaws.com.cn" | "amazonaws.eu").then_some(suffix)
}

/// Returns the host a request came to, as long as it can stand in an answer: the Host header, or
/// the authority of HTTP/2.
pub(crate) fn host(head: &Parts) -> Option<&str> {
    let host = match head.headers.get(HOST) {
        Some(value) => value.to_str().ok()?,
        None => head.uri.authority()?.as_str(),
    };
    let is_plain = |b: u8| b.is_ascii_alphanumeric() || b".-_:[]".contains(&b);
    (!host.is_empty() && host.bytes().all(is_plain)).then_some(host)
}

/// Returns the registry that a host of the form `<account>.dkr.ecr.<region>.<anything>` names.
pub(crate) fn registry_of(host: &str) -> Option<RegistryId> {
    // Most hosts are not of this form, and are out after a look at the thirteenth character.
    if host.as_bytes().get(12) != Some(&b'.') {
        return None;
    }
    let account = AccountId::parse(&host[..12]).ok()?;
    let rest = &host[13..];
    let literal =
        ["dkr.ecr.", "dkr-ecr.", "dkr.ecr-fips.", "dkr-ecr-fips."].into_iter().find(|literal| {
            rest.get(..literal.len()).is_some_and(|start| start.eq_ignore_ascii_case(literal))
        })?;
    let (region, anything) = rest[literal.len()..].split_once('.')?;
    if anything.is_empty() {
        return None;
    }
    Some(RegistryId { account, region: Region::parse(&region.to_ascii_lowercase()).ok()? })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn registry(account: &str, region: &str) -> RegistryId {
        RegistryId {
            account: AccountId::parse(account).unwrap(),
            region: Region::parse(region).unwrap(),
        }
    }

    #[test]
    fn hosts_that_name_a_registry() {
        for (host, expected) in [
            ("111122223333.dkr.ecr.eu-west-1.amazonaws.com", Some("eu-west-1")),
            ("111122223333.dkr.ecr.eu-west-1.amazonaws.com:8443", Some("eu-west-1")),
            ("111122223333.dkr-ecr.eu-west-1.on.aws", Some("eu-west-1")),
            ("111122223333.dkr.ecr-fips.us-east-2.amazonaws.com", Some("us-east-2")),
            ("111122223333.DKR.ECR.Us-East-2.localhost:5000", Some("us-east-2")),
            ("111122223333.dkr.ecr.local.x", Some("local")),
            ("111122223333.dkr.ecr.eu-west-1", None),
            ("111122223333.dkr.ecr.eu-west-1.", None),
            ("11112222333.dkr.ecr.eu-west-1.amazonaws.com", None),
            ("11112222333a.dkr.ecr.eu-west-1.amazonaws.com", None),
            ("111122223333.dkr.ecr..amazonaws.com", None),
            ("111122223333.example.com", None),
            ("127.0.0.1:5000", None),
            ("localhost", None),
            ("", None),
        ] {
            let expected = expected.map(|region| registry("111122223333", region));
            assert_eq!(registry_of(host), expected, "{host}");
        }
    }

    #[test]
    fn endpoints_follow_the_public_url_then_the_host() {
        let registry = registry("111122223333", "eu-west-1");
        for (public_url, host, tls, expected) in [
            (None, "127.0.0.1:5000", false, "http://127.0.0.1:5000"),
            (None, "registry.example.com", true, "https://registry.example.com"),
            (
                None,
                "api.ecr.eu-west-1.amazonaws.com",
                true,
                "https://111122223333.dkr.ecr.eu-west-1.amazonaws.com",
            ),
            (
                None,
                "api.ecr.eu-west-1.amazonaws.com:8443",
                true,
                "https://111122223333.dkr.ecr.eu-west-1.amazonaws.com:8443",
            ),
            (None, "api.ecr.eu-west-1.example.com", false, "http://api.ecr.eu-west-1.example.com"),
            (Some("https://cistern.example.com/"), "x", false, "https://cistern.example.com"),
            (
                Some("https://{account}.dkr.ecr.{region}.example.com"),
                "x",
                false,
                "https://111122223333.dkr.ecr.eu-west-1.example.com",
            ),
        ] {
            let address = PublicAddress::new(public_url);
            assert_eq!(address.endpoint(&registry, host, tls), expected);
        }
    }
}
