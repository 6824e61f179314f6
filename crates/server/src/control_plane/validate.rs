//! Constraints of request members, with ECR's frame for those that are broken.
//!
//! Botocore checks only that required members are there and not too short; the rest is ours
//! (`ecr` model 2015-09-21).

use aws::{Exception, ecr, exception::EcrException};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use metadata::{AccountId, EcrRepositoryPrefix, PageRequest, PrefixError, TemplatePrefix};
use oci::{NameError, RepositoryName};

/// `PullThroughCacheRuleRepositoryPrefix` and `Prefix`, as the model writes them.
const PREFIX_PATTERN: &str =
    r"^([a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*(\/[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*)*\/?|ROOT)$";

/// `RepositoryName`, as ECR's own errors write it.
const NAME_PATTERN: &str =
    r"[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*(/[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*)*";

/// `MaxResults`: the longest page and, where none is asked, the usual one.
const PAGE_MAX: i32 = 1000;
const PAGE_DEFAULT: usize = 100;

/// What stands before the key in a page token, so that its form may change.
const TOKEN_PREFIX: &str = "1:";

/// A broken constraint, in ECR's words.
pub(super) fn violation(member: &str, constraint: &str) -> Exception {
    Exception::new(
        EcrException::InvalidParameter,
        format!("Invalid parameter at '{member}' failed to satisfy constraint: '{constraint}'"),
    )
}

/// A text that breaks its grammar.
pub(super) fn pattern(member: &str, pattern: &str) -> Exception {
    violation(member, &format!("must satisfy regular expression '{pattern}'"))
}

/// Checks a length in characters, or a count of elements.
pub(super) fn length(
    member: &str,
    actual: usize,
    bounds: std::ops::RangeInclusive<usize>,
) -> Result<(), Exception> {
    if actual < *bounds.start() {
        let text = format!("must have length greater than or equal to {}", bounds.start());
        return Err(violation(member, &text));
    }
    if actual > *bounds.end() {
        let text = format!("must have length less than or equal to {}", bounds.end());
        return Err(violation(member, &text));
    }
    Ok(())
}

/// Checks an account id.
pub(super) fn account(member: &str, text: &str) -> Result<AccountId, Exception> {
    AccountId::parse(text).map_err(|_| pattern(member, "[0-9]{12}"))
}

/// Checks the prefix of a rule.
pub(super) fn prefix(member: &str, text: &str) -> Result<(), Exception> {
    EcrRepositoryPrefix::parse(text).map(drop).or_else(|error| prefix_error(member, text, error))
}

/// Checks the prefixes of the rules that a list is to be of.
pub(super) fn prefixes(prefixes: Option<&[String]>) -> Result<(), Exception> {
    const MEMBER: &str = "ecrRepositoryPrefixes";
    let Some(prefixes) = prefixes else { return Ok(()) };
    length(MEMBER, prefixes.len(), 1..=100)?;
    prefixes.iter().try_for_each(|text| prefix(MEMBER, text))
}

/// Checks the prefix of a repository creation template.
pub(super) fn template_prefix(member: &str, text: &str) -> Result<(), Exception> {
    TemplatePrefix::parse(text).map(drop).or_else(|error| prefix_error(member, text, error))
}

fn prefix_error(member: &str, text: &str, error: PrefixError) -> Result<(), Exception> {
    match error {
        PrefixError::Length { min, max } => length(member, text.chars().count(), min..=max),
        PrefixError::Grammar => Err(pattern(member, PREFIX_PATTERN)),
    }
}

/// Checks the name of a repository.
pub(super) fn repository_name(member: &str, text: &str) -> Result<(), Exception> {
    length(member, text.chars().count(), 2..=256)?;
    match RepositoryName::parse(text) {
        Ok(_) => Ok(()),
        Err(NameError::Empty | NameError::TooLong | NameError::Component) => {
            Err(pattern(member, NAME_PATTERN))
        }
    }
}

/// Reads the name of a repository.
pub(super) fn parse_repository(member: &str, text: &str) -> Result<RepositoryName, Exception> {
    repository_name(member, text)?;
    RepositoryName::parse(text).map_err(|_| pattern(member, NAME_PATTERN))
}

/// Checks a word against those that are allowed.
pub(super) fn one_of(member: &str, word: &str, allowed: &[&str]) -> Result<(), Exception> {
    if allowed.contains(&word) {
        return Ok(());
    }
    let text = format!("must satisfy enum value set: [{}]", allowed.join(", "));
    Err(violation(member, &text))
}

/// Reads `nextToken` and `maxResults`.
pub(super) fn page(
    next_token: Option<&str>,
    max_results: Option<i32>,
) -> Result<PageRequest, Exception> {
    let limit = match max_results {
        None => PAGE_DEFAULT,
        Some(limit) if limit < 1 => {
            return Err(violation("maxResults", "must have value greater than or equal to 1"));
        }
        Some(limit) if limit > PAGE_MAX => {
            return Err(violation("maxResults", "must have value less than or equal to 1000"));
        }
        Some(limit) => usize::try_from(limit).expect("1 to 1000"),
    };
    let after = next_token.map(|token| {
        let bytes = URL_SAFE_NO_PAD.decode(token).ok();
        let text = bytes.and_then(|bytes| String::from_utf8(bytes).ok());
        text.and_then(|text| text.strip_prefix(TOKEN_PREFIX).map(str::to_owned))
            .ok_or_else(|| violation("nextToken", "must be a token of a previous answer"))
    });
    Ok(PageRequest { after: after.transpose()?, limit })
}

/// Writes `nextToken`.
pub(super) fn next_token(next: Option<String>) -> Option<String> {
    next.map(|key| URL_SAFE_NO_PAD.encode(format!("{TOKEN_PREFIX}{key}")))
}

/// Checks the words of a request for images.
pub(super) fn image_filter(filter: &ecr::DescribeImagesFilter) -> Result<(), Exception> {
    if let Some(status) = &filter.tag_status {
        one_of("filter.tagStatus", status, &["TAGGED", "UNTAGGED", "ANY"])?;
    }
    if let Some(status) = &filter.image_status {
        one_of("filter.imageStatus", status, &["ACTIVE", "ARCHIVED", "ACTIVATING", "ANY"])?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_come_back() {
        let token = next_token(Some("team/a".to_owned()));
        let page = page(token.as_deref(), Some(7)).unwrap();
        assert_eq!(page, PageRequest { after: Some("team/a".to_owned()), limit: 7 });
    }

    #[test]
    fn constraints_are_named_as_ecr_does() {
        let text = |outcome: Result<(), Exception>| outcome.unwrap_err().message().to_owned();
        assert_eq!(
            text(repository_name("repositoryName", "Bad_Name!")),
            "Invalid parameter at 'repositoryName' failed to satisfy constraint: 'must satisfy \
             regular expression '[a-z0-9]+((\\.|_|__|-+)[a-z0-9]+)*(/[a-z0-9]+((\\.|_|__|-+)\
             [a-z0-9]+)*)*''"
        );
        assert_eq!(
            text(prefix("ecrRepositoryPrefix", "a")),
            "Invalid parameter at 'ecrRepositoryPrefix' failed to satisfy constraint: 'must have \
             length greater than or equal to 2'"
        );
        for broken in [page(None, Some(0)), page(None, Some(1001)), page(Some("x"), None)] {
            assert!(broken.is_err());
        }
    }
}
