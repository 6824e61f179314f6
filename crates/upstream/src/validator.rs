//! By what an upstream tells whether a tag still names what it named: `ETag` and `If-None-Match`.
//!
//! Most registries make the digest their `ETag` (`"sha256:…"`), and nothing has to be remembered of
//! them. The others' is remembered, in memory: one that is forgotten costs a manifest that is sent
//! once more. An `ETag` is of one URL, and of who asked there (RFC 9110 8.8.3): it is shown to nobody
//! else, and only while what is held is what came with it.

use std::sync::Arc;

use http::{HeaderMap, HeaderValue, header};
use moka::sync::Cache;
use oci::{Digest, Tag};
use url::Url;

use crate::Identity;

/// How many tags' validators are remembered.
const REMEMBERED_MAX: u64 = 10_000;
/// The longest `ETag` that is remembered, in bytes.
const ETAG_BYTES_MAX: usize = 256;

/// Where a tag was asked for, and with which eyes.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Place {
    pub(crate) origin: Url,
    pub(crate) identity: Identity,
    pub(crate) repository: Arc<str>,
    pub(crate) tag: Tag,
}

/// What upstreams sent as `ETag`, and for which manifest.
#[derive(Debug)]
pub(crate) struct Validators(Cache<Place, (HeaderValue, Digest)>);

impl Default for Validators {
    fn default() -> Self {
        Self(Cache::new(REMEMBERED_MAX))
    }
}

impl Validators {
    /// Takes note of the `ETag` that came with a manifest, where it says more than the digest.
    pub(crate) fn remember(&self, place: Place, etag: Option<HeaderValue>, digest: &Digest) {
        match etag.filter(is_entity_tag).filter(|etag| *etag != quoted(digest)) {
            Some(etag) => self.0.insert(place, (etag, digest.clone())),
            None => self.0.invalidate(&place),
        }
    }

    /// Says on which condition a manifest is wanted: that it is not the one with this digest. Each
    /// validator has a line of its own, for some registries compare lines and know no list.
    pub(crate) fn condition(&self, place: &Place, held: &Digest, headers: &mut HeaderMap) {
        if let Some((etag, _)) = self.0.get(place).filter(|(_, digest)| digest == held) {
            headers.append(header::IF_NONE_MATCH, etag);
        }
        headers.append(header::IF_NONE_MATCH, quoted(held));
    }

    /// Returns the digest that an answer without one means: of what was fetched with the same
    /// `ETag`. A weak one stands for what is equivalent, and a digest is not (RFC 9110 8.8.1).
    pub(crate) fn digest(&self, place: &Place, headers: &HeaderMap) -> Option<Digest> {
        let etag = headers.get(header::ETAG)?;
        let (remembered, digest) = self.0.get(place)?;
        (remembered == *etag && !etag.as_bytes().starts_with(b"W/")).then_some(digest)
    }
}

/// RFC 9110 8.8.3. What is no entity tag is sent back to nobody: `*` would match everything.
fn is_entity_tag(value: &HeaderValue) -> bool {
    let text = value.as_bytes();
    let opaque = text.strip_prefix(b"W/").unwrap_or(text);
    let inside = opaque.strip_prefix(b"\"").and_then(|rest| rest.strip_suffix(b"\""));
    inside.is_some_and(|inside| {
        text.len() <= ETAG_BYTES_MAX && inside.iter().all(|byte| !matches!(byte, b' ' | b'"'))
    })
}

fn quoted(digest: &Digest) -> HeaderValue {
    HeaderValue::from_str(&format!("\"{digest}\"")).expect("a digest is printable ASCII")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(tag: &str) -> Place {
        Place {
            origin: Url::parse("https://registry.example").unwrap(),
            identity: Identity::anonymous(),
            repository: "app".into(),
            tag: Tag::parse(tag).unwrap(),
        }
    }

    fn etag(text: &str) -> HeaderMap {
        HeaderMap::from_iter([(header::ETAG, HeaderValue::from_str(text).unwrap())])
    }

    /// What is sent for `held`, after a manifest came with an `ETag`.
    fn sent(validators: &Validators, held: &Digest) -> Vec<String> {
        let mut headers = HeaderMap::new();
        validators.condition(&place("v1"), held, &mut headers);
        let lines = headers.get_all(header::IF_NONE_MATCH).iter();
        lines.map(|line| line.to_str().unwrap().to_owned()).collect()
    }

    #[test]
    fn an_etag_is_shown_again_for_what_it_came_with() {
        let (digest, other) = (Digest::of(b"a"), Digest::of(b"b"));
        let by_digest = format!("\"{digest}\"");
        for (said, shown) in [
            ("\"5f3-abc\"", Some("\"5f3-abc\"")),
            ("W/\"5f3\"", Some("W/\"5f3\"")),
            (&*by_digest, None),
            ("*", None),
            ("unquoted", None),
            ("\"", None),
            ("\"a\", \"b\"", None),
            (&*format!("\"{}\"", "x".repeat(300)), None),
        ] {
            let validators = Validators::default();
            let came = etag(said).remove(header::ETAG);
            validators.remember(place("v1"), came, &digest);
            let expected: Vec<_> =
                shown.into_iter().chain([&*by_digest]).map(str::to_owned).collect();
            assert_eq!(sent(&validators, &digest), expected, "{said}");
            assert_eq!(sent(&validators, &other), [format!("\"{other}\"")], "{said}");
            let is_known = shown.is_some_and(|shown| !shown.starts_with("W/"));
            let found = validators.digest(&place("v1"), &etag(said));
            assert_eq!(found, is_known.then(|| digest.clone()), "{said}");
            assert_eq!(validators.digest(&place("v2"), &etag(said)), None, "{said}");
            assert_eq!(validators.digest(&place("v1"), &etag("\"other\"")), None, "{said}");
        }
        let validators = Validators::default();
        validators.remember(place("v1"), etag("\"1\"").remove(header::ETAG), &digest);
        validators.remember(place("v1"), None, &other);
        assert_eq!(validators.digest(&place("v1"), &etag("\"1\"")), None);
    }
}
