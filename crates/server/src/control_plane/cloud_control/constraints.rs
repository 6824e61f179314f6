//! Constraints of request members, in the frame in which the service's front end tells them
//! (`cloudcontrol` model 2021-09-30).

use std::ops::RangeInclusive;

use aws::{Exception, exception::CommonException};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use metadata::PageRequest;

/// `Properties` and `PatchDocument`: longest document in characters.
pub(super) const DOCUMENT_CHARS_MAX: usize = 262_144;
/// `MaxResults`: the longest page, and the usual one where none is asked ("The default is 20").
const PAGE_MAX: i32 = 100;
const PAGE_DEFAULT: i32 = 20;
/// What stands before the key in a page token, so that its form may change.
const TOKEN_PREFIX: &str = "1:";

/// A broken constraint.
pub(super) fn violation(member: &str, constraint: &str) -> Exception {
    validation(format!(
        "1 validation error detected: Value at '{member}' failed to satisfy constraint: Member \
         {constraint}"
    ))
}

/// A request that the front end does not let through.
pub(super) fn validation(text: String) -> Exception {
    Exception::new(CommonException::Validation, text)
}

fn length(member: &str, actual: usize, bounds: RangeInclusive<usize>) -> Result<(), Exception> {
    let (least, most) = bounds.into_inner();
    if actual < least {
        let text = format!("must have length greater than or equal to {least}");
        return Err(violation(member, &text));
    }
    if actual > most {
        return Err(violation(member, &format!("must have length less than or equal to {most}")));
    }
    Ok(())
}

/// `TypeName`.
pub(super) fn type_name(name: &str) -> Result<(), Exception> {
    length("typeName", name.chars().count(), 10..=196)?;
    let is_part = |part: &str| {
        (2..=64).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_alphanumeric())
    };
    if name.split("::").count() == 3 && name.split("::").all(is_part) {
        return Ok(());
    }
    let pattern = "[A-Za-z0-9]{2,64}::[A-Za-z0-9]{2,64}::[A-Za-z0-9]{2,64}";
    Err(violation("typeName", &format!("must satisfy regular expression pattern: {pattern}")))
}

/// `ClientToken` and `RequestToken`.
pub(super) fn token(member: &str, token: &str) -> Result<(), Exception> {
    length(member, token.chars().count(), 1..=128)?;
    let is_of_token = |byte: u8| byte.is_ascii_alphanumeric() || b"-+/=".contains(&byte);
    if token.bytes().all(is_of_token) {
        return Ok(());
    }
    let text = "must satisfy regular expression pattern: [-A-Za-z0-9+/=]+";
    Err(violation(member, text))
}

/// `RoleArn`, which names no one here: whoever asks acts as itself.
pub(super) fn role_arn(arn: Option<&str>) -> Result<(), Exception> {
    let Some(arn) = arn else { return Ok(()) };
    length("roleArn", arn.chars().count(), 20..=2048)?;
    let mut parts = arn.splitn(6, ':');
    let is_role = parts.next() == Some("arn")
        && parts.next().is_some_and(|partition| !partition.is_empty())
        && parts.next() == Some("iam")
        && parts.next() == Some("")
        && parts.next().is_some_and(|id| metadata::AccountId::parse(id).is_ok())
        && parts
            .next()
            .and_then(|rest| rest.strip_prefix("role/"))
            .is_some_and(|it| !it.is_empty());
    if is_role {
        return Ok(());
    }
    let text = "must satisfy regular expression pattern: arn:.+:iam::[0-9]{12}:role/.+";
    Err(violation("roleArn", text))
}

/// `Identifier`.
pub(super) fn identifier(identifier: &str) -> Result<(), Exception> {
    length("identifier", identifier.chars().count(), 1..=1024)
}

/// A document's length.
pub(super) fn document(member: &str, document: &str) -> Result<(), Exception> {
    length(member, document.chars().count(), 1..=DOCUMENT_CHARS_MAX)
}

/// `NextToken` and `MaxResults`.
pub(super) fn page(
    next_token: Option<&str>,
    max_results: Option<i32>,
) -> Result<PageRequest, Exception> {
    let limit = max_results.unwrap_or(PAGE_DEFAULT);
    if limit < 1 {
        return Err(violation("maxResults", "must have value greater than or equal to 1"));
    }
    if limit > PAGE_MAX {
        return Err(violation("maxResults", "must have value less than or equal to 100"));
    }
    let after = next_token.map(|token| {
        let bytes = STANDARD.decode(token).ok();
        let text = bytes.and_then(|bytes| String::from_utf8(bytes).ok());
        text.and_then(|text| text.strip_prefix(TOKEN_PREFIX).map(str::to_owned))
            .ok_or_else(|| violation("nextToken", "must be a token of a previous answer"))
    });
    let limit = usize::try_from(limit).expect("1 to 100");
    Ok(PageRequest { after: after.transpose()?, limit })
}

/// Writes `NextToken`.
pub(super) fn next_token(next: Option<String>) -> Option<String> {
    next.map(|key| STANDARD.encode(format!("{TOKEN_PREFIX}{key}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn members_are_held_to_their_patterns() {
        for good in ["AWS::ECR::PullThroughCacheRule", "Acme2::Web::Site"] {
            assert!(type_name(good).is_ok(), "{good}");
        }
        for bad in ["AWS::ECR", "AWS::ECR::A::B", "AWS::E-R::Repository", "AWS:ECR:Repository", ""]
        {
            assert!(type_name(bad).is_err(), "{bad}");
        }
        assert!(token("clientToken", "a-Z0+/=").is_ok());
        for bad in ["", "a b", "é", &"x".repeat(129)] {
            assert!(token("clientToken", bad).is_err(), "{bad}");
        }
        assert!(role_arn(Some("arn:aws:iam::123456789012:role/path/x")).is_ok());
        for bad in ["arn:aws:iam::123456789012:user/x", "role/x", "arn:aws:iam::1:role/xxxxxxxxx"] {
            assert!(role_arn(Some(bad)).is_err(), "{bad}");
        }
    }

    #[test]
    fn pages_come_back_as_tokens_of_the_model() {
        let next = next_token(Some("7:d16c-é".to_owned())).unwrap();
        assert!(token("nextToken", &next).is_ok(), "{next}");
        let page = page(Some(&next), None).unwrap();
        assert_eq!(page, PageRequest { after: Some("7:d16c-é".to_owned()), limit: 20 });
    }
}
