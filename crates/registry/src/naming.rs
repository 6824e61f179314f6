//! Under which name a repository is kept, where a client may call it otherwise.
//!
//! A node that uses this registry as a mirror asks by the upstream's own name (containerd's `?ns=`),
//! and Docker Hub's official images are known by a short name too. Whatever it was asked for as, it
//! is one repository.

use metadata::{EcrRepositoryPrefix, RegistryId};
use oci::RepositoryName;
use upstream::{Kind, is_same_registry, kind_of};

use crate::{Caller, PullError, Registry, matching::RuleBook, registry::Inner};

/// Where Docker Hub keeps its official images.
const OFFICIAL: &str = "library";

impl Registry {
    /// Returns the name under which the repository is kept that a client calls `name`, where that
    /// is another one. With a `namespace` (the upstream's host, as containerd's `ns` has it) it is
    /// the upstream's own name for it. Names stay as they are in strict mode.
    ///
    /// # Errors
    /// [`PullError::NameUnknown`] where no rule is for that upstream, so that a node goes on to the
    /// upstream itself at once; [`PullError::Storage`].
    pub async fn repository_name(
        &self,
        caller: &Caller,
        name: &RepositoryName,
        namespace: Option<&str>,
    ) -> Result<Option<RepositoryName>, PullError> {
        if self.inner.settings.strict_ecr {
            return Ok(None);
        }
        let book = self.inner.book(&caller.registry).await?;
        let mirrored = match namespace.map(|namespace| book.name_of(namespace, name.as_str())) {
            Some(None) => return Err(self.inner.unknown_name(&caller.registry, name).await?),
            mirrored => mirrored.flatten(),
        };
        match book.completed(mirrored.as_ref().unwrap_or(name)) {
            // A repository that somebody made under the short name is that one.
            Some(whole) if !self.inner.is_there(&caller.registry, name).await? => Ok(Some(whole)),
            _ => Ok(mirrored),
        }
    }
}

impl Inner {
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
        let is_there = match self.metadata.repository(registry, name).await {
            Ok(_) => true,
            Err(metadata::Error::NotFound) => false,
            Err(error) => return Err(error),
        };
        self.hot.keep(&self.hot.short_names, epoch, key, is_there);
        Ok(is_there)
    }
}

impl RuleBook {
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
        let mut best: Option<(usize, RepositoryName)> = None;
        for candidate in candidates {
            if best.as_ref().is_none_or(|(said, _)| candidate.0 > *said) {
                best = Some(candidate);
            }
        }
        best.map(|(_, name)| name)
    }

    /// Returns the whole name of one of Docker Hub's official images, where `name` is its short
    /// one.
    fn completed(&self, name: &RepositoryName) -> Option<RepositoryName> {
        let matched = self.find(name)?;
        let short = &matched.upstream_repository;
        let is_hub = || kind_of(&matched.rule().upstream_registry_url) == Some(Kind::DockerHub);
        if short.contains('/') || !is_hub() {
            return None;
        }
        let before = name.as_str().strip_suffix(short.as_str())?;
        RepositoryName::parse(&format!("{before}{OFFICIAL}/{short}")).ok()
    }
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
