//! Other people's registries: how to reach them, authenticate, ask and read.
//!
//! Nothing here stores anything or knows of rules and callers. Invariants: credentials never
//! leave for a host that is not theirs; an answer's kind is never changed into another (a 401, a
//! 429, a 500 and silence are told apart); every wait has a deadline.

mod api;
mod error;

pub use api::{
    BlobBody, BlobStat, Credentials, FetchedManifest, Identity, ManifestStat, Target, Upstream,
};
pub use error::{Error, Phase};
