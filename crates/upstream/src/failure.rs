//! What a failed connection means.

use std::{error::Error as StdError, io, time::Duration};

use crate::{
    Error, Phase,
    dial::{RefusedAddress, UnresolvedName},
};

/// Says what a failed request or a broken body is. `host` is the upstream, `destination` the
/// host that was dialled.
pub(crate) fn classify(
    error: reqwest::Error,
    host: &str,
    destination: &str,
    connect_timeout: Duration,
) -> Error {
    let host = host.to_owned();
    if has_cause::<RefusedAddress>(&error) {
        return refused_address(&host, destination);
    }
    if error.is_connect() && error.is_timeout() {
        return Error::Timeout { host, phase: Phase::Connect, after: connect_timeout };
    }
    let action = if has_cause::<UnresolvedName>(&error) {
        "name resolution"
    } else if has_cause::<rustls::Error>(&error) {
        "tls"
    } else if error.is_connect() {
        "connection"
    } else {
        "transfer"
    };
    // A redirect's URL may be signed: it stays out of the log too.
    Error::Transport { host, action, source: error.without_url().into() }
}

/// Says that a redirect or a realm leads to an address that is not dialled.
pub(crate) fn refused_address(host: &str, destination: &str) -> Error {
    Error::Refused {
        host: host.to_owned(),
        destination: destination.to_owned(),
        reason: "its address is private (upstream.allow-private-addresses permits it)",
    }
}

/// Tells whether `T` is among the causes of an error, inside an [`io::Error`] included.
fn has_cause<T: StdError + 'static>(error: &(dyn StdError + 'static)) -> bool {
    if error.is::<T>() {
        return true;
    }
    // `io::Error::source` passes over the error it wraps.
    let wrapped = error.downcast_ref::<io::Error>().and_then(io::Error::get_ref);
    if let Some(inner) = wrapped {
        let inner: &(dyn StdError + 'static) = inner;
        return has_cause::<T>(inner);
    }
    error.source().is_some_and(has_cause::<T>)
}
