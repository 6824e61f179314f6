//! Every setting there is, by the one name it has everywhere, and the texts given for it.
//!
//! A setting `name` is the flag `--name`, the variable `CISTERN_NAME` and the key `name` of
//! `cistern.toml`. Limits and the finer points of upstreams are keys of a table of the file only.

use std::{collections::BTreeMap, fmt, path::Path, sync::Arc};

use super::ConfigError;

/// How often a setting may be given, and as what.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// One text or number.
    Text,
    /// `true` or `false`; the bare flag means `true`.
    Switch,
    /// Any number of texts; those of flags, variable and file add up.
    List,
}

/// A setting of the top level: flag, variable and key.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Setting {
    /// The name it has everywhere.
    pub(crate) name: &'static str,
    /// How often and as what it may be given.
    pub(crate) kind: Kind,
    /// What stands for its value in help.
    pub(crate) value: &'static str,
    /// What it does, with its default.
    pub(crate) help: &'static str,
}

const fn setting(
    name: &'static str,
    kind: Kind,
    value: &'static str,
    help: &'static str,
) -> Setting {
    Setting { name, kind, value, help }
}

/// Every setting of the top level, in the order of help.
pub(crate) const TOP: &[Setting] = &[
    setting(
        "listen",
        Kind::Text,
        "HOST:PORT",
        "Where to listen [default: 127.0.0.1:5000; port 0 takes a free one]",
    ),
    setting("data-dir", Kind::Text, "DIR", "Where everything is kept [default: ./cistern-data]"),
    setting(
        "config",
        Kind::Text,
        "FILE",
        "Configuration file [default: ./cistern.toml, where there is one]",
    ),
    setting(
        "public-url",
        Kind::Text,
        "URL",
        "What clients call this registry; may contain {account} and {region}",
    ),
    setting(
        "account-id",
        Kind::Text,
        "ID",
        "Account of the default registry [default: 000000000000]",
    ),
    setting("region", Kind::Text, "NAME", "Region of the default registry [default: us-east-1]"),
    setting("tls-cert", Kind::Text, "FILE", "Serve TLS with this certificate chain (PEM)"),
    setting("tls-key", Kind::Text, "FILE", "Private key of --tls-cert (PEM)"),
    setting(
        "metadata-url",
        Kind::Text,
        "URL",
        "Where metadata is kept [default: sqlite:DATA_DIR/metadata.sqlite]",
    ),
    setting("blob-url", Kind::Text, "URL", "Where blobs are kept [default: file:DATA_DIR/blobs]"),
    setting(
        "rule",
        Kind::List,
        "PREFIX=UPSTREAM_URL",
        "Declare a pull through cache rule; may be repeated",
    ),
    setting(
        "upstream-endpoint",
        Kind::List,
        "HOST=URL",
        "Send traffic meant for an upstream host elsewhere; may be repeated, the next is for when \
         the one before fails",
    ),
    setting(
        "anonymous-pull",
        Kind::Switch,
        "",
        "Serve pulls without credentials where the rule has none either",
    ),
    setting("strict-ecr", Kind::Switch, "", "Hold exactly to ECR's constraints and errors"),
    setting(
        "log-format",
        Kind::Text,
        "human|json",
        "How log lines look [default: human on a terminal, else json]",
    ),
];

/// Tables of `cistern.toml` and the keys in them.
pub(crate) const TABLES: &[(&str, &[(&str, Kind)])] = &[
    (
        "limits",
        &[
            ("limits.manifest-bytes", Kind::Text),
            ("limits.request-body-bytes", Kind::Text),
            ("limits.header-bytes", Kind::Text),
            ("limits.staging-bytes", Kind::Text),
            ("limits.hot-manifest-bytes", Kind::Text),
            ("limits.hot-entries", Kind::Text),
            ("limits.small-blob-bytes", Kind::Text),
            ("limits.open-blobs", Kind::Text),
            ("limits.fills", Kind::Text),
            ("limits.fills-per-upstream", Kind::Text),
            ("limits.fill-resumes", Kind::Text),
            ("limits.warming-requests", Kind::Text),
            ("limits.questions-per-upstream", Kind::Text),
            ("limits.rules", Kind::Text),
            ("limits.templates", Kind::Text),
            ("limits.upload-bytes", Kind::Text),
            ("limits.layer-part-bytes", Kind::Text),
            ("limits.uploads", Kind::Text),
            ("limits.upload-life", Kind::Text),
            ("limits.lifecycle-interval", Kind::Text),
            ("limits.gc-interval", Kind::Text),
            ("limits.gc-grace", Kind::Text),
            ("limits.quota-bytes", Kind::Text),
            ("limits.list-entries", Kind::Text),
            ("limits.connections", Kind::Text),
            ("limits.redirects", Kind::Text),
            ("limits.connect-timeout", Kind::Text),
            ("limits.first-byte-timeout", Kind::Text),
            ("limits.idle-timeout", Kind::Text),
            ("limits.queue-timeout", Kind::Text),
            ("limits.stale-deadline", Kind::Text),
            ("limits.fresh-for", Kind::Text),
            ("limits.list-fresh-for", Kind::Text),
            ("limits.circuit-cooldown", Kind::Text),
            ("limits.retry-after", Kind::Text),
            ("limits.budget-reserve", Kind::Text),
            ("limits.download-url-life", Kind::Text),
            ("limits.client-idle-timeout", Kind::Text),
            ("limits.tls-handshake-timeout", Kind::Text),
            ("limits.drain-timeout", Kind::Text),
        ],
    ),
    (
        "upstream",
        &[
            ("upstream.allow-private-addresses", Kind::List),
            ("upstream.plain-http", Kind::List),
            ("upstream.token-realms", Kind::List),
            ("upstream.ca-file", Kind::Text),
            ("upstream.proxy", Kind::Text),
            ("upstream.no-proxy", Kind::List),
        ],
    ),
];

