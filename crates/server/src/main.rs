//! `cistern`: the doors of the registry, and the process around them.
//!
//! Everything that speaks HTTP, AWS or a command line is here; what is decided is decided in
//! `registry`. Whatever keeps the process from starting is one line on stderr.

mod auth;
mod body;
mod certificates;
mod command_line;
mod config;
mod control_plane;
mod credentials;
mod data_directory;
mod data_plane;
mod doors;
mod env_command;
mod keyring;
mod listener;
mod rule_policy;
mod serve;
mod signals;
mod telemetry;
mod tls;
mod wiring;

use std::{io::Write as _, process::ExitCode};

use registry::Clock as _;

use command_line::{Asked, UsageError};
use config::{Config, ConfigError, process_environment};
use env_command::EnvError;
use telemetry::{FILTER_VARIABLE, FilterError};

/// Exit codes, as `sysexits` and most programs use them.
const FAILED: u8 = 1;
const MISUSED: u8 = 2;
/// What a shell says of a program that SIGINT ended.
const INTERRUPTED: u8 = 130;

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let line = registry::chain(&*error).replace('\n', " ");
            // Nobody is left to tell where stderr is closed.
            let _ = writeln!(std::io::stderr(), "cistern: {line}");
            ExitCode::from(exit_code(&error))
        }
    }
}

fn exit_code(error: &anyhow::Error) -> u8 {
    match error.downcast_ref::<cli::Error>() {
        Some(error) if error.is_interrupted() => INTERRUPTED,
        _ if is_misuse(error) => MISUSED,
        _ => FAILED,
    }
}

/// Tells whether the process was told something it cannot understand.
fn is_misuse(error: &anyhow::Error) -> bool {
    match error.downcast_ref::<cli::Error>() {
        Some(cli::Error::Local(error)) => {
            return matches!(error.downcast_ref(), Some(EnvError::Config(_)));
        }
        Some(error) => return error.is_misuse(),
        None => {}
    }
    error.is::<UsageError>()
        || error.is::<ConfigError>()
        || error.is::<FilterError>()
        || matches!(error.downcast_ref(), Some(EnvError::Config(_)))
}

fn run() -> anyhow::Result<()> {
    match command_line::read(std::env::args_os())? {
        Asked::Serve(flags) => {
            let log_filter = telemetry::filter(process_environment(FILTER_VARIABLE).as_deref())?;
            let now = wiring::SystemClock.now();
            serve::run(Config::read(flags, &process_environment, now)?, log_filter)
        }
        Asked::Env(flags) => print(&env_command::exports(flags, &process_environment)?),
        Asked::Task(task) => Ok(task.run(&cli::Surroundings {
            environment: &process_environment,
            now: &|| aws::Timestamp::from_milliseconds(wiring::SystemClock.now().0),
            local: &|flags| {
                let flags = command_line::local_layer(flags);
                Ok(env_command::local(flags, &process_environment)?)
            },
        })?),
        Asked::Text(text) => print(&text),
    }
}

/// Writes to stdout. A reader that left early is no failure.
fn print(text: &str) -> anyhow::Result<()> {
    match std::io::stdout().write_all(text.as_bytes()) {
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => Err(error.into()),
        _ => Ok(()),
    }
}
