//! Pretend worlds for tests: an upstream that does what a script says, stores that fail on
//! command, content of any size.
//!
//! A dev-dependency only. Nothing here stands in for a store: the memory stores of `blobs` and
//! `metadata` do that.

mod failing_blobs;
mod failing_metadata;
mod faults;
mod gate;
mod pattern;
mod plays;
mod scripted;

pub use failing_blobs::{BlobOperation, FailingBlobs};
pub use failing_metadata::{FailingMetadata, MetadataOperation};
pub use faults::Faults;
pub use gate::Gate;
pub use pattern::Pattern;
pub use plays::{PLAYS, Play, Stage};
pub use scripted::{Realm, Script, ScriptedUpstream, Seen, Tokens, blob_path, manifest_path};
