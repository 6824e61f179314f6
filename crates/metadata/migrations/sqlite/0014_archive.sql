-- ECR's storage classes: an archived manifest is kept, and not served.
ALTER TABLE manifests ADD COLUMN archived INTEGER NOT NULL DEFAULT 0;
ALTER TABLE manifests ADD COLUMN last_archived_at INTEGER;
ALTER TABLE manifests ADD COLUMN last_activated_at INTEGER;

-- Those few that are archived: what lists tags asks of each whether it names one of them.
CREATE INDEX manifests_archived ON manifests (account, region, repository, digest)
    WHERE archived = 1;
