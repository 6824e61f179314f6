//! Which rule a repository name falls under, and what it is called upstream.
//!
//! ECR User Guide, "Customizing repository prefixes": prefixes match whole path components; the
//! longest wins; `ROOT` matches everything, last. Prefixes of repository creation templates match
//! in the same way.

use std::{collections::HashMap, sync::Arc};

use bytes::Bytes;
use metadata::{EcrRepositoryPrefix, Rule};
use oci::RepositoryName;
use quick_cache::DefaultHashBuilder;
use upstream::Trail;

use crate::{
    DeclaredRule, Settings,
    naming::is_hub,
    rule_policies::Policy,
    rules::{RuleSource, RuleView},
};

/// The rules of one registry, ready to be matched.
#[derive(Debug, Default)]
pub(crate) struct RuleBook {
    by_key: HashMap<String, Arc<BookedRule>, DefaultHashBuilder>,
    root: Option<Arc<BookedRule>>,
}

/// A rule and what its declaration adds.
#[derive(Debug)]
pub(crate) struct BookedRule {
    pub(crate) rule: Rule,
    pub(crate) source: RuleSource,
    pub(crate) anonymous_pull: bool,
    /// What holds for it.
    pub(crate) policy: Policy,
    /// Its prefix as typed.
    pub(crate) prefix: Bytes,
    /// Whether it is for Docker Hub, whose images have short names too.
    pub(crate) is_hub: bool,
}

/// A rule that a repository name falls under.
#[derive(Clone, Debug)]
pub struct Match {
    pub(crate) booked: Arc<BookedRule>,
    /// What the repository is called upstream.
    pub upstream_repository: String,
    /// Who waits for what is asked under it.
    pub(crate) trail: Trail,
}

impl Match {
    /// Returns the rule.
    pub fn rule(&self) -> &Rule {
        &self.booked.rule
    }

    /// Returns what holds for it.
    pub(crate) fn policy(&self) -> &Policy {
        &self.booked.policy
    }
}

impl BookedRule {
    /// A rule that is kept in the metadata store.
    pub(crate) fn stored(rule: Rule, settings: &Settings) -> Self {
        Self::new(rule, RuleSource::Stored, false, settings)
    }

    /// A rule that the configuration declares.
    pub(crate) fn declared(declared: &DeclaredRule, settings: &Settings) -> Self {
        let source = RuleSource::Declared(declared.source.clone());
        Self::new(declared.rule.clone(), source, declared.anonymous_pull, settings)
    }

    fn new(rule: Rule, source: RuleSource, anonymous_pull: bool, settings: &Settings) -> Self {
        let policy = Policy::resolve(rule.policy.as_ref(), settings);
        let prefix = Bytes::copy_from_slice(rule.ecr_repository_prefix.as_str().as_bytes());
        let is_hub = is_hub(&rule.upstream_registry_url);
        Self { rule, source, anonymous_pull, policy, prefix, is_hub }
    }

    /// Everything else follows from these.
    fn is_same(&self, other: &Self) -> bool {
        let Self { rule, source, anonymous_pull, .. } = other;
        self.rule == *rule && self.source == *source && self.anonymous_pull == *anonymous_pull
    }

    pub(crate) fn view(&self) -> RuleView {
        RuleView::new(self.rule.clone(), self.source.clone())
    }
}

/// Returns the keys of the prefixes that a name falls under, each with the rest of the name: whole
/// path components, the longest first, `ROOT` last.
pub(crate) fn prefixes(name: &RepositoryName) -> impl Iterator<Item = (&str, &str)> {
    let text = name.as_str();
    let cuts = text.rmatch_indices('/').map(|(at, _)| (&text[..at], &text[at + 1..]));
    cuts.chain(std::iter::once((EcrRepositoryPrefix::ROOT, text)))
}

impl RuleBook {
    pub(crate) fn new(rules: impl IntoIterator<Item = BookedRule>) -> Self {
        let mut book = Self::default();
        for booked in rules {
            let booked = Arc::new(booked);
            let prefix = &booked.rule.ecr_repository_prefix;
            if prefix.is_root() {
                book.root = Some(Arc::clone(&booked));
            } else {
                book.by_key.insert(prefix.key().to_owned(), Arc::clone(&booked));
            }
        }
        book
    }

    /// Takes the rules that stayed as they were from the book before: what is remembered of a rule
    /// ends with a change of that one, not of another.
    pub(crate) fn keep_unchanged(&mut self, former: &Self) {
        for booked in self.by_key.values_mut().chain(&mut self.root) {
            let key = booked.rule.ecr_repository_prefix.key();
            if let Some(before) = former.get(key).filter(|before| before.is_same(booked)) {
                *booked = Arc::clone(before);
            }
        }
    }

    /// Finds the rule that `name` falls under. A repository named exactly like a prefix does not
    /// fall under it: the prefix ends with an assumed slash.
    pub(crate) fn find(&self, name: &RepositoryName) -> Option<Match> {
        self.over(name).map(|(booked, rest)| Match::new(booked, rest))
    }

