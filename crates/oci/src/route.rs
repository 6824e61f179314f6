//! The paths of the data plane as one pure function.
//!
//! OCI distribution-spec 1.1, "Endpoints". A repository name may hold slashes, and may even end
//! in a component called `manifests` or `blobs`, so a path is read from its end.

use crate::{Digest, DigestError, Reference, ReferenceError, RepositoryName};

/// What a path under `/v2/` names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Route {
    /// `/v2/`: the version check.
    Base,
    /// `/v2/<name>/manifests/<reference>`.
    Manifest(RepositoryName, Reference),
    /// `/v2/<name>/blobs/<digest>`.
    Blob(RepositoryName, Digest),
    /// `/v2/<name>/blobs/uploads/`.
    Uploads(RepositoryName),
    /// `/v2/<name>/blobs/uploads/<session>`.
    Upload(RepositoryName, String),
    /// `/v2/<name>/tags/list`.
    Tags(RepositoryName),
    /// `/v2/<name>/referrers/<digest>`.
    Referrers(RepositoryName, Digest),
    /// `/v2/_catalog`.
    Catalog,
}

/// Why a path is no route.
#[derive(Debug, thiserror::Error, PartialEq, Eq, Clone)]
pub enum RouteError {
    /// No endpoint has this shape.
    #[error("no such endpoint")]
    Unknown,
    /// The repository name breaks its grammar.
    #[error("invalid repository name: {0}")]
    Name(#[from] crate::NameError),
    /// The tag or digest breaks its grammar.
    #[error("invalid reference: {0}")]
    Reference(#[from] ReferenceError),
    /// The digest of a blob breaks its grammar.
    #[error("invalid digest: {0}")]
    Digest(DigestError),
    /// The digest of a subject breaks its grammar.
    #[error("invalid digest: {0}")]
    Subject(DigestError),
}

impl Route {
    /// Reads the path of a request (without query).
    ///
    /// # Errors
    /// [`RouteError::Unknown`] where no endpoint has this shape, else what is wrong with its part.
    pub fn parse(path: &str) -> Result<Self, RouteError> {
        let rest = path.strip_prefix("/v2").ok_or(RouteError::Unknown)?;
        let rest = match rest {
            "" | "/" => return Ok(Self::Base),
            _ => rest.strip_prefix('/').ok_or(RouteError::Unknown)?,
        };
        if rest == "_catalog" {
            return Ok(Self::Catalog);
        }
        if let Some(name) = rest.strip_suffix("/tags/list") {
            return Ok(Self::Tags(RepositoryName::parse(name)?));
        }
        if let Some(name) =
            rest.strip_suffix("/blobs/uploads/").or_else(|| rest.strip_suffix("/blobs/uploads"))
        {
            return Ok(Self::Uploads(RepositoryName::parse(name)?));
        }
        let (head, last) = rest.rsplit_once('/').ok_or(RouteError::Unknown)?;
        if let Some(name) = head.strip_suffix("/blobs/uploads") {
            return Ok(Self::Upload(RepositoryName::parse(name)?, last.to_owned()));
        }
        if let Some(name) = head.strip_suffix("/manifests") {
            return Ok(Self::Manifest(RepositoryName::parse(name)?, Reference::parse(last)?));
        }
        if let Some(name) = head.strip_suffix("/blobs") {
            let digest = || Digest::parse(last).map_err(RouteError::Digest);
            return Ok(Self::Blob(RepositoryName::parse(name)?, digest()?));
        }
        if let Some(name) = head.strip_suffix("/referrers") {
            let digest = || Digest::parse(last).map_err(RouteError::Subject);
            return Ok(Self::Referrers(RepositoryName::parse(name)?, digest()?));
        }
        Err(RouteError::Unknown)
    }

    /// Returns the repository the route is about, to call it by another name.
    pub fn repository_mut(&mut self) -> Option<&mut RepositoryName> {
        match self {
            Self::Base | Self::Catalog => None,
            Self::Manifest(name, _)
            | Self::Blob(name, _)
            | Self::Uploads(name)
            | Self::Upload(name, _)
            | Self::Tags(name)
            | Self::Referrers(name, _) => Some(name),
        }
    }

    /// Returns the repository the route is about.
    pub fn repository(&self) -> Option<&RepositoryName> {
        match self {
            Self::Base | Self::Catalog => None,
            Self::Manifest(name, _)
            | Self::Blob(name, _)
            | Self::Uploads(name)
            | Self::Upload(name, _)
            | Self::Tags(name)
            | Self::Referrers(name, _) => Some(name),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const D: &str = "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

    fn name(text: &str) -> RepositoryName {
        RepositoryName::parse(text).unwrap()
    }

    #[test]
    fn every_endpoint() {
        let digest = Digest::parse(D).unwrap();
        for (path, route) in [
            ("/v2", Route::Base),
            ("/v2/", Route::Base),
            ("/v2/_catalog", Route::Catalog),
            ("/v2/a/b/tags/list", Route::Tags(name("a/b"))),
            ("/v2/a/blobs/uploads/", Route::Uploads(name("a"))),
            ("/v2/a/blobs/uploads/x-1", Route::Upload(name("a"), "x-1".into())),
            ("/v2/a/manifests/v1", Route::Manifest(name("a"), Reference::parse("v1").unwrap())),
            (
                "/v2/manifests/manifests/v1",
                Route::Manifest(name("manifests"), Reference::parse("v1").unwrap()),
            ),
            (&format!("/v2/blobs/blobs/{D}"), Route::Blob(name("blobs"), digest.clone())),
            (&format!("/v2/a/referrers/{D}"), Route::Referrers(name("a"), digest)),
        ] {
            assert_eq!(Route::parse(path), Ok(route), "{path}");
        }
    }

    #[test]
    fn what_is_wrong_is_named() {
        assert_eq!(Route::parse("/v3/"), Err(RouteError::Unknown));
        assert_eq!(Route::parse("/v2x"), Err(RouteError::Unknown));
        assert_eq!(Route::parse("/v2/a"), Err(RouteError::Unknown));
        assert!(matches!(Route::parse("/v2/A/manifests/x"), Err(RouteError::Name(_))));
        assert!(matches!(Route::parse("/v2/a/manifests/.x"), Err(RouteError::Reference(_))));
        assert!(matches!(Route::parse("/v2/a/blobs/sha256:1"), Err(RouteError::Digest(_))));
        assert!(matches!(Route::parse("/v2/a/referrers/v1"), Err(RouteError::Subject(_))));
        let long = format!("/v2/a/referrers/sha256:{}", "0".repeat(4096));
        assert!(matches!(Route::parse(&long), Err(RouteError::Subject(_))));
    }

    proptest! {
        #[test]
        fn any_text_is_read_without_panic(path in "\\PC{0,300}") {
            let _ = Route::parse(&path);
        }

        #[test]
        fn names_come_back(parts in prop::collection::vec("[a-z0-9]{1,8}", 1..9), tag in "[a-z0-9_]{1,9}") {
            let repository = parts.join("/");
            let route = Route::parse(&format!("/v2/{repository}/manifests/{tag}")).unwrap();
            prop_assert_eq!(route.repository().map(ToString::to_string), Some(repository));
        }
    }
}
