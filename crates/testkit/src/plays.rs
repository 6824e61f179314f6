//! Kinds of upstreams on loopback, each as it is behind its public host name: its challenge, its
//! realm, and the storage that it sends its clients to.

use std::sync::Arc;

use oci::{Digest, media_type::OCI_MANIFEST};
use upstream::Kind;
use url::Url;

use crate::{Realm, Script, ScriptedUpstream, Tokens, blob_path};

/// How a kind behaves.
#[derive(Debug)]
pub struct Play {
    /// Which kind.
    pub kind: Kind,
    /// Its public host name.
    pub host: &'static str,
    /// Where its tokens are.
    pub realm: &'static str,
    /// What its challenge calls itself.
    pub service: &'static str,
    /// The one scope it has, where it does not name the repository.
    pub scope: Option<&'static str>,
    /// Who is let in; without it everybody with a token.
    pub user: Option<(&'static str, &'static str)>,
    tokens: fn(Tokens) -> Tokens,
    /// Where its blobs are, and for how long.
    pub storage: &'static str,
}

/// Kinds of upstreams whose tokens come from a realm, without and with a user.
pub const PLAYS: [Play; 10] = [
    Play {
        kind: Kind::EcrPublic,
        host: "public.ecr.aws",
        realm: "https://public.ecr.aws/token/",
        service: "public.ecr.aws",
        scope: Some("aws"),
        user: None,
        tokens: |tokens| tokens.expires_in(None),
        storage: "https://d5l0dvt14r5h8.cloudfront.net/b?Expires=1&Signature=x&Key-Pair-Id=K",
    },
    Play {
        kind: Kind::DockerHub,
        host: "registry-1.docker.io",
        realm: "https://auth.docker.io/token",
        service: "registry.docker.io",
        scope: None,
        user: None,
        tokens: |tokens| tokens,
        storage: "https://production.cloudflare.docker.com/b?verify=1-x",
    },
    Play {
        kind: Kind::DockerHub,
        host: "registry-1.docker.io",
        realm: "https://auth.docker.io/token",
        service: "registry.docker.io",
        scope: None,
        user: Some(("alice", "dckr_pat_x")),
        tokens: |tokens| tokens,
        storage: "https://production.cloudflare.docker.com/b?verify=1-x",
    },
    Play {
        kind: Kind::Quay,
        host: "quay.io",
        realm: "https://quay.io/v2/auth",
        service: "quay.io",
        scope: None,
        user: None,
        tokens: |tokens| tokens.expires_in(None),
        storage: "https://cdn01.quay.io/b?Expires=1&Signature=x",
    },
    Play {
        kind: Kind::Quay,
        host: "quay.io",
        realm: "https://quay.io/v2/auth",
        service: "quay.io",
        scope: None,
        user: Some(("org+robot", "token")),
        tokens: |tokens| tokens.expires_in(None),
        storage: "https://cdn01.quay.io/b?Expires=1&Signature=x",
    },
    Play {
        kind: Kind::GithubContainerRegistry,
        host: "ghcr.io",
        realm: "https://ghcr.io/token",
        service: "ghcr.io",
        scope: None,
        user: None,
        tokens: |tokens| tokens.expires_in(None),
        storage: "https://pkg-containers.githubusercontent.com/b?se=1&sig=x",
    },
    Play {
        kind: Kind::GithubContainerRegistry,
        host: "ghcr.io",
        realm: "https://ghcr.io/token",
        service: "ghcr.io",
        scope: None,
        user: Some(("alice", "ghp_x")),
        tokens: |tokens| tokens.expires_in(None),
        storage: "https://pkg-containers.githubusercontent.com/b?se=1&sig=x",
    },
    Play {
        kind: Kind::GitlabContainerRegistry,
        host: "registry.gitlab.com",
        realm: "https://gitlab.com/jwt/auth",
        service: "container_registry",
        scope: None,
        user: Some(("gitlab+deploy-token-1", "gldt-x")),
        tokens: |tokens| tokens.expires_in(None),
        storage: "https://cdn.registry.gitlab-static.net/b?Expires=1&Signature=x",
    },
    Play {
        kind: Kind::AzureContainerRegistry,
        host: "team.azurecr.io",
        realm: "https://team.azurecr.io/oauth2/token",
        service: "team.azurecr.io",
        scope: None,
        user: Some(("puller", "token-password")),
        tokens: |tokens| tokens.as_access_token().expires_in(None),
        storage: "https://weumanaged1.blob.core.windows.net/b?se=1&sig=x",
    },
    Play {
        kind: Kind::Chainguard,
        host: "cgr.dev",
        realm: "https://cgr.dev/token",
        service: "cgr.dev",
        scope: None,
        user: Some(("45a0c61ea6fd977f050c5fb9ac06a69eed764595/x", "pull-token")),
        tokens: |tokens| tokens,
        storage: "https://9236a389bd48b984df91adc1bc924620.r2.cloudflarestorage.com/b?X-Amz-Signature=x",
    },
];

/// A kind on loopback.
#[derive(Debug)]
pub struct Stage {
    /// The registry.
    pub registry: ScriptedUpstream,
    /// Where its tokens are, unless that is the registry.
    pub realm: ScriptedUpstream,
    /// Where its blobs are.
    pub storage: ScriptedUpstream,
    /// The tokens that were issued.
    pub tokens: Arc<Tokens>,
    /// The one blob.
    pub digest: Digest,
    /// Which public host is played by which address.
    pub endpoints: Vec<(String, Url)>,
}

impl Play {
    /// Starts it, with one image's manifest and one blob in a repository.
    ///
    /// # Panics
    /// Where a socket cannot be had.
    pub async fn start(&self, repository: &str, tag: &str, manifest: &str, blob: &[u8]) -> Stage {
        let registry = ScriptedUpstream::start().await;
        let (realm, storage) = (ScriptedUpstream::start().await, ScriptedUpstream::start().await);
        let tokens = match self.user {
            None => Tokens::anonymous(),
            Some((user, password)) => Tokens::only(user, password),
        };
        let tokens = Arc::new((self.tokens)(tokens));
        let is_at_home = host(self.realm) == self.host;
        let issuer = if is_at_home { &registry } else { &realm };
        issuer.serve_tokens_at(Url::parse(self.realm).expect("a URL").path(), &tokens);
        let named = Realm {
            url: self.realm.to_owned(),
            service: self.service.to_owned(),
            scope: self.scope.map(str::to_owned),
        };
        registry.require_token_like(&tokens, named);
        registry.add_manifest(repository, Some(tag), OCI_MANIFEST, manifest.to_owned());
        let digest = registry.add_blob(repository, blob.to_vec());
        registry.script(&blob_path(repository, &digest), Script::redirect(307, self.storage));
        storage.add_file("/b", blob.to_vec());
        let endpoints = [
            (host(self.realm), issuer.url()),
            (self.host.to_owned(), registry.url()),
            (host(self.storage), storage.url()),
        ];
        let endpoints =
            endpoints.map(|(host, url)| (host, Url::parse(&url).expect("a URL"))).to_vec();
        Stage { registry, realm, storage, tokens, digest, endpoints }
    }
}

fn host(url: &str) -> String {
    let url = Url::parse(url).expect("a URL");
    url.host_str().expect("a host").to_owned()
}
