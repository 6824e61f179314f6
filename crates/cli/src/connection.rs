//! Whom to ask, with which keys: flags, then the variables and files of AWS's own clients, then a
//! server of this machine.

mod profile;

use std::path::PathBuf;

use aws::Service;
use secrecy::SecretString;

use crate::{Local, LocalFlags, Surroundings, error::Error, output::Format, refusal::Asked};
use profile::{Profile, ProfileFiles};

/// Where a Cistern is that says nothing else.
const DEFAULT_REGION: &str = "us-east-1";

/// The flags that every command has.
#[derive(Clone, Debug, Default, clap::Args)]
#[command(next_help_heading = "Whom to ask, how to answer")]
pub(crate) struct Options {
    /// Endpoint of the API [default: AWS_ENDPOINT_URL, else the server of the data directory]
    #[arg(long, global = true, value_name = "URL")]
    pub(crate) endpoint_url: Option<String>,
    /// Region [default: AWS_REGION, else that of the profile or the server]
    #[arg(long, global = true, value_name = "NAME")]
    pub(crate) region: Option<String>,
    /// Profile of AWS's credentials and config files [default: AWS_PROFILE]
    #[arg(long, global = true, value_name = "NAME")]
    pub(crate) profile: Option<String>,
    /// Data directory of a server of this machine, for its address and keys [default:
    /// ./cistern-data]
    #[arg(long, global = true, value_name = "DIR")]
    pub(crate) data_dir: Option<String>,
    /// Configuration file of that server [default: ./cistern.toml, where there is one]
    #[arg(long, global = true, value_name = "FILE")]
    pub(crate) config: Option<String>,
    /// Certificates to trust besides the system's, PEM [default: AWS_CA_BUNDLE]
    #[arg(long, global = true, value_name = "FILE")]
    pub(crate) ca_bundle: Option<PathBuf>,
    /// How to answer: for eyes, or in the API's own fields
    #[arg(
        long,
        short,
        global = true,
        value_enum,
        default_value_t,
        value_name = "table|json",
        hide_possible_values = true
    )]
    pub(crate) output: Format,
}

/// A key pair and where it comes from.
#[derive(Clone, Debug)]
pub(crate) struct AccessKey {
    pub(crate) id: String,
    pub(crate) secret: SecretString,
    pub(crate) session_token: Option<SecretString>,
    /// What a message calls its source.
    pub(crate) origin: String,
}

/// Whom to ask, with which keys.
#[derive(Clone, Debug)]
pub(crate) struct Connection {
    pub(crate) region: String,
    pub(crate) key: AccessKey,
    pub(crate) ca_bundle: Option<PathBuf>,
    ecr: String,
    secrets_manager: String,
    /// Whether the endpoint is that of a server of this machine that was found, not named.
    pub(crate) is_local: bool,
}

/// The key, and what was found beside it.
struct Found {
    key: AccessKey,
    profile: Option<Profile>,
    local: Option<Local>,
}

impl Connection {
    /// Puts flags, variables, files and the server of this machine together.
    pub(crate) fn find(options: &Options, surroundings: &Surroundings<'_>) -> Result<Self, Error> {
        let variable =
            |name: &str| (surroundings.environment)(name).filter(|text| !text.is_empty());
        let Found { key, profile, local } = find_key(options, surroundings, &variable)?;
        let profile = profile.unwrap_or_default();
        let named_region = options
            .region
            .clone()
            .or_else(|| variable("AWS_REGION"))
            .or_else(|| variable("AWS_DEFAULT_REGION"))
            .or(profile.region);
        let named = |name: &str| {
            let given = options.endpoint_url.clone();
            given.or_else(|| variable(name)).or_else(|| variable("AWS_ENDPOINT_URL"))
        };
        let is_aws = |endpoint: &Option<String>| endpoint.is_none() && local.is_none();
        let fallback = local.as_ref().and_then(|local| local.endpoint.clone());
        let endpoint = |name: &str| {
            named(name).or_else(|| profile.endpoint_url.clone()).or_else(|| fallback.clone())
        };
        let (ecr, secrets_manager) =
            (endpoint("AWS_ENDPOINT_URL_ECR"), endpoint("AWS_ENDPOINT_URL_SECRETS_MANAGER"));
        let region = match (named_region, &local) {
            (Some(region), _) => region,
            (None, Some(local)) => local.region.clone(),
            (None, None) if is_aws(&ecr) => return Err(Error::NoRegion),
            (None, None) => DEFAULT_REGION.to_owned(),
        };
        let or_aws = |endpoint: Option<String>, host: &str| match (endpoint, &local) {
            (Some(endpoint), _) => Ok(endpoint.trim_end_matches('/').to_owned()),
            (None, Some(Local { data_dir, .. })) => {
                Err(Error::NoServer { data_dir: data_dir.clone() })
            }
            (None, None) => Ok(aws_endpoint(host, &region)),
        };
        Ok(Self {
            is_local: fallback.is_some() && ecr == fallback,
            ecr: or_aws(ecr, "api.ecr")?,
            secrets_manager: or_aws(secrets_manager, "secretsmanager")?,
            ca_bundle: options
                .ca_bundle
                .clone()
                .or_else(|| variable("AWS_CA_BUNDLE").map(PathBuf::from)),
            region,
            key,
        })
    }

