//! The decisions: pull, fill, freshness, rules, secrets, roles, who may do what.
//!
//! Knows no status code, header or envelope. Every call of the [`Registry`] facade takes a
//! [`Caller`] (a registry and a principal) and passes one `authorize`. Invariants: bytes before
//! facts; no reader sees a clean end of unverified bytes; a fill belongs to the registry, never
//! to a request; what is cached is served when the upstream fails.

mod age;
mod archive;
mod authorize;
mod blob;
mod caller;
mod circle;
mod circuit;
mod clock;
mod collect;
mod counters;
mod describe;
mod discover;
mod error;
mod evict;
mod explain;
mod fill;
mod flight;
mod follow;
mod hot;
mod images;
mod keyring;
mod lifecycle;
mod listings;
mod matching;
mod naming;
mod neighbours;
mod permissions;
mod policy_language;
mod pull;
mod pulls;
mod push;
mod random;
mod refresh;
mod refusals;
mod registry;
mod registry_settings;
mod remove;
mod repositories;
mod resource_requests;
mod roles;
mod rule_policies;
mod rules;
mod secret_arn;
mod secrets;
mod settings;
mod templates;
mod upkeep;
mod upstreams;
mod warming;

pub use archive::StorageClassError;
pub use authorize::{Action, Resource};
pub use blob::{BlobReader, BlobSummary, OpenBlob, ReadError};
pub use caller::{AssumedRole, Caller, Principal};
pub use clock::{Clock, ManualClock};
pub use collect::{CollectError, CollectFrom, Collected};
pub use counters::{Counter, Counters};
pub use describe::{ImageFilter, ListFilter, RepositoryFilter};
pub use discover::{Listed, ListedReferrer};
pub use error::{
    Denied, DescribeError, PolicyKind, PullError, RoleError, RuleError, SecretError, SettingError,
    StartError, StorageError, chain,
};
pub use explain::{
    CachedManifest, CachedTag, CircuitState, Decision, ExplainedRule, Explanation, LastAnswer,
    PassedOver, PullVerdict, UpstreamState,
};
pub use fill::{
    FillDirectory, FillError, FillKey, FillSource, Joined, Lease, LinkWish, LocalDirectory,
    Progress,
};
pub use images::{ImageFailure, ImageId, LayerState, PulledBatch, WantedImage};
pub use keyring::{Keyring, KeyringError};
pub use lifecycle::{LifecyclePreviewView, PreviewState, PreviewedImages};
pub use matching::Match;
pub use naming::Naming;
pub use permissions::{Permissions, Verdict};
pub use pull::{PulledManifest, Served, StaleReason};
pub use push::{
    BodyError, Chunk, ImportError, ImportedManifest, NewImage, PushError, PushedBlob,
    PushedManifest, UploadStatus,
};
pub use registry::{Parts, Registry};
pub use registry_settings::{AccountSetting, RepositoryScanning};
pub use remove::DeleteFailure;
pub use resource_requests::{
    AskedRequest, DoneRequest, FailedRequest, NewResourceRequest, RequestError, RequestFilter,
};
pub use roles::{
    AssumeRole, AssumeRoleError, NewRole, NewSession, RoleAspect, RoleView, UpdateRole,
};
pub use rule_policies::{Freshness, PolicyFault, RulePolicyView, check_policy};
pub use rules::{NewRule, RuleFailure, RuleSource, RuleValidation, RuleView};
pub use secret_arn::SecretArn;
pub use secrets::{
    CreateSecret, DeleteSecret, ListSecrets, MoveStage, PasswordRules, PutSecretValue,
    SecretAttribute, SecretBatch, SecretFilter, SecretOrder, SecretSelection, SecretSelector,
    SecretValue, SecretView, UpdateSecret,
};
pub use settings::{DeclaredRule, Settings};
pub use templates::{CreationError, TemplateError, TemplateFault, TemplateFields};
pub use warming::{
    NewWarming, WarmError, WarmedImage, WarmingError, WarmingFailure, WarmingState, WarmingView,
};
