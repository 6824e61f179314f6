//! Other people's registries: how to reach them, authenticate, ask and read.
//!
//! Nothing here stores anything or knows of rules and callers. Invariants: credentials never
//! leave for a host that is not theirs; an answer's kind is never changed into another (a 401, a
//! 429, a 500 and silence are told apart); every wait has a deadline.

mod address;
mod answer;
mod api;
mod auth;
mod budget;
mod challenge;
mod client;
mod connector;
mod content;
mod dial;
mod ecr;
mod endpoint;
mod error;
mod exchange;
mod failure;
mod issue;
mod known;
mod limit;
mod lists;
mod realm;
mod redirect;
mod retry;
mod settings;
mod token;
mod trail;
mod transfer;
mod trust;
mod validator;
mod way;
mod wire;

pub use address::{Address, AddressError, Scheme};
pub use api::{
    BlobBody, BlobStat, Credentials, FetchedManifest, Identity, Listing, ManifestStat, Neighbour,
    Target, Upstream,
};
pub use budget::{Allowance, Budget, Demand};
pub use client::HttpUpstream;
pub use dial::Lookup;
pub use ecr::EcrHost;
pub use error::{Error, LoginFailure, Phase};
pub use known::{Kind, ecr_kind_of, is_same_registry, kind_of};
pub use settings::{
    ClientIdentity, Clock, HostSettings, Limits, PrivateAddresses, Proxy, Settings, SettingsError,
    SharedClock, Surroundings, Timeouts,
};
pub use trail::Trail;
