//! What an operator may set about upstreams.

use std::{
    collections::HashMap,
    fmt,
    path::PathBuf,
    sync::Arc,
    time::{Duration, SystemTime},
};

use secrecy::SecretString;
use url::Url;

use crate::dial::Lookup;

/// How upstreams are reached. The default suits the public registries.
#[derive(Clone, Debug, Default)]
pub struct Settings {
    /// Where traffic for a public `host` or `host:port` really goes (`--upstream-endpoint`): to the
    /// first, and to the next where one fails. Such a destination is trusted: it may be plain http
    /// and lie on a private network, and it is sent the credentials of the host's rules.
    pub endpoints: HashMap<String, Vec<Url>>,
    /// How long to wait.
    pub timeouts: Timeouts,
    /// How much to take.
    pub limits: Limits,
    /// Whether redirects and token realms may lead to private addresses.
    pub private_addresses: PrivateAddresses,
    /// Hosts, as `host` or `host:port`, that may be spoken to without TLS. Loopback always may.
    pub plain_http_hosts: Vec<String>,
    /// Root certificates to trust beside the system's, as PEM texts; each may hold several.
    pub root_certificates: Vec<String>,
    /// Hosts that may see any upstream's credentials as its token realm.
    pub trusted_realm_hosts: Vec<String>,
    /// The proxy that stands between.
    pub proxy: Proxy,
    /// Hosts, domains and networks that are reached without the proxy of [`Proxy::At`], written as
    /// in `NO_PROXY`.
    pub no_proxy: Vec<String>,
    /// Hosts that are reached in a way of their own.
    pub hosts: Vec<HostSettings>,
    /// Where the AWS credential chain looks.
    pub surroundings: Surroundings,
    /// How names are resolved; `None` asks the system.
    pub lookup: Option<Arc<dyn Lookup>>,
    /// The time that budgets are counted in.
    pub clock: SharedClock,
}

/// How one host is reached where that differs from the others. It holds for the connections to
/// that host and for no other, whether a rule, an endpoint, a redirect or a realm names it.
#[derive(Clone, Debug, Default)]
pub struct HostSettings {
    /// `host` or `host:port`; the one with a port wins.
    pub host: String,
    /// Root certificates to trust there beside everybody's, as PEM texts.
    pub root_certificates: Vec<String>,
    /// As whom to come, where it asks.
    pub identity: Option<ClientIdentity>,
    /// The proxy in front of it, where it is not everybody's.
    pub proxy: Option<Proxy>,
}

/// A client certificate and its key.
#[derive(Clone, Debug)]
pub struct ClientIdentity {
    /// The chain as PEM, the client's own first.
    pub certificates: String,
    /// The private key as PEM.
    pub key: SecretString,
}

/// A source of wall-clock time.
pub trait Clock: Send + Sync + fmt::Debug + 'static {
    /// Returns the current moment.
    fn now(&self) -> SystemTime;
}

/// A clock as settings hold it; the machine's is the default.
#[derive(Clone, Debug)]
pub struct SharedClock(Arc<dyn Clock>);

/// The clock of the machine.
#[derive(Debug)]
struct SystemClock;

/// Where the AWS credential chain looks for variables and for the files below a home directory.
#[derive(Clone, Debug, Default)]
pub enum Surroundings {
    /// Around this process.
    #[default]
    Process,
    /// Here, and nowhere else.
    Given {
        /// The variables.
        variables: HashMap<String, String>,
        /// The home directory.
        home: Option<PathBuf>,
    },
}

/// How long to wait for an upstream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timeouts {
    /// Name resolution, TCP and TLS of one connection.
    pub connect: Duration,
    /// From a call to its answer's headers: connection, token, redirects and one retry included.
    pub first_byte: Duration,
    /// Between two parts of a blob, and for the whole of a manifest or token after its headers.
    pub idle: Duration,
    /// For a free transfer, where an upstream has as many as it may.
    pub queue: Duration,
}

