//! Through whom a question came: how registries find out that they lean on one another in a circle.
//!
//! Each writes an opaque name into `Via` (RFC 9110 7.6.3) of what it asks, behind the names that it was
//! asked with itself. One that meets its own name again knows that nobody else will bring what is
//! asked for. The names of proxies in between are passed on to nobody: they are the affair of the
//! network that they stand in.

use http::HeaderValue;

/// What the names of registries begin with, so that a proxy's is taken for none.
const PREFIX: &str = "cistern-";
/// The longest name, in bytes; ours are 40 long.
const NAME_BYTES_MAX: usize = 72;
/// How many names are read.
const NAMES_MAX: usize = 32;

/// The registries that wait for an answer, by opaque names, the first to ask first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Trail(Vec<String>);

impl Trail {
    /// Reads the names of registries out of the values of `Via`.
    pub fn read<'a>(values: impl IntoIterator<Item = &'a str>) -> Self {
        let entries = values.into_iter().flat_map(|value| value.split(','));
        // The protocol, then the name; a comment may follow.
        let names = entries.filter_map(|entry| entry.split_ascii_whitespace().nth(1));
        let names = names.filter(|name| is_registry(name)).take(NAMES_MAX);
        Self(names.map(str::to_owned).collect())
    }

    /// Tells whether nobody else waits.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Returns how many registries wait.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Tells whether a registry of this name waits already; `name` as [`Trail::then`] took it.
    pub fn has(&self, name: &str) -> bool {
        self.0.iter().any(|waiting| waiting.strip_prefix(PREFIX) == Some(name))
    }

    /// Adds who asks now, by a name of letters and digits that says nothing to others.
    #[must_use]
    pub fn then(&self, name: &str) -> Self {
        let mut names = self.0.clone();
        names.push(format!("{PREFIX}{name}"));
        Self(names)
    }

    /// Writes the value of `Via`; none where nobody is named.
    pub(crate) fn via(&self) -> Option<HeaderValue> {
        let entries: Vec<_> = self.0.iter().map(|name| format!("1.1 {name}")).collect();
        HeaderValue::from_str(&entries.join(", ")).ok().filter(|_| !self.is_empty())
    }
}

fn is_registry(name: &str) -> bool {
    let is_short = name.len() <= NAME_BYTES_MAX;
    let rest = name.strip_prefix(PREFIX).filter(|rest| is_short && !rest.is_empty());
    rest.is_some_and(|rest| rest.bytes().all(|byte| byte.is_ascii_alphanumeric()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_registries_are_read_and_written() {
        for (values, expected) in [
            (&["1.1 cistern-a1"][..], "1.1 cistern-a1"),
            (&["1.1 cistern-a1, 2 cistern-b2 (a comment)"], "1.1 cistern-a1, 1.1 cistern-b2"),
            (&["1.1 squid.corp.example:3128", "HTTP/1.1 cistern-a1"], "1.1 cistern-a1"),
            (&["1.1 vegur", "1.0 fred, 1.1 cistern.example.com"], ""),
            (&["1.1 cistern-", "cistern-a1", "1.1 cistern-a\u{e4}", ", ,"], ""),
            (&[&*format!("1.1 cistern-{}", "x".repeat(100))], ""),
        ] {
            let trail = Trail::read(values.iter().copied());
            let written = trail.via();
            let written = written.as_ref().map_or("", |via| via.to_str().unwrap());
            assert_eq!(written, expected, "{values:?}");
            assert_eq!(trail.is_empty(), expected.is_empty(), "{values:?}");
        }
        let many = vec!["1.1 cistern-a"; 100];
        assert_eq!(Trail::read(many).len(), NAMES_MAX);
    }

    #[test]
    fn who_asks_is_added_last_and_met_again() {
        let trail = Trail::default().then("a").then("b");
        assert_eq!(trail.via().unwrap(), "1.1 cistern-a, 1.1 cistern-b");
        let read = Trail::read(["1.1 cistern-a, 1.1 cistern-b"]);
        assert_eq!(read, trail);
        assert!(read.has("a") && read.has("b") && !read.has("c") && !read.has("cistern-a"));
        assert_eq!(Trail::default().via(), None);
    }
}
