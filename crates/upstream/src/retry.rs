//! Which failures are tried again, and how often: once, and only where the first try may have
//! met nothing but a connection that had died in the pool.
//!
//! Everything else is the caller's to decide by [`Error::is_transient`](crate::Error): an answer,
//! however bad, is an answer, and a deadline that passed leaves no time for a second try.

/// Tells whether a request that failed may be made again at once. GET and HEAD are idempotent
/// (RFC 9110 9.2.2), and nothing of an answer was seen. A connection that could not be opened is
/// not a stale one.
pub(crate) fn is_worth_another_try(error: &reqwest::Error) -> bool {
    error.is_request() && !error.is_connect() && !error.is_timeout()
}
