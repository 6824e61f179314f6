//! `cistern env`: what a shell must export so that AWS clients talk to this registry. The commands
//! for people find it the same way.

use metadata::Timestamp;
use secrecy::ExposeSecret as _;

use crate::{
    config::{Config, ConfigError, Environment, Layer},
    credentials::{self, CredentialsError},
    data_directory::{self, DataDirectoryError},
    serve::endpoint_url,
};

/// Why nothing can be printed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum EnvError {
    /// The configuration cannot be used.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// Something in the data directory cannot be read.
    #[error(transparent)]
    Data(#[from] DataDirectoryError),
    /// The credentials cannot be read.
    #[error(transparent)]
    Credentials(#[from] CredentialsError),
    /// There are none.
    #[error(
        "no credentials in {data_dir}: start `cistern serve` first, or name its directory with \
         --data-dir"
    )]
    NoCredentials {
        /// Where they should be.
        data_dir: String,
    },
    /// Nothing says which port a server took.
    #[error("nothing serves from {data_dir}: start `cistern serve` first, or give --listen")]
    NoAddress {
        /// Where it would have said so.
        data_dir: String,
    },
}

/// Returns the shell commands.
pub(crate) fn exports(flags: Layer, environment: Environment<'_>) -> Result<String, EnvError> {
    let config = Config::read(flags, environment, Timestamp(0))?;
    let data_dir = || config.data_dir.display().to_string();
    let found = credentials::find_default(&config.data_dir, &config.secrets)?;
    let (id, secret) = found.ok_or_else(|| EnvError::NoCredentials { data_dir: data_dir() })?;
    let Found { endpoint, region } = find(&config)?;
    let url = endpoint.ok_or_else(|| EnvError::NoAddress { data_dir: data_dir() })?;
    let variables = [
        ("AWS_ENDPOINT_URL", url.as_str()),
        ("AWS_ACCESS_KEY_ID", &id),
        ("AWS_SECRET_ACCESS_KEY", secret.expose_secret()),
        ("AWS_REGION", &region),
        ("AWS_DEFAULT_REGION", &region),
    ];
    let mut text: String =
        variables.iter().map(|(name, value)| format!("export {name}={}\n", quote(value))).collect();
    // A profile or a session of before would win over the keys, or spoil them.
    text.push_str("unset AWS_PROFILE AWS_SESSION_TOKEN\n");
    Ok(text)
}

/// Looks for the server of this machine on behalf of the commands for people.
pub(crate) fn local(flags: Layer, environment: Environment<'_>) -> Result<cli::Local, EnvError> {
    let config = Config::read(flags, environment, Timestamp(0))?;
    let Found { endpoint, region } = find(&config)?;
    Ok(cli::Local {
        data_dir: config.data_dir.display().to_string(),
        endpoint,
        region,
        access_key: credentials::find_default(&config.data_dir, &config.secrets)?,
    })
}

/// What clients on this machine should use.
struct Found {
    /// None where nothing says which port a server took.
    endpoint: Option<String>,
    region: String,
}

/// Returns where the registry is reached, and its region: as its process wrote down, unless
/// somebody asks for something else; where no process did, as configured.
fn find(config: &Config) -> Result<Found, EnvError> {
    let written = data_directory::read_address(&config.data_dir)?;
    let region = match &written {
        Some(written) if !config.region_is_explicit => written.region.clone(),
        _ => config.default_registry.region.as_str().to_owned(),
    };
    Ok(Found { endpoint: endpoint(config, written.map(|written| written.url)), region })
}

fn endpoint(config: &Config, written: Option<String>) -> Option<String> {
    let scheme = if config.tls.is_some() { "https" } else { "http" };
    let configured = config.listen_addresses.first().filter(|address| address.port() != 0);
    let configured = configured.map(|address| endpoint_url(config, scheme, *address));
    if let Some(public_url) = &config.public_url {
        return Some(public_url.of(&config.default_registry));
    }
    let authority = |url: &str| url.split_once("://").map(|(_, authority)| authority.to_owned());
    match (configured, written) {
        // The same address: who wrote it down knows whether it speaks TLS.
        (Some(configured), Some(written)) if authority(&configured) == authority(&written) => {
            Some(written)
        }
        (Some(configured), _) if config.listen_is_explicit() => Some(configured),
        (configured, written) => written.or(configured),
    }
}

/// Quotes a text for a POSIX shell.
fn quote(text: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "-_./:+=".contains(c);
    if !text.is_empty() && text.chars().all(is_plain) {
        return text.to_owned();
    }
    format!("'{}'", text.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_quoted_for_a_shell() {
        assert_eq!(quote("http://127.0.0.1:5000"), "http://127.0.0.1:5000");
        assert_eq!(quote("$(x) it's"), r"'$(x) it'\''s'");
        assert_eq!(quote(""), "''");
    }
}
