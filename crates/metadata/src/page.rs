//! Pages of a listing, by key.

/// Which part of a listing is wanted: a listing is ordered by key, and a page starts after one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PageRequest {
    /// Start after this key; `None` for the first page.
    pub after: Option<String>,
    /// At most this many.
    pub limit: usize,
}

/// One page of a listing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page<T> {
    /// What was found, in key order.
    pub items: Vec<T>,
    /// The key to start the next page after; `None` on the last page.
    pub next: Option<String>,
}

impl PageRequest {
    /// Asks for the first `limit`.
    pub fn first(limit: usize) -> Self {
        Self { after: None, limit }
    }

    /// Returns the key to start after; no key is empty, so that the first page starts after that.
    pub(crate) fn start(&self) -> &str {
        self.after.as_deref().unwrap_or_default()
    }

    /// Returns how many rows to read: one more than wanted tells whether there is a next page.
    pub(crate) fn rows(&self) -> i64 {
        i64::try_from(self.limit).unwrap_or(i64::MAX).saturating_add(1)
    }
}

impl<T> Page<T> {
    /// Takes a page off `items`, which are in key order and start after the request's key.
    pub(crate) fn take(
        request: &PageRequest,
        items: impl IntoIterator<Item = T>,
        key: impl Fn(&T) -> &str,
    ) -> Self {
        Self::take_by(request, items, |item| key(item).to_owned())
    }

    /// As [`take`](Self::take), where a key is made of more than one part of an item.
    pub(crate) fn take_by(
        request: &PageRequest,
        items: impl IntoIterator<Item = T>,
        key: impl Fn(&T) -> String,
    ) -> Self {
        let mut rest = items.into_iter();
        let items: Vec<T> = rest.by_ref().take(request.limit).collect();
        let last = items.last().filter(|_| rest.next().is_some());
        let next = last.map(key);
        Self { items, next }
    }
}
