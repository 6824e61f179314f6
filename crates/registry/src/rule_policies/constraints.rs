//! What a policy may say.

use metadata::{RulePolicy, Span};

use crate::RuleError;

/// Most patterns in one list.
const PATTERNS_MAX: usize = 100;
/// Longest pattern, in characters. Names have at most 256.
const PATTERN_CHARACTERS_MAX: usize = 256;
/// Most `*` in one pattern.
const STARS_MAX: usize = 8;
/// Longest wait for an upstream that a policy can ask for: clients give up before.
const DEADLINE_MAX: Span = Span::Millis(60 * 1000);
/// Longest memory of what is missing. It is in memory, and only a push or a rule ends it earlier.
const MISSING_MAX: Span = Span::Millis(24 * 60 * 60 * 1000);
/// Oldest an image can be wanted. Sightings are kept for a little longer.
const AGE_MAX: Span = Span::Millis(365 * 24 * 60 * 60 * 1000);

/// A member of a policy that says something it cannot.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{member}: {problem}")]
pub struct PolicyFault {
    /// The member, as it is written in JSON: `freshFor`.
    pub member: &'static str,
    /// What is wrong with it, and what it should be.
    pub problem: String,
}

impl From<PolicyFault> for RuleError {
    fn from(PolicyFault { member, problem }: PolicyFault) -> Self {
        Self::Invalid { field: member, reason: problem }
    }
}

/// Checks a policy, wherever it comes from.
///
/// # Errors
/// The first member that says something it cannot.
pub fn check_policy(policy: &RulePolicy) -> Result<(), PolicyFault> {
    for (member, patterns) in [
        ("pinnedTags", &policy.pinned_tags),
        ("allowedRepositories", &policy.allowed_repositories),
        ("deniedRepositories", &policy.denied_repositories),
        ("allowedTags", &policy.allowed_tags),
        ("deniedTags", &policy.denied_tags),
    ] {
        let patterns = patterns.iter().flatten().map(String::as_str);
        check_patterns(member, patterns)?;
    }
    let tags = policy.fresh_for_tags.iter().flatten().map(|entry| entry.tag.as_str());
    check_patterns("freshForTags", tags)?;
    check_span("staleDeadline", policy.stale_deadline, "60s", DEADLINE_MAX)?;
    if policy.stale_deadline == Some(Span::ZERO) {
        let problem = "it must be more than 0: to serve what is stale at once, use \
                       staleWhileRevalidate";
        return Err(PolicyFault { member: "staleDeadline", problem: problem.to_owned() });
    }
    check_span("missingFor", policy.missing_for, "24h", MISSING_MAX)?;
    check_span("minimumAge", policy.minimum_age, "365d", AGE_MAX)
}

fn check_span(
    member: &'static str,
    span: Option<Span>,
    max_text: &str,
    max: Span,
) -> Result<(), PolicyFault> {
    let fits = match (span, max) {
        (Some(Span::Millis(millis)), Span::Millis(max)) => millis <= max,
        (Some(Span::Forever), _) => false,
        (None, _) | (_, Span::Forever) => true,
    };
    let problem = || format!("it must be at most {max_text}");
    if fits { Ok(()) } else { Err(PolicyFault { member, problem: problem() }) }
}

fn check_patterns<'a>(
    member: &'static str,
    patterns: impl Iterator<Item = &'a str>,
) -> Result<(), PolicyFault> {
    let fault = |problem: String| Err(PolicyFault { member, problem });
    for (at, pattern) in patterns.enumerate() {
        if at >= PATTERNS_MAX {
            return fault(format!("it must have at most {PATTERNS_MAX} patterns"));
        }
        let is_of_names =
            |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-' | '/' | '*');
        if pattern.is_empty() || !pattern.chars().all(is_of_names) {
            return fault(format!(
                "the pattern '{}' must be of letters, digits, '.', '_', '-', '/' and '*', which \
                 stands for any characters",
                pattern.chars().take(64).collect::<String>()
            ));
        }
        if pattern.len() > PATTERN_CHARACTERS_MAX {
            return fault(format!(
                "a pattern must have at most {PATTERN_CHARACTERS_MAX} characters"
            ));
        }
        if pattern.matches('*').count() > STARS_MAX {
            return fault(format!("a pattern must have at most {STARS_MAX} '*'"));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use metadata::TagFreshness;

    use super::*;

    fn with(change: impl FnOnce(&mut RulePolicy)) -> RulePolicy {
        let mut policy = RulePolicy::default();
        change(&mut policy);
        policy
    }

    fn patterns(patterns: &[&str]) -> Option<Vec<String>> {
        Some(patterns.iter().map(|pattern| (*pattern).to_owned()).collect())
    }

    #[test]
    fn what_is_wrong_is_named_with_the_way_out() {
        let many = vec!["a".to_owned(); 101];
        for (policy, text) in [
            (
                with(|p| p.pinned_tags = patterns(&["v*", ""])),
                "pinnedTags: the pattern '' must be of letters",
            ),
            (
                with(|p| p.denied_repositories = patterns(&["a b"])),
                "deniedRepositories: the pattern 'a b' must be of letters",
            ),
            (
                with(|p| p.allowed_tags = patterns(&["*********"])),
                "allowedTags: a pattern must have at most 8 '*'",
            ),
            (with(|p| p.denied_tags = Some(many)), "deniedTags: it must have at most 100 patterns"),
            (
                with(|p| {
                    let tag = "x".repeat(257);
                    p.fresh_for_tags = Some(vec![TagFreshness { tag, fresh_for: Span::ZERO }]);
                }),
                "freshForTags: a pattern must have at most 256 characters",
            ),
            (
                with(|p| p.stale_deadline = Some(Span::Millis(60_001))),
                "staleDeadline: it must be at most 60s",
            ),
            (
                with(|p| p.stale_deadline = Some(Span::ZERO)),
                "staleDeadline: it must be more than 0: to serve what is stale at once",
            ),
            (with(|p| p.missing_for = Some(Span::Forever)), "missingFor: it must be at most 24h"),
            (with(|p| p.minimum_age = Some(Span::Forever)), "minimumAge: it must be at most 365d"),
        ] {
            let told = check_policy(&policy).unwrap_err().to_string();
            assert!(told.starts_with(text), "{told}");
        }
    }

    #[test]
    fn what_is_right_passes() {
        let policy = RulePolicy {
            fresh_for: Some(Span::Forever),
            stale_while_revalidate: Some(Span::Forever),
            stale_on_error: Some(Span::ZERO),
            stale_deadline: Some(Span::Millis(60_000)),
            missing_for: Some(Span::Millis(86_400_000)),
            pinned_tags: patterns(&["v*.*.*", "*"]),
            allowed_repositories: patterns(&[]),
            denied_repositories: patterns(&["library/*", "UPPER_case/x--y"]),
            ..RulePolicy::default()
        };
        assert_eq!(check_policy(&policy), Ok(()));
    }
}
