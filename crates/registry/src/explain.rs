//! Why a pull is answered as it is: which rule, what is here, what its upstream said, and what
//! would be done now.
//!
//! Nothing is changed by asking, and no upstream is asked unless the caller wants it. The decision
//! is made from what a pull looks at, in the order a pull looks at it
//! ([`crate::Registry::stat_manifest`]).

mod decision;
mod upstream_state;

use metadata::{Origin, Region, RegistryId, Timestamp};
use oci::{Digest, Manifest, Reference, RepositoryName};

use crate::{
    Action, Caller, Freshness, Match, PullError, Registry, Resource, RuleSource,
    matching::{BookedRule, RuleBook},
    registry::Inner,
};

pub use decision::{Decision, Verdict as PullVerdict};
pub(crate) use upstream_state::Heard;
pub use upstream_state::{CircuitState, LastAnswer, UpstreamState};

/// Rules that are named as passed over, at most.
const PASSED_OVER_MAX: usize = 100;

/// What is known of an image, and what a pull of it would come to now.
#[derive(Clone, Debug)]
pub struct Explanation {
    /// The registry asked.
    pub registry: RegistryId,
    /// The repository, by its name here.
    pub repository: RepositoryName,
    /// Tag or digest.
    pub reference: Reference,
    /// The rule it falls under.
    pub rule: Option<ExplainedRule>,
    /// The other rules, by prefix, each with why it is not the one.
    pub passed_over: Vec<PassedOver>,
    /// A region of the same account where a rule would match, where none does here.
    pub rule_in: Option<Region>,
    /// Whether the repository is there.
    pub repository_exists: bool,
    /// The tag, where one is asked for and is here.
    pub tag: Option<CachedTag>,
    /// The manifest, where it is here.
    pub manifest: Option<CachedManifest>,
    /// How the upstream of the rule stands.
    pub upstream: Option<UpstreamState>,
    /// What a pull would come to.
    pub verdict: PullVerdict,
}

/// The rule an image falls under.
#[derive(Clone, Debug)]
pub struct ExplainedRule {
    /// Its prefix, as typed.
    pub ecr_repository_prefix: String,
    /// Its upstream, as typed.
    pub upstream_registry_url: String,
    /// What the repository is called there.
    pub upstream_repository: String,
    /// The secret it uses.
    pub credential_arn: Option<String>,
    /// Where it is kept.
    pub source: RuleSource,
}

/// A rule that is not the one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PassedOver {
    /// Its prefix, as typed.
    pub ecr_repository_prefix: String,
    /// Why it is not.
    pub reason: String,
}

/// A tag that is here.
#[derive(Clone, Debug)]
pub struct CachedTag {
    /// What it names.
    pub digest: Digest,
    /// Whether it was pushed here.
    pub is_pushed: bool,
    /// When its upstream last confirmed it.
    pub checked_at: Timestamp,
    /// When it last moved.
    pub updated_at: Timestamp,
    /// What its age allows.
    pub freshness: Freshness,
}

/// A manifest that is here, and how much of what it names is.
#[derive(Clone, Debug)]
pub struct CachedManifest {
    /// Its digest.
    pub digest: Digest,
    /// Its media type.
    pub media_type: String,
    /// Its own size in bytes.
    pub size_bytes: u64,
    /// How many blobs, or manifests of an index, it names.
    pub children: usize,
    /// How many of them are here.
    pub children_here: usize,
    /// Their bytes.
    pub bytes: u64,
    /// The bytes of those that are here.
    pub bytes_here: u64,
    /// Whether it is archived.
    pub is_archived: bool,
}

impl Registry {
    /// Explains a pull of an image. Where `ask` is set, its upstream is asked by one HEAD, which
    /// changes nothing here but what is known of the upstream.
    ///
    /// # Errors
    /// [`PullError::Denied`] where the caller could not pull it either, and failures of the stores.
    pub async fn explain(
        &self,
        caller: &Caller,
        repository: &RepositoryName,
        reference: &Reference,
        ask: bool,
    ) -> Result<Explanation, PullError> {
        let (inner, registry) = (&self.inner, &caller.registry);
        let action = Action::Operation("cistern:ExplainImage");
        inner.authorize(caller, action, Resource::Repository(repository, None))?;
        inner.authorize(caller, Action::Pull, Resource::Repository(repository, None))?;
        let book = inner.book(registry).await?;
        let matched = book.find(repository);
        let mut explanation = Explanation {
            registry: registry.clone(),
            repository: repository.clone(),
            reference: reference.clone(),
            rule: matched.as_ref().map(ExplainedRule::of),
            passed_over: passed_over(&book, repository, matched.as_ref()),
            rule_in: None,
            repository_exists: inner.has_repository(registry, repository).await?,
            tag: None,
            manifest: None,
            upstream: None,
            verdict: PullVerdict::new(Decision::Refuse, String::new()),
        };
        if matched.is_none()
            && let PullError::NameUnknown { rule_in, .. } =
                inner.unknown_name(registry, repository).await?
        {
            explanation.rule_in = rule_in;
        }
        inner.look_at_cache(&mut explanation, matched.as_ref()).await?;
        if let Some(matched) = &matched {
            let state = inner.upstream_state(&explanation, matched, ask).await;
            explanation.upstream = Some(state);
        }
        explanation.verdict = decision::decide(&explanation, matched.as_ref());
        Ok(explanation)
    }
}

