//! Why a command was not done. Every text is one line and names the way out.

use std::{io, path::PathBuf};

use crate::{LocalError, refusal::Refusal};

/// Why a command was not done.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Something that must be said was not, and nobody can be asked.
    #[error("{what} is missing: {way_out}")]
    Missing {
        /// The argument, as help calls it.
        what: &'static str,
        /// How to give it.
        way_out: String,
    },
    /// An argument that cannot be understood.
    #[error("{argument}: {text:?}: {reason}")]
    Misused {
        /// The argument, as help calls it.
        argument: &'static str,
        /// What was given.
        text: String,
        /// What is wrong with it, and what would be right.
        reason: String,
    },
    /// The data directory of a server cannot be looked into.
    #[error(transparent)]
    Local(LocalError),
    /// Nothing says with which keys to sign.
    #[error(
        "no credentials: start `cistern serve` here, name its directory with --data-dir, set \
         AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or name a profile with --profile"
    )]
    NoCredentials,
    /// The data directory that was named holds no keys.
    #[error(
        "no credentials in {data_dir}: start `cistern serve` first, or name its directory with \
         --data-dir"
    )]
    NoLocalCredentials {
        /// The data directory.
        data_dir: String,
    },
    /// Keys of a server that nobody runs, and no other endpoint.
    #[error(
        "nothing serves from {data_dir}: start `cistern serve` first, or name an endpoint with \
         --endpoint-url"
    )]
    NoServer {
        /// The data directory.
        data_dir: String,
    },
    /// Half a key pair.
    #[error("{given} needs {missing} as well: set both, or neither")]
    HalfKey {
        /// What is there.
        given: String,
        /// What is not.
        missing: String,
    },
    /// A profile that is in none of the files.
    #[error("there is no profile {profile} in {files}: name another with --profile")]
    NoProfile {
        /// Its name.
        profile: String,
        /// Where it was looked for.
        files: String,
    },
    /// A profile that gets its keys in a way that only AWS's own clients know.
    #[error(
        "profile {profile} has no keys of its own ({reason}): export them first with `eval \
         \"$(aws configure export-credentials --profile {profile} --format env)\"`"
    )]
    IndirectProfile {
        /// Its name.
        profile: String,
        /// The key that says how, or that there is none.
        reason: String,
    },
    /// AWS has no default region.
    #[error("no region: give --region, or set AWS_REGION")]
    NoRegion,
    /// A file that cannot be read.
    #[error("cannot read {}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// The cause.
        source: io::Error,
    },
    /// A file that cannot be written.
    #[error("cannot write {}", path.display())]
    Written {
        /// The file or directory.
        path: PathBuf,
        /// The cause.
        source: io::Error,
    },
    /// Something that is no OCI image layout, or not a whole one.
    #[error("{}: {reason}", path.display())]
    Layout {
        /// The directory or file.
        path: PathBuf,
        /// What is wrong with it, and what to do.
        reason: String,
    },
    /// Bytes that are not what they should be.
    #[error("{digest}: {reason}: nothing of it was kept")]
    Unproven {
        /// What they should be.
        digest: String,
        /// What they are.
        reason: String,
    },
    /// The registry said no.
    #[error("{path}: {message} ({status})")]
    Registry {
        /// What was asked for.
        path: String,
        /// The HTTP status.
        status: u16,
        /// What it said.
        message: String,
    },
    /// Nobody answered.
    #[error("nothing answers at {endpoint} ({cause}): {way_out}")]
    Unreachable {
        /// Who was asked.
        endpoint: String,
        /// The cause, at its root.
        cause: String,
        /// What to do.
        way_out: String,
    },
    /// Something answered that is no AWS API.
    #[error(
        "{endpoint} answered {status} and not in AWS's way: is it the endpoint of a Cistern? \
         (--endpoint-url)"
    )]
    Foreign {
        /// Who was asked.
        endpoint: String,
        /// The HTTP status.
        status: u16,
    },
    /// An answer that is not what the operation answers.
    #[error("the answer to {operation} cannot be read: is {endpoint} the right endpoint?")]
    Unreadable {
        /// The operation.
        operation: &'static str,
        /// Who was asked.
        endpoint: String,
        /// The cause.
        source: aws::json::BodyError,
    },
    /// A list that leads back to where it was.
    #[error("the list never ends: the endpoint answered with the same nextToken twice")]
    Endless,
    /// The API said no.
    #[error(transparent)]
    Refused(#[from] Box<Refusal>),
    /// The API said no, and what had been made for it is still there.
    #[error("{error} ({left}, made for it, could not be removed again: {cause})")]
    Left {
        /// Why it was not done.
        error: Box<Error>,
        /// What is left.
        left: String,
        /// Why it is left.
        cause: Box<Error>,
    },
    /// Something was asked for and is not there, in an answer that is no refusal.
    #[error("{what} is not there: {way_out}")]
    Absent {
        /// What.
        what: String,
        /// Where to look.
        way_out: &'static str,
    },
    /// Rules that do not work, images that could not be removed, a preview that did not end well.
    #[error("{0}")]
    Failed(String),
    /// Somebody stopped it while it was under way.
    #[error("stopped: {0}")]
    Interrupted(String),
    /// Somebody pressed Ctrl-C, or the terminal went away.
    #[error("stopped before anything was done")]
    Stopped(#[source] io::Error),
    /// The trust in TLS certificates cannot be set up.
    #[error("{what}: {reason}")]
    Trust {
        /// The file or variable.
        what: String,
        /// What is wrong.
        reason: String,
    },
    /// The process cannot do what every process can.
    #[error("cannot {what}")]
    Process {
        /// What, as a verb.
        what: &'static str,
        /// The cause.
        source: io::Error,
    },
    /// A request that cannot be signed.
    #[error("the request cannot be signed: check the credentials")]
    Unsignable(#[from] aws::sigv4::Unsignable),
}

impl Error {
    /// Tells whether the words of the command are at fault, rather than what was found.
    pub fn is_misuse(&self) -> bool {
        matches!(self, Self::Missing { .. } | Self::Misused { .. })
    }

    /// Tells whether somebody stopped it while it was under way.
    pub fn is_interrupted(&self) -> bool {
        matches!(self, Self::Interrupted(_))
    }

    /// The class of an API's refusal.
    pub(crate) fn class(&self) -> Option<&str> {
        match self {
            Self::Refused(refusal) => Some(&refusal.class),
            _ => None,
        }
    }
}
