//! What real clients did here: recorded by every scenario that passes, shown in
//! `docs/compatibility.md`.
//!
//! The source is the product's own access log, which names service, operation, outcome and
//! `User-Agent`; nobody has to remember to write anything down. [`record`] appends to
//! `target/compatibility/calls.jsonl`, the scenario of botocore's models writes
//! `operations.json` beside it, and [`page`] makes the page of the two.

mod calls;
mod client;
pub mod page;

use std::path::PathBuf;

use crate::skip::target_directory;

pub use calls::{Call, calls_in, record};
pub use client::Client;

/// The file of [`Call`]s, one JSON object a line.
pub const CALLS: &str = "calls.jsonl";

/// Which operations the product offers, as asked of a running one.
pub const OPERATIONS: &str = "operations.json";

/// Where scenarios leave what they saw.
///
/// # Panics
/// When the directory cannot be made: it lies in the target directory of this build.
#[must_use]
pub fn directory() -> PathBuf {
    let directory = target_directory().join("compatibility");
    std::fs::create_dir_all(&directory).expect("the target directory is writable");
    directory
}
