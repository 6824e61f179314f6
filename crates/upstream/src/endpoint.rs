//! Where the traffic meant for an upstream goes.

use std::{collections::HashMap, sync::Arc};

use url::Url;

use crate::{Address, Error, SettingsError, known};

/// An upstream as it is spoken to.
#[derive(Clone, Debug)]
pub(crate) struct Endpoint {
    name: Arc<str>,
    public_host: Arc<str>,
    origin: Url,
}

impl Endpoint {
    /// Returns the public name the rule uses, for messages.
    pub(crate) fn name(&self) -> &Arc<str> {
        &self.name
    }

    /// Returns the public host that serves the registry, without port.
    pub(crate) fn public_host(&self) -> &str {
        &self.public_host
    }

    /// Returns scheme, host and port that are really spoken to.
    pub(crate) fn origin(&self) -> &Url {
        &self.origin
    }

    /// Returns the URL of a service's one path.
    pub(crate) fn root(&self) -> Url {
        self.origin.clone()
    }

    /// Returns the URL of something below `/v2/`.
    pub(crate) fn url(&self, segments: impl IntoIterator<Item = impl AsRef<str>>) -> Url {
        let mut url = self.origin.clone();
        url.set_path("/v2/");
        if let Ok(mut path) = url.path_segments_mut() {
            path.pop_if_empty().extend(segments);
        }
        url
    }
}

/// The table of replaced endpoints.
#[derive(Debug)]
pub(crate) struct Endpoints {
    replaced: HashMap<String, Vec<Url>>,
    plain_http_hosts: Vec<String>,
}

impl Endpoints {
    /// Checks the table as configured.
    pub(crate) fn new(
        replaced: &HashMap<String, Vec<Url>>,
        plain_http_hosts: &[String],
    ) -> Result<Self, SettingsError> {
        let is_origin = |url: &Url| {
            matches!(url.scheme(), "http" | "https")
                && url.has_host()
                && url.path() == "/"
                && url.query().is_none()
                && url.username().is_empty()
                && url.password().is_none()
        };
        let are_good = |urls: &[Url]| !urls.is_empty() && urls.iter().all(is_origin);
        if let Some((host, _)) = replaced.iter().find(|(_, urls)| !are_good(urls)) {
            return Err(SettingsError::Endpoint { host: host.clone() });
        }
        let replaced =
            replaced.iter().map(|(host, urls)| (host.to_ascii_lowercase(), urls.clone())).collect();
        Ok(Self { replaced, plain_http_hosts: plain_http_hosts.to_vec() })
    }

    /// Finds the endpoints of an upstream as a rule names it, in order.
    pub(crate) fn endpoints(&self, registry_url: &str) -> Result<Vec<Endpoint>, Error> {
        let address = Address::parse(registry_url, &self.plain_http_hosts).map_err(|error| {
            Error::Invalid { host: registry_url.to_owned(), reason: error.to_string() }
        })?;
        let public_host: Arc<str> = known::serving_host(address.host()).into();
        let mut origin = Url::parse(&address.to_string()).expect("an address is a URL");
        let mut replaced = self.replaced(&origin);
        if address.host() != &*public_host {
            origin.set_host(Some(&public_host)).expect("a known host is a host");
        }
        replaced = replaced.or_else(|| self.replaced(&origin));
        let origins = replaced.map_or_else(|| vec![origin], <[Url]>::to_vec);
        let name: Arc<str> = address.authority().into();
        let endpoint = |origin| {
            let (name, public_host) = (Arc::clone(&name), Arc::clone(&public_host));
            Endpoint { name, public_host, origin }
        };
        Ok(origins.into_iter().map(endpoint).collect())
    }

    /// Finds the endpoint of a service that is known by its host, without scheme and port.
    pub(crate) fn service(&self, host: &str) -> Endpoint {
        let origin = Url::parse(&format!("https://{host}/")).expect("a known host is a host");
        let origin = self.replacement(&origin, &origin).unwrap_or(origin);
        Endpoint { name: host.into(), public_host: host.into(), origin }
    }

    /// Names what is at a URL that is no registry.
    pub(crate) fn of_url(&self, url: &Url) -> Endpoint {
        let host: Arc<str> = url.host_str().unwrap_or_default().into();
        Endpoint { name: Arc::clone(&host), public_host: host, origin: url.clone() }
    }

    /// Returns where a URL's traffic goes instead, path and query kept, where that is configured:
    /// to `current`, where that is one of the places, else to the first.
    pub(crate) fn replacement(&self, url: &Url, current: &Url) -> Option<Url> {
        let origins = self.replaced(url)?;
        let is_current = |origin: &&Url| is_same_origin(origin, current);
        let mut replacement = origins.iter().find(is_current).or(origins.first())?.clone();
        replacement.set_path(url.path());
        replacement.set_query(url.query());
        Some(replacement)
    }

