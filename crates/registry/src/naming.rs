//! Under which name a repository is kept, where a client may call it otherwise.
//!
//! A node that uses this registry as a mirror asks by the upstream's name (containerd's `?ns=`),
//! and Docker Hub's official images are known by a short name too: `nginx` is `library/nginx`.
//! Whatever it was asked for as, it is one repository.

use std::sync::Arc;

use bytes::Bytes;
use metadata::{EcrRepositoryPrefix, RegistryId};
use oci::{Digest, RepositoryName};
use upstream::{Kind, is_same_registry, kind_of};

use crate::{
    Caller, Progress, PullError, PushError, Registry,
    blob::failed,
    matching::{BookedRule, RuleBook},
    registry::Inner,
};

/// Where Docker Hub keeps its official images.
const OFFICIAL: &str = "library";

/// What the rules say about a name.
#[derive(Clone, Debug, Default)]
pub struct Naming {
    /// The prefix of the rule that it falls under, as its creator typed it, in UTF-8.
    pub rule: Option<Bytes>,
    /// The whole name of one of Docker Hub's official images, where this is its short one. A
    /// repository that is there under the short name is that one, and has none.
    pub whole: Option<RepositoryName>,
}

impl Registry {
    /// Returns the name under which the repository is kept that the upstream `namespace` (its host,
    /// as containerd's `ns` has it) calls `name`.
    ///
    /// # Errors
    /// [`PullError::NameUnknown`] where no rule is for that upstream, so that a node goes on to the
    /// upstream itself at once; [`PullError::Storage`].
    pub async fn mirrored_name(
        &self,
        caller: &Caller,
        namespace: &str,
        name: &RepositoryName,
    ) -> Result<RepositoryName, PullError> {
        let book = self.inner.book(&caller.registry).await?;
        match book.name_of(namespace, name.as_str()) {
            Some(name) => Ok(name),
            None => Err(self.inner.unknown_name(&caller.registry, name).await?),
        }
    }
}

impl Registry {
    /// Returns what the rules say about a name, before anything is asked of the repository. They
    /// say nothing in strict mode.
    ///
    /// # Errors
    /// [`PullError::Storage`].
    pub async fn naming(
        &self,
        caller: &Caller,
        name: &RepositoryName,
    ) -> Result<Naming, PullError> {
        if self.inner.settings.strict_ecr {
            return Ok(Naming::default());
        }
        let book = self.inner.book(&caller.registry).await?;
        let Some((booked, rest)) = book.over(name) else { return Ok(Naming::default()) };
        let mut whole = booked.completed(name, rest);
        if whole.is_some() && Box::pin(self.inner.is_there(&caller.registry, name)).await? {
            whole = None;
        }
        Ok(Naming { rule: Some(booked.prefix.clone()), whole })
    }

    /// Returns the name under which a repository is kept that something is to be read of: the whole
    /// one of an official image that is here, else the name as it is.
    ///
    /// # Errors
    /// [`PullError::Storage`].
    pub async fn kept_name(
        &self,
        caller: &Caller,
        name: &RepositoryName,
    ) -> Result<RepositoryName, PullError> {
        Ok(match self.naming(caller, name).await?.whole {
            Some(whole) if self.inner.is_there(&caller.registry, &whole).await? => whole,
            _ => name.clone(),
        })
    }

    /// Brings a blob of an official image into the repository that has its short name: who pushes
    /// there was told that the blob is here, for until then the one name stood for the other. Tells
    /// whether there is one.
    pub(crate) async fn bring_official(
        &self,
        caller: &Caller,
        repository: &RepositoryName,
        digest: &Digest,
    ) -> Result<bool, PushError> {
        let inner = &self.inner;
        if inner.settings.strict_ecr {
            return Ok(false);
        }
        let Some(whole) = inner.book(&caller.registry).await?.completed(repository) else {
            return Ok(false);
        };
        match self.keep_blob(caller, &whole, digest).await {
            Ok(()) => {}
            Err(PullError::BlobUnknown { .. } | PullError::NameUnknown { .. }) => return Ok(false),
            Err(error) => return Err(PushError::Pull(error)),
        }
        Ok(self.mount_from(caller, repository, digest, &whole).await?.is_some())
    }

    /// Brings a blob into a cache repository where it is not there yet, and waits until what came
    /// of that is recorded: until then it may not be mounted.
    async fn keep_blob(
        &self,
        caller: &Caller,
        repository: &RepositoryName,
        digest: &Digest,
    ) -> Result<(), PullError> {
        let (inner, registry) = (&self.inner, &caller.registry);
        let matched = inner.admit_pull(caller, repository).await?;
        if inner.is_here(registry, repository, digest).await? {
            return Ok(());
        }
        let Some(matched) = matched else {
            return Err(inner.unknown_blob(registry, repository, digest).await?);
        };
        let source = inner.join(registry, repository, digest, &matched).await?;
        source.ended().await;
        match &*source.progress().borrow() {
            Progress::Failed(error) => Err(failed(Arc::clone(error), repository, digest)),
            _ => Ok(()),
        }
    }
}

