//! The members of a policy: as flags, as words, as cells.

use aws::cistern::{PullThroughCacheRulePolicy, TagFreshness};
use clap::ValueEnum;

use crate::output::{joined, optional};

/// A member of a policy, named as in `cistern.toml`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Member {
    /// How long cached tags are served without asking
    FreshFor,
    /// The same by tag
    FreshForTags,
    /// How long, after that, they are served while the upstream is asked
    StaleWhileRevalidate,
    /// How long, after that, they are served where the upstream fails
    StaleOnError,
    /// How long the upstream is waited for
    StaleDeadline,
    /// How long a tag that is missing upstream is not asked for
    MissingFor,
    /// Tags that stay as they were cached
    PinnedTags,
    /// Repositories that may be pulled
    AllowedRepositories,
    /// Repositories that may not
    DeniedRepositories,
    /// Tags that may be pulled
    AllowedTags,
    /// Tags that may not
    DeniedTags,
    /// How old an image must be
    MinimumAge,
    /// What its age is counted from
    AgeFrom,
}

/// A member's value.
enum Value<'p> {
    Text(&'p mut Option<String>),
    List(&'p mut Option<Vec<String>>),
    Tags(&'p mut Option<Vec<TagFreshness>>),
}

impl Member {
    /// Every one, in the order in which they are shown.
    pub(super) const ALL: [Self; 13] = [
        Self::FreshFor,
        Self::FreshForTags,
        Self::StaleWhileRevalidate,
        Self::StaleOnError,
        Self::StaleDeadline,
        Self::MissingFor,
        Self::PinnedTags,
        Self::AllowedRepositories,
        Self::DeniedRepositories,
        Self::AllowedTags,
        Self::DeniedTags,
        Self::MinimumAge,
        Self::AgeFrom,
    ];

    /// The key in `cistern.toml`.
    pub(super) fn key(self) -> &'static str {
        match self {
            Self::FreshFor => "fresh-for",
            Self::FreshForTags => "fresh-for-tags",
            Self::StaleWhileRevalidate => "stale-while-revalidate",
            Self::StaleOnError => "stale-on-error",
            Self::StaleDeadline => "stale-deadline",
            Self::MissingFor => "missing-for",
            Self::PinnedTags => "pinned-tags",
            Self::AllowedRepositories => "allowed-repositories",
            Self::DeniedRepositories => "denied-repositories",
            Self::AllowedTags => "allowed-tags",
            Self::DeniedTags => "denied-tags",
            Self::MinimumAge => "minimum-age",
            Self::AgeFrom => "age-from",
        }
    }

    fn of(self, policy: &mut PullThroughCacheRulePolicy) -> Value<'_> {
        match self {
            Self::FreshFor => Value::Text(&mut policy.fresh_for),
            Self::FreshForTags => Value::Tags(&mut policy.fresh_for_tags),
            Self::StaleWhileRevalidate => Value::Text(&mut policy.stale_while_revalidate),
            Self::StaleOnError => Value::Text(&mut policy.stale_on_error),
            Self::StaleDeadline => Value::Text(&mut policy.stale_deadline),
            Self::MissingFor => Value::Text(&mut policy.missing_for),
            Self::PinnedTags => Value::List(&mut policy.pinned_tags),
            Self::AllowedRepositories => Value::List(&mut policy.allowed_repositories),
            Self::DeniedRepositories => Value::List(&mut policy.denied_repositories),
            Self::AllowedTags => Value::List(&mut policy.allowed_tags),
            Self::DeniedTags => Value::List(&mut policy.denied_tags),
            Self::MinimumAge => Value::Text(&mut policy.minimum_age),
            Self::AgeFrom => Value::Text(&mut policy.age_from),
        }
    }

    /// Whether a policy says something of it.
    pub(super) fn is_in(self, policy: &PullThroughCacheRulePolicy) -> bool {
        match self.of(&mut policy.clone()) {
            Value::Text(text) => text.is_some(),
            Value::List(list) => list.is_some(),
            Value::Tags(tags) => tags.is_some(),
        }
    }

    /// What a policy says of it, in one cell.
    pub(super) fn words(self, policy: &PullThroughCacheRulePolicy) -> String {
        let is_of_all = matches!(self, Self::AllowedRepositories | Self::AllowedTags);
        match self.of(&mut policy.clone()) {
            Value::Text(text) => optional(text.as_deref()),
            Value::List(None) if is_of_all => "all".to_owned(),
            Value::List(Some(list)) if list.is_empty() => "none".to_owned(),
            Value::List(list) => joined(list.as_ref()),
            Value::Tags(Some(tags)) if tags.is_empty() => "none".to_owned(),
            Value::Tags(tags) => {
                let tags = tags.iter().flatten();
                let words =
                    tags.map(|TagFreshness { tag, fresh_for }| format!("{tag}={fresh_for}"));
                words.collect::<Vec<_>>().join(", ")
            }
        }
    }

    /// Takes what a policy says of it out.
    pub(super) fn remove_from(self, policy: &mut PullThroughCacheRulePolicy) {
        match self.of(policy) {
            Value::Text(text) => *text = None,
            Value::List(list) => *list = None,
            Value::Tags(tags) => *tags = None,
        }
    }
}

