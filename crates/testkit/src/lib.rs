//! Pretend worlds for tests: an upstream that does what a script says, stores that fail on
//! command, content of any size.
//!
//! A dev-dependency only. Nothing here stands in for a store: the memory stores of `blobs` and
//! `metadata` do that.

mod gate;
mod pattern;
mod scripted;

pub use gate::Gate;
pub use pattern::Pattern;
pub use scripted::{Script, ScriptedUpstream, Seen, Tokens, blob_path, manifest_path};
