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
}
