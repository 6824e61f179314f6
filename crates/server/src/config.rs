//! What the process was told to be: flags over variables over `cistern.toml` over defaults.
//!
//! Everything is checked here, before a file is made or a port is taken. This is the one place that
//! reads the environment. [`Config::read`] is pure but for the configuration file.

mod address;
mod error;
mod file;
mod limits;
mod policy;
mod quantity;
mod rules;
mod setting;
mod upstream;

#[cfg(test)]
mod tests;

use std::{
    net::SocketAddr,
    path::{Path, PathBuf},
};

use metadata::{AccountId, Region, RegistryId, RulePolicy, Timestamp};
use registry::DeclaredRule;

pub(crate) use address::PublicUrl;
pub(crate) use error::ConfigError;
use file::ConfigFile;
pub(crate) use limits::Limits;
pub(crate) use quantity::duration;
use setting::Values;
pub(crate) use setting::{Given, Kind, Layer, Origin, TOP};
pub(crate) use upstream::{HostConfig, UpstreamConfig};

/// How log lines look.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum LogFormat {
    /// For eyes.
    Human,
    /// For programs: one JSON object per line.
    Json,
}

/// The files of a TLS identity.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct TlsFiles {
    /// The certificate chain, PEM, the server's own first.
    pub(crate) cert: PathBuf,
    /// The private key, PEM.
    pub(crate) key: PathBuf,
}

/// Everything that was configured, checked.
#[derive(Clone, Debug)]
pub(crate) struct Config {
    /// Where to listen, as it was given.
    pub(crate) listen: Given,
    /// The socket addresses that `listen` stands for.
    pub(crate) listen_addresses: Vec<SocketAddr>,
    /// Where everything is kept.
    pub(crate) data_dir: PathBuf,
    /// What clients call this registry.
    pub(crate) public_url: Option<PublicUrl>,
    /// The registry of callers that name none.
    pub(crate) default_registry: RegistryId,
    /// Whether somebody chose its region by flag or variable.
    pub(crate) region_is_explicit: bool,
    /// Every account, the default one first.
    pub(crate) accounts: Vec<AccountId>,
    /// TLS, where it is wanted.
    pub(crate) tls: Option<TlsFiles>,
    /// The SQLite database.
    pub(crate) metadata_path: PathBuf,
    /// The directory of blobs.
    pub(crate) blob_path: PathBuf,
    /// Rules that are declared rather than stored.
    pub(crate) rules: Vec<DeclaredRule>,
    /// What holds for every rule whose own policy does not say otherwise.
    pub(crate) policy: RulePolicy,
    /// How upstreams may be reached.
    pub(crate) upstream: UpstreamConfig,
    /// Whether pulls without credentials are served.
    pub(crate) anonymous_pull: bool,
    /// Whether exactly ECR's constraints hold.
    pub(crate) strict_ecr: bool,
    /// How log lines look; by what stderr is, where nobody says.
    pub(crate) log_format: Option<LogFormat>,
    /// Limits.
    pub(crate) limits: Limits,
    /// Credentials and keys that come from the environment rather than from files.
    pub(crate) secrets: SecretVariables,
}

/// What only the environment can bring.
#[derive(Clone, Default)]
pub(crate) struct SecretVariables {
    /// `CISTERN_ROOT_ACCESS_KEY_ID` and `CISTERN_ROOT_SECRET_ACCESS_KEY`.
    pub(crate) root: Option<(String, secrecy::SecretString)>,
    /// `CISTERN_KEYRING`.
    pub(crate) keyring: Option<secrecy::SecretString>,
}

impl std::fmt::Debug for SecretVariables {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { root, keyring } = self;
        write!(f, "SecretVariables {{ {}, {} }}", root.is_some(), keyring.is_some())
    }
}

/// A look into the environment, as a parameter so that tests can own it.
pub(crate) type Environment<'a> = &'a dyn Fn(&str) -> Option<String>;