/// What to say in a policy. A list that is given takes the place of the one that is there.
#[derive(Debug, Default, clap::Args)]
pub(crate) struct PolicyArgs {
    /// How long a cached tag is served without asking the upstream
    #[arg(long, value_name = "TIME")]
    fresh_for: Option<String>,
    /// The same for tags that a pattern matches, the first that does; may be repeated
    #[arg(long = "fresh-for-tag", value_name = "PATTERN=TIME", value_parser = parse_freshness)]
    fresh_for_tags: Vec<TagFreshness>,
    /// How long, after that, a cached tag is served at once while the upstream is asked
    #[arg(long, value_name = "TIME")]
    stale_while_revalidate: Option<String>,
    /// How long, after that, a cached tag is served where the upstream fails
    #[arg(long, value_name = "TIME")]
    stale_on_error: Option<String>,
    /// How long the upstream is waited for where a cached tag may be served
    #[arg(long, value_name = "TIME")]
    stale_deadline: Option<String>,
    /// How long a tag that the upstream does not have is not asked for again
    #[arg(long, value_name = "TIME")]
    missing_for: Option<String>,
    /// Tags that stay as they were cached; may be repeated
    #[arg(long = "pinned-tag", value_name = "PATTERN")]
    pinned_tags: Vec<String>,
    /// Repositories that may be pulled, by their names upstream; may be repeated
    #[arg(long = "allowed-repository", value_name = "PATTERN")]
    allowed_repositories: Vec<String>,
    /// Repositories that may not, which is stronger; may be repeated
    #[arg(long = "denied-repository", value_name = "PATTERN")]
    denied_repositories: Vec<String>,
    /// Tags that may be pulled; may be repeated
    #[arg(long = "allowed-tag", value_name = "PATTERN")]
    allowed_tags: Vec<String>,
    /// Tags that may not, which is stronger; may be repeated
    #[arg(long = "denied-tag", value_name = "PATTERN")]
    denied_tags: Vec<String>,
    /// How old an image must be before it is let in
    #[arg(long, value_name = "TIME")]
    minimum_age: Option<String>,
    /// What its age is counted from
    #[arg(long, value_name = "created|first-seen")]
    age_from: Option<String>,
}

impl PolicyArgs {
    /// Whether nothing was given.
    pub(super) fn says_nothing(&self) -> bool {
        let mut policy = PullThroughCacheRulePolicy::default();
        self.apply(&mut policy);
        policy == PullThroughCacheRulePolicy::default()
    }

    /// Puts what was given into a policy.
    pub(super) fn apply(&self, policy: &mut PullThroughCacheRulePolicy) {
        let text = |to: &mut Option<String>, given: &Option<String>| {
            if given.is_some() {
                to.clone_from(given);
            }
        };
        text(&mut policy.fresh_for, &self.fresh_for);
        text(&mut policy.stale_while_revalidate, &self.stale_while_revalidate);
        text(&mut policy.stale_on_error, &self.stale_on_error);
        text(&mut policy.stale_deadline, &self.stale_deadline);
        text(&mut policy.missing_for, &self.missing_for);
        text(&mut policy.minimum_age, &self.minimum_age);
        text(&mut policy.age_from, &self.age_from);
        list(&mut policy.fresh_for_tags, &self.fresh_for_tags);
        list(&mut policy.pinned_tags, &self.pinned_tags);
        list(&mut policy.allowed_repositories, &self.allowed_repositories);
        list(&mut policy.denied_repositories, &self.denied_repositories);
        list(&mut policy.allowed_tags, &self.allowed_tags);
        list(&mut policy.denied_tags, &self.denied_tags);
    }
}

fn list<T: Clone>(to: &mut Option<Vec<T>>, given: &[T]) {
    if !given.is_empty() {
        *to = Some(given.to_vec());
    }
}

fn parse_freshness(text: &str) -> Result<TagFreshness, String> {
    match text.split_once('=') {
        Some((tag, time)) if !tag.is_empty() && !time.is_empty() => {
            Ok(TagFreshness { tag: tag.to_owned(), fresh_for: time.to_owned() })
        }
        _ => Err("expected PATTERN=TIME, such as v*=forever".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn members_are_named_as_in_the_file() {
        for member in Member::ALL {
            let value = member.to_possible_value().expect("none is hidden");
            assert_eq!(value.get_name(), member.key());
        }
        assert_eq!(Member::ALL.len(), Member::value_variants().len());
    }

    #[test]
    fn what_is_given_is_said_and_can_be_taken_out() {
        let args = PolicyArgs {
            fresh_for: Some("1h".to_owned()),
            fresh_for_tags: vec![parse_freshness("v*=forever").unwrap()],
            denied_tags: vec!["a".to_owned(), "b".to_owned()],
            ..PolicyArgs::default()
        };
        assert!(PolicyArgs::default().says_nothing() && !args.says_nothing());
        let mut policy = PullThroughCacheRulePolicy::default();
        args.apply(&mut policy);
        let told: Vec<_> = Member::ALL.iter().map(|member| member.words(&policy)).collect();
        assert_eq!(told.concat(), "1hv*=foreverallalla, b");
        for member in Member::ALL {
            member.remove_from(&mut policy);
        }
        assert_eq!(policy, PullThroughCacheRulePolicy::default());
        assert!(parse_freshness("v*").is_err() && parse_freshness("=1h").is_err());
    }
}
