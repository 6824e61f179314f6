//! The words of OCI: names, digests, references, descriptors, manifests, error codes, routes.
//!
//! Pure: no I/O, no async, no dependency on another room. Wire grammar lives here, so that a
//! value of one of these types is already known to be well formed.

mod created;
mod descriptor;
mod digest;
mod error_code;
mod manifest;
pub mod media_type;
mod name;
mod platform;
mod reference;
mod referrer;
mod route;

pub use created::created_at;
pub use descriptor::Descriptor;
pub use digest::{Algorithm, Digest, DigestError, Hasher};
pub use error_code::ErrorCode;
pub use manifest::{Kind, Manifest, ManifestError};
pub use name::{NameError, RepositoryName};
pub use platform::{Platform, PlatformError, platforms_of};
pub use reference::{Reference, ReferenceError, Tag};
pub use referrer::{Referrer, cosign_tags, referrers_tag};
pub use route::{Route, RouteError};