impl ExplainedRule {
    fn of(matched: &Match) -> Self {
        let rule = matched.rule();
        Self {
            ecr_repository_prefix: rule.ecr_repository_prefix.to_string(),
            upstream_registry_url: rule.upstream_registry_url.clone(),
            upstream_repository: matched.upstream_repository.clone(),
            credential_arn: rule.credentials.credential_arn.clone(),
            source: matched.booked.source.clone(),
        }
    }
}

impl Inner {
    /// Looks up what is here of the image.
    async fn look_at_cache(
        &self,
        explanation: &mut Explanation,
        matched: Option<&Match>,
    ) -> Result<(), PullError> {
        let Explanation { registry, repository, reference, .. } = &*explanation;
        let (tag, digest) = match reference {
            Reference::Digest(digest) => (None, Some(digest.clone())),
            Reference::Tag(tag) => {
                let fact = self.tag_fact(registry, repository, tag).await?;
                let cached = fact.as_deref().map(|fact| CachedTag {
                    digest: fact.digest.clone(),
                    is_pushed: matches!(fact.origin, Origin::Pushed { .. }),
                    checked_at: fact.checked_at,
                    updated_at: fact.updated_at,
                    freshness: matched.map_or(Freshness::Fresh, |matched| {
                        matched.freshness(tag, fact, self.clock.now())
                    }),
                });
                (cached, fact.map(|fact| fact.digest.clone()))
            }
        };
        let manifest = match &digest {
            Some(digest) => self.cached_manifest(registry, repository, digest).await?,
            None => None,
        };
        explanation.tag = tag;
        explanation.manifest = manifest;
        Ok(())
    }

    async fn cached_manifest(
        &self,
        registry: &RegistryId,
        repository: &RepositoryName,
        digest: &Digest,
    ) -> Result<Option<CachedManifest>, PullError> {
        let Some(stored) = self.stored_manifest(registry, repository, digest).await? else {
            return Ok(None);
        };
        let mut cached = CachedManifest {
            digest: digest.clone(),
            media_type: stored.media_type.to_string(),
            size_bytes: stored.bytes.len() as u64,
            children: 0,
            children_here: 0,
            bytes: 0,
            bytes_here: 0,
            is_archived: stored.is_archived,
        };
        let Ok(manifest) = Manifest::read(&stored.bytes, Some(&stored.media_type)) else {
            return Ok(Some(cached));
        };
        let is_index = manifest.kind == oci::Kind::Index;
        for child in manifest.config.iter().chain(&manifest.children) {
            let is_here = if is_index {
                self.stored_manifest(registry, repository, &child.digest).await?.is_some()
            } else {
                self.linked_size(registry, repository, &child.digest).await?.is_some()
            };
            cached.children += 1;
            cached.bytes += child.size_bytes;
            if is_here {
                cached.children_here += 1;
                cached.bytes_here += child.size_bytes;
            }
        }
        Ok(Some(cached))
    }
}

/// Says of every other rule why it is not the one.
fn passed_over(book: &RuleBook, name: &RepositoryName, matched: Option<&Match>) -> Vec<PassedOver> {
    let winner = matched.map(|matched| matched.rule().ecr_repository_prefix.key());
    let others = book
        .sorted()
        .into_iter()
        .filter(|booked| Some(booked.rule.ecr_repository_prefix.key()) != winner);
    others
        .take(PASSED_OVER_MAX)
        .map(|booked| PassedOver {
            ecr_repository_prefix: booked.rule.ecr_repository_prefix.to_string(),
            reason: reason_against(booked, name, winner),
        })
        .collect()
}

fn reason_against(booked: &BookedRule, name: &RepositoryName, winner: Option<&str>) -> String {
    let prefix = &booked.rule.ecr_repository_prefix;
    let (key, name) = (prefix.key(), name.as_str());
    if prefix.is_root() {
        return "ROOT matches last".to_owned();
    }
    match (name.strip_prefix(key), winner) {
        (Some(""), _) => "the name is the prefix itself, and images lie below it".to_owned(),
        (Some(rest), Some(winner)) if rest.starts_with('/') => {
            format!("it matches too, but {winner} is longer")
        }
        (Some(_), _) => "a prefix matches whole path components only".to_owned(),
        (None, _) => "the name does not begin with it".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::matching::tests::book_of;

    #[test]
    fn every_other_rule_is_told_off() {
        let book = book_of(&[
            ("hub", "a.example", None),
            ("hub/team", "b.example", None),
            ("hu", "c.example", None),
            ("quay", "d.example", None),
            ("ROOT", "e.example", None),
        ]);
        let reasons = |name: &str| -> Vec<(String, String)> {
            let name = RepositoryName::parse(name).unwrap();
            let found = passed_over(&book, &name, book.find(&name).as_ref());
            found.into_iter().map(|rule| (rule.ecr_repository_prefix, rule.reason)).collect()
        };
        let pair = |prefix: &str, reason: &str| (prefix.to_owned(), reason.to_owned());
        let component = "a prefix matches whole path components only";
        let other = "the name does not begin with it";
        assert_eq!(
            reasons("hub/team/app"),
            [
                pair("ROOT", "ROOT matches last"),
                pair("hu", component),
                pair("hub", "it matches too, but hub/team is longer"),
                pair("quay", other),
            ]
        );
        assert_eq!(
            reasons("hub"),
            [
                pair("hu", component),
                pair("hub", "the name is the prefix itself, and images lie below it"),
                pair("hub/team", other),
                pair("quay", other),
            ]
        );
    }
}
