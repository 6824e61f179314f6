//! Policies of rules as people and programs write them: how long something lasts as a text such as
//! `24h` or `forever`. The configuration file and the API speak alike.

use aws::cistern::{PullThroughCacheRulePolicy, TagFreshness as WrittenFreshness};
use metadata::{AgeFrom, RulePolicy, Span, TagFreshness, Timestamp};
use oci::Reference;
use registry::PolicyFault;

use crate::config::duration;

const FOREVER: &str = "forever";
const AGES: [(&str, AgeFrom); 2] =
    [("created", AgeFrom::Created), ("first-seen", AgeFrom::FirstSeen)];

/// Reads a policy. Whether it can hold is for the registry.
///
/// # Errors
/// The member whose text is not one of its kind.
pub(crate) fn read(written: &PullThroughCacheRulePolicy) -> Result<RulePolicy, PolicyFault> {
    let tags = |entries: &Vec<WrittenFreshness>| {
        let read = |entry: &WrittenFreshness| {
            let fresh_for = span("freshForTags", &entry.fresh_for)?;
            Ok(TagFreshness { tag: entry.tag.clone(), fresh_for })
        };
        entries.iter().map(read).collect::<Result<Vec<_>, PolicyFault>>()
    };
    let spans =
        |member, text: &Option<String>| text.as_deref().map(|text| span(member, text)).transpose();
    let age_from = |text: &String| {
        let found = AGES.iter().find(|(word, _)| word == text);
        let problem = || format!("'{text}' must be created or first-seen");
        found.map(|(_, from)| *from).ok_or_else(|| fault("ageFrom", problem()))
    };
    Ok(RulePolicy {
        fresh_for: spans("freshFor", &written.fresh_for)?,
        fresh_for_tags: written.fresh_for_tags.as_ref().map(tags).transpose()?,
        stale_while_revalidate: spans("staleWhileRevalidate", &written.stale_while_revalidate)?,
        stale_on_error: spans("staleOnError", &written.stale_on_error)?,
        stale_deadline: spans("staleDeadline", &written.stale_deadline)?,
        missing_for: spans("missingFor", &written.missing_for)?,
        pinned_tags: written.pinned_tags.clone(),
        allowed_repositories: written.allowed_repositories.clone(),
        denied_repositories: written.denied_repositories.clone(),
        allowed_tags: written.allowed_tags.clone(),
        denied_tags: written.denied_tags.clone(),
        minimum_age: spans("minimumAge", &written.minimum_age)?,
        age_from: written.age_from.as_ref().map(age_from).transpose()?,
    })
}

/// Writes a policy.
pub(crate) fn write(policy: &RulePolicy) -> PullThroughCacheRulePolicy {
    let tags = |entries: &Vec<TagFreshness>| {
        let write = |entry: &TagFreshness| WrittenFreshness {
            tag: entry.tag.clone(),
            fresh_for: text(entry.fresh_for),
        };
        entries.iter().map(write).collect()
    };
    let age_from = |from: AgeFrom| {
        let (word, _) = AGES.iter().find(|(_, of)| *of == from).expect("every one has a word");
        (*word).to_owned()
    };
    PullThroughCacheRulePolicy {
        fresh_for: policy.fresh_for.map(text),
        fresh_for_tags: policy.fresh_for_tags.as_ref().map(tags),
        stale_while_revalidate: policy.stale_while_revalidate.map(text),
        stale_on_error: policy.stale_on_error.map(text),
        stale_deadline: policy.stale_deadline.map(text),
        missing_for: policy.missing_for.map(text),
        pinned_tags: policy.pinned_tags.clone(),
        allowed_repositories: policy.allowed_repositories.clone(),
        denied_repositories: policy.denied_repositories.clone(),
        allowed_tags: policy.allowed_tags.clone(),
        denied_tags: policy.denied_tags.clone(),
        minimum_age: policy.minimum_age.map(text),
        age_from: policy.age_from.map(age_from),
    }
}

