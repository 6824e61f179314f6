//! Profiles of AWS's credentials and config files, in their simple form: keys, region, endpoint.
//!
//! Roles, single sign-on and credential processes are not followed; a profile that relies on them
//! is refused with the command that turns it into variables.

use std::{collections::BTreeMap, fs, io, path::PathBuf};

use super::AccessKey;
use crate::error::Error;

/// Keys of a profile that say that its credentials come from elsewhere.
const INDIRECT: [&str; 6] = [
    "role_arn",
    "sso_session",
    "sso_start_url",
    "credential_process",
    "source_profile",
    "login_session",
];

/// Where the files are.
pub(crate) struct ProfileFiles {
    credentials: Option<PathBuf>,
    config: Option<PathBuf>,
}

/// What a profile says.
#[derive(Debug, Default)]
pub(crate) struct Profile {
    values: BTreeMap<String, String>,
    pub(crate) region: Option<String>,
    pub(crate) endpoint_url: Option<String>,
}

impl ProfileFiles {
    /// Finds the files where AWS's clients do.
    pub(crate) fn find(variable: &dyn Fn(&str) -> Option<String>) -> Self {
        let home = variable("HOME").map(PathBuf::from);
        let file = |name: &str, default: &str| {
            let named = variable(name).map(PathBuf::from);
            named.or_else(|| Some(home.as_ref()?.join(".aws").join(default)))
        };
        Self {
            credentials: file("AWS_SHARED_CREDENTIALS_FILE", "credentials"),
            config: file("AWS_CONFIG_FILE", "config"),
        }
    }

    /// Reads a profile; what the credentials file says wins.
    pub(crate) fn read(&self, name: &str) -> Result<Profile, Error> {
        let header_of_config =
            if name == "default" { "default".to_owned() } else { format!("profile {name}") };
        let mut values = None;
        for (path, header) in [(&self.config, header_of_config.as_str()), (&self.credentials, name)]
        {
            let Some(path) = path else { continue };
            let text = match fs::read_to_string(path) {
                Ok(text) => text,
                Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
                Err(source) => return Err(Error::File { path: path.clone(), source }),
            };
            if let Some(found) = section(&text, header) {
                values.get_or_insert_with(BTreeMap::new).extend(found);
            }
        }
        let values = values.ok_or_else(|| self.no_profile(name))?;
        let one = |key: &str| values.get(key).filter(|value| !value.is_empty()).cloned();
        Ok(Profile { region: one("region"), endpoint_url: one("endpoint_url"), values })
    }

    fn no_profile(&self, name: &str) -> Error {
        let files: Vec<String> = [&self.credentials, &self.config]
            .into_iter()
            .flatten()
            .map(|path| path.display().to_string())
            .collect();
        let files = if files.is_empty() {
            "~/.aws (HOME is not set)".to_owned()
        } else {
            files.join(" or ")
        };
        Error::NoProfile { profile: name.to_owned(), files }
    }
}

impl Profile {
    /// Returns the profile's keys.
    pub(crate) fn key(&self, name: &str) -> Result<AccessKey, Error> {
        const ID: &str = "aws_access_key_id";
        const SECRET: &str = "aws_secret_access_key";
        let one = |key: &str| self.values.get(key).filter(|value| !value.is_empty()).cloned();
        let half = |given: &str, missing: &str| Error::HalfKey {
            given: format!("{given} of profile {name}"),
            missing: missing.to_owned(),
        };
        match (one(ID), one(SECRET)) {
            (Some(id), Some(secret)) => Ok(AccessKey {
                id,
                secret: secret.into(),
                session_token: one("aws_session_token").map(Into::into),
                origin: format!("profile {name}"),
            }),
            (Some(_), None) => Err(half(ID, SECRET)),
            (None, Some(_)) => Err(half(SECRET, ID)),
            (None, None) => {
                let indirect = INDIRECT.into_iter().find(|key| self.values.contains_key(*key));
                let reason = indirect.map_or_else(
                    || format!("neither {ID} nor {SECRET}"),
                    |key| format!("it has {key}"),
                );
                Err(Error::IndirectProfile { profile: name.to_owned(), reason })
            }
        }
    }
}

/// Returns the lines `key = value` of a section. Indented lines belong to a nested table, and `#`
/// and `;` begin comments.
fn section(text: &str, header: &str) -> Option<BTreeMap<String, String>> {
    let name = |line: &str| {
        let inner = line.trim().strip_prefix('[')?.split_once(']')?.0;
        Some(inner.split_whitespace().collect::<Vec<_>>().join(" "))
    };
    let mut found = None;
    let mut is_inside = false;
    for line in text.lines() {
        if let Some(name) = name(line) {
            is_inside = name == header;
            if is_inside {
                found.get_or_insert_with(BTreeMap::new);
            }
            continue;
        }
        let is_nested = line.starts_with([' ', '\t']);
        if !is_inside || is_nested || line.starts_with(['#', ';']) {
            continue;
        }
        if let (Some(found), Some((key, value))) = (&mut found, line.split_once('=')) {
            let value = value.split(" #").next().unwrap_or(value).trim();
            found.insert(key.trim().to_ascii_lowercase(), value.to_owned());
        }
    }
    found
}