/// How much is taken from an upstream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Largest manifest in bytes.
    pub manifest_bytes_max: u64,
    /// Largest answer of a token endpoint in bytes.
    pub token_bytes_max: u64,
    /// How much of an error's body is read, in bytes.
    pub error_bytes_max: u64,
    /// How many redirects one request follows.
    pub redirects_max: usize,
    /// How many blobs are transferred from one upstream at the same time.
    pub transfers_max: usize,
    /// How many manifests and answers without content one upstream is asked for at the same time.
    pub questions_max: usize,
    /// The longest time that an upstream is not asked because it said so with a 429.
    pub retry_after_max: Duration,
    /// How long an endpoint that failed is asked last, where the upstream has several.
    pub endpoint_rest: Duration,
    /// What of an upstream's budget is kept for what is not cached, in percent.
    pub budget_reserve_percent: u8,
    /// How many pages of one list are read.
    pub list_pages_max: usize,
    /// How many entries of one list are taken.
    pub list_entries_max: usize,
    /// How many bytes of one list are read before no further page is asked for.
    pub list_bytes_max: u64,
}

/// The proxy between this process and upstreams. It resolves names itself, so that only literal
/// addresses can be checked in front of it: what else it may reach is its own affair. Loopback is
/// never reached through a proxy.
#[derive(Clone, Default, PartialEq, Eq)]
pub enum Proxy {
    /// What `HTTPS_PROXY`, `HTTP_PROXY`, `ALL_PROXY` and `NO_PROXY` say.
    #[default]
    System,
    /// This one, for everything.
    At(Url),
    /// None, whatever the environment says.
    None,
}

/// Whether redirects and token realms may lead to private addresses. Where an upstream itself
/// lies on loopback or on a private network, they may without being asked.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum PrivateAddresses {
    /// Never.
    #[default]
    Refused,
    /// For these hosts, wherever they are.
    AllowedFor(Vec<String>),
    /// For every host: loopback and private networks, but not link-local (cloud metadata).
    Allowed,
}

/// Why settings cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum SettingsError {
    /// An endpoint is not an http or https URL without credentials, path and query.
    #[error("the upstream endpoint of {host} is not of the form http://HOST:PORT")]
    Endpoint {
        /// The public host it is for.
        host: String,
    },
    /// A root certificate cannot be read.
    #[error("a root certificate for upstreams cannot be read")]
    RootCertificate {
        /// The cause.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// What is set for one host cannot be used.
    #[error("what is set for the upstream host {host} cannot be used")]
    Host {
        /// The host.
        host: String,
        /// The cause.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The HTTP client cannot be made.
    #[error("the client for upstreams cannot be made")]
    Client {
        /// The cause.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
}

impl fmt::Debug for Proxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::System => f.write_str("System"),
            // The rest of the URL may be a password.
            Self::At(url) => write!(f, "At({:?})", url.host_str()),
            Self::None => f.write_str("None"),
        }
    }
}

impl Clock for SystemClock {
    fn now(&self) -> SystemTime {
        SystemTime::now()
    }
}

impl SharedClock {
    /// Shares a clock.
    pub fn new(clock: Arc<dyn Clock>) -> Self {
        Self(clock)
    }

    pub(crate) fn now(&self) -> SystemTime {
        self.0.now()
    }
}

impl Default for SharedClock {
    fn default() -> Self {
        Self::new(Arc::new(SystemClock))
    }
}

impl Default for Timeouts {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(5),
            first_byte: Duration::from_secs(30),
            idle: Duration::from_secs(30),
            queue: Duration::from_secs(30),
        }
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            // OCI distribution-spec 1.1, "Pushing Manifests": registries should take 4 MiB.
            manifest_bytes_max: 4 << 20,
            // Tokens of Azure and Harbor reach a few KiB.
            token_bytes_max: 256 << 10,
            error_bytes_max: 4 << 10,
            redirects_max: 5,
            transfers_max: 64,
            questions_max: 64,
            retry_after_max: Duration::from_secs(60 * 60),
            endpoint_rest: Duration::from_secs(10),
            budget_reserve_percent: 10,
            list_pages_max: 200,
            list_entries_max: 50_000,
            list_bytes_max: 16 << 20,
        }
    }
}