/// What is said of an image that is too young for a rule.
pub(crate) fn too_young(
    rule: &str,
    repository: &str,
    reference: &Reference,
    minimum: Span,
    until: Timestamp,
) -> String {
    let until = aws::Timestamp::from_milliseconds(until.0).to_extended_format();
    let minimum = text(minimum);
    format!(
        "The image {repository} {reference} may not be pulled through the rule {rule} before \
         {until}: the rule lets in what is at least {minimum} old."
    )
}

fn fault(member: &'static str, problem: String) -> PolicyFault {
    PolicyFault { member, problem }
}

fn span(member: &'static str, text: &str) -> Result<Span, PolicyFault> {
    match text {
        FOREVER => Ok(Span::Forever),
        "0" => Ok(Span::ZERO),
        text => match duration(text) {
            Ok(duration) => {
                Ok(Span::Millis(u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)))
            }
            Err(_) => Err(fault(
                member,
                format!("'{text}' must be a time such as 90s, 24h or 30d, or 0, or forever"),
            )),
        },
    }
}

/// Writes how long something lasts in the largest units that say it exactly.
fn text(span: Span) -> String {
    let mut rest = match span {
        Span::Forever => return FOREVER.to_owned(),
        Span::Millis(0) => return "0".to_owned(),
        Span::Millis(millis) => millis,
    };
    let mut text = String::new();
    for (unit, millis) in
        [("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1_000), ("ms", 1)]
    {
        // A day is said as people say it.
        if unit == "d" && rest < 2 * millis {
            continue;
        }
        if rest >= millis {
            text.push_str(&format!("{}{unit}", rest / millis));
            rest %= millis;
        }
    }
    text
}

/// A policy that says something of everything.
#[cfg(test)]
pub(crate) fn every_member() -> RulePolicy {
    read(&tests::every_member()).expect("it can be read")
}

#[cfg(test)]
mod tests {
    use super::*;

    pub(super) fn every_member() -> PullThroughCacheRulePolicy {
        let list = |pattern: &str| Some(vec![pattern.to_owned()]);
        PullThroughCacheRulePolicy {
            fresh_for: Some("1m".to_owned()),
            fresh_for_tags: Some(vec![WrittenFreshness {
                tag: "v*".to_owned(),
                fresh_for: "forever".to_owned(),
            }]),
            stale_while_revalidate: Some("1h".to_owned()),
            stale_on_error: Some("30d".to_owned()),
            stale_deadline: Some("200ms".to_owned()),
            missing_for: Some("30s".to_owned()),
            pinned_tags: list("stable"),
            allowed_repositories: list("library/*"),
            denied_repositories: list("library/evil"),
            allowed_tags: list("*"),
            denied_tags: list("latest"),
            minimum_age: Some("7d".to_owned()),
            age_from: Some("first-seen".to_owned()),
        }
    }

    #[test]
    fn times_come_back_as_people_write_them() {
        for (written, told) in [
            ("0", "0"),
            ("0s", "0"),
            ("forever", "forever"),
            ("500ms", "500ms"),
            ("90s", "1m30s"),
            ("24h", "24h"),
            ("1d", "24h"),
            ("36h", "36h"),
            ("48h", "2d"),
            ("30d", "30d"),
            ("49h", "2d1h"),
        ] {
            let read = span("freshFor", written).unwrap();
            assert_eq!(text(read), told, "{written}");
            assert_eq!(span("freshFor", &text(read)), Ok(read), "{written}");
        }
        for written in ["", "1", "1w", "Forever", "-1s", "never"] {
            let told = span("freshFor", written).unwrap_err().to_string();
            assert!(told.starts_with("freshFor: '"), "{told}");
        }
    }

    #[test]
    fn a_policy_comes_back() {
        let written = every_member();
        assert_eq!(write(&read(&written).unwrap()), written);
        let nothing = PullThroughCacheRulePolicy::default();
        assert_eq!(write(&read(&nothing).unwrap()), nothing);
    }
}
