//! Parameters after the `?` of a path.

use http::request::Parts;
use url::form_urlencoded;

/// The decoded parameters of a request.
#[derive(Debug)]
pub(super) struct Query(Vec<(String, String)>);

impl Query {
    /// Reads them. A `+` stands for itself: media types hold some, and nobody sends spaces.
    pub(super) fn of(head: &Parts) -> Self {
        let query = head.uri.query().unwrap_or_default().replace('+', "%2B");
        Self(form_urlencoded::parse(query.as_bytes()).into_owned().collect())
    }

    /// Every parameter of this name, in order.
    pub(super) fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.0.iter().filter(move |(held, _)| held == name).map(|(_, value)| value.as_str())
    }

    /// The first parameter of this name.
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(held, _)| held == name).map(|(_, value)| value.as_str())
    }
}
