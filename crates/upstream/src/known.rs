//! The upstreams that Amazon ECR knows, and what is peculiar about them: one table.
//!
//! ECR user guide, "Sync an upstream registry with an Amazon ECR private registry". What each asks
//! for and where it sends its clients, as seen from them; `tests/it/kinds.rs` plays each of these:
//!
//! | kind | challenge | blobs are at |
//! |---|---|---|
//! | `ecr` | Basic, a login of `GetAuthorizationToken` | a bucket of S3 |
//! | `ecr-public` | Bearer, scope `aws` for everything | CloudFront |
//! | `docker-hub` | Bearer, another host of its domain; manifests are counted, HEADs are not | a CDN |
//! | `k8s` | none; manifests are elsewhere too | Artifact Registry, buckets of S3 |
//! | `quay` | Bearer, realm below `/v2/`; none for much of what is public | its CDN |
//! | `github-container-registry` | Bearer, for what is public too | Azure's storage |
//! | `gitlab-container-registry` | Bearer, realm on another host | a CDN of another domain |
//! | `azure-container-registry` | Bearer, `access_token` without lifetime | Azure's storage |
//! | `chainguard` | Bearer, at home | R2 of Cloudflare |
//!
//! Where blobs are, an address is signed and good for minutes: it is asked for anew each time, and
//! no credentials go along (Azure's storage answers 400 to them).

use crate::EcrHost;

/// A kind of upstream, by the name ECR has for it (`upstreamRegistry`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// Amazon ECR, private.
    Ecr,
    /// Amazon ECR Public.
    EcrPublic,
    /// Docker Hub.
    DockerHub,
    /// The Kubernetes registry.
    K8s,
    /// Quay.
    Quay,
    /// GitHub container registry.
    GithubContainerRegistry,
    /// GitLab container registry.
    GitlabContainerRegistry,
    /// Microsoft Azure container registry.
    AzureContainerRegistry,
    /// Chainguard registry.
    Chainguard,
}

/// What a row says about hosts of its kind.
struct Row {
    kind: Kind,
    name: &'static str,
    host: HostPattern,
    /// Whether ECR refuses a rule without credentials.
    requires_credentials: bool,
    /// The host of its token realm, where that is another one.
    realm: Option<&'static str>,
    /// Whether a HEAD costs nothing of a client's budget.
    is_head_free: bool,
}

enum HostPattern {
    Exactly(&'static str),
    Under(&'static str),
    PrivateEcr,
}

const TABLE: [Row; 9] = {
    use HostPattern::{Exactly, PrivateEcr, Under};
    use Kind::{
        AzureContainerRegistry, Chainguard, DockerHub, Ecr, EcrPublic, GithubContainerRegistry,
        GitlabContainerRegistry, K8s, Quay,
    };
    [
        row(Ecr, "ecr", PrivateEcr),
        row(EcrPublic, "ecr-public", Exactly("public.ecr.aws")),
        // "Pull usage and limits": a pull is a GET of a manifest.
        row(DockerHub, "docker-hub", Exactly(DOCKER_HUB))
            .requires_credentials()
            .realm("auth.docker.io")
            .with_free_heads(),
        row(K8s, "k8s", Exactly("registry.k8s.io")),
        row(Quay, "quay", Exactly("quay.io")),
        row(GithubContainerRegistry, "github-container-registry", Exactly("ghcr.io"))
            .requires_credentials(),
        row(GitlabContainerRegistry, "gitlab-container-registry", Exactly("registry.gitlab.com"))
            .requires_credentials()
            .realm("gitlab.com"),
        row(AzureContainerRegistry, "azure-container-registry", Under("azurecr.io"))
            .requires_credentials(),
        row(Chainguard, "chainguard", Exactly("cgr.dev")).requires_credentials(),
    ]
};

/// Where Docker Hub's registry is; `docker.io` itself is a web site.
const DOCKER_HUB: &str = "registry-1.docker.io";

/// Names people write for Docker Hub.
const DOCKER_HUB_ALIASES: [&str; 2] = ["docker.io", "index.docker.io"];

/// Token realms of registries that are no kind of ECR's, and lie outside their domain.
const OTHER_REALMS: [(&str, &str); 1] = [("nvcr.io", "authn.nvidia.com")];

const fn row(kind: Kind, name: &'static str, host: HostPattern) -> Row {
    let (requires_credentials, realm, is_head_free) = (false, None, false);
    Row { kind, name, host, requires_credentials, realm, is_head_free }
}

impl Row {
    const fn requires_credentials(self) -> Self {
        Self { requires_credentials: true, ..self }
    }

    const fn realm(self, host: &'static str) -> Self {
        Self { realm: Some(host), ..self }
    }

    const fn with_free_heads(self) -> Self {
        Self { is_head_free: true, ..self }
    }
}

impl Kind {
    fn row(self) -> &'static Row {
        TABLE.iter().find(|row| row.kind == self).expect("every kind has a row")
    }

    /// Returns ECR's name of the kind.
    pub fn as_str(self) -> &'static str {
        self.row().name
    }

    /// Returns the kind that ECR names so.
    pub fn parse(name: &str) -> Option<Self> {
        TABLE.iter().find(|row| row.name == name).map(|row| row.kind)
    }

    /// Tells whether ECR refuses a rule of this kind without credentials.
    pub fn requires_credentials(self) -> bool {
        self.row().requires_credentials
    }
}

