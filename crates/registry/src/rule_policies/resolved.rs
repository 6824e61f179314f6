//! What holds for a rule: its policy with everything that it leaves open filled in. Made once when
//! the rules are read, asked on every pull without a look at any store.

use std::time::Duration;

use metadata::{AgeFrom, RulePolicy, Span, TagFreshness, Timestamp, matches_wildcard};
use oci::Tag;

use crate::{Match, PullError, Settings};

/// The policy that holds for a rule.
#[derive(Clone, Debug)]
pub(crate) struct Policy {
    fresh_for: Span,
    fresh_for_tags: Vec<TagFreshness>,
    stale_while_revalidate: Span,
    stale_on_error: Span,
    pub(crate) stale_deadline: Duration,
    pub(crate) missing_for: Span,
    pinned_tags: Vec<String>,
    repositories: List,
    tags: List,
    pub(crate) minimum_age: Span,
    pub(crate) age_from: AgeFrom,
}

/// Patterns of what may be pulled, and of what may not.
#[derive(Clone, Debug)]
struct List {
    /// None where nobody said: then everything may.
    allowed: Option<Vec<String>>,
    denied: Vec<String>,
}

/// What may be done with a cached tag.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Freshness {
    /// Serve it.
    Fresh,
    /// Serve it at once, and ask the upstream meanwhile.
    Revalidate,
    /// Ask the upstream; where it fails, serve it all the same.
    Stale,
    /// Ask the upstream; only its answer counts.
    Expired,
}

impl Freshness {
    /// Returns the word for it in the API.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Fresh => "FRESH",
            Self::Revalidate => "REVALIDATE",
            Self::Stale => "STALE",
            Self::Expired => "EXPIRED",
        }
    }
}

impl List {
    /// Tells why a name may not be pulled; none where it may. `what` is what the lists are of.
    fn refusal(&self, what: &str, name: &str) -> Option<String> {
        let matches = |pattern: &&String| matches_wildcard(pattern, name);
        if let Some(pattern) = self.denied.iter().find(matches) {
            return Some(format!("its list of denied {what} has {pattern}"));
        }
        match &self.allowed {
            Some(allowed) if !allowed.iter().any(|pattern| matches(&pattern)) => {
                Some(format!("its list of allowed {what} has nothing that matches"))
            }
            _ => None,
        }
    }
}

impl Match {
    /// Checks that the rule lets a repository through, by its name upstream.
    pub(crate) fn admit_repository(&self) -> Result<(), PullError> {
        let name = &self.upstream_repository;
        let refusal = self.policy().repositories.refusal("repositories", name);
        self.let_in(refusal, || format!("repository {name}"))
    }

    /// Checks that the rule lets a tag through.
    pub(crate) fn admit_tag(&self, tag: &Tag) -> Result<(), PullError> {
        let refusal = self.policy().tags.refusal("tags", tag.as_str());
        self.let_in(refusal, || format!("tag {tag} of repository {}", self.upstream_repository))
    }

    /// Returns those of some tags that the rule lets through; `None` where that is all of them.
    pub(crate) fn admitted(&self, tags: &[Tag]) -> Option<Vec<Tag>> {
        let lists = &self.policy().tags;
        if lists.allowed.is_none() && lists.denied.is_empty() {
            return None;
        }
        let is_admitted = |tag: &&Tag| lists.refusal("tags", tag.as_str()).is_none();
        Some(tags.iter().filter(is_admitted).cloned().collect())
    }

    fn let_in(
        &self,
        refusal: Option<String>,
        subject: impl FnOnce() -> String,
    ) -> Result<(), PullError> {
        let Some(reason) = refusal else { return Ok(()) };
        let rule = self.rule().ecr_repository_prefix.to_string();
        Err(PullError::NotLetIn { rule, subject: subject(), reason })
    }
}

