//! Two lists, paged as one.

use std::cmp::Ordering;

use metadata::{Page, PageRequest};
use oci::{Referrer, Tag};

/// Something in a list.
pub(super) trait Entry: Clone {
    /// What it is listed by.
    fn key(&self) -> &str;

    /// The order of the list.
    fn compare(one: &str, other: &str) -> Ordering;
}

impl Entry for Tag {
    fn key(&self) -> &str {
        self.as_str()
    }

    /// Without regard to ASCII case, then by byte, as the store has it.
    fn compare(one: &str, other: &str) -> Ordering {
        let lower = |byte: u8| byte.to_ascii_lowercase();
        Iterator::cmp(one.bytes().map(lower), other.bytes().map(lower)).then_with(|| one.cmp(other))
    }
}

impl Entry for Referrer {
    fn key(&self) -> &str {
        self.digest.as_str()
    }

    fn compare(one: &str, other: &str) -> Ordering {
        one.cmp(other)
    }
}

/// Puts a list in order, each entry once.
pub(super) fn arrange<T: Entry>(list: &mut Vec<T>) {
    list.sort_by(|one, other| T::compare(one.key(), other.key()));
    list.dedup_by(|one, other| one.key() == other.key());
}

/// Merges a page of what is here with all that is there, both in order, into the page of the whole
/// that `request` asks for. What is in both is taken from here.
pub(super) fn merged<T: Entry>(request: &PageRequest, here: Page<T>, there: &[T]) -> Page<T> {
    let after = request.after.as_deref().unwrap_or_default();
    let begun = there.partition_point(|entry| T::compare(entry.key(), after) != Ordering::Greater);
    let mut there = there[begun..].iter().peekable();
    let has_more_here = here.next.is_some();
    let mut here = here.items.into_iter().peekable();
    let mut items: Vec<T> = Vec::new();
    while items.len() < request.limit {
        let order = match (here.peek(), there.peek()) {
            (None, None) => break,
            (Some(_), None) => Ordering::Less,
            (None, Some(_)) => Ordering::Greater,
            (Some(one), Some(other)) => T::compare(one.key(), other.key()),
        };
        if order != Ordering::Less {
            let other = there.next();
            items.extend(other.filter(|_| order == Ordering::Greater).cloned());
        }
        if order != Ordering::Greater {
            items.extend(here.next());
        }
    }
    let has_more = has_more_here || here.peek().is_some() || there.peek().is_some();
    let next = items.last().filter(|_| has_more).map(|last| last.key().to_owned());
    Page { items, next }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TAGS: [&str; 5] = ["B", "a", "A", "_", "a1"];

    /// The tags whose bits are set.
    fn list(bits: u32) -> Vec<Tag> {
        let chosen = (0..TAGS.len()).filter(|at| bits & 1 << at != 0);
        let mut tags: Vec<_> = chosen.map(|at| Tag::parse(TAGS[at]).unwrap()).collect();
        arrange(&mut tags);
        tags
    }

    fn page_of(list: &[Tag], request: &PageRequest) -> Page<Tag> {
        let after = request.after.as_deref().unwrap_or_default();
        let later = list.iter().filter(|tag| Tag::compare(tag.as_str(), after).is_gt());
        let rest: Vec<_> = later.cloned().collect();
        let items: Vec<_> = rest.iter().take(request.limit).cloned().collect();
        let has_more = rest.len() > items.len();
        let next = items.last().filter(|_| has_more).map(|last| last.as_str().to_owned());
        Page { items, next }
    }

    #[test]
    fn every_page_of_any_two_lists_is_that_of_the_whole() {
        let all = list(0b11111);
        assert_eq!(all.iter().map(Tag::as_str).collect::<Vec<_>>(), ["_", "A", "a", "a1", "B"]);
        for (here, there) in (0..32).flat_map(|here| (0..32).map(move |there| (here, there))) {
            let whole = list(here | there);
            let (here, there) = (list(here), list(there));
            for limit in 0..4 {
                let mut request = PageRequest::first(limit);
                loop {
                    let page = merged(&request, page_of(&here, &request), &there);
                    assert_eq!(page, page_of(&whole, &request), "{request:?}");
                    match page.next {
                        Some(next) => request.after = Some(next),
                        None => break,
                    }
                }
            }
        }
    }
}