/// Infers the kind of an upstream from its host, whatever scheme, port and case it is written in;
/// Docker Hub's other names count.
pub fn kind_of(registry_url: &str) -> Option<Kind> {
    let host = host_of(registry_url).to_ascii_lowercase();
    kind_of_host(serving_host(&host))
}

/// Infers the kind as ECR does: from a bare host in its one spelling, from nothing else.
pub fn ecr_kind_of(registry_url: &str) -> Option<Kind> {
    let is_taken = EcrHost::parse(registry_url).is_none_or(|host| host.is_plain());
    kind_of_host(registry_url).filter(|_| is_taken)
}

/// Tells whether two texts, each a URL or a host with or without a port, name one registry. Docker
/// Hub is one by all its names; the ports that the schemes stand for need not be written.
pub fn is_same_registry(one: &str, other: &str) -> bool {
    let [one, other] = [one, other].map(|text| {
        let authority = authority_of(text).to_ascii_lowercase();
        let standard = [":443", ":80"].iter().find_map(|port| authority.strip_suffix(port));
        serving_host(standard.unwrap_or(&authority)).to_owned()
    });
    one == other
}

/// Returns the host that serves the registry that people know by `host`.
pub(crate) fn serving_host(host: &str) -> &str {
    if DOCKER_HUB_ALIASES.contains(&host) { DOCKER_HUB } else { host }
}

/// Tells whether the registry that `host` serves counts no HEAD against a client's budget.
pub(crate) fn is_head_free(host: &str) -> bool {
    row_of_host(serving_host(host)).is_some_and(|row| row.is_head_free)
}

/// Tells whether `realm_host` is known to be the token realm of `host`.
pub(crate) fn is_realm_of(realm_host: &str, host: &str) -> bool {
    let host = serving_host(host);
    row_of_host(host).is_some_and(|row| row.realm == Some(realm_host))
        || OTHER_REALMS.contains(&(host, realm_host))
}

fn kind_of_host(host: &str) -> Option<Kind> {
    row_of_host(host).map(|row| row.kind)
}

fn row_of_host(host: &str) -> Option<&'static Row> {
    TABLE.iter().find(|row| row.host.matches(host))
}

fn authority_of(registry_url: &str) -> &str {
    let rest = registry_url.split_once("://").map_or(registry_url, |(_, rest)| rest);
    rest.split(['/', '?', '#']).next().unwrap_or(rest)
}

fn host_of(registry_url: &str) -> &str {
    let authority = authority_of(registry_url);
    authority.rsplit_once(':').map_or(authority, |(host, _)| host)
}

impl HostPattern {
    fn matches(&self, host: &str) -> bool {
        match self {
            Self::Exactly(exact) => host == *exact,
            Self::Under(domain) => host
                .strip_suffix(domain)
                .and_then(|rest| rest.strip_suffix('.'))
                .is_some_and(is_label),
            Self::PrivateEcr => EcrHost::parse(host).is_some(),
        }
    }
}

/// Tells whether a text can stand between two dots of a host name.
pub(crate) fn is_label(text: &str) -> bool {
    !text.is_empty()
        && text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ecr_infers_from_the_bare_host_only() {
        for (host, name, requires_credentials) in [
            ("111122223333.dkr.ecr.eu-west-1.amazonaws.com", "ecr", false),
            ("dkr.ecr.us-east-1.amazonaws.com", "ecr", false),
            ("public.ecr.aws", "ecr-public", false),
            ("registry-1.docker.io", "docker-hub", true),
            ("registry.k8s.io", "k8s", false),
            ("quay.io", "quay", false),
            ("ghcr.io", "github-container-registry", true),
            ("registry.gitlab.com", "gitlab-container-registry", true),
            ("myregistry.azurecr.io", "azure-container-registry", true),
            ("cgr.dev", "chainguard", true),
        ] {
            let kind = ecr_kind_of(host).unwrap();
            assert_eq!((kind.as_str(), kind.requires_credentials()), (name, requires_credentials));
            assert_eq!(Kind::parse(name), Some(kind));
            assert_eq!(ecr_kind_of(&format!("https://{host}")), None);
            assert_eq!(kind_of(&format!("https://{host}:443/")), Some(kind));
            assert_eq!(kind_of(&format!("http://{}", host.to_uppercase())), Some(kind));
        }
    }

    #[test]
    fn other_hosts_have_no_kind() {
        for text in [
            "docker.io",
            "index.docker.io",
            "gitlab.com",
            "azurecr.io",
            ".azurecr.io",
            "a.b.azurecr.io",
            "evilazurecr.io",
            "1111.dkr.ecr.eu-west-1.amazonaws.com",
            "11112222333x.dkr.ecr.eu-west-1.amazonaws.com",
            "dkr.ecr.amazonaws.com",
            "quay.io/org",
            "",
        ] {
            assert_eq!(ecr_kind_of(text), None, "{text}");
        }
        for host in ["111122223333.dkr.ecr-fips.us-east-1.amazonaws.com", "1.dkr-ecr.x.on.aws"] {
            assert_eq!(ecr_kind_of(host), None, "{host}");
        }
        let dual_stack = "https://111122223333.dkr-ecr.us-east-1.on.aws";
        assert_eq!(kind_of(dual_stack), Some(Kind::Ecr));
        assert_eq!(kind_of("docker.io"), Some(Kind::DockerHub));
        assert_eq!(kind_of("https://index.docker.io/"), Some(Kind::DockerHub));
        assert_eq!(kind_of("registry.example.com"), None);
    }
}
