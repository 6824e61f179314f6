//! `MaxResults` and `NextToken`, as Secrets Manager bounds them.

use aws::{Exception, exception::SecretsManagerException};
use metadata::PageRequest;

use super::{super::validate, violation};

/// `MaxResultsType`: 1 to 100, and the usual page where none is asked.
const PAGE_MAX: i32 = 100;

pub(super) fn read(
    next_token: Option<&str>,
    max_results: Option<i32>,
) -> Result<PageRequest, Exception> {
    let limit = max_results.unwrap_or(PAGE_MAX);
    if limit < 1 {
        return Err(violation("maxResults", "must have value greater than or equal to 1"));
    }
    if limit > PAGE_MAX {
        return Err(violation("maxResults", "must have value less than or equal to 100"));
    }
    validate::page(next_token, Some(limit))
        .map_err(|_| Exception::from(SecretsManagerException::InvalidNextToken))
}

pub(super) fn write(next: Option<String>) -> Option<String> {
    validate::next_token(next)
}
