//! The registries that ECR knows as upstreams, as people choose among them.
//!
//! ECR user guide, "Sync an upstream registry with an Amazon ECR private registry". Which hosts
//! are of which kind is decided by whoever answers; a test of the binary holds this table to it.

/// A registry that ECR knows as an upstream.
#[derive(Clone, Copy, Debug)]
pub struct KnownUpstream {
    /// ECR's name of the kind (`upstreamRegistry`).
    pub kind: &'static str,
    /// What people call it.
    pub title: &'static str,
    /// Its host, or the form of its hosts, with the parts to fill in in capitals.
    pub host: &'static str,
    /// The prefix that ECR's console suggests.
    pub prefix: &'static str,
    /// Whether ECR refuses a rule without credentials.
    pub requires_credentials: bool,
    /// Where people make a token; empty where it needs none.
    pub token_hint: &'static str,
    /// An image that everybody may pull and nobody is surprised by; none where there is none.
    pub sample: Option<&'static str>,
}

/// All of them, the most used first.
pub const KNOWN: [KnownUpstream; 9] = [
    KnownUpstream {
        kind: "docker-hub",
        title: "Docker Hub",
        host: "registry-1.docker.io",
        prefix: "docker-hub",
        requires_credentials: true,
        token_hint: "an access token of https://app.docker.com/settings/personal-access-tokens",
        sample: Some("library/alpine:3.20"),
    },
    KnownUpstream {
        kind: "github-container-registry",
        title: "GitHub Container Registry",
        host: "ghcr.io",
        prefix: "github",
        requires_credentials: true,
        token_hint: "a classic token with read:packages of https://github.com/settings/tokens",
        sample: None,
    },
    KnownUpstream {
        kind: "quay",
        title: "Quay",
        host: "quay.io",
        prefix: "quay",
        requires_credentials: false,
        token_hint: "the token of a robot account",
        sample: Some("prometheus/busybox:latest"),
    },
    KnownUpstream {
        kind: "k8s",
        title: "Kubernetes",
        host: "registry.k8s.io",
        prefix: "kubernetes",
        requires_credentials: false,
        token_hint: "",
        sample: Some("pause:3.10"),
    },
    KnownUpstream {
        kind: "ecr-public",
        title: "Amazon ECR Public",
        host: "public.ecr.aws",
        prefix: "ecr-public",
        requires_credentials: false,
        token_hint: "",
        sample: Some("docker/library/alpine:3.20"),
    },
    KnownUpstream {
        kind: "ecr",
        title: "Amazon ECR",
        host: "ACCOUNT.dkr.ecr.REGION.amazonaws.com",
        prefix: "ecr",
        requires_credentials: false,
        token_hint: "",
        sample: None,
    },
    KnownUpstream {
        kind: "gitlab-container-registry",
        title: "GitLab Container Registry",
        host: "registry.gitlab.com",
        prefix: "gitlab",
        requires_credentials: true,
        token_hint: "a token with read_registry",
        sample: None,
    },
    KnownUpstream {
        kind: "azure-container-registry",
        title: "Microsoft Azure Container Registry",
        host: "NAME.azurecr.io",
        prefix: "azure",
        requires_credentials: true,
        token_hint: "the password of a token with the scope map _repositories_pull",
        sample: None,
    },
    KnownUpstream {
        kind: "chainguard",
        title: "Chainguard",
        host: "cgr.dev",
        prefix: "chainguard",
        requires_credentials: true,
        token_hint: "a pull token (`chainctl auth configure-docker --pull-token`)",
        sample: Some("chainguard/static:latest"),
    },
];

impl KnownUpstream {
    /// Tells whether its host is the same for everybody.
    pub fn has_one_host(&self) -> bool {
        !self.host.chars().any(char::is_uppercase)
    }

    /// Finds the upstream that a text names by ECR's name of its kind.
    pub(crate) fn named(kind: &str) -> Option<&'static Self> {
        KNOWN.iter().find(|known| known.kind == kind)
    }

    /// Finds the upstream whose host a text is, whatever scheme and path it is written with.
    pub(crate) fn at(url: &str) -> Option<&'static Self> {
        let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
        let host = rest.split('/').next().unwrap_or(rest).to_ascii_lowercase();
        let is_at = |known: &&Self| match known.host {
            host_of_all if host_of_all == host => true,
            "NAME.azurecr.io" => host.ends_with(".azurecr.io"),
            "ACCOUNT.dkr.ecr.REGION.amazonaws.com" => {
                host.contains("dkr.ecr.") && host.contains(".amazonaws.com")
            }
            _ => known.kind == "docker-hub" && matches!(&*host, "docker.io" | "index.docker.io"),
        };
        KNOWN.iter().find(is_at)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn upstreams_are_found_by_name_and_host() {
        for known in &KNOWN {
            assert_eq!(KnownUpstream::named(known.kind).unwrap().kind, known.kind);
        }
        for (url, kind) in [
            ("docker.io", Some("docker-hub")),
            ("https://Registry-1.docker.io/", Some("docker-hub")),
            ("corp.azurecr.io", Some("azure-container-registry")),
            ("111122223333.dkr.ecr.eu-west-1.amazonaws.com", Some("ecr")),
            ("registry.example.com:5000", None),
        ] {
            assert_eq!(KnownUpstream::at(url).map(|known| known.kind), kind, "{url}");
        }
    }
}