    /// As [`RuleBook::find`]: the rule, and the rest of the name.
    pub(crate) fn over<'n>(&self, name: &'n RepositoryName) -> Option<(&Arc<BookedRule>, &'n str)> {
        prefixes(name).find_map(|(key, rest)| Some((self.get(key)?, rest)))
    }

    pub(crate) fn get(&self, key: &str) -> Option<&Arc<BookedRule>> {
        match key {
            EcrRepositoryPrefix::ROOT => self.root.as_ref(),
            _ => self.by_key.get(key),
        }
    }

    /// Returns every rule, by prefix key.
    pub(crate) fn sorted(&self) -> Vec<&Arc<BookedRule>> {
        let mut rules: Vec<_> = self.by_key.values().chain(&self.root).collect();
        rules.sort_by_key(|booked| booked.rule.ecr_repository_prefix.key());
        rules
    }
}

impl Match {
    fn new(booked: &Arc<BookedRule>, rest: &str) -> Self {
        let upstream_repository = match &booked.rule.upstream_repository_prefix {
            Some(prefix) if !prefix.is_root() => format!("{}/{rest}", prefix.key()),
            _ => rest.to_owned(),
        };
        Self { booked: Arc::clone(booked), upstream_repository, trail: Trail::default() }
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use metadata::{AccountId, Region, RegistryId, RuleCredentials, Timestamp};

    use super::*;

    fn book(rules: &[(&str, Option<&str>)]) -> RuleBook {
        let rules: Vec<_> =
            rules.iter().map(|(ecr, upstream)| (*ecr, "registry.example", *upstream)).collect();
        book_of(&rules)
    }

    /// Rules, each a prefix, the upstream's URL and its prefix there.
    pub(crate) fn book_of(rules: &[(&str, &str, Option<&str>)]) -> RuleBook {
        let prefix = |text: &str| EcrRepositoryPrefix::parse(text).unwrap();
        let registry = RegistryId {
            account: AccountId::parse("000000000000").unwrap(),
            region: Region::parse("us-east-1").unwrap(),
        };
        let settings = Settings::new(registry);
        RuleBook::new(rules.iter().map(|(ecr, url, upstream)| {
            let rule = Rule {
                ecr_repository_prefix: prefix(ecr),
                upstream_registry_url: (*url).into(),
                upstream_registry: None,
                upstream_repository_prefix: upstream.map(prefix),
                credentials: RuleCredentials::default(),
                policy: None,
                created_at: Timestamp(0),
                updated_at: Timestamp(0),
            };
            BookedRule::stored(rule, &settings)
        }))
    }

    #[test]
    fn the_user_guides_table() {
        let rules = [
            ("ecr-public", None),
            ("team-a", Some("team-a")),
            ("my-app", Some("upstream-app")),
            ("docker-hub", Some("ROOT")),
            ("quay/", None),
            ("docker-hub/team", Some("lib/x")),
        ];
        let book = book(&rules);
        for (name, rule, upstream) in [
            ("ecr-public/my-app/image1", "ecr-public", "my-app/image1"),
            ("team-a/myapp/image1", "team-a", "team-a/myapp/image1"),
            ("my-app/image1", "my-app", "upstream-app/image1"),
            ("docker-hub/library/nginx", "docker-hub", "library/nginx"),
            ("quay/argoproj/argocd", "quay/", "argoproj/argocd"),
            ("docker-hub/team/a/b", "docker-hub/team", "lib/x/a/b"),
            ("docker-hub/teams/a", "docker-hub", "teams/a"),
        ] {
            let found = book.find(&RepositoryName::parse(name).unwrap()).unwrap();
            assert_eq!(found.rule().ecr_repository_prefix.as_str(), rule, "{name}");
            assert_eq!(found.upstream_repository, upstream, "{name}");
        }
        for name in ["docker-hub", "docker-hubs/x", "other/x"] {
            assert!(book.find(&RepositoryName::parse(name).unwrap()).is_none(), "{name}");
        }
    }

    #[test]
    fn prefixes_of_a_name() {
        let name = RepositoryName::parse("prod/team/app").unwrap();
        let found: Vec<_> = prefixes(&name).collect();
        assert_eq!(found, [("prod/team", "app"), ("prod", "team/app"), ("ROOT", "prod/team/app")]);
        let name = RepositoryName::parse("app").unwrap();
        assert_eq!(prefixes(&name).collect::<Vec<_>>(), [("ROOT", "app")]);
    }

    #[test]
    fn root_comes_last() {
        let book = book(&[("ROOT", None), ("prod", None)]);
        let find = |name: &str| {
            let found = book.find(&RepositoryName::parse(name).unwrap()).unwrap();
            (found.rule().ecr_repository_prefix.to_string(), found.upstream_repository)
        };
        assert_eq!(find("production/x"), ("ROOT".into(), "production/x".into()));
        assert_eq!(find("prod"), ("ROOT".into(), "prod".into()));
        assert_eq!(find("prod/x"), ("prod".into(), "x".into()));
    }
}
