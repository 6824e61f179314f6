//! `cistern.toml`: read into the same texts as flags and variables, and the tables that only a file
//! has. A key that is not known is an error: a limit that silently does not hold is worse.

use std::{
    fs, io,
    path::{Path, PathBuf},
    sync::Arc,
};

use metadata::RulePolicy;
use toml::{Table, Value};

use super::{
    ConfigError,
    policy::PolicyTable,
    setting::{Given, Kind, Layer, Origin, TABLES, TOP, nearest},
};

/// What a configuration file says.
#[derive(Debug, Default)]
pub(crate) struct ConfigFile {
    /// The texts of settings.
    pub(crate) layer: Layer,
    /// The `[[rule]]` tables.
    pub(crate) rules: Vec<Entry>,
    /// The `[[account]]` tables.
    pub(crate) accounts: Vec<Entry>,
    /// The `[policy]` table.
    pub(crate) policy: Option<RulePolicy>,
    /// The `[[upstream.host]]` tables.
    pub(crate) upstream_hosts: Vec<Entry>,
}

/// One table of an array of tables: its keys were checked.
#[derive(Debug)]
pub(crate) struct Entry {
    path: Arc<Path>,
    name: &'static str,
    table: Table,
}

const RULE_KEYS: &[&str] = &[
    "prefix",
    "upstream-registry-url",
    "upstream-registry",
    "upstream-repository-prefix",
    "credential-arn",
    "custom-role-arn",
    "anonymous-pull",
    "policy",
];
const ACCOUNT_KEYS: &[&str] = &["id"];
const HOST_KEYS: &[&str] =
    &["host", "endpoints", "ca-file", "client-cert", "client-key", "proxy", "plain-http"];

impl ConfigFile {
    /// Reads a file. Where `optional`, one that is not there says nothing.
    pub(crate) fn read(path: &Path, optional: bool) -> Result<Self, ConfigError> {
        match fs::read_to_string(path) {
            Ok(text) => Self::parse(path, &text),
            Err(error) if optional && error.kind() == io::ErrorKind::NotFound => {
                Ok(Self::default())
            }
            Err(source) => Err(ConfigError::Unreadable { path: path.to_owned(), source }),
        }
    }

    /// Reads the text of a file.
    pub(crate) fn parse(path: &Path, text: &str) -> Result<Self, ConfigError> {
        let document: Table = toml::from_str(text).map_err(|error| {
            let offset = error.span().map_or(0, |span| span.start.min(text.len()));
            ConfigError::Syntax {
                path: path.to_owned(),
                line: 1 + text.as_bytes()[..offset].iter().filter(|&&b| b == b'\n').count(),
                message: error.message().replace('\n', ", "),
            }
        })?;
        let mut file = Self::default();
        let path: Arc<Path> = path.into();
        for (key, value) in document {
            file.take(&path, &key, value)?;
        }
        Ok(file)
    }

    fn take(&mut self, path: &Arc<Path>, key: &str, value: Value) -> Result<(), ConfigError> {
        match (key, value) {
            ("rule", Value::Array(rules)) => rules.into_iter().try_for_each(|rule| match rule {
                Value::Table(table) => {
                    self.rules.push(Entry::new(path, "[[rule]]", table, RULE_KEYS)?);
                    Ok(())
                }
                text => self.add(path, ("rule", Kind::List), text),
            }),
            ("account", Value::Array(accounts)) => accounts.into_iter().try_for_each(|account| {
                let Value::Table(table) = account else {
                    return Err(wrong_kind(path, "account", "[[account]] tables"));
                };
                self.accounts.push(Entry::new(path, "[[account]]", table, ACCOUNT_KEYS)?);
                Ok(())
            }),
            ("policy", Value::Table(table)) => {
                self.policy = Some(PolicyTable::new(path, "policy", &table).read()?);
                Ok(())
            }
            ("account", _) => Err(wrong_kind(path, "account", "[[account]] tables")),
            ("rule", Value::Table(_)) => Err(wrong_kind(path, "rule", "[[rule]] tables")),
            ("limits" | "upstream" | "policy", value) if !value.is_table() => {
                Err(wrong_kind(path, key, "one table"))
            }
            (_, Value::Table(table)) => self.take_table(path, key, table),
            (_, value) => {
                let known = TOP.iter().filter(|setting| setting.name != "config");
                match known.clone().find(|setting| setting.name == key) {
                    Some(setting) => self.add(path, (setting.name, setting.kind), value),
                    None => {
                        let tables = TABLES.iter().map(|(table, _)| *table);
                        let names = known
                            .map(|setting| setting.name)
                            .chain(tables)
                            .chain(["account", "policy"]);
                        Err(unknown_key(path, key.to_owned(), names))
                    }
                }
            }
        }
    }