impl Policy {
    /// Fills in what a rule leaves open: from the registry's own policy, then from its limits.
    pub(crate) fn resolve(rule: Option<&RulePolicy>, settings: &Settings) -> Self {
        let members = if settings.strict_ecr {
            RulePolicy::default()
        } else {
            rule.cloned().unwrap_or_default().or(&settings.default_policy)
        };
        let stale_deadline = match members.stale_deadline {
            Some(Span::Millis(millis)) => Duration::from_millis(millis),
            Some(Span::Forever) | None => settings.stale_deadline,
        };
        let list = |allowed, denied: Option<Vec<String>>| List {
            allowed,
            denied: denied.unwrap_or_default(),
        };
        Self {
            fresh_for: members.fresh_for.unwrap_or_else(|| span(settings.fresh_for)),
            fresh_for_tags: members.fresh_for_tags.unwrap_or_default(),
            stale_while_revalidate: members.stale_while_revalidate.unwrap_or(Span::ZERO),
            stale_on_error: members.stale_on_error.unwrap_or(Span::Forever),
            stale_deadline,
            missing_for: members.missing_for.unwrap_or(Span::ZERO),
            pinned_tags: members.pinned_tags.unwrap_or_default(),
            repositories: list(members.allowed_repositories, members.denied_repositories),
            tags: list(members.allowed_tags, members.denied_tags),
            minimum_age: members.minimum_age.unwrap_or(Span::ZERO),
            age_from: members.age_from.unwrap_or(AgeFrom::Created),
        }
    }

    /// Returns what holds as the members of a policy, every one of them there but for a list of
    /// what is allowed where everything is.
    pub(crate) fn to_members(&self) -> RulePolicy {
        let Self { repositories, tags, .. } = self;
        RulePolicy {
            fresh_for: Some(self.fresh_for),
            fresh_for_tags: Some(self.fresh_for_tags.clone()),
            stale_while_revalidate: Some(self.stale_while_revalidate),
            stale_on_error: Some(self.stale_on_error),
            stale_deadline: Some(span(self.stale_deadline)),
            missing_for: Some(self.missing_for),
            pinned_tags: Some(self.pinned_tags.clone()),
            allowed_repositories: repositories.allowed.clone(),
            denied_repositories: Some(repositories.denied.clone()),
            allowed_tags: tags.allowed.clone(),
            denied_tags: Some(tags.denied.clone()),
            minimum_age: Some(self.minimum_age),
            age_from: Some(self.age_from),
        }
    }

    /// Tells what may be done with a tag that the upstream named last at `checked_at`.
    pub(crate) fn freshness(&self, tag: &Tag, checked_at: Timestamp, now: Timestamp) -> Freshness {
        let fresh_for = self.fresh_for(tag);
        let (revalidate, stale) =
            (fresh_for.and(self.stale_while_revalidate), fresh_for.and(self.stale_on_error));
        if fresh_for.holds(checked_at, now) {
            Freshness::Fresh
        } else if revalidate.holds(checked_at, now) {
            Freshness::Revalidate
        } else if stale.holds(checked_at, now) {
            Freshness::Stale
        } else {
            Freshness::Expired
        }
    }

    /// Tells whether a tag is to be served as it is for ever.
    pub(crate) fn keeps(&self, tag: &Tag) -> bool {
        self.fresh_for(tag) == Span::Forever
    }

    /// How long a tag is served without asking: a pinned one for ever, else by the first pattern
    /// that matches, else as every tag.
    fn fresh_for(&self, tag: &Tag) -> Span {
        let tag = tag.as_str();
        if self.pinned_tags.iter().any(|pattern| matches_wildcard(pattern, tag)) {
            return Span::Forever;
        }
        let by_tag = self.fresh_for_tags.iter().find(|entry| matches_wildcard(&entry.tag, tag));
        by_tag.map_or(self.fresh_for, |entry| entry.fresh_for)
    }
}

fn span(duration: Duration) -> Span {
    Span::Millis(u64::try_from(duration.as_millis()).unwrap_or(u64::MAX))
}

