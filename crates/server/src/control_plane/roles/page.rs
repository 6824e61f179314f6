//! `MaxItems` and `Marker`, as IAM bounds them.

use aws::Exception;
use metadata::PageRequest;

use super::{super::validate, failure};

/// `maxItemsType`, and the usual page where none is asked.
const PAGE_MAX: i64 = 1000;
const PAGE_DEFAULT: i64 = 100;

pub(super) fn read(marker: Option<&str>, max_items: Option<i64>) -> Result<PageRequest, Exception> {
    let limit = max_items.unwrap_or(PAGE_DEFAULT);
    if limit < 1 {
        let constraint = "must have value greater than or equal to 1";
        return Err(failure::violation("maxItems", constraint));
    }
    if limit > PAGE_MAX {
        return Err(failure::violation("maxItems", "must have value less than or equal to 1000"));
    }
    let limit = i32::try_from(limit).expect("1 to 1000");
    validate::page(marker, Some(limit))
        .map_err(|_| failure::violation("marker", "must be a marker of a previous answer"))
}

pub(super) fn write(next: Option<String>) -> Option<String> {
    validate::next_token(next)
}

/// A page of what is held whole, by key.
pub(super) fn cut<T>(
    mut items: Vec<T>,
    page: &PageRequest,
    key: impl Fn(&T) -> &str,
) -> (Vec<T>, Option<String>) {
    if let Some(after) = page.after.as_deref() {
        items.retain(|item| key(item) > after);
    }
    items.sort_by(|one, other| key(one).cmp(key(other)));
    let is_last = items.len() <= page.limit;
    items.truncate(page.limit);
    let next = items.last().filter(|_| !is_last).map(|item| key(item).to_owned());
    (items, next)
}
