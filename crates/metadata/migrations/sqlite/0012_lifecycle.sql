-- Whose lifecycle policy was evaluated how long ago; 0 where it never was.
CREATE INDEX repository_settings_by_evaluation ON repository_settings
    (COALESCE(json_extract(settings, '$.lifecycle_evaluated_at'), 0))
    WHERE json_extract(settings, '$.lifecycle_policy') IS NOT NULL;

-- What a lifecycle policy would do, as it was last tried. The column results of a page holds JSON.
CREATE TABLE lifecycle_previews (
    account TEXT NOT NULL,
    region TEXT NOT NULL,
    repository TEXT NOT NULL,
    policy TEXT NOT NULL,
    status TEXT NOT NULL,
    started_at INTEGER NOT NULL,
    expiring INTEGER NOT NULL,
    transitioning INTEGER NOT NULL,
    PRIMARY KEY (account, region, repository),
    FOREIGN KEY (account, region, repository) REFERENCES repositories ON DELETE CASCADE
) STRICT;

CREATE TABLE lifecycle_preview_pages (
    account TEXT NOT NULL,
    region TEXT NOT NULL,
    repository TEXT NOT NULL,
    page INTEGER NOT NULL,
    results TEXT NOT NULL,
    PRIMARY KEY (account, region, repository, page),
    FOREIGN KEY (account, region, repository) REFERENCES lifecycle_previews ON DELETE CASCADE
) STRICT;

-- Which repositories of a registry have a manifest: whoever collects bytes asks by digest alone.
CREATE INDEX manifests_by_digest ON manifests (account, region, digest, repository);
