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
            // The rest of what is here may come before any of these.
            (None, _) if has_more_here => break,
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

/// What an entry of an index of referrers takes beside its annotations, at the most: two digests
/// of 128 digits would fit into half of that.
const ENTRY_BYTES: u64 = 1024;

/// Room in an index, which is a manifest and may be no larger than one: clients do not read more.
pub(super) struct Room {
    left_bytes: u64,
    is_empty: bool,
}

impl Room {
    /// Room for so many bytes.
    pub(super) fn new(bytes_max: u64) -> Self {
        Self { left_bytes: bytes_max, is_empty: true }
    }

    /// Tells whether there is room for another entry, and takes it. The first one always fits:
    /// else the list would end there.
    pub(super) fn takes(&mut self, referrer: &Referrer) -> bool {
        let annotations = serde_json::to_vec(&referrer.annotations);
        let bytes = ENTRY_BYTES + annotations.map_or(0, |text| text.len() as u64);
        let left = self.left_bytes.checked_sub(bytes);
        let fits = left.is_some() || self.is_empty;
        (self.left_bytes, self.is_empty) = (left.unwrap_or(0), false);
        fits
    }
}

/// Cuts a page off where there is no more room.
pub(super) fn fitted(page: Page<Referrer>, mut room: Room) -> Page<Referrer> {
    let Page { mut items, mut next } = page;
    let fitting = items.iter().take_while(|referrer| room.takes(referrer)).count();
    if fitting < items.len() {
        items.truncate(fitting);
        next = items.last().map(|last| last.key().to_owned());
    }
    Page { items, next }
}

#[cfg(test)]
mod tests {
    use oci::{Digest, media_type};

    use super::*;

    fn referrer(note_bytes: usize) -> Referrer {
        Referrer {
            digest: Digest::of(&[]),
            media_type: media_type::OCI_MANIFEST.to_owned(),
            size_bytes: 1,
            artifact_type: None,
            annotations: [("note".to_owned(), "x".repeat(note_bytes))].into(),
        }
    }

    #[test]
    fn an_index_has_room_for_so_much_and_for_one_entry_always() {
        let page = |sizes: &[usize]| {
            let items = sizes.iter().map(|bytes| referrer(*bytes)).collect();
            let next = Some("the store's".to_owned());
            let page = fitted(Page { items, next }, Room::new(10_000));
            (page.items.len(), page.next.unwrap())
        };
        let key = Digest::of(&[]).to_string();
        assert_eq!(page(&[1, 1, 1]), (3, "the store's".to_owned()));
        assert_eq!(page(&[20_000, 1]), (1, key.clone()));
        assert_eq!(page(&[4000, 3000, 1000, 1]), (2, key));
    }

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