/// Where a text comes from; its `Display` is what an error calls it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Origin {
    /// A flag, by the setting's name.
    Flag(&'static str),
    /// An environment variable.
    Variable(String),
    /// A key of the configuration file.
    File(Arc<Path>, String),
    /// Nobody gave it: the default of a setting.
    Default(&'static str),
}

impl Origin {
    /// Tells whether two texts come from one source: flags, variables or the file.
    pub(crate) fn is_of_one_source(&self, other: &Self) -> bool {
        std::mem::discriminant(self) == std::mem::discriminant(other)
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Flag(name) | Self::Default(name) => write!(f, "--{name}"),
            Self::Variable(name) => f.write_str(name),
            Self::File(path, key) => write!(f, "{key} in {}", path.display()),
        }
    }
}

/// A text and where it comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Given {
    /// The text, not yet understood.
    pub(crate) text: String,
    /// Where it comes from.
    pub(crate) origin: Origin,
}

impl Given {
    /// Tells whether it was chosen by flag or variable.
    pub(crate) fn is_explicit(&self) -> bool {
        matches!(self.origin, Origin::Flag(_) | Origin::Variable(_))
    }

    /// Understands the text, or says where the text is that cannot be understood.
    pub(crate) fn parse<T, E: fmt::Display>(
        &self,
        parse: impl FnOnce(&str) -> Result<T, E>,
    ) -> Result<T, ConfigError> {
        parse(&self.text).map_err(|reason| self.reject(reason))
    }

    /// Makes the error that says what is wrong with this text.
    pub(crate) fn reject(&self, reason: impl fmt::Display) -> ConfigError {
        ConfigError::Invalid {
            origin: self.origin.to_string(),
            text: self.text.clone(),
            reason: reason.to_string(),
        }
    }
}

/// The texts of one source, by setting.
pub(crate) type Layer = BTreeMap<&'static str, Vec<Given>>;

/// The texts of every source: flags first, then variables, then the file.
#[derive(Clone, Debug, Default)]
pub(crate) struct Values(Vec<Layer>);

impl Values {
    /// Puts layers in order, the strongest first.
    pub(crate) fn new(layers: Vec<Layer>) -> Self {
        Self(layers)
    }

    /// Returns what the strongest source says.
    pub(crate) fn one(&self, name: &str) -> Option<&Given> {
        self.0.iter().find_map(|layer| layer.get(name)?.last())
    }

    /// Returns what every source says, the strongest first.
    pub(crate) fn all(&self, name: &str) -> impl Iterator<Item = &Given> {
        self.0.iter().filter_map(move |layer| layer.get(name)).flatten()
    }

    /// Understands what the strongest source says.
    pub(crate) fn parse<T, E: fmt::Display>(
        &self,
        name: &str,
        parse: impl FnOnce(&str) -> Result<T, E>,
    ) -> Result<Option<T>, ConfigError> {
        self.one(name).map(|given| given.parse(parse)).transpose()
    }

    /// Understands a switch; one that nobody gave is off.
    pub(crate) fn switch(&self, name: &str) -> Result<bool, ConfigError> {
        let parse = |text: &str| match text {
            "true" | "1" => Ok(true),
            "false" | "0" => Ok(false),
            _ => Err("expected true or false"),
        };
        Ok(self.parse(name, parse)?.unwrap_or(false))
    }
}

/// Returns the variable of a setting.
pub(crate) fn variable_of(name: &str) -> String {
    format!("CISTERN_{}", name.to_ascii_uppercase().replace('-', "_"))
}

/// Reads the layer of the environment. A variable that is set and empty counts as not set. Several
/// values of one variable are separated by commas or blanks.
pub(crate) fn from_environment(variable: impl Fn(&str) -> Option<String>) -> Layer {
    let mut layer = Layer::new();
    for &Setting { name, kind, .. } in TOP {
        let variable_name = variable_of(name);
        let Some(text) = variable(&variable_name).filter(|text| !text.is_empty()) else { continue };
        let texts: Vec<String> = match kind {
            Kind::List => text
                .split(|c: char| c == ',' || c.is_whitespace())
                .filter(|part| !part.is_empty())
                .map(str::to_owned)
                .collect(),
            Kind::Text | Kind::Switch => vec![text],
        };
        let origin = Origin::Variable(variable_name);
        let given = texts.into_iter().map(|text| Given { text, origin: origin.clone() });
        layer.insert(name, given.collect());
    }
    layer
}

/// Returns the known name that is most like `name`, where one is alike enough to be meant.
pub(crate) fn nearest<'a>(name: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let alike = |known: &&'a str| strsim::damerau_levenshtein(name, known);
    known.into_iter().min_by_key(alike).filter(|known| alike(known) <= 1 + name.len() / 4)
}
