-- The facts of a registry: every key begins with the account and the region it belongs to.
-- Moments are milliseconds since the Unix epoch. Sizes are bytes. Columns named origin, tags, stages,
-- config and children hold JSON. Narrow tables are clustered by their key (WITHOUT ROWID); those with
-- wide rows are not, so that their keys stay close together.

CREATE TABLE rules (
    account TEXT NOT NULL,
    region TEXT NOT NULL,
    prefix_key TEXT NOT NULL,
    ecr_repository_prefix TEXT NOT NULL,
    upstream_registry_url TEXT NOT NULL,
    upstream_registry TEXT,
    upstream_repository_prefix TEXT,
    credential_arn TEXT,
    custom_role_arn TEXT,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    PRIMARY KEY (account, region, prefix_key)
) STRICT, WITHOUT ROWID;

CREATE TABLE secrets (
    account TEXT NOT NULL,
    region TEXT NOT NULL,
    name TEXT NOT NULL,
    arn_suffix TEXT NOT NULL,
    description TEXT,
    kms_key_id TEXT,
    tags TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    changed_at INTEGER NOT NULL,
    delete_after INTEGER,
    deleted_at INTEGER,
    PRIMARY KEY (account, region, name)
) STRICT;

CREATE TABLE secret_versions (
    account TEXT NOT NULL,
    region TEXT NOT NULL,
    name TEXT NOT NULL,
    position INTEGER NOT NULL,
    version_id TEXT NOT NULL,
    stages TEXT NOT NULL,
    sealed_value BLOB NOT NULL,
    created_at INTEGER NOT NULL,
    PRIMARY KEY (account, region, name, position),
    FOREIGN KEY (account, region, name) REFERENCES secrets ON DELETE CASCADE
) STRICT;

CREATE TABLE repositories (
    account TEXT NOT NULL,
    region TEXT NOT NULL,
    name TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    origin TEXT NOT NULL,
    PRIMARY KEY (account, region, name)
) STRICT, WITHOUT ROWID;

CREATE TABLE manifests (
    account TEXT NOT NULL,
    region TEXT NOT NULL,
    repository TEXT NOT NULL,
    digest TEXT NOT NULL,
    media_type TEXT NOT NULL,
    size_bytes INTEGER NOT NULL,
    artifact_type TEXT,
    config TEXT,
    children TEXT NOT NULL,
    subject TEXT,
    origin TEXT NOT NULL,
    pushed_at INTEGER NOT NULL,
    last_pulled_at INTEGER,
    PRIMARY KEY (account, region, repository, digest),
    FOREIGN KEY (account, region, repository) REFERENCES repositories
) STRICT;

-- Referrers of a manifest.
CREATE INDEX manifests_by_subject ON manifests (account, region, repository, subject, digest)
    WHERE subject IS NOT NULL;

-- Who names a digest as its config or child: in the whole registry by the first three columns, in one
-- repository by the first four. Written and deleted with the manifest, whose own row lists the same.
CREATE TABLE manifest_references (
    account TEXT NOT NULL,
    region TEXT NOT NULL,
    child TEXT NOT NULL,
    repository TEXT NOT NULL,
    parent TEXT NOT NULL,
    PRIMARY KEY (account, region, child, repository, parent)
) STRICT, WITHOUT ROWID;

CREATE TABLE tags (
    account TEXT NOT NULL,
    region TEXT NOT NULL,
    repository TEXT NOT NULL,
    tag TEXT NOT NULL,
    digest TEXT NOT NULL,
    origin TEXT NOT NULL,
    updated_at INTEGER NOT NULL,
    checked_at INTEGER NOT NULL,
    PRIMARY KEY (account, region, repository, tag),
    FOREIGN KEY (account, region, repository, digest) REFERENCES manifests
) STRICT, WITHOUT ROWID;

CREATE INDEX tags_by_digest ON tags (account, region, repository, digest, tag);

CREATE TABLE links (
    account TEXT NOT NULL,
    region TEXT NOT NULL,
    repository TEXT NOT NULL,
    digest TEXT NOT NULL,
    size_bytes INTEGER NOT NULL,
    media_type TEXT,
    origin TEXT NOT NULL,
    linked_at INTEGER NOT NULL,
    PRIMARY KEY (account, region, repository, digest),
    FOREIGN KEY (account, region, repository) REFERENCES repositories
) STRICT, WITHOUT ROWID;

-- Which repositories of a registry may serve a blob.
CREATE INDEX links_by_digest ON links (account, region, digest, repository);

-- Records of the installation itself, which belong to no registry.
CREATE TABLE markers (
    name TEXT NOT NULL PRIMARY KEY,
    value BLOB NOT NULL
) STRICT, WITHOUT ROWID;

-- The newest changes of all registries, in order. AUTOINCREMENT: a revision is never given twice, even
-- when the newest rows are gone.
CREATE TABLE changes (
    revision INTEGER PRIMARY KEY AUTOINCREMENT,
    account TEXT NOT NULL,
    region TEXT NOT NULL,
    kind TEXT NOT NULL,
    repository TEXT,
    name TEXT
) STRICT;
