//! What a repository is called here that an upstream calls by a name of its own.
//!
//! A node that uses this registry as a mirror asks by the upstream's name (containerd's `?ns=`).

use metadata::EcrRepositoryPrefix;
use oci::RepositoryName;
use upstream::is_same_registry;

use crate::{Caller, PullError, Registry, matching::RuleBook};

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
        // The last of the largest is taken: of equals, the first by prefix.
        candidates.rev().max_by_key(|(said, _)| *said).map(|(_, name)| name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::matching::tests::book_of;

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
