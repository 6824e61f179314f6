//! What an operator can set about decisions, with defaults.

use std::time::Duration;

use metadata::{AccountId, RegistryId, Rule, RulePolicy};

/// Limits and policies of the registry.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The registry of callers that name none; anonymous pulls reach only this one.
    pub default_registry: RegistryId,
    /// How long a cached tag is served without asking the upstream (ECR: 24 hours).
    pub fresh_for: Duration,
    /// How long the tags or referrers that an upstream listed are listed without asking it.
    pub list_fresh_for: Duration,
    /// How long a caller waits for an upstream when a cached tag could be served.
    pub stale_deadline: Duration,
    /// How long an upstream that failed is left alone while cached tags are served.
    pub circuit_cooldown: Duration,
    /// Largest manifest accepted, in bytes.
    pub manifest_bytes_max: u64,
    /// Largest blob that may be pushed, in bytes.
    pub upload_bytes_max: u64,
    /// Uploads that one registry may have at once.
    pub uploads_max: u32,
    /// How long an upload stays for which no bytes come.
    pub upload_life: Duration,
    /// How often a lifecycle policy is evaluated; zero where none ever is.
    pub lifecycle_interval: Duration,
    /// How often what nobody needs is collected; zero where that is only done when asked for.
    pub collect_interval: Duration,
    /// How old has to be what is collected.
    pub collect_grace: Duration,
    /// How many bytes may be stored before cached images make room; `None` where nobody minds.
    pub quota_bytes: Option<u64>,
    /// Fills that receive at once, all upstreams together. More than one upstream may have.
    pub fills_max: usize,
    /// How often one fill goes on where its upstream broke off, before it is given up.
    pub fill_resumes_max: u32,
    /// How long the readers of a fill may stand still because its upstream wants to be left alone
    /// before it goes on.
    pub fill_pause_max: Duration,
    /// Requests to upstreams that warmings make at once, all of them together. Fewer than what an
    /// upstream may be asked at once, so that whoever waits for a pull comes first.
    pub warming_requests_max: usize,
    /// Rules one registry may have (ECR: 50).
    pub rules_max: Option<u32>,
    /// Repository creation templates one registry may have (ECR publishes no number).
    pub templates_max: Option<u32>,
    /// Memory for manifests of the warm path, in bytes.
    pub hot_manifest_bytes_max: u64,
    /// Tags and links kept for the warm path, each.
    pub hot_entries_max: u64,
    /// Whether pulls without credentials are served (DESIGN 3, `--anonymous-pull`).
    pub anonymous_pull: bool,
    /// Whether exactly ECR's constraints hold.
    pub strict_ecr: bool,
    /// Hosts (`host` or `host:port`) that clients reach this process by: no rule may name one as
    /// its upstream.
    pub own_hosts: Vec<String>,
    /// The accounts whose registries this process serves: one is reached as an upstream without
    /// HTTP.
    pub accounts: Vec<AccountId>,
    /// Hosts whose traffic the operator sends somewhere else: they are upstreams like others,
    /// whosever account they name.
    pub replaced_hosts: Vec<String>,
    /// Hosts (`host` or `host:port`) that a rule may name with plain http although they are not
    /// loopback.
    pub plain_http_hosts: Vec<String>,
    /// What holds for every rule whose own policy does not say otherwise.
    pub default_policy: RulePolicy,
    /// Rules declared by flag or file.
    pub declared_rules: Vec<DeclaredRule>,
}

/// A rule that is not stored but declared: it can be neither updated nor deleted by a caller.
#[derive(Clone, Debug)]
pub struct DeclaredRule {
    /// The registry it belongs to.
    pub registry: RegistryId,
    /// The rule.
    pub rule: Rule,
    /// Where it comes from, for people: `--rule`, `cistern.toml`.
    pub source: String,
    /// Whether `--anonymous-pull` covers it although it has credentials.
    pub anonymous_pull: bool,
}

impl Settings {
    /// The defaults, for a default registry.
    pub fn new(default_registry: RegistryId) -> Self {
        Self {
            accounts: vec![default_registry.account.clone()],
            replaced_hosts: Vec::new(),
            default_registry,
            fresh_for: Duration::from_secs(24 * 60 * 60),
            list_fresh_for: Duration::from_secs(60),
            stale_deadline: Duration::from_secs(2),
            circuit_cooldown: Duration::from_secs(10),
            manifest_bytes_max: 4 << 20,
            upload_bytes_max: 64 << 30,
            uploads_max: 1000,
            upload_life: Duration::from_secs(24 * 60 * 60),
            lifecycle_interval: Duration::from_secs(6 * 60 * 60),
            collect_interval: Duration::from_secs(6 * 60 * 60),
            collect_grace: Duration::from_secs(24 * 60 * 60),
            quota_bytes: None,
            fills_max: 128,
            fill_resumes_max: 20,
            fill_pause_max: Duration::from_secs(30),
            warming_requests_max: 4,
            rules_max: None,
            templates_max: None,
            hot_manifest_bytes_max: 16 << 20,
            hot_entries_max: 100_000,
            anonymous_pull: false,
            strict_ecr: false,
            own_hosts: Vec::new(),
            plain_http_hosts: Vec::new(),
            default_policy: RulePolicy::default(),
            declared_rules: Vec::new(),
        }
    }
}
