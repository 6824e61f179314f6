//! Facts to write.

use oci::{Descriptor, Digest, RepositoryName, Tag};

use crate::{
    AccountId, AppliedFor, EcrRepositoryPrefix, Encryption, Link, ManifestFact, NewLink,
    NewManifest, NewSecret, Origin, Region, RegistryId, Repository, RepositorySettings, Role, Rule,
    RuleCredentials, Secret, SecretVersion, Storage, TagMutability, Template, TemplatePrefix,
    Timestamp,
};

pub(super) fn registry(account: &str, region: &str) -> RegistryId {
    RegistryId {
        account: AccountId::parse(account).expect("an account"),
        region: Region::parse(region).expect("a region"),
    }
}

/// The registry of checks that need only one.
pub(super) fn home() -> RegistryId {
    registry("000000000000", "us-east-1")
}

/// Three registries that differ by account, by region, by both.
pub(super) fn three_registries() -> [RegistryId; 3] {
    [home(), registry("000000000000", "eu-central-1"), registry("111122223333", "us-east-1")]
}

pub(super) fn prefix(text: &str) -> EcrRepositoryPrefix {
    EcrRepositoryPrefix::parse(text).expect("a prefix")
}

/// A rule that has no more than it must.
pub(super) fn rule(text: &str) -> Rule {
    Rule {
        ecr_repository_prefix: prefix(text),
        upstream_registry_url: "registry-1.docker.io".into(),
        upstream_registry: None,
        upstream_repository_prefix: None,
        credentials: RuleCredentials::default(),
        policy: None,
        created_at: Timestamp(1_000),
        updated_at: Timestamp(1_000),
    }
}

/// A role that has no more than it must.
pub(super) fn role(name: &str) -> Role {
    Role {
        name: name.into(),
        path: "/".into(),
        role_id: format!("AROA{name}"),
        assume_role_policy: "{}".into(),
        description: None,
        max_session_secs: 3_600,
        permissions_boundary: None,
        tags: Vec::new(),
        inline_policies: Vec::new(),
        attached_policies: Vec::new(),
        created_at: Timestamp(1_000),
    }
}

/// A template that has no more than it must.
pub(super) fn template(text: &str) -> Template {
    Template {
        prefix: TemplatePrefix::parse(text).expect("a prefix"),
        description: None,
        applied_for: vec![AppliedFor::PullThroughCache],
        settings: RepositorySettings::default(),
        custom_role_arn: None,
        created_at: Timestamp(1_000),
        updated_at: Timestamp(1_000),
    }
}

pub(super) fn version(version_id: &str, stage: &str, sealed_value: &[u8]) -> SecretVersion {
    SecretVersion {
        version_id: version_id.into(),
        stages: vec![stage.into()],
        sealed_value: sealed_value.to_vec(),
        created_at: Timestamp(1_000),
    }
}

/// A secret with one version, created at 1,000.
pub(super) fn secret(name: &str) -> Secret {
    Secret {
        name: name.into(),
        arn_suffix: "AbCdEf".into(),
        description: None,
        kms_key_id: None,
        tags: Vec::new(),
        resource_policy: None,
        created_at: Timestamp(1_000),
        changed_at: Timestamp(1_000),
        delete_after: None,
        deleted_at: None,
        versions: vec![version("v1", "AWSCURRENT", b"sealed")],
    }
}

pub(super) fn new_secret(name: &str) -> NewSecret {
    NewSecret { secret: secret(name) }
}

pub(super) fn repository(name: &str) -> RepositoryName {
    RepositoryName::parse(name).expect("a repository name")
}

/// An empty repository that somebody created at 1,000.
pub(super) fn created(name: &str, settings: &RepositorySettings) -> Repository {
    Repository {
        name: repository(name),
        created_at: Timestamp(1_000),
        origin: pushed(),
        settings: settings.clone(),
    }
}

/// Settings that differ from the default in everything.
pub(super) fn settings() -> RepositorySettings {
    RepositorySettings {
        tag_mutability: TagMutability::ImmutableWithExclusion(vec!["dev-*".into()]),
        scan_on_push: true,
        encryption: Encryption::Kms { kms_key: Some("arn:aws:kms:us-east-1:x:key/y".into()) },
        repository_policy: Some(r#"{"Version":"2012-10-17","Statement":[]}"#.into()),
        lifecycle_policy: Some(r#"{"rules":[]}"#.into()),
        lifecycle_evaluated_at: Some(Timestamp(1_000)),
        tags: vec![("team".into(), "b".into()), ("cost".into(), String::new())],
        encryption_is_set: true,
        empty_on_delete: true,
    }
}

pub(super) fn tag(text: &str) -> Tag {
    Tag::parse(text).expect("a tag")
}

pub(super) fn digest(content: &str) -> Digest {
    Digest::of(content.as_bytes())
}

pub(super) fn descriptor(content: &str, media_type: &str) -> Descriptor {
    let size_bytes = content.len() as u64;
    Descriptor { media_type: media_type.into(), digest: digest(content), size_bytes }
}

pub(super) fn cached() -> Origin {
    Origin::Cached {
        rule: "docker-hub".into(),
        upstream_registry_url: "registry-1.docker.io".into(),
        upstream_repository: "library/alpine".into(),
    }
}

pub(super) fn pushed() -> Origin {
    Origin::Pushed { principal: "arn:aws:iam::000000000000:root".into() }
}

/// A manifest told apart by `content`, cached at `at`, with a config and two layers.
pub(super) fn manifest(content: &str, at: i64) -> ManifestFact {
    ManifestFact {
        digest: digest(content),
        media_type: "application/vnd.oci.image.manifest.v1+json".into(),
        size_bytes: content.len() as u64,
        artifact_type: Some("application/vnd.oci.image.config.v1+json".into()),
        config: Some(descriptor("config", "application/vnd.oci.image.config.v1+json")),
        children: vec![
            descriptor("layer b", "application/vnd.oci.image.layer.v1.tar+gzip"),
            descriptor("layer a", "application/vnd.oci.image.layer.v1.tar+gzip"),
        ],
        subject: None,
        origin: cached(),
        pushed_at: Timestamp(at),
        last_pulled_at: None,
        storage: Storage::default(),
    }
}

/// The manifest of `content` in the repository `name`, tagged.
pub(super) fn tagged(name: &str, content: &str, text: &str, at: i64) -> NewManifest {
    NewManifest {
        repository: repository(name),
        manifest: manifest(content, at),
        tag: Some(tag(text)),
        restores: false,
        settings: RepositorySettings::default(),
    }
}

pub(super) fn untagged(name: &str, content: &str, at: i64) -> NewManifest {
    NewManifest { tag: None, ..tagged(name, content, "unused", at) }
}

pub(super) fn new_link(registry: &RegistryId, name: &str, content: &str) -> NewLink {
    let link = Link {
        digest: digest(content),
        size_bytes: content.len() as u64,
        media_type: Some("application/vnd.oci.image.layer.v1.tar+gzip".into()),
        origin: cached(),
        linked_at: Timestamp(1_000),
    };
    let settings = RepositorySettings::default();
    NewLink { registry: registry.clone(), repository: repository(name), link, settings }
}
