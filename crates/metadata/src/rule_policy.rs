//! What a rule says about freshness, about failures of its upstream, and about what it lets in.

use serde::{Deserialize, Serialize};

use crate::Timestamp;

/// How long something lasts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Span {
    /// It never ends.
    Forever,
    /// So many milliseconds; none at all where zero.
    Millis(u64),
}

impl Span {
    /// No time at all.
    pub const ZERO: Self = Self::Millis(0);

    /// Tells whether something that began at `start` and lasts so long still does at `now`.
    pub fn holds(self, start: Timestamp, now: Timestamp) -> bool {
        match self {
            Self::Forever => true,
            Self::Millis(millis) => now.millis_since(start) < millis,
        }
    }

    /// Returns when something ends that began at `start`; none where it never does.
    pub fn end(self, start: Timestamp) -> Option<Timestamp> {
        match self {
            Self::Forever => None,
            Self::Millis(millis) => {
                let millis = i64::try_from(millis).unwrap_or(i64::MAX);
                Some(Timestamp(start.0.saturating_add(millis)))
            }
        }
    }

    /// Returns both together.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        match (self, other) {
            (Self::Millis(one), Self::Millis(other)) => Self::Millis(one.saturating_add(other)),
            (Self::Forever, _) | (_, Self::Forever) => Self::Forever,
        }
    }
}

/// What the age of an image is counted from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AgeFrom {
    /// The moment its publisher says that it was created; where that says nothing, as the next.
    Created,
    /// The moment it was first seen here, which nobody else can say.
    FirstSeen,
}

/// How long tags of a pattern are fresh.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TagFreshness {
    /// The pattern, in which `*` stands for any characters.
    pub tag: String,
    /// How long they are served without asking the upstream.
    pub fresh_for: Span,
}

/// The policy of a rule. What it leaves to the registry is `None`. In patterns `*` stands for any
/// characters, `/` and none included.
///
/// Written as JSON inside a record: members are only ever added.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct RulePolicy {
    /// How long a cached tag is served without asking the upstream.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fresh_for: Option<Span>,
    /// The same for tags that a pattern matches: the first that does.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fresh_for_tags: Option<Vec<TagFreshness>>,
    /// How long, after that, a cached tag is served at once while the upstream is asked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stale_while_revalidate: Option<Span>,
    /// How long, after that, a cached tag may be served where the upstream fails.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stale_on_error: Option<Span>,
    /// How long the upstream is waited for where a cached tag may be served.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stale_deadline: Option<Span>,
    /// How long a tag that the upstream does not have is not asked for again.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub missing_for: Option<Span>,
    /// Tags that stay as they were cached.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pinned_tags: Option<Vec<String>>,
    /// The repositories that may be pulled, by their names upstream.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub allowed_repositories: Option<Vec<String>>,
    /// The repositories that may not, which is stronger.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub denied_repositories: Option<Vec<String>>,
    /// The tags that may be pulled.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub allowed_tags: Option<Vec<String>>,
    /// The tags that may not, which is stronger.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub denied_tags: Option<Vec<String>>,
    /// How old an image must be before it is let in.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub minimum_age: Option<Span>,
    /// What its age is counted from.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub age_from: Option<AgeFrom>,
}

impl RulePolicy {
    /// Returns this policy, with what it leaves open taken from another.
    #[must_use]
    pub fn or(self, other: &Self) -> Self {
        let Self {
            fresh_for,
            fresh_for_tags,
            stale_while_revalidate,
            stale_on_error,
            stale_deadline,
            missing_for,
            pinned_tags,
            allowed_repositories,
            denied_repositories,
            allowed_tags,
            denied_tags,
            minimum_age,
            age_from,
        } = self;
        let or =
            |list: Option<Vec<String>>, other: &Option<Vec<String>>| list.or_else(|| other.clone());
        Self {
            fresh_for: fresh_for.or(other.fresh_for),
            fresh_for_tags: fresh_for_tags.or_else(|| other.fresh_for_tags.clone()),
            stale_while_revalidate: stale_while_revalidate.or(other.stale_while_revalidate),
            stale_on_error: stale_on_error.or(other.stale_on_error),
            stale_deadline: stale_deadline.or(other.stale_deadline),
            missing_for: missing_for.or(other.missing_for),
            pinned_tags: or(pinned_tags, &other.pinned_tags),
            allowed_repositories: or(allowed_repositories, &other.allowed_repositories),
            denied_repositories: or(denied_repositories, &other.denied_repositories),
            allowed_tags: or(allowed_tags, &other.allowed_tags),
            denied_tags: or(denied_tags, &other.denied_tags),
            minimum_age: minimum_age.or(other.minimum_age),
            age_from: age_from.or(other.age_from),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_lasts_ends() {
        let at = Timestamp;
        for (span, start, now, holds) in [
            (Span::ZERO, 5, 5, false),
            (Span::Millis(1), 5, 5, true),
            (Span::Millis(1), 5, 6, false),
            (Span::Forever, 5, i64::MAX, true),
            // A clock that was set back.
            (Span::Millis(1), 5, 4, true),
        ] {
            assert_eq!(span.holds(at(start), at(now)), holds, "{span:?} {start} {now}");
        }
        assert_eq!(Span::Millis(2).and(Span::Millis(u64::MAX)), Span::Millis(u64::MAX));
        assert_eq!(Span::ZERO.and(Span::Forever), Span::Forever);
    }

    /// Records of the first shape: later versions must read them as they are.
    #[test]
    fn records_keep_their_shape() {
        let golden = concat!(
            r#"{"fresh_for":{"millis":60000},"#,
            r#""fresh_for_tags":[{"tag":"v*","fresh_for":"forever"}],"#,
            r#""denied_repositories":["evil/*"],"age_from":"first_seen"}"#,
        );
        let policy = RulePolicy {
            fresh_for: Some(Span::Millis(60_000)),
            fresh_for_tags: Some(vec![TagFreshness {
                tag: "v*".to_owned(),
                fresh_for: Span::Forever,
            }]),
            denied_repositories: Some(vec!["evil/*".to_owned()]),
            age_from: Some(AgeFrom::FirstSeen),
            ..RulePolicy::default()
        };
        assert_eq!(serde_json::to_string(&policy).unwrap(), golden);
        assert_eq!(serde_json::from_str::<RulePolicy>(golden).unwrap(), policy);
        assert_eq!(serde_json::to_string(&RulePolicy::default()).unwrap(), "{}");
    }

    #[test]
    fn a_member_that_is_given_wins_as_a_whole() {
        let denied = |pattern: &str| Some(vec![pattern.to_owned()]);
        let rule = RulePolicy { denied_tags: denied("a"), ..RulePolicy::default() };
        let registry = RulePolicy {
            denied_tags: denied("b"),
            fresh_for: Some(Span::ZERO),
            ..RulePolicy::default()
        };
        let both = rule.or(&registry);
        assert_eq!((both.denied_tags, both.fresh_for), (denied("a"), Some(Span::ZERO)));
    }
}