/// Reads a variable of the process; one that is no text says nothing.
pub(crate) fn process_environment(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

impl Config {
    /// Puts flags, variables, the file and the defaults together.
    pub(crate) fn read(
        flags: Layer,
        environment: Environment<'_>,
        now: Timestamp,
    ) -> Result<Self, ConfigError> {
        let variables = setting::from_environment(environment);
        let early = Values::new(vec![flags.clone(), variables.clone()]);
        let file = match early.one("config") {
            Some(given) => ConfigFile::read(Path::new(&given.text), false)?,
            None => ConfigFile::read(Path::new("cistern.toml"), true)?,
        };
        let values = Values::new(vec![flags, variables, file.layer]);
        let given = |name, default: &str| {
            let default = || Given { text: default.to_owned(), origin: Origin::Default(name) };
            values.one(name).cloned().unwrap_or_else(default)
        };
        let data_dir = PathBuf::from(given("data-dir", "./cistern-data").text);
        let listen = given("listen", "127.0.0.1:5000");
        let mut default_registry = default_registry();
        if let Some(account) = values.parse("account-id", AccountId::parse)? {
            default_registry.account = account;
        }
        if let Some(region) = values.parse("region", Region::parse)? {
            default_registry.region = region;
        }
        let path = |name, parse: fn(&Given) -> Result<PathBuf, ConfigError>, default: &str| {
            values.one(name).map_or_else(|| Ok(data_dir.join(default)), parse)
        };
        let upstream = UpstreamConfig::read(&values, &file.upstream_hosts)?;
        let plain_http = &upstream.plain_http;
        let rules = rules::read(&values, &file.rules, &default_registry, plain_http, now)?;
        let strict_ecr = values.switch("strict-ecr")?;
        if strict_ecr {
            refuse_policies(file.policy.as_ref(), &rules)?;
        }
        Ok(Self {
            listen_addresses: listen.parse(address::listen)?,
            listen,
            region_is_explicit: values.one("region").is_some_and(Given::is_explicit),
            public_url: values.parse("public-url", PublicUrl::parse)?,
            accounts: accounts(&default_registry.account, &file.accounts)?,
            tls: tls_files(&values)?,
            metadata_path: path("metadata-url", address::metadata_path, "metadata.sqlite")?,
            blob_path: path("blob-url", address::blob_path, "blobs")?,
            rules,
            policy: file.policy.unwrap_or_default(),
            anonymous_pull: values.switch("anonymous-pull")?,
            strict_ecr,
            log_format: values.parse("log-format", |text| match text {
                "human" => Ok(LogFormat::Human),
                "json" => Ok(LogFormat::Json),
                _ => Err("expected human or json"),
            })?,
            limits: Limits::read(&values)?,
            secrets: SecretVariables::read(environment)?,
            default_registry,
            data_dir,
            upstream,
        })
    }

    /// Tells whether somebody chose where to listen by flag or variable.
    pub(crate) fn listen_is_explicit(&self) -> bool {
        self.listen.is_explicit()
    }
}

/// The registry of callers that name none, where nobody says another.
fn default_registry() -> RegistryId {
    RegistryId {
        account: AccountId::parse("000000000000").expect("twelve digits"),
        region: Region::parse("us-east-1").expect("a region"),
    }
}

/// In Amazon ECR no rule has a policy.
fn refuse_policies(policy: Option<&RulePolicy>, rules: &[DeclaredRule]) -> Result<(), ConfigError> {
    let of_a_rule = rules.iter().find(|declared| declared.rule.policy.is_some());
    let second = match (policy, of_a_rule) {
        (None, None) => return Ok(()),
        (Some(_), _) => "the table [policy]".to_owned(),
        (None, Some(declared)) => {
            format!("the policy of rule {}", declared.rule.ecr_repository_prefix)
        }
    };
    Err(ConfigError::Contradiction {
        first: "strict-ecr".to_owned(),
        second,
        reason: "Amazon ECR has no policies of rules, remove one of the two".to_owned(),
    })
}

impl SecretVariables {
    const KEY_ID: &str = "CISTERN_ROOT_ACCESS_KEY_ID";
    const SECRET: &str = "CISTERN_ROOT_SECRET_ACCESS_KEY";

    fn read(environment: Environment<'_>) -> Result<Self, ConfigError> {
        let variable = |name: &str| environment(name).filter(|text| !text.is_empty());
        let incomplete = |given: &str, missing: &str| ConfigError::Incomplete {
            given: given.to_owned(),
            missing: missing.to_owned(),
        };
        let root = match (variable(Self::KEY_ID), variable(Self::SECRET)) {
            (None, None) => None,
            (Some(_), None) => return Err(incomplete(Self::KEY_ID, Self::SECRET)),
            (None, Some(_)) => return Err(incomplete(Self::SECRET, Self::KEY_ID)),
            (Some(id), Some(secret)) => {
                // A signature's scope puts the id between slashes.
                let is_word = |b: u8| b.is_ascii_alphanumeric() || b == b'_';
                if id.len() > 128 || !id.bytes().all(is_word) {
                    return Err(ConfigError::Invalid {
                        origin: Self::KEY_ID.to_owned(),
                        text: id,
                        reason: "expected up to 128 letters, digits and underscores".to_owned(),
                    });
                }
                if secret.chars().any(|c| c.is_whitespace() || c.is_control()) {
                    return Err(ConfigError::Invalid {
                        origin: Self::SECRET.to_owned(),
                        text: "…".to_owned(),
                        reason: "a secret has no blanks and no control characters".to_owned(),
                    });
                }
                Some((id, secret.into()))
            }
        };
        Ok(Self { root, keyring: variable("CISTERN_KEYRING").map(Into::into) })
    }
}

fn tls_files(values: &Values) -> Result<Option<TlsFiles>, ConfigError> {
    match (values.one("tls-cert"), values.one("tls-key")) {
        (None, None) => Ok(None),
        (Some(cert), Some(key)) => {
            Ok(Some(TlsFiles { cert: (&cert.text).into(), key: (&key.text).into() }))
        }
        (Some(given), None) => Err(ConfigError::Incomplete {
            given: given.origin.to_string(),
            missing: "--tls-key".to_owned(),
        }),
        (None, Some(given)) => Err(ConfigError::Incomplete {
            given: given.origin.to_string(),
            missing: "--tls-cert".to_owned(),
        }),
    }
}

fn accounts(
    default_account: &AccountId,
    tables: &[file::Entry],
) -> Result<Vec<AccountId>, ConfigError> {
    let mut accounts = vec![default_account.clone()];
    for table in tables {
        let given = table.require("id")?;
        let id = given.parse(AccountId::parse)?;
        if accounts[1..].contains(&id) {
            return Err(given.reject("this account is declared twice: remove one of them"));
        }
        if id != *default_account {
            accounts.push(id);
        }
    }
    Ok(accounts)
}