    /// The endpoint of an API.
    pub(crate) fn endpoint(&self, service: Service) -> &str {
        match service {
            Service::SecretsManager => &self.secrets_manager,
            Service::Ecr | Service::CloudControl | Service::Cistern => &self.ecr,
        }
    }

    /// What a refusal says about who was asked.
    pub(crate) fn asked(&self, service: Service) -> Asked {
        Asked {
            endpoint: self.endpoint(service).to_owned(),
            region: self.region.clone(),
            access_key_id: self.key.id.clone(),
            key_origin: self.key.origin.clone(),
        }
    }
}

/// AWS's own endpoint of an API.
fn aws_endpoint(host: &str, region: &str) -> String {
    let suffix = if region.starts_with("cn-") { "amazonaws.com.cn" } else { "amazonaws.com" };
    format!("https://{host}.{region}.{suffix}")
}

/// Finds the key: the flags' word first, then what AWS's clients would take, then the server of
/// this machine, and what AWS's clients take last.
fn find_key(
    options: &Options,
    surroundings: &Surroundings<'_>,
    variable: &dyn Fn(&str) -> Option<String>,
) -> Result<Found, Error> {
    let of_profile = |name: &str| -> Result<Found, Error> {
        let profile = ProfileFiles::find(variable).read(name)?;
        let key = profile.key(name)?;
        Ok(Found { key, profile: Some(profile), local: None })
    };
    if let Some(name) = &options.profile {
        return of_profile(name);
    }
    let flags = LocalFlags { data_dir: options.data_dir.clone(), config: options.config.clone() };
    let local = || (surroundings.local)(&flags).map_err(Error::Local);
    if options.data_dir.is_some() {
        let local = local()?;
        let data_dir = local.data_dir.clone();
        return of_local(local).ok_or(Error::NoLocalCredentials { data_dir });
    }
    if let Some(key) = of_variables(variable)? {
        return Ok(Found { key, profile: None, local: None });
    }
    if let Some(name) = variable("AWS_PROFILE") {
        return of_profile(&name);
    }
    if let Some(found) = of_local(local()?) {
        return Ok(found);
    }
    match of_profile("default") {
        Err(Error::NoProfile { .. } | Error::IndirectProfile { .. }) => Err(Error::NoCredentials),
        found => found,
    }
}

fn of_local(local: Local) -> Option<Found> {
    let (id, secret) = local.access_key.clone()?;
    let origin = format!("the data directory {}", local.data_dir);
    let key = AccessKey { id, secret, session_token: None, origin };
    Some(Found { key, profile: None, local: Some(local) })
}

fn of_variables(variable: &dyn Fn(&str) -> Option<String>) -> Result<Option<AccessKey>, Error> {
    const ID: &str = "AWS_ACCESS_KEY_ID";
    const SECRET: &str = "AWS_SECRET_ACCESS_KEY";
    let half = |given: &str, missing: &str| Error::HalfKey {
        given: given.to_owned(),
        missing: missing.to_owned(),
    };
    match (variable(ID), variable(SECRET)) {
        (None, None) => Ok(None),
        (Some(_), None) => Err(half(ID, SECRET)),
        (None, Some(_)) => Err(half(SECRET, ID)),
        (Some(id), Some(secret)) => Ok(Some(AccessKey {
            id,
            secret: secret.into(),
            session_token: variable("AWS_SESSION_TOKEN").map(Into::into),
            origin: ID.to_owned(),
        })),
    }
}

#[cfg(test)]
mod tests;
