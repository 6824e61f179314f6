//! Where a redirect leads, and whether it is followed.

use http::{HeaderMap, StatusCode, header};
use url::Url;

/// Why a redirect is not followed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Objection {
    /// There is no `Location`, or it is no web address.
    Unreadable,
    /// It carries a user name or password.
    Credentials,
}

/// Tells whether an answer is a redirect that GET and HEAD follow (RFC 9110 15.4).
pub(crate) fn is_redirect(status: StatusCode) -> bool {
    matches!(status.as_u16(), 301 | 302 | 303 | 307 | 308)
}

/// Reads where the answer for `from` leads.
pub(crate) fn destination(from: &Url, headers: &HeaderMap) -> Result<Url, Objection> {
    let location = headers.get(header::LOCATION).ok_or(Objection::Unreadable)?;
    let location = std::str::from_utf8(location.as_bytes()).map_err(|_| Objection::Unreadable)?;
    let mut url = from.join(location).map_err(|_| Objection::Unreadable)?;
    if !matches!(url.scheme(), "http" | "https") || !url.has_host() {
        return Err(Objection::Unreadable);
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(Objection::Credentials);
    }
    url.set_fragment(None);
    Ok(url)
}

/// Tells whether the way from one URL to the other gives up TLS.
pub(crate) fn is_step_down(from: &Url, to: &Url) -> bool {
    from.scheme() == "https" && to.scheme() != "https"
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    #[test]
    fn destinations() {
        let from = Url::parse("https://quay.io/v2/a/blobs/sha256:0").unwrap();
        for (location, expected) in [
            ("https://cdn.example/x?sig=1#f", Ok("https://cdn.example/x?sig=1")),
            ("/storage/x", Ok("https://quay.io/storage/x")),
            ("//cdn.example/x", Ok("https://cdn.example/x")),
            ("http://cdn.example/", Ok("http://cdn.example/")),
            ("https://user:secret@cdn.example/", Err(Objection::Credentials)),
            ("file:///etc/passwd", Err(Objection::Unreadable)),
            ("https://", Err(Objection::Unreadable)),
        ] {
            let headers = [(header::LOCATION, HeaderValue::from_static(location))];
            let found = destination(&from, &HeaderMap::from_iter(headers));
            assert_eq!(found.as_ref().map(Url::as_str).map_err(|e| *e), expected, "{location}");
        }
        assert_eq!(destination(&from, &HeaderMap::new()), Err(Objection::Unreadable));
        assert!(is_step_down(&from, &Url::parse("http://quay.io/").unwrap()));
        assert!(!is_step_down(
            &Url::parse("http://a/").unwrap(),
            &Url::parse("http://b/").unwrap()
        ));
    }
}
