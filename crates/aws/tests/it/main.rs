//! Requests of real clients and published vectors, held against the public interface.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod captured;
mod golden;
mod round_trip;
mod vectors;