    fn take_table(
        &mut self,
        path: &Arc<Path>,
        name: &str,
        table: Table,
    ) -> Result<(), ConfigError> {
        let Some((_, settings)) = TABLES.iter().find(|(known, _)| *known == name) else {
            let names = TABLES.iter().map(|(table, _)| *table).chain(["rule", "account", "policy"]);
            return Err(unknown_key(path, name.to_owned(), names));
        };
        for (key, value) in table {
            let key = format!("{name}.{key}");
            if key == "upstream.host" {
                self.take_hosts(path, value)?;
                continue;
            }
            match settings.iter().find(|(known, _)| *known == key) {
                Some(&setting) => self.add(path, setting, value)?,
                None => return Err(unknown_key(path, key, settings.iter().map(|(name, _)| *name))),
            }
        }
        Ok(())
    }

    fn take_hosts(&mut self, path: &Arc<Path>, value: Value) -> Result<(), ConfigError> {
        let wrong = || wrong_kind(path, "upstream.host", "[[upstream.host]] tables");
        let Value::Array(hosts) = value else { return Err(wrong()) };
        hosts.into_iter().try_for_each(|host| {
            let Value::Table(table) = host else { return Err(wrong()) };
            self.upstream_hosts.push(Entry::new(path, "[[upstream.host]]", table, HOST_KEYS)?);
            Ok(())
        })
    }

    fn add(
        &mut self,
        path: &Arc<Path>,
        (name, kind): (&'static str, Kind),
        value: Value,
    ) -> Result<(), ConfigError> {
        let origin = Origin::File(Arc::clone(path), name.to_owned());
        let values = match (kind, value) {
            (Kind::List, Value::Array(values)) => values,
            (_, value) => vec![value],
        };
        for value in values {
            let text = scalar(value).ok_or_else(|| wrong_kind(path, name, expected(kind)))?;
            self.layer.entry(name).or_default().push(Given { text, origin: origin.clone() });
        }
        Ok(())
    }
}

impl Entry {
    fn new(
        path: &Arc<Path>,
        name: &'static str,
        table: Table,
        known: &'static [&'static str],
    ) -> Result<Self, ConfigError> {
        match table.keys().find(|key| !known.contains(&key.as_str())) {
            Some(key) => Err(unknown_key(path, key.clone(), known.iter().copied())),
            None => Ok(Self { path: Arc::clone(path), name, table }),
        }
    }

    /// Returns the file.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Returns a value, where there is one.
    pub(crate) fn get(&self, key: &'static str) -> Result<Option<Given>, ConfigError> {
        let Some(value) = self.table.get(key) else { return Ok(None) };
        let text = scalar(value.clone()).ok_or_else(|| wrong_kind(&self.path, key, "one value"))?;
        let key = format!("{key} of a {}", self.name);
        Ok(Some(Given { text, origin: Origin::File(Arc::clone(&self.path), key) }))
    }

    /// Returns the policy, where there is one.
    pub(crate) fn policy(&self) -> Result<Option<RulePolicy>, ConfigError> {
        let Some(value) = self.table.get("policy") else { return Ok(None) };
        let wrong = || wrong_kind(&self.path, "rule.policy", "one table");
        let table = value.as_table().ok_or_else(wrong)?;
        PolicyTable::new(&self.path, "rule.policy", table).read().map(Some)
    }

    /// Returns the values of a list, none where there is no such key.
    pub(crate) fn all(&self, key: &'static str) -> Result<Vec<Given>, ConfigError> {
        let Some(value) = self.table.get(key) else { return Ok(Vec::new()) };
        let wrong = || wrong_kind(&self.path, key, "an array of strings");
        let Value::Array(values) = value else { return Err(wrong()) };
        let name = format!("{key} of a {}", self.name);
        let given = |value: &Value| {
            let text = scalar(value.clone()).ok_or_else(wrong)?;
            Ok(Given { text, origin: Origin::File(Arc::clone(&self.path), name.clone()) })
        };
        values.iter().map(given).collect()
    }

    /// Returns a value that must be there.
    pub(crate) fn require(&self, key: &'static str) -> Result<Given, ConfigError> {
        let path = || PathBuf::from(&*self.path);
        self.get(key)?.ok_or_else(|| ConfigError::MissingKey {
            table: self.name,
            key,
            path: path(),
        })
    }
}

pub(super) fn scalar(value: Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text),
        Value::Integer(number) => Some(number.to_string()),
        Value::Boolean(switch) => Some(switch.to_string()),
        Value::Float(_) | Value::Datetime(_) | Value::Array(_) | Value::Table(_) => None,
    }
}

fn expected(kind: Kind) -> &'static str {
    match kind {
        Kind::Text => "a string or a whole number",
        Kind::Switch => "true or false",
        Kind::List => "an array of strings",
    }
}

pub(super) fn wrong_kind(path: &Path, key: &str, expected: &'static str) -> ConfigError {
    ConfigError::WrongKind { key: key.to_owned(), path: path.to_owned(), expected }
}

pub(super) fn unknown_key<'a>(
    path: &Path,
    key: String,
    known: impl Iterator<Item = &'a str> + Clone,
) -> ConfigError {
    let way_out = match nearest(&key, known.clone()) {
        Some(meant) => format!("did you mean {meant}?"),
        None => {
            let mut known: Vec<&str> = known.collect();
            known.sort_unstable();
            known.dedup();
            format!("remove it (known here: {})", known.join(", "))
        }
    };
    ConfigError::UnknownKey { key, path: path.to_owned(), way_out }
}