#[cfg(test)]
mod tests {
    use metadata::{AccountId, Region, RegistryId};

    use super::*;

    const HOUR: u64 = 60 * 60 * 1000;

    fn settings() -> Settings {
        Settings::new(RegistryId {
            account: AccountId::parse("000000000000").unwrap(),
            region: Region::parse("us-east-1").unwrap(),
        })
    }

    fn freshness(policy: &RulePolicy, settings: &Settings, tag: &str, age: u64) -> Freshness {
        let now = Timestamp(i64::try_from(age).unwrap());
        let policy = Policy::resolve(Some(policy), settings);
        policy.freshness(&Tag::parse(tag).unwrap(), Timestamp(0), now)
    }

    #[test]
    fn what_may_be_done_with_a_cached_tag() {
        use Freshness::{Expired, Fresh, Revalidate, Stale};
        let by_tag = |tag: &str, fresh_for| TagFreshness { tag: tag.to_owned(), fresh_for };
        let nothing = RulePolicy::default();
        let zero = RulePolicy { fresh_for: Some(Span::ZERO), ..nothing.clone() };
        let forever = RulePolicy { fresh_for: Some(Span::Forever), ..nothing.clone() };
        let pinned = RulePolicy { pinned_tags: Some(vec!["v*".into()]), ..zero.clone() };
        let tags = RulePolicy {
            fresh_for_tags: Some(vec![
                by_tag("v1.*", Span::Forever),
                by_tag("v*", Span::Millis(HOUR)),
                by_tag("v1.0", Span::ZERO),
            ]),
            ..zero.clone()
        };
        let windows = RulePolicy {
            stale_while_revalidate: Some(Span::Millis(HOUR)),
            stale_on_error: Some(Span::Millis(2 * HOUR)),
            ..zero.clone()
        };
        let wide = RulePolicy {
            stale_while_revalidate: Some(Span::Forever),
            stale_on_error: Some(Span::ZERO),
            ..zero.clone()
        };
        for (policy, tag, age, expected) in [
            (&nothing, "v1", 24 * HOUR - 1, Fresh),
            (&nothing, "v1", 24 * HOUR, Stale),
            (&nothing, "v1", 10_000 * HOUR, Stale),
            (&zero, "v1", 0, Stale),
            (&forever, "v1", u64::MAX >> 1, Fresh),
            (&pinned, "v1", 10_000 * HOUR, Fresh),
            (&pinned, "latest", 0, Stale),
            // The first pattern that matches decides.
            (&tags, "v1.0", 10_000 * HOUR, Fresh),
            (&tags, "v2", HOUR - 1, Fresh),
            (&tags, "v2", HOUR, Stale),
            (&tags, "latest", 0, Stale),
            (&windows, "v1", 0, Revalidate),
            (&windows, "v1", HOUR, Stale),
            (&windows, "v1", 2 * HOUR, Expired),
            (&wide, "v1", 10_000 * HOUR, Revalidate),
        ] {
            let found = freshness(policy, &settings(), tag, age);
            assert_eq!(found, expected, "{policy:?} {tag} {age}");
        }
    }

    #[test]
    fn what_a_rule_leaves_open_is_the_registrys() {
        let mut settings = settings();
        settings.default_policy.fresh_for = Some(Span::Millis(HOUR));
        let nothing = RulePolicy::default();
        assert_eq!(freshness(&nothing, &settings, "v1", HOUR - 1), Freshness::Fresh);
        assert_eq!(freshness(&nothing, &settings, "v1", HOUR), Freshness::Stale);
        let own = RulePolicy { fresh_for: Some(Span::Millis(2 * HOUR)), ..nothing };
        assert_eq!(freshness(&own, &settings, "v1", HOUR), Freshness::Fresh);
        settings.strict_ecr = true;
        assert_eq!(freshness(&own, &settings, "v1", 24 * HOUR - 1), Freshness::Fresh);
    }
}
