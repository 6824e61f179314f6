//! The addresses among the settings: where to listen, how the public names this registry, where
//! the stores are, where an upstream's traffic goes.

use std::{
    net::{SocketAddr, ToSocketAddrs as _},
    path::PathBuf,
};

use metadata::RegistryId;
use url::Url;

use super::{ConfigError, setting::Given};

/// Reads `HOST:PORT` into the socket addresses it stands for.
pub(crate) fn listen(text: &str) -> Result<Vec<SocketAddr>, String> {
    const EXPECTED: &str = "expected HOST:PORT, such as 127.0.0.1:5000 or [::]:5000";
    if let Ok(address) = text.parse() {
        return Ok(vec![address]);
    }
    match text.rsplit_once(':') {
        Some((host, port)) if !host.is_empty() && port.parse::<u16>().is_ok() => {}
        _ => return Err(EXPECTED.to_owned()),
    }
    let found: Vec<_> = text.to_socket_addrs().map_err(|error| error.to_string())?.collect();
    if found.is_empty() { Err(EXPECTED.to_owned()) } else { Ok(found) }
}

/// The URL by which clients know this registry, perhaps with `{account}` and `{region}` in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct PublicUrl(String);

impl PublicUrl {
    /// Reads a public URL: scheme, host and perhaps a port.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        const EXPECTED: &str =
            "expected http://HOST or https://HOST, perhaps with a port, {account} and {region}";
        let expanded = expand(text, "000000000000", "us-east-1");
        if expanded.contains(['{', '}']) {
            return Err("only {account} and {region} can stand in braces".to_owned());
        }
        let url = Url::parse(&expanded).map_err(|_| EXPECTED)?;
        let is_bare = url.path() == "/"
            && url.query().is_none()
            && url.fragment().is_none()
            && url.username().is_empty()
            && url.password().is_none();
        if !matches!(url.scheme(), "http" | "https") || url.host().is_none() || !is_bare {
            return Err(EXPECTED.to_owned());
        }
        Ok(Self(text.trim_end_matches('/').to_owned()))
    }

    /// Returns the text, placeholders included, without a slash at the end.
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }

    /// Returns the URL of one registry.
    pub(crate) fn of(&self, registry: &RegistryId) -> String {
        expand(&self.0, registry.account.as_str(), registry.region.as_str())
    }
}

fn expand(text: &str, account: &str, region: &str) -> String {
    text.replace("{account}", account).replace("{region}", region)
}

/// Reads where the metadata is: `sqlite:PATH`.
pub(crate) fn metadata_path(given: &Given) -> Result<PathBuf, ConfigError> {
    local_path(given, "sqlite", "sqlite:PATH")
}

/// Reads where the blobs are: `file:PATH`.
pub(crate) fn blob_path(given: &Given) -> Result<PathBuf, ConfigError> {
    local_path(given, "file", "file:PATH")
}

fn local_path(
    given: &Given,
    served_scheme: &str,
    served: &'static str,
) -> Result<PathBuf, ConfigError> {
    let expected = || given.reject(format!("expected {served}"));
    let (scheme, path) = given.text.split_once(':').ok_or_else(expected)?;
    if scheme != served_scheme {
        // The rest of the address may be a password.
        let origin = given.origin.to_string();
        return Err(match scheme {
            "postgres" | "postgresql" | "s3" => {
                ConfigError::UnsupportedStore { origin, scheme: format!("{scheme}://"), served }
            }
            _ => ConfigError::Invalid {
                origin,
                text: format!("{scheme}:"),
                reason: format!("expected {served}"),
            },
        });
    }
    // `file:///srv/blobs` is the long way to say `file:/srv/blobs`.
    let path = match path.strip_prefix("//") {
        Some(absolute) if absolute.starts_with('/') => absolute,
        Some(_) => return Err(given.reject(format!("expected {served}, without a host"))),
        None => path,
    };
    if path.is_empty() || path.contains('?') { Err(expected()) } else { Ok(path.into()) }
}

/// Reads the origin that traffic goes to.
pub(crate) fn origin(text: &str) -> Result<Url, &'static str> {
    const EXPECTED: &str = "expected http://HOST or https://HOST, perhaps with a port";
    let url = Url::parse(text).map_err(|_| EXPECTED)?;
    let is_bare = url.path() == "/" && url.query().is_none() && url.username().is_empty();
    if !matches!(url.scheme(), "http" | "https") || url.host().is_none() || !is_bare {
        return Err(EXPECTED);
    }
    Ok(url)
}

/// Reads `HOST=URL`: the public host of an upstream, and where its traffic goes instead.
pub(crate) fn upstream_endpoint(text: &str) -> Result<(String, Url), String> {
    const EXPECTED: &str = "expected HOST=URL, such as registry-1.docker.io=http://127.0.0.1:5001";
    let (host, url) = text.split_once('=').ok_or(EXPECTED)?;
    let url = Url::parse(url).map_err(|_| EXPECTED)?;
    let host_is_bare = !host.is_empty() && !host.contains(['/', '@', ' ']);
    if !host_is_bare || !matches!(url.scheme(), "http" | "https") || url.host().is_none() {
        return Err(EXPECTED.to_owned());
    }
    Ok((host.to_ascii_lowercase(), url))
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::config::setting::Origin;

    fn given(text: &str) -> Given {
        Given { text: text.to_owned(), origin: Origin::Flag("metadata-url") }
    }

    #[test]
    fn where_to_listen() {
        assert_eq!(listen("127.0.0.1:0").unwrap(), ["127.0.0.1:0".parse().unwrap()]);
        assert_eq!(listen("[::1]:5000").unwrap(), ["[::1]:5000".parse().unwrap()]);
        for text in ["nowhere", "5000", ":5000", "127.0.0.1", "127.0.0.1:70000"] {
            assert!(listen(text).is_err(), "{text}");
        }
    }

    #[test]
    fn public_urls() {
        for text in ["https://r.example.com", "http://{account}.dkr.ecr.{region}.example.com:5000/"]
        {
            assert!(PublicUrl::parse(text).is_ok(), "{text}");
        }
        for text in
            ["r.example.com", "ftp://r", "https://r/path", "https://u:p@r", "https://{host}"]
        {
            assert!(PublicUrl::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn stores() {
        for text in ["sqlite:/srv/m.sqlite", "sqlite:///srv/m.sqlite"] {
            assert_eq!(metadata_path(&given(text)).unwrap(), Path::new("/srv/m.sqlite"));
        }
        assert_eq!(metadata_path(&given("sqlite:m")).unwrap(), Path::new("m"));
        for text in ["sqlite:", "sqlite://host/m", "m.sqlite", "file:m", "sqlite:m?mode=ro"] {
            assert!(metadata_path(&given(text)).is_err(), "{text}");
        }
        let refused = metadata_path(&given("postgres://u:secret@db/x")).unwrap_err().to_string();
        assert!(refused.contains("sqlite:PATH only, not postgres://"), "{refused}");
        assert!(!refused.contains("secret"), "{refused}");
    }

    #[test]
    fn endpoints() {
        let (host, url) = upstream_endpoint("Registry-1.docker.io=http://127.0.0.1:5001").unwrap();
        assert_eq!((host.as_str(), url.port()), ("registry-1.docker.io", Some(5001)));
        for text in ["registry-1.docker.io", "=http://a", "https://a=http://b", "a=b", "a=ftp://b"]
        {
            assert!(upstream_endpoint(text).is_err(), "{text}");
        }
    }
}