    fn replaced(&self, url: &Url) -> Option<&[Url]> {
        let host = url.host_str()?;
        let port = url.port_or_known_default()?;
        let with_port = self.replaced.get(&format!("{host}:{port}"));
        let by_host = || self.replaced.get(host).filter(|_| url.port().is_none());
        with_port.or_else(by_host).map(Vec::as_slice)
    }
}

/// Tells whether two URLs have one origin: scheme, host and port.
pub(crate) fn is_same_origin(one: &Url, other: &Url) -> bool {
    one.origin() == other.origin()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn endpoints(table: &[(&str, &str)]) -> Endpoints {
        let mut replaced = HashMap::<String, Vec<Url>>::new();
        for (host, url) in table {
            replaced.entry((*host).to_owned()).or_default().push(Url::parse(url).unwrap());
        }
        Endpoints::new(&replaced, &[]).unwrap()
    }

    impl Endpoints {
        fn endpoint(&self, registry_url: &str) -> Result<Endpoint, Error> {
            Ok(self.endpoints(registry_url)?.remove(0))
        }
    }

    #[test]
    fn several_are_kept_in_order_and_a_redirect_home_stays_where_it_is() {
        let table = endpoints(&[
            ("quay.io", "https://mirror.example"),
            ("quay.io", "http://127.0.0.1:5001"),
            ("quay.io", "https://quay.io"),
        ]);
        let found = table.endpoints("https://quay.io").unwrap();
        let origins: Vec<_> = found.iter().map(|endpoint| endpoint.origin().as_str()).collect();
        assert_eq!(
            origins,
            ["https://mirror.example/", "http://127.0.0.1:5001/", "https://quay.io/"]
        );
        let home = Url::parse("https://quay.io/v2/x?y").unwrap();
        for (current, expected) in [
            ("https://mirror.example", "https://mirror.example/v2/x?y"),
            ("http://127.0.0.1:5001", "http://127.0.0.1:5001/v2/x?y"),
            ("https://quay.io", "https://quay.io/v2/x?y"),
            ("https://ghcr.io", "https://mirror.example/v2/x?y"),
        ] {
            let replacement = table.replacement(&home, &Url::parse(current).unwrap());
            assert_eq!(replacement.unwrap().as_str(), expected, "{current}");
        }
    }

    #[test]
    fn traffic_goes_where_it_is_sent() {
        let table = endpoints(&[
            ("registry-1.docker.io", "http://127.0.0.1:5001"),
            ("quay.io:8443", "https://mirror.example"),
            ("docker.io", "http://127.0.0.1:5002"),
        ]);
        for (registry_url, name, origin) in [
            ("registry-1.docker.io", "registry-1.docker.io", "http://127.0.0.1:5001/"),
            ("https://registry-1.docker.io/", "registry-1.docker.io", "http://127.0.0.1:5001/"),
            ("index.docker.io", "index.docker.io", "http://127.0.0.1:5001/"),
            ("docker.io", "docker.io", "http://127.0.0.1:5002/"),
            ("quay.io", "quay.io", "https://quay.io/"),
            ("quay.io:8443", "quay.io:8443", "https://mirror.example/"),
            ("http://localhost:9", "localhost:9", "http://localhost:9/"),
        ] {
            let endpoint = table.endpoint(registry_url).unwrap();
            assert_eq!((&**endpoint.name(), endpoint.origin().as_str()), (name, origin));
        }
        let unreplaced = endpoints(&[]).endpoint("docker.io").unwrap();
        assert_eq!(unreplaced.origin().as_str(), "https://registry-1.docker.io/");
    }

    #[test]
    fn names_cannot_leave_their_path() {
        let endpoint = endpoints(&[]).endpoint("quay.io").unwrap();
        let url = endpoint.url(["a", "..", "b?c#d", "manifests", "v1"]);
        assert_eq!(url.as_str(), "https://quay.io/v2/a/b%3Fc%23d/manifests/v1");
        assert_eq!(endpoint.url([""]).as_str(), "https://quay.io/v2/");
    }

    #[test]
    fn an_endpoint_is_an_origin() {
        for url in ["ftp://x", "http://x/path", "http://u@x", "http://x/?q", "unix:/run/x"] {
            let table = [("quay.io".to_owned(), vec![Url::parse(url).unwrap()])].into();
            assert!(Endpoints::new(&table, &[]).is_err(), "{url}");
        }
    }
}
