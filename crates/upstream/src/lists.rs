//! Lists that upstreams give page by page: tags, referrers.
//!
//! OCI distribution-spec 1.1, "Content Discovery"; RFC 8288 for `Link`. A page's successor is
//! asked of the upstream itself wherever its `Link` leads, so that no credentials leave.

use std::{sync::Arc, time::Duration};

use http::{HeaderMap, HeaderValue, Method, header};
use oci::{Digest, Referrer, Tag};
use serde::Deserialize;
use tokio::time::Instant;
use url::Url;

use crate::{
    Demand, Error, HttpUpstream, Listing, Target,
    client::{invalid, refuse_coding, refuse_page},
    endpoint::Endpoint,
    exchange::Question,
    limit::Load,
};

/// How many entries of a page are asked for: the most that common registries give.
const PAGE_ENTRIES: &str = "1000";

/// How long the pages of one list may come, in all; what has come by then is the list.
const READING_MAX: Duration = Duration::from_secs(60);

#[derive(Deserialize)]
struct TagList {
    tags: Option<Vec<String>>,
}

/// One page, and where the list goes on.
struct Page<T> {
    items: Vec<T>,
    following: Option<Url>,
    size_bytes: u64,
}

impl HttpUpstream {
    /// Reads every page of the tags.
    pub(crate) async fn read_tags(
        &self,
        target: &Target,
        endpoint: &Endpoint,
    ) -> Result<Listing<Tag>, Error> {
        let plain = endpoint.url(target.repository.split('/').chain(["tags", "list"]));
        let mut first = plain.clone();
        first.query_pairs_mut().append_pair("n", PAGE_ENTRIES);
        let read = |bytes: &[u8]| {
            let list: TagList = serde_json::from_slice(bytes)?;
            let tags = list.tags.unwrap_or_default();
            Ok(tags.iter().filter_map(|tag| Tag::parse(tag).ok()).collect())
        };
        match self.read_pages(target, endpoint, first, &HeaderMap::new(), read).await {
            // It gives fewer at once, and says so instead of giving them.
            Err(Error::Status { status: 400, .. }) => {
                self.read_pages(target, endpoint, plain, &HeaderMap::new(), read).await
            }
            outcome => outcome,
        }
    }

    /// Reads every page of the referrers of a manifest.
    pub(crate) async fn read_referrers(
        &self,
        target: &Target,
        endpoint: &Endpoint,
        subject: &Digest,
    ) -> Result<Listing<Referrer>, Error> {
        let path = target.repository.split('/').chain(["referrers", subject.as_str()]);
        let accepted = HeaderValue::from_static(oci::media_type::OCI_INDEX);
        let headers = HeaderMap::from_iter([(header::ACCEPT, accepted)]);
        let url = endpoint.url(path);
        self.read_pages(target, endpoint, url, &headers, Referrer::read_index).await
    }

    async fn read_pages<T>(
        &self,
        target: &Target,
        endpoint: &Endpoint,
        first: Url,
        headers: &HeaderMap,
        read: impl Fn(&[u8]) -> Result<Vec<T>, serde_json::Error>,
    ) -> Result<Listing<T>, Error> {
        let limits = &self.settings.limits;
        let mut listing = Listing { items: Vec::new(), is_whole: false };
        let (mut next, mut bytes, began) = (first, 0, Instant::now());
        for _ in 0..limits.list_pages_max {
            let mut page =
                self.read_page(target, endpoint, next.clone(), headers.clone(), &read).await?;
            bytes += page.size_bytes;
            listing.items.append(&mut page.items);
            if listing.items.len() > limits.list_entries_max {
                listing.items.truncate(limits.list_entries_max);
                return Ok(listing);
            }
            match page.following {
                None => {
                    listing.is_whole = true;
                    return Ok(listing);
                }
                Some(following) if following != next => next = following,
                Some(_) => return Ok(listing),
            }
            if bytes > limits.list_bytes_max || began.elapsed() > READING_MAX {
                return Ok(listing);
            }
        }
        Ok(listing)
    }

    async fn read_page<T>(
        &self,
        target: &Target,
        endpoint: &Endpoint,
        url: Url,
        headers: HeaderMap,
        read: impl Fn(&[u8]) -> Result<Vec<T>, serde_json::Error>,
    ) -> Result<Page<T>, Error> {
        let _permit = self.permits.acquire(endpoint, Load::Question).await?;
        let repository = Arc::clone(&target.repository);
        let method = Method::GET;
        let demand = Some(Demand::Manifests);
        let within = self.settings.timeouts.first_byte;
        let question =
            Question { target, endpoint, repository, method, url, headers, demand, within };
        let response = self.exchange.ask(&question).await?;
        refuse_coding(endpoint, response.headers())?;
        refuse_page(endpoint, response.headers())?;
        let following = next_page(&question.url, response.headers());
        let limit_bytes = self.settings.limits.manifest_bytes_max;
        let bytes = self.exchange.wire.read(endpoint, response, limit_bytes).await?;
        let items = read(&bytes)
            .map_err(|_| invalid(endpoint, "a list is not of the expected shape".to_owned()))?;
        Ok(Page { items, following, size_bytes: bytes.len() as u64 })
    }
}

/// Reads where a list goes on: path and query of the link, at the origin that gave the page.
fn next_page(page: &Url, headers: &HeaderMap) -> Option<Url> {
    let links = headers.get_all(header::LINK).iter().filter_map(|value| value.to_str().ok());
    let target = links.flat_map(|value| value.split(',')).find_map(|link| {
        let (target, parameters) = link.trim().strip_prefix('<')?.split_once('>')?;
        let is_next = parameters.split(';').filter_map(|pair| pair.split_once('=')).any(|pair| {
            pair.0.trim().eq_ignore_ascii_case("rel")
                && pair.1.trim().trim_matches('"').eq_ignore_ascii_case("next")
        });
        is_next.then_some(target)
    })?;
    let link = page.join(target).ok().filter(|link| link.path().starts_with("/v2/"))?;
    let mut next = page.clone();
    next.set_path(link.path());
    next.set_query(link.query());
    Some(next)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_goes_on_where_it_came_from() {
        let page = Url::parse("https://quay.io/v2/a/b/tags/list?n=2").unwrap();
        for (link, expected) in [
            ("</v2/a/b/tags/list?last=x&n=2>; rel=\"next\"", Some("/v2/a/b/tags/list?last=x&n=2")),
            ("</v2/a/b/tags/list?last=x>; rel=next", Some("/v2/a/b/tags/list?last=x")),
            ("<list?last=x>; foo=bar; REL=next", Some("/v2/a/b/tags/list?last=x")),
            ("<?last=x>; rel=next", Some("/v2/a/b/tags/list?last=x")),
            ("<http://evil.example/v2/x?last=x>;rel=\"next\"", Some("/v2/x?last=x")),
            ("</v2/p>; rel=prev, </v2/n>; rel=next", Some("/v2/n")),
            ("</elsewhere>; rel=next", None),
            ("</v2/a>; rel=last", None),
            ("nonsense", None),
        ] {
            let headers = [(header::LINK, HeaderValue::from_static(link))];
            let found = next_page(&page, &HeaderMap::from_iter(headers));
            let expected = expected.map(|path| format!("https://quay.io{path}"));
            assert_eq!(found.map(String::from), expected, "{link}");
        }
        assert_eq!(next_page(&page, &HeaderMap::new()), None);
    }
}
