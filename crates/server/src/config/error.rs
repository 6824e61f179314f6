//! Why a configuration cannot be used. Every text is one line and names the way out.

use std::path::PathBuf;

/// What is wrong with flags, variables or the configuration file.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ConfigError {
    /// The file is not there or cannot be read.
    #[error("cannot read the configuration file {}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// The cause.
        source: std::io::Error,
    },
    /// The file is no TOML.
    #[error("{}, line {line}: {message}", path.display())]
    Syntax {
        /// The file.
        path: PathBuf,
        /// Line, from 1.
        line: usize,
        /// What the parser says.
        message: String,
    },
    /// A key that does not exist.
    #[error("unknown key {key} in {}: {way_out}", path.display())]
    UnknownKey {
        /// The key with its table.
        key: String,
        /// The file.
        path: PathBuf,
        /// The nearest known key, or all of them.
        way_out: String,
    },
    /// A key whose value is of the wrong kind.
    #[error("{key} in {}: expected {expected}", path.display())]
    WrongKind {
        /// The key with its table.
        key: String,
        /// The file.
        path: PathBuf,
        /// What it should be.
        expected: &'static str,
    },
    /// A key that a table must have.
    #[error("{table} in {} has no {key}: add it", path.display())]
    MissingKey {
        /// The table.
        table: &'static str,
        /// The key.
        key: &'static str,
        /// The file.
        path: PathBuf,
    },
    /// A text that cannot be understood.
    #[error("{origin}: {text:?}: {reason}")]
    Invalid {
        /// Flag, variable or key.
        origin: String,
        /// The text.
        text: String,
        /// What is wrong with it.
        reason: String,
    },
    /// A policy that cannot hold.
    #[error("{key} in {}: {problem}", path.display())]
    Policy {
        /// The key with its table.
        key: String,
        /// The file.
        path: PathBuf,
        /// What is wrong with it, and what it should be.
        problem: String,
    },
    /// An address of a store that this build does not have. The address itself may hold a password.
    #[error("{origin}: this build serves {served} only, not {scheme}: remove it or change it")]
    UnsupportedStore {
        /// Flag, variable or key.
        origin: String,
        /// The scheme that was asked for.
        scheme: String,
        /// The form it can serve.
        served: &'static str,
    },
    /// A setting that is of no use without another.
    #[error("{given} needs {missing} as well: give both, or neither")]
    Incomplete {
        /// What was given.
        given: String,
        /// What is missing.
        missing: String,
    },
    /// Two settings that cannot both hold.
    #[error("{first} and {second} contradict each other: {reason}")]
    Contradiction {
        /// The one.
        first: String,
        /// The other.
        second: String,
        /// Why.
        reason: String,
    },
}
