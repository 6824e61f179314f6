//! Logs on stderr: for eyes on a terminal, JSON otherwise. `CISTERN_LOG` filters them.

use std::io::{self, IsTerminal as _};

use tracing_subscriber::EnvFilter;

use crate::config::LogFormat;

/// The variable that holds the filter, in the notation of `EnvFilter`: `debug`, `registry=trace`.
pub(crate) const FILTER_VARIABLE: &str = "CISTERN_LOG";

/// What is logged where nobody says: what operators act on, and warnings of what is underneath.
const DEFAULT_FILTER: &str =
    "warn,cistern=info,registry=info,upstream=info,blobs=info,metadata=info";

/// The filter cannot be understood.
#[derive(Debug, thiserror::Error)]
#[error(
    "{FILTER_VARIABLE}: {filter:?}: expected a level (error, warn, info, debug, trace) or TARGET=LEVEL,…"
)]
pub(crate) struct FilterError {
    filter: String,
    source: tracing_subscriber::filter::ParseError,
}

/// Reads the filter.
pub(crate) fn filter(text: Option<&str>) -> Result<EnvFilter, FilterError> {
    let filter = text.filter(|text| !text.is_empty()).unwrap_or(DEFAULT_FILTER);
    EnvFilter::try_new(filter).map_err(|source| FilterError { filter: filter.to_owned(), source })
}

/// Starts to log, and turns panics into log lines.
pub(crate) fn start(format: Option<LogFormat>, filter: EnvFilter) {
    let terminal = io::stderr().is_terminal();
    let format = format.unwrap_or(if terminal { LogFormat::Human } else { LogFormat::Json });
    let subscriber = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(io::stderr)
        .with_ansi(terminal);
    match format {
        LogFormat::Human => subscriber.with_target(false).compact().init(),
        LogFormat::Json => {
            subscriber.json().flatten_event(true).with_current_span(false).init();
        }
    }
    std::panic::set_hook(Box::new(|panic| {
        let location = panic.location().map(ToString::to_string).unwrap_or_default();
        let message = panic.payload_as_str().unwrap_or("no message");
        tracing::error!(location, "panicked: {message}");
    }));
}