impl Inner {
    /// Tells whether a repository is there; remembered until it changes.
    async fn is_there(
        &self,
        registry: &RegistryId,
        name: &RepositoryName,
    ) -> Result<bool, metadata::Error> {
        let key = (registry.clone(), name.clone());
        if let Some(is_there) = self.hot.short_names.get(&key) {
            return Ok(is_there);
        }
        let epoch = self.hot.epoch();
        let is_there = self.has_repository(registry, name).await?;
        self.hot.keep(&self.hot.short_names, epoch, key, is_there);
        Ok(is_there)
    }
}

impl BookedRule {
    /// Returns the whole name of one of Docker Hub's official images, where `name` is its short
    /// one, of which the rule leaves `rest`.
    fn completed(&self, name: &RepositoryName, rest: &str) -> Option<RepositoryName> {
        let upstream_prefix = self.rule.upstream_repository_prefix.as_ref();
        let is_short = !rest.contains('/') && upstream_prefix.is_none_or(|prefix| prefix.is_root());
        if !self.is_hub || !is_short {
            return None;
        }
        let before = name.as_str().strip_suffix(rest)?;
        RepositoryName::parse(&format!("{before}{OFFICIAL}/{rest}")).ok()
    }
}

impl RuleBook {
    /// As [`BookedRule::completed`], of the rule that `name` falls under.
    fn completed(&self, name: &RepositoryName) -> Option<RepositoryName> {
        let (booked, rest) = self.over(name)?;
        booked.completed(name, rest)
    }

    /// Returns what the repository is called here that the upstream `namespace` calls `name`: by
    /// the rule that says most about the upstream's name.
    fn name_of(&self, namespace: &str, name: &str) -> Option<RepositoryName> {
        let candidates = self.sorted().into_iter().filter_map(|booked| {
            let rule = &booked.rule;
            if !is_same_registry(&rule.upstream_registry_url, namespace) {
                return None;
            }
            let asked = rule.upstream_repository_prefix.as_ref().filter(|asked| !asked.is_root());
            let said = asked.map_or("", EcrRepositoryPrefix::key);
            let rest = match asked {
                Some(_) => name.strip_prefix(said)?.strip_prefix('/')?,
                None => name,
            };
            let prefix = &rule.ecr_repository_prefix;
            let here =
                if prefix.is_root() { rest.to_owned() } else { format!("{}/{rest}", prefix.key()) };
            Some((said.len(), RepositoryName::parse(&here).ok()?))
        });
        // The last of the largest is taken: of equals, the first by prefix.
        candidates.rev().max_by_key(|(said, _)| *said).map(|(_, name)| name)
    }
}

/// Tells whether an upstream is Docker Hub.
pub(crate) fn is_hub(registry_url: &str) -> bool {
    kind_of(registry_url) == Some(Kind::DockerHub)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::matching::tests::book_of;

    #[test]
    fn official_images_have_one_name() {
        let book = book_of(&[
            ("docker-hub", "registry-1.docker.io", None),
            ("official", "registry-1.docker.io", Some("library")),
            ("quay", "quay.io", None),
            ("ROOT", "https://docker.io", None),
        ]);
        for (name, expected) in [
            ("docker-hub/nginx", Some("docker-hub/library/nginx")),
            ("docker-hub/library/nginx", None),
            ("docker-hub/grafana/grafana", None),
            ("official/nginx", None),
            ("quay/nginx", None),
            ("nginx", Some("library/nginx")),
            ("library/nginx", None),
        ] {
            let found = book.completed(&RepositoryName::parse(name).unwrap());
            assert_eq!(found.as_ref().map(RepositoryName::as_str), expected, "{name}");
        }
        let book = book_of(&[("quay", "quay.io", None)]);
        assert_eq!(book.completed(&RepositoryName::parse("quay/nginx").unwrap()), None);
    }

    #[test]
    fn an_upstreams_own_name_is_found_by_what_says_most() {
        let book = book_of(&[
            ("a-prod", "quay.io", Some("prod")),
            ("b-all", "https://quay.io:443", None),
            ("c-team", "quay.io", Some("prod/team")),
            ("hub", "registry-1.docker.io", None),
            ("local", "http://localhost:5001", None),
            ("ROOT", "ghcr.io", None),
        ]);
        for (namespace, name, expected) in [
            ("quay.io", "org/app", Some("b-all/org/app")),
            ("quay.io", "prod/app", Some("a-prod/app")),
            ("QUAY.IO", "prod/team/app", Some("c-team/app")),
            ("quay.io", "production/app", Some("b-all/production/app")),
            ("docker.io", "library/alpine", Some("hub/library/alpine")),
            ("localhost:5001", "app", Some("local/app")),
            ("localhost:5002", "app", None),
            ("ghcr.io", "org/app", Some("org/app")),
            ("registry.k8s.io", "pause", None),
        ] {
            let found = book.name_of(namespace, name);
            let found = found.as_ref().map(RepositoryName::as_str);
            assert_eq!(found, expected, "{namespace} {name}");
        }
    }
}
