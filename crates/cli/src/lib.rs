//! The commands for people: `cistern rule|secret|template|repository|image|cache …`.
//!
//! The other side of the doors: everything is asked of the public API over HTTP, signed, whether a
//! Cistern or AWS answers. Nothing here knows a store, the registry or the settings of a server;
//! what a server on this machine left behind comes in through [`Surroundings`].

mod client;
mod commands;
mod connection;
mod error;
mod interrupt;
mod layout;
mod output;
mod prompt;
mod refusal;
mod registry_client;
mod session;
mod tls;
mod upstreams;

use clap::{ArgMatches, Command, FromArgMatches as _, Subcommand as _};
use secrecy::SecretString;

pub use error::Error;
pub use refusal::Refusal;
pub use upstreams::{KNOWN, KnownUpstream};

/// Which data directory may be looked into, as flags say.
#[derive(Clone, Debug, Default)]
pub struct LocalFlags {
    /// `--data-dir`.
    pub data_dir: Option<String>,
    /// `--config`.
    pub config: Option<String>,
}

/// A server of this machine, as its data directory describes it.
#[derive(Clone, Debug)]
pub struct Local {
    /// The data directory, for messages.
    pub data_dir: String,
    /// Where the server is reached; none where nothing says so.
    pub endpoint: Option<String>,
    /// The default registry's region.
    pub region: String,
    /// The root user's access key and its secret; none where the directory holds none.
    pub access_key: Option<(String, SecretString)>,
}

/// An error of whoever looks into the data directory.
pub type LocalError = Box<dyn std::error::Error + Send + Sync>;

/// What the commands need of the process around them.
#[derive(Clone, Copy)]
pub struct Surroundings<'a> {
    /// Reads an environment variable.
    pub environment: &'a dyn Fn(&str) -> Option<String>,
    /// Tells the time.
    pub now: &'a dyn Fn() -> aws::Timestamp,
    /// Looks into the data directory of a server of this machine.
    pub local: &'a dyn Fn(&LocalFlags) -> Result<Local, LocalError>,
}

/// Something that was asked for on the command line.
#[derive(Debug)]
pub struct Task(commands::Task);

impl Task {
    /// Adds the commands to a command line.
    pub fn add_to(command: Command) -> Command {
        commands::Task::augment_subcommands(command)
    }

    /// Reads what was asked for; none where it is no command of this room.
    ///
    /// # Errors
    /// What clap found wrong.
    pub fn read(matches: &ArgMatches) -> Result<Option<Self>, clap::Error> {
        match matches.subcommand_name() {
            Some(name) if commands::Task::has_subcommand(name) => {
                commands::Task::from_arg_matches(matches).map(|task| Some(Self(task)))
            }
            _ => Ok(None),
        }
    }

    /// Does it. Answers go to stdout, questions and notes to stderr.
    ///
    /// # Errors
    /// Whatever kept it from being done; [`Error::is_misuse`] tells words from refusals.
    pub fn run(self, surroundings: &Surroundings<'_>) -> Result<(), Error> {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(|source| Error::Process { what: "start the runtime", source })?;
        runtime.block_on(self.0.run(surroundings))
    }
}
